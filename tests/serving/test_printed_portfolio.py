"""The portfolio at the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from features.errors import AskError
from serving.printed_portfolio import _print_left_out, print_portfolio
from tests.serving.test_scenarios import ASK


def test_it_prints_tonnes_share_and_who_is_left_out(
    store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "north.json").write_text(json.dumps(ASK))
    file = tmp_path / "all.toml"
    file.write_text('correlation = 0.5\nscenarios = ["north.json"]\n')
    print_portfolio(file, store=store)
    text = capsys.readouterr().out
    for words in (
        "of 832 Mt claimed",
        "chance that plans avoid 10% of it",
        "catch",
        "nothing is added",
    ):
        assert words in text
    assert "weak default" not in text
    print_portfolio(file, store=store, year=2027, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["year"], told["correlation"]["value"]) == (2027, 0.5)
    print_portfolio(None, store=store)
    assert "no project or lever is laid" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "text", "code", "remedy"),
    [
        ("a.json", json.dumps(ASK), "portfolio-unreadable", 'scenarios = ["a.json"]'),
        ("a.json", "[]", "portfolio-unreadable", "write a table"),
        ("a.json", '{"scenarios": [{"saved": "x"}]}', "portfolio-unreadable", "over HTTP"),
        ("a.toml", 'scenarios = ["none.toml"]', "scenario-missing", "docs/examples"),
        ("a.toml", "odd = 1", "unknown-field", "odd"),
    ],
)
def test_a_file_that_is_none_is_refused_with_what_helps(
    store: Path, tmp_path: Path, name: str, text: str, code: str, remedy: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(AskError, match=code) as told:
        print_portfolio(tmp_path / name, store=store)
    assert remedy in told.value.message


def test_projects_left_out_are_told_by_reason(capsys: pytest.CaptureFixture[str]) -> None:
    names = ("project", "cluster_id", "abatement_mt_per_yr", "reason")
    rows = [
        ("A", "aa-north", 2.5, "no size"),
        ("B", "bb-south", None, "no size"),
        ("C", "aa-north", 1.0, "over"),
    ]
    _print_left_out({"left_out": [dict(zip(names, row, strict=True)) for row in rows]}, Console(width=110))
    text = capsys.readouterr().out
    assert "not in it: 3 projects" in text
    assert "A (aa-north, 2.5 Mt a year); B (bb-south)" in text
    assert text.count("no size") == 1
