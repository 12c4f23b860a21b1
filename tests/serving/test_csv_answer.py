from __future__ import annotations

import csv
import io

import pytest

from features.cells import plain_text
from serving.answer import answer
from serving.csv_answer import answer_csv
from serving.shelf import Standing
from serving.wire import ForecastAsk

MARKS = {"issued_at": "2026-11-24T08:00:00.000Z", "request_id": "r", "forecast_id": "f"}


def test_rows_read_back_to_the_very_numbers_and_refusals_stay_out(whole: Standing) -> None:
    told = answer(
        ForecastAsk(clusters=["aa-north", "cc-east"], series=["AA/power/=cmd"], steps=3), whole, **MARKS
    )
    text, refusals = answer_csv(told)
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [item["unique_id"] for item in refusals] == ["cc-east"]
    assert "cc-east" not in text
    assert len(rows) == 6
    assert list(rows[0])[:7] == ["unique_id", "kind", "unit", "scope", "cadence", "cutoff", "made_by"]
    first = told["forecasts"][0]["rows"][0]
    assert float(rows[0]["mean"]) == first["mean"]
    assert float(rows[0]["q0.025"]) == first["quantiles"]["0.025"]
    assert {row["model_version"] for row in rows} == {whole.pack.model_version}


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "＝"])
def test_what_a_spreadsheet_would_run_is_shown_instead(start: str) -> None:
    assert plain_text(f"{start}cmd|' /C calc'!A0").startswith("'")


def test_numbers_below_zero_and_plain_words_stay() -> None:
    assert plain_text("aa-north") == "aa-north"
    assert plain_text(-3) == "-3"
    assert plain_text(None) == ""


def test_commas_quotes_and_line_ends_are_quoted() -> None:
    row = {"ds": "2025-01-01", "step": 1, "mean": -1.5, "quantiles": {"0.5": 1e-7}}
    name = 'a,"b"\nc'
    texts = dict.fromkeys(("kind", "unit", "scope", "cadence", "made_by"), "x")
    told = {
        "forecasts": [{"unique_id": name, "cutoff": 2024, "rows": [row], **texts}],
        "refusals": [], "model_version": "v",
    }  # fmt: skip
    rows = list(csv.DictReader(io.StringIO(answer_csv(told)[0], newline="")))
    assert rows[0]["unique_id"] == name
    assert (rows[0]["mean"], rows[0]["q0.5"], rows[0]["cutoff"]) == ("-1.5", "1e-07", "2024")
