"""Actuals that callers send back: their claims, kept apart from public records and never mixed with them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

import pandas as pd
import sqlalchemy as sa

from features.errors import DataError
from features.series.cadence import Cadence
from features.series.panel import Dense, Panel
from features.series.words import DS, UNIQUE_ID, Y
from serving.entries import stamp_of
from serving.errors import shown
from serving.state import State, state_of
from serving.tables import ACTUALS

MAX_ROWS: Final = 20_000
LONGEST_NAME: Final = 200
LONGEST_SOURCE: Final = 500
# Tonnes; the whole world emits some 6e10 a year.
LARGEST: Final = 1e15
KEY_ID: Final = "key_id"
SOURCE: Final = "source"
AT: Final = "at"
COLUMNS: Final = (UNIQUE_ID, DS, Y, SOURCE, KEY_ID, AT)
_YEARS: Final = (1900, 2200)
_FEW: Final = 200


@dataclass(frozen=True)
class Actual:
    """A caller's claim: ``y`` tCO2e in the period of ``unique_id`` that starts on ``ds`` (ISO date)."""

    unique_id: str
    ds: str
    y: float
    source: str = ""


def note_actuals(
    state: State, rows: Sequence[Actual], key_id: str, at: datetime, *, may_be_negative: Collection[str] = ()
) -> int:
    """Append claims of a key; how many were new. A claim that stands already is not appended again.

    Of several claims of one key for one period the last counts, and the others stay on record.

    Args:
        may_be_negative: series that take up more than they emit.

    Raises:
        DataError: a row that cannot be; nothing was kept (``actuals-unfit``).
    """
    _check(rows, may_be_negative)
    last = {(row.unique_id, row.ds): row for row in rows}
    with state.writing() as line:
        new = []
        for some in _some(sorted(last)):
            stands = _standing(line, some, key_id)
            new += [last[pair] for pair in some if stands.get(pair) != (last[pair].y, last[pair].source)]
        if new:
            told = {KEY_ID: key_id, AT: stamp_of(at)}
            line.execute(sa.insert(ACTUALS), [{**vars(row), **told} for row in new])
    return len(new)


def read_actuals(store: Path, url: str | None = None) -> pd.DataFrame:
    """The claims that count: the last of each key for each period.

    unique_id, ds (datetime64), y (tCO2e), source, key_id, at (as ``stamp_of`` writes it); by series,
    period and age.
    """
    state = state_of(store, url)
    try:
        rows = _last_of_each(state)
    finally:
        state.close()
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({DS: "datetime64[ns]", Y: "float64"})


def claims(store: Path, cadence: Cadence, url: str | None = None) -> Dense:
    """The claims as series: of all keys' claims for a period the newest."""
    told = read_actuals(store, url).sort_values(AT, kind="stable")
    told[DS] = cadence.instant(cadence.ordinal(told[DS].to_numpy()))
    newest = told.drop_duplicates([UNIQUE_ID, DS], keep="last")
    return Panel.of(newest[[UNIQUE_ID, DS, Y]], cadence).dense


def _last_of_each(state: State) -> list[tuple[object, ...]]:
    if not state.exists:
        return []
    key = (ACTUALS.c.unique_id, ACTUALS.c.ds, ACTUALS.c.key_id)
    last = sa.select(sa.func.max(ACTUALS.c.row)).group_by(*key)
    asked = sa.select(*(ACTUALS.c[name] for name in COLUMNS)).where(ACTUALS.c.row.in_(last))
    with state.reading() as line:
        found = line.execute(asked.order_by(ACTUALS.c.unique_id, ACTUALS.c.ds, ACTUALS.c.row))
        return [tuple(row) for row in found]


def _standing(
    line: sa.Connection, pairs: Sequence[tuple[str, str]], key_id: str
) -> dict[tuple[str, str], tuple[float, str]]:
    """What a key's last claims for some (unique_id, ds) are."""
    mine = sa.tuple_(ACTUALS.c.unique_id, ACTUALS.c.ds).in_(pairs) & (ACTUALS.c.key_id == key_id)
    found = line.execute(sa.select(ACTUALS).where(mine).order_by(ACTUALS.c.row))
    return {(row.unique_id, row.ds): (row.y, row.source) for row in found}


def _some(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    for begin in range(0, len(pairs), _FEW):
        yield pairs[begin : begin + _FEW]


def _check(rows: Sequence[Actual], may_be_negative: Collection[str]) -> None:
    if not 1 <= len(rows) <= MAX_ROWS:
        raise DataError(
            "actuals-unfit",
            found=f"{len(rows)} rows",
            expected=f"1 to {MAX_ROWS}",
            remedy="send them in several requests" if rows else "send at least one row",
        )
    faults = [(place, _fault(row, may_be_negative)) for place, row in enumerate(rows)]
    wrong = [f"row {place} ({shown(rows[place].unique_id)}): {fault}" for place, fault in faults if fault]
    if wrong:
        raise DataError(
            "actuals-unfit",
            found=f"{len(wrong)} of {len(rows)} rows that cannot be",
            expected="unique_id, ds as YYYY-MM-DD, y in finite tonnes of CO2e, a short source",
            offenders=wrong,
            remedy="mend these rows; none was kept",
        )


def _fault(row: Actual, may_be_negative: Collection[str]) -> str:
    """What is wrong with a row; "" if nothing is."""
    if not (1 <= len(row.unique_id) <= LONGEST_NAME and row.unique_id.isprintable()):
        return f"unique_id is not 1 to {LONGEST_NAME} plain characters"
    if len(row.source) > LONGEST_SOURCE or not (row.source + " ").isprintable():
        return f"source is not up to {LONGEST_SOURCE} plain characters"
    if not _is_day(row.ds):
        return f"ds {shown(row.ds)!r} is no date"
    if not math.isfinite(row.y) or abs(row.y) > LARGEST:
        return f"y {row.y} is no figure"
    if row.y < 0 and row.unique_id not in may_be_negative:
        return f"y {row.y} is less than nothing"
    return ""


def _is_day(text: str) -> bool:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return False
    return day.isoformat() == text and _YEARS[0] <= day.year <= _YEARS[1]
