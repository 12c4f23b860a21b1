from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from serving.entries import find
from serving.journal import read_entries
from serving.printed import print_outlook
from serving.spool import FOLDER

ISSUED_AT = "2026-11-28T09:30:00.000Z"


def test_a_forecast_at_the_terminal_is_journalled_under_the_name_it_tells(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_outlook("aa-north", store=store, steps=3, issued_at=ISSUED_AT)
    name = capsys.readouterr().out.split("forecast_id ")[1].split()[0]
    entry = find(store, name)
    assert (entry["request"]["series"], entry["request"]["steps"]) == (["aa-north"], 3)
    assert entry["issued_at"] == ISSUED_AT


def test_a_file_names_its_forecast(store: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    print_outlook("aa-north", store=store, steps=2, issued_at=ISSUED_AT, out=out)
    (name,) = set(pd.read_csv(out)["forecast_id"])
    assert find(store, name)["request"]["steps"] == 2


def test_what_only_looks_is_not_journalled(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_outlook("aa-north", store=store, steps=2)
    assert "forecast_id" not in capsys.readouterr().out
    assert list(read_entries(store)) == []
    assert not (store / "state.db").exists()


def test_a_journal_that_cannot_be_written_withholds_no_forecast(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (store / "state.db").mkdir()
    (store / FOLDER).write_text("a file where a folder should be")
    print_outlook("aa-north", store=store, steps=2, issued_at=ISSUED_AT)
    printed = capsys.readouterr().out
    assert "made by" in printed
    assert "not in the journal" in printed
