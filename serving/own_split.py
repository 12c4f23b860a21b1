"""A caller's own table of emissions and activity, split into activity, mix and intensity effects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError
from features.series.words import UNIT
from insights.decompose import activity_split, real_or_lost_output, uncertain_totals
from insights.lmdi import Split
from serving.errors import shown

Float = npt.NDArray[np.float64]

MOST_PARTS: Final = 200
MOST_PERIODS: Final = 100
# Tonnes or units of output; far larger numbers overflow on the way.
LARGEST: Final = 1e15
# An output below it is no output: its intensity would have no digits left.
LEAST_ACTIVITY: Final = 1e-9
LONGEST_NAME: Final = 200
MOST_CELLS_TOLD: Final = 100
FORMULA: Final = (
    "LMDI-I, additive: effect of a factor = sum over parts of L(V_T, V_0) ln(x_T / x_0), "
    "L(a, b) = (a - b) / ln(a / b); no residual (Ang 2005, 2015)"
)
_NEEDED: Final = ("periods", "parts", "emissions", "activity")
_MAY: Final = ("mix", "activity_unit", "emissions_spread", "activity_spread")


@dataclass(frozen=True)
class Table:
    """What a caller sent, checked.

    Attributes:
        periods: (T,) as they were written; parts: (N,) names.
        emissions, activity: (N, T); NaN where the part was absent.
    """

    periods: tuple[str, ...]
    parts: tuple[str, ...]
    emissions: Float
    activity: Float


def decomposition_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The change of a caller's sum, split.

    ``body``: periods (2 to 100 labels, oldest first), parts (1 to 200 names), emissions and activity (a row
    for each part, a number or null for each period; null in both where the part did not exist). Optional:
    mix (False where the parts' activities have unlike units), activity_unit, and emissions_spread and
    activity_spread (standard deviations as shares), which make the answer one with an uncertainty.

    Returns effects from the first to the last period (by part and in all, additive and as ratios), the same
    from each period to the next and chained, and the plain answer (``real_or_lost_output``).

    Raises:
        AskError: a field that is missing, unknown, too long or of another shape.
        DataError: cells that are no figures; ``facts["cells"]`` names each with field, found, expected and
            remedy.
    """
    table = _read(body)
    mix = bool(_flag(body, "mix", True))
    of_tonnes, of_output = _spread(body, "emissions_spread"), _spread(body, "activity_spread")
    whole = activity_split(table.emissions, table.activity, table.parts, chained=False, mix=mix)
    yearly = activity_split(table.emissions, table.activity, table.parts, mix=mix)
    samples = None
    if of_tonnes or of_output:
        samples = uncertain_totals(
            table.emissions, table.activity, table.parts, mix=mix,
            emissions_spread=of_tonnes, activity_spread=of_output,
        )  # fmt: skip
    start, end = float(whole.start.sum()), float(whole.end.sum())
    return {
        "unit": UNIT,
        "activity_unit": body.get("activity_unit"),
        "formula": FORMULA,
        "start_period": table.periods[0],
        "end_period": table.periods[-1],
        "start": start,
        "end": end,
        "change": end - start,
        "percent": 100 * (end - start) / start if start > 0 else None,
        "effects": _named(whole.factors, whole.totals),
        "ratios": _ratios(whole),
        "residual": float(whole.residual),
        "parts": _parts(table, whole),
        "steps": [
            {
                "from": table.periods[t],
                "to": table.periods[t + 1],
                "change": float(yearly.change[t]),
                "effects": _named(whole.factors, yearly.totals[:, t]),
            }
            for t in range(len(table.periods) - 1)
        ],
        "chained": _named(whole.factors, yearly.whole().totals),
        "answer": real_or_lost_output(whole.factors, whole.totals, start, samples),
        "spreads": None if samples is None else {"emissions": of_tonnes, "activity": of_output},
    }


def _named(factors: Sequence[str], values: Float) -> dict[str, float]:
    return dict(zip(factors, map(float, values), strict=True))


def _ratios(split: Split) -> dict[str, float] | None:
    """Multiplicative effects; None where the sum is zero or changes its sign."""
    ratios = split.ratios
    return _named(split.factors, ratios) if np.isfinite(ratios).all() else None


def _parts(table: Table, split: Split) -> list[dict[str, Any]]:
    """Every part with its kind, change and effects, the largest change first."""
    there = np.isfinite(table.emissions)
    kinds = {(True, True): "continuing", (False, True): "entry", (True, False): "exit"}
    rows = [
        {
            "part": name,
            "kind": kinds.get((bool(there[i, 0]), bool(there[i, -1])), "absent"),
            "start": float(split.start[i]),
            "end": float(split.end[i]),
            "change": float(split.end[i] - split.start[i]),
            "effects": _named(split.factors, split.effects[:, i]),
        }
        for i, name in enumerate(table.parts)
    ]
    return sorted(rows, key=lambda row: -abs(float(row["change"])))


def _read(body: Mapping[str, Any]) -> Table:
    if not isinstance(body, Mapping):
        raise AskError(
            "field-unreadable", found=type(body).__name__, expected="an object with " + ", ".join(_NEEDED),
            remedy="send the table as one JSON object",
        )  # fmt: skip
    strange = sorted(str(name) for name in body if name not in (*_NEEDED, *_MAY))
    absent = [name for name in _NEEDED if name not in body]
    if strange or absent:
        raise AskError(
            "field-missing" if absent else "field-unknown",
            found="fields " + ", ".join(shown(str(name)) for name in list(body)[:20]),
            expected=", ".join(_NEEDED) + "; optional " + ", ".join(_MAY),
            offenders=[shown(name) for name in absent or strange],
            remedy="send the fields that are named",
        )
    unit = body.get("activity_unit")
    if unit is not None and not (isinstance(unit, str) and 0 < len(unit) <= LONGEST_NAME):
        raise _field(
            "activity_unit", shown(str(unit)), "a short text", "name the unit of the activity, or none"
        )
    periods = _labels(body["periods"], "periods", 2, MOST_PERIODS)
    parts = _labels(body["parts"], "parts", 1, MOST_PARTS)
    tonnes = _cells(body["emissions"], "emissions", len(parts), len(periods))
    output = _cells(body["activity"], "activity", len(parts), len(periods))
    _refuse_bad(tonnes, output, parts, periods)
    return Table(periods, parts, _array(tonnes), _array(output))


def _field(name: str, found: str, expected: str, remedy: str) -> AskError:
    return AskError(
        "field-unreadable", found=f"{name}: {found}", expected=expected, remedy=remedy, facts={"field": name}
    )


def _labels(values: Any, name: str, least: int, most: int) -> tuple[str, ...]:
    """Names or years that tell rows or columns apart."""
    if not isinstance(values, list) or not least <= len(values) <= most:
        found = f"{len(values)} of them" if isinstance(values, list) else type(values).__name__
        raise _field(name, found, f"a list of {least} to {most} labels", f"send fewer or more {name}")
    odd = [
        k
        for k, value in enumerate(values)
        if isinstance(value, bool)
        or not isinstance(value, str | int)
        or not 0 < len(str(value).strip()) <= LONGEST_NAME
    ]
    if odd:
        found = f"{name}[{odd[0]}] is {shown(str(values[odd[0]]))!r}"
        raise _field(name, found, "texts or whole numbers", "name every one shortly")
    labels = tuple(str(value).strip() for value in values)
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise _field(name, f"{shown(twice)!r} twice", "labels that differ", "join what has one name")
    if name == "periods" and all(isinstance(value, int) for value in values) and values != sorted(values):
        raise _field(name, "years out of order", "the oldest first", "sort the columns by year")
    return labels


def _cells(rows: Any, name: str, parts: int, periods: int) -> list[list[Any]]:
    wide = isinstance(rows, list) and all(isinstance(row, list) and len(row) == periods for row in rows)
    if not wide or len(rows) != parts:
        found = f"{len(rows)} rows" if isinstance(rows, list) else type(rows).__name__
        expected = f"{parts} rows, one a part, of {periods} cells, one a period"
        raise _field(name, found, expected, "send a number or null for every part and period")
    return list(rows)


def _array(rows: list[list[Any]]) -> Float:
    return np.array([[float("nan") if cell is None else float(cell) for cell in row] for row in rows])


def _fault(cell: Any, name: str, other: Any) -> tuple[str, str, str] | None:
    """(found, expected, remedy) of a cell that is no figure; None where it is one."""
    if cell is None:
        if other is None:
            return None
        return "nothing", "a number where the other table has one", "fill it in, or send null in both tables"
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return shown(str(cell)), "a number or null", "send numbers without quotes or units"
    if not abs(cell) <= LARGEST:
        return shown(str(cell)), f"a number of at most {LARGEST:g}", "correct the figure or its unit"
    if name == "activity" and cell < 0:
        return shown(str(cell)), "activity of zero or more", "correct the sign"
    if name == "activity" and 0 < cell < LEAST_ACTIVITY:
        return shown(str(cell)), f"0, or {LEAST_ACTIVITY:g} and more", "use a smaller unit of activity"
    if name == "activity" and cell == 0 and other not in (None, 0):
        return (
            "0, with emissions", "activity above zero wherever emissions are not zero",
            "join the part with another, or measure its activity by something that was not zero",
        )  # fmt: skip
    return None


def _refuse_bad(
    tonnes: list[list[Any]], output: list[list[Any]], parts: Sequence[str], periods: Sequence[str]
) -> None:
    cells = []
    for name, mine, other in (("emissions", tonnes, output), ("activity", output, tonnes)):
        for i in range(len(parts)):
            for t in range(len(periods)):
                fault = _fault(mine[i][t], name, other[i][t])
                if fault is not None:
                    told = dict(zip(("found", "expected", "remedy"), fault, strict=True))
                    where = {"field": f"{name}[{i}][{t}]", "part": parts[i], "period": periods[t]}
                    cells.append({**where, **told})
    if cells:
        first = cells[0]
        raise DataError(
            "cells-unreadable",
            found=f"{len(cells)} cells that are no figures: {first['field']} is {first['found']}",
            expected=first["expected"],
            offenders=[f"{cell['field']} ({cell['part']}, {cell['period']})" for cell in cells],
            remedy=first["remedy"],
            facts={"cells": cells[:MOST_CELLS_TOLD], "count": len(cells)},
        )


def _flag(body: Mapping[str, Any], name: str, usual: bool) -> bool:
    value = body.get(name, usual)
    if not isinstance(value, bool):
        raise _field(name, shown(str(value)), "true or false", "send it without quotes, or leave it out")
    return value


def _spread(body: Mapping[str, Any], name: str) -> float:
    value = body.get(name, 0.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise _field(name, shown(str(value)), "a share from 0 to 1", "send 0.05 for 5%, or leave it out")
    return float(value)
