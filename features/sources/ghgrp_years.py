"""Which columns of an EPA sheet hold figures, and of which years."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from features.sources.ghgrp_workbook import Sheet, plain
from features.sources.records import changed_shape

FIRST_YEAR: Final = 2010
LAST_YEAR: Final = 2100

_DATED: Final = re.compile(r"\d{4}\b")
_TITLE_YEAR: Final = re.compile(r"(?:calendar|reporting) year (20\d\d)|\b(20\d\d) greenhouse gas", re.I)


def is_dated(column: str) -> bool:
    """Whether the name of a column begins with a year."""
    return _DATED.match(plain(column)) is not None


def places(sheet: Sheet, need: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The place of each column of ``need`` (key -> the names it may have, the first one in use is taken).

    Raises:
        DataError: one is absent (``source-changed-shape``).
    """
    columns = [plain(name) for name in sheet.columns]
    found = {key: [name for name in names if name in columns] for key, names in need.items()}
    absent = [need[key][0] for key, names in found.items() if not names]
    if absent:
        raise changed_shape(
            sheet.file,
            found=f"sheet {sheet.name!r}: columns " + ", ".join(sheet.columns),
            expected="every column read",
            offenders=absent,
        )
    return {key: columns.index(names[0]) for key, names in found.items()}


def year_columns(sheet: Sheet, figures: Sequence[str], year: int | None) -> dict[int, int]:
    """The column of every year; ``figures`` are the names a column of figures may have, the year left out.

    A year column of a new name, or a year missing among the others, is a changed shape: never a
    year lost.

    Raises:
        DataError: such a shape, or no one year for a figure without a year (``source-changed-shape``).
    """
    columns = [plain(name) for name in sheet.columns]
    undated = [i for i, name in enumerate(columns) if name in figures]
    dated = [(i, name) for i, name in enumerate(columns) if is_dated(name)]
    strange = [name for _, name in dated if name[4:].strip() not in figures]
    found = {int(name[:4]): i for i, name in dated if name not in strange}
    whole = set(found) == set(range(min(found, default=0), max(found, default=-1) + 1))
    lawful = all(FIRST_YEAR <= told <= LAST_YEAR for told in found)
    twice = len(found) + len(strange) < len(dated)
    if strange or twice or not whole or not lawful or len(undated) != (0 if dated else 1):
        told = ", ".join(name for _, name in dated) or ", ".join(sheet.columns)
        raise changed_shape(
            sheet.file,
            found=f"sheet {sheet.name!r}: columns {told}",
            expected=f"'YYYY {figures[0]}' for years in a row, or one without a year",
            offenders=strange,
        )
    return found or {_year_of(sheet, year): undated[0]}


def _year_of(sheet: Sheet, year: int | None) -> int:
    titled = {int(word) for pair in _TITLE_YEAR.findall(" ".join(sheet.titles)) for word in pair if word}
    in_name = {int(word) for word in re.findall(r"(?<!\d)20\d\d(?!\d)", sheet.file)}
    candidates = {year} if year is not None else titled | in_name
    if len(candidates) != 1 or not FIRST_YEAR <= min(candidates) <= LAST_YEAR:
        raise changed_shape(
            sheet.file,
            found=f"years {sorted(candidates)} in the title and the file's name",
            expected="the one year of this workbook",
            remedy="name the year with year=, or keep the publisher's file name",
        )
    return min(candidates)
