"""An answer as CSV: one row a series and step, quoted by the book, and nothing a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final

from features.cells import plain_text
from features.series.words import UNIQUE_ID

CSV: Final = "text/csv"
TEXTS: Final = (UNIQUE_ID, "kind", "unit", "scope", "cadence", "cutoff", "made_by")


def answer_csv(answer: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The forecasts of an answer as CSV (RFC 4180), and its refusals, which have no place in a table.

    Columns: unique_id, kind, unit, scope, cadence, cutoff, made_by, model_version, ds, step, mean and one
    column a quantile (q0.025, …); tCO2e. Numbers are written so that reading them gives the same float.
    Text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    forecasts = answer["forecasts"]
    keys = list(forecasts[0]["rows"][0]["quantiles"]) if forecasts and forecasts[0]["rows"] else []
    held = io.StringIO()
    writer = csv.writer(held, lineterminator="\r\n")
    writer.writerow([*TEXTS, "model_version", "ds", "step", "mean", *(f"q{key}" for key in keys)])
    version = plain_text(answer["model_version"])
    for forecast in forecasts:
        texts = [plain_text(forecast[name]) for name in TEXTS]
        for row in forecast["rows"]:
            numbers = [repr(float(row["quantiles"][key])) for key in keys]
            day = plain_text(row["ds"])
            writer.writerow([*texts, version, day, row["step"], repr(float(row["mean"])), *numbers])
    return held.getvalue(), list(answer["refusals"])
