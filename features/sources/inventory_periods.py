"""The periods of an inventory: years, quarters, months or days, read from its cells or its header."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from features.errors import AskError, DataError
from features.series.cadence import DAY, MONTH, QUARTER, YEAR, Cadence, named, recognise
from features.sources import anchors, stamps
from features.sources.inventory_between import ORDER, mark
from features.sources.inventory_columns import ID, WHEN

CADENCES: Final = (YEAR, QUARTER, MONTH, DAY)
_UNREAD: Final = "ds-unreadable: no year, month or date, or not written as the others"
_SERIAL: Final = "ds-unreadable: looks like a table program's day number: write dates"


def timed(table: pd.DataFrame, asked: str | None) -> tuple[stamps.Style | None, Cadence | None]:
    """Write the number of each row's period; how periods are written, None where none can be read."""
    # Table programs write whole years of a column with gaps as 2015.0.
    cells = table[WHEN].str.replace(r"^(\d{4})\.0+$", r"\1", regex=True)
    try:
        written = stamps.read(cells)
    except DataError:
        mark(table, pd.Series(True, table.index), _UNREAD)
        return None, None
    unread = np.isnat(written.wall)
    if unread.all():
        mark(table, pd.Series(True, table.index), _UNREAD)
        return None, None
    used = _cadence(asked, written.style.finest, table[ID][~unread], written.wall[~unread])
    when = np.where(unread, written.wall[~unread][0], written.wall)
    table[ORDER] = used.ordinal(when)
    codes, _ = pd.factorize(table[ID])
    _, astray = anchors.find(when, codes.astype(np.int64), used)
    serial = unread & cells.str.fullmatch(r"[2-6]\d{4}").to_numpy(dtype=bool)
    mark(
        table,
        pd.Series(serial, table.index),
        _SERIAL,
    )
    mark(table, pd.Series(unread, table.index), _UNREAD)
    mark(
        table, pd.Series(astray, table.index), f"ds-irregular: not where the others are in their {used.name}"
    )
    return written.style, used


def _cadence(asked: str | None, finest: str, ids: pd.Series, wall: stamps.Stamps) -> Cadence:
    if asked is not None:
        used = named(asked)
    elif finest in (YEAR.name, QUARTER.name, MONTH.name):
        used = named(finest)
    else:
        used = recognise(pd.DataFrame({"unique_id": ids.to_numpy(), "ds": wall}).drop_duplicates())
    if used not in CADENCES or stamps.FINEST.index(used.name) > stamps.FINEST.index(finest):
        raise AskError(
            "cadence-unfit",
            found=f"cadence {used.name} with periods that tell the {finest}",
            expected="one of " + ", ".join(c.name for c in CADENCES) + ", no finer than the periods tell",
            remedy="name the cadence that is meant",
        )
    return used
