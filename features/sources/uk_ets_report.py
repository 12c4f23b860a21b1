"""The UK ETS compliance report as published: its columns, and which of its rows are stationary sites."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from features.sources.ets_figures import read_years
from features.sources.records import changed_shape
from features.sources.textfile import Table, refuse_if_many
from features.sources.workbook import read_sheet

ACCOUNT, PERMIT, NAME, NACE = (
    *("Account type", "Permit ID or Monitoring plan ID", "Installation name", "NACE Code"),
)
OPENED, ENDED = "First Year of Operation", "Last Year of Operation"
RECORDED: Final = "Recorded emissions "
STATIONARY, AIRCRAFT = "OPERATOR_HOLDING_ACCOUNT", "AIRCRAFT_OPERATOR_HOLDING_ACCOUNT"

_PERMIT_NUMBER: Final = r"(?=.*[0-9])[A-Za-z0-9][A-Za-z0-9/._-]{2,30}"


def report_table(path: Path) -> Table:
    """The kept columns of sheet Data under the names above, whatever their case."""
    plain = {name.lower(): name for name in (ACCOUNT, PERMIT, NAME, NACE, OPENED, ENDED)}
    recorded = re.compile(rf"{RECORDED}(\d{{4}})", re.IGNORECASE)
    raw = read_sheet(
        path, sheet="Data", key=PERMIT,
        keep=lambda name: name.lower() in plain or bool(recorded.fullmatch(name)),
    )  # fmt: skip
    names = {
        name: plain.get(name.lower(), name[: len(RECORDED)].capitalize() + name[-4:]) for name in raw.columns
    }
    cells = raw.cells.rename(columns=names)
    years = [name for name in cells.columns if name.startswith(RECORDED)]
    absent = [name for name in plain.values() if name not in cells.columns]
    if absent or not years or len(set(cells.columns)) < len(cells.columns):
        raise changed_shape(
            raw.file, found="columns " + ", ".join(cells.columns[:12]),
            expected=f"columns {', '.join(plain.values())} and {RECORDED}YYYY, each once",
            offenders=absent or [f"{RECORDED}YYYY"],
        )  # fmt: skip
    return Table(raw.file, cells, raw.lines, tuple(cells.columns), raw.rows_read)


def lawful_sites(table: Table) -> Table:
    """Rows of stationary sites with a permit, each permit once, and lawful years of operation."""
    other = (table.cells[ACCOUNT] != STATIONARY).to_numpy()
    table = table.without(other, "account-unknown", f"neither {STATIONARY} nor aircraft", shows=ACCOUNT)
    # Every permit has a figure in it; a word alone is a cell of another kind.
    permit = table.cells[PERMIT].str.fullmatch(_PERMIT_NUMBER).to_numpy(dtype=bool)
    table = table.without(~permit, "key-unreadable", "no permit", shows=PERMIT)
    for column in (OPENED, ENDED):
        text = table.cells[column]
        wrong = (text != "").to_numpy() & (read_years(text) == 0)
        table = table.without(wrong, "year-unreadable", column, shows=column)
    twice = table.cells[PERMIT].str.upper().duplicated(keep=False).to_numpy()
    table = table.without(twice, "sites-disagree", "one permit, several rows", shows=PERMIT)
    refuse_if_many(table.file, table.complaints, table.rows_read)
    return table
