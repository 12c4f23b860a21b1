"""A forecast split like the past, on a caller's activity: real cut or lost output?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError
from features.series.words import UNIQUE_ID, UNIT
from insights.decompose import (
    LEVELS,
    ForecastSplit,
    activity_scenario,
    forecast_split,
    real_or_lost_output,
)
from serving.driven import leaves_of
from serving.errors import shown
from serving.evidence import no_series
from serving.own_split import LARGEST, LEAST_ACTIVITY
from serving.shelf import Rung, Standing

Float = npt.NDArray[np.float64]

USUAL_STEPS: Final = 8
# Fastest growth or fall a year that a scenario may have.
FASTEST: Final = 0.5
_FIELDS: Final = ("activity", "yearly", "ahead", "steps", "mix")


def forecast_split_view(unique_id: str, standing: Standing, body: Mapping[str, Any]) -> dict[str, Any]:
    """How much of a forecast change is activity, mix and intensity, given activity from the caller.

    ``body``: activity (sector -> its output in the year of the last figure, one unit for all), and either
    yearly (growth a year as a share: one number, or sector -> number) or ahead (sector -> output of each
    step). Optional: steps (1 to the pack's, 8 if not named), mix (False for unlike units).

    On each joint sample path the effects add up to the change from the last figures. The quantiles are over
    the paths; quantiles do not add up, means do. The activity is taken as sure: only the emissions are not.

    Raises:
        AskError: no such series, one without joint paths (``paths-unknown``: plants, and naive fallbacks),
            a field that is missing, unknown or unreadable.
        DataError: cells that are no activity (``cells-unreadable``, named in ``facts``).
    """
    rung = standing.rungs.get(unique_id)
    if rung is None:
        raise no_series(unique_id, standing)
    names = leaves_of(rung)
    rungs = [_with_paths(name, standing) for name in names]
    steps, mix = _settings(body, rung)
    activity, ahead = _activity(body, names, steps)
    paths = np.stack([np.asarray(r.paths, dtype=np.float64)[:steps] for r in rungs])
    last = np.array([_last(name, standing) for name in names])
    split = forecast_split(last, activity, paths, ahead, tuple(names), mix=mix)
    return {
        UNIQUE_ID: unique_id,
        "kind": rung.entry.kind,
        "unit": UNIT,
        "cutoff": rung.entry.cutoff,
        "summed": names,
        "start": float(last.sum()),
        "levels": list(LEVELS),
        "steps": [_step(split, h, rung, float(last.sum())) for h in range(steps)],
        "activity": "as the caller's scenario has it: no uncertainty of its own",
        "model_version": rung.pack.model_version,
        "as_of": rung.pack.card["as_of"],
        "degraded": standing.degraded,
    }


def _step(split: ForecastSplit, h: int, rung: Rung, start: float) -> dict[str, Any]:
    answer = real_or_lost_output(split.factors, split.mean[:, h], start, split.samples[:, h])
    return {"step": h + 1, "ds": rung.entry.ds[h], **answer}


def _with_paths(name: str, standing: Standing) -> Rung:
    rung = standing.rungs[name]
    if rung.paths is None:
        raise AskError(
            "paths-unknown",
            found=f"{shown(name)}: {rung.made_by}, quantiles without joint paths",
            expected="sectors that the champion speaks for",
            remedy="ask for the cluster or sector of the plant, or retrain",
        )
    return rung


def _last(name: str, standing: Standing) -> float:
    """The last figure of a sector, tCO2e."""
    values = standing.rungs[name].pack.history[name][1]
    return float(values[np.flatnonzero(np.isfinite(values))[-1]])


def _settings(body: Mapping[str, Any], rung: Rung) -> tuple[int, bool]:
    if not isinstance(body, Mapping):
        raise _field("body", type(body).__name__, "an object with " + ", ".join(_FIELDS))
    strange = [str(name) for name in body if name not in _FIELDS]
    if strange:
        raise AskError(
            "field-unknown", found="fields " + ", ".join(map(shown, strange[:20])),
            expected=", ".join(_FIELDS), remedy="send the fields that are named",
        )  # fmt: skip
    steps, mix = body.get("steps", min(USUAL_STEPS, rung.pack.steps)), body.get("mix", True)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= rung.pack.steps:
        raise _field("steps", shown(steps), f"a whole number from 1 to {rung.pack.steps}")
    if not isinstance(mix, bool):
        raise _field("mix", shown(mix), "true or false")
    return steps, mix


def _activity(body: Mapping[str, Any], names: Sequence[str], steps: int) -> tuple[Float, Float]:
    """(N,) activity now and (N, steps) of the scenario."""
    if ("yearly" in body) == ("ahead" in body):
        raise _field("ahead", "both or neither of yearly and ahead", "one of them")
    now = np.array([row[0] for row in _rows(body, "activity", names, 1, least=LEAST_ACTIVITY)])
    if "ahead" in body:
        return now, np.array(_rows(body, "ahead", names, steps, least=LEAST_ACTIVITY))
    yearly = body["yearly"]
    whole = yearly if isinstance(yearly, Mapping) else dict.fromkeys(names, yearly)
    rates = _rows({"yearly": whole}, "yearly", names, 1, least=-FASTEST, most=FASTEST)
    return now, activity_scenario(now, np.array([row[0] for row in rates]), steps)


def _rows(
    body: Mapping[str, Any],
    field: str,
    names: Sequence[str],
    count: int,
    *,
    least: float,
    most: float = LARGEST,
) -> list[list[float]]:
    """``count`` numbers for each of ``names``; every one that is missing or no such number is named."""
    told = body.get(field)
    if not isinstance(told, Mapping):
        raise _field(field, shown(told), "an object with a value for each of " + ", ".join(names))
    cells = [
        {"field": f"{field}.{name}", "found": "nothing", "expected": f"one of {', '.join(names)}",
         "remedy": "leave it out: it is no part of the forecast"}
        for name in told
        if name not in names
    ]  # fmt: skip
    rows = []
    for name in names:
        row = told.get(name)
        row = row if isinstance(row, list) and field == "ahead" else [row]
        if len(row) != count or not all(_within(cell, least, most) for cell in row):
            expected = f"{count} numbers" if count > 1 else "a number"
            cells.append(
                {"field": f"{field}.{name}", "found": shown(told.get(name)),
                 "expected": f"{expected} from {least:g} to {most:g}",
                 "remedy": "send it in the unit of the others; leave no sector out"}
            )  # fmt: skip
        rows.append(row)
    if cells:
        raise DataError(
            "cells-unreadable",
            found=f"{len(cells)} values: {cells[0]['field']} is {cells[0]['found']}",
            expected=cells[0]["expected"],
            offenders=[cell["field"] for cell in cells],
            remedy=cells[0]["remedy"],
            facts={"cells": cells[:100], "count": len(cells)},
        )
    return [[float(cell) for cell in row] for row in rows]


def _within(cell: Any, least: float, most: float) -> bool:
    return not isinstance(cell, bool) and isinstance(cell, int | float) and least <= cell <= most


def _field(name: str, found: str, expected: str) -> AskError:
    return AskError(
        "field-unreadable", found=f"{name}: {found}", expected=expected,
        remedy=f"send {name} as described, or leave it out", facts={"field": name},
    )  # fmt: skip
