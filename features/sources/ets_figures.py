"""What the cells of emissions trading mean: whole tonnes, words for no figure, and the state they leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.sources.records import CLOSED, EXCLUDED, NOT_REPORTED, NOT_YET_PUBLISHED, OPERATING

Bool = npt.NDArray[np.bool_]
Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
States = npt.NDArray[np.object_]

# No installation emits a quarter of this: a figure beyond it has lost its decimal mark.
IMPLAUSIBLE: Final = 200_000_000.0
FIRST_YEAR, LAST_YEAR = 2005, 2060
_WHOLE: Final = r"[0-9]{1,12}"
_POINTED: Final = r"[0-9]{1,12}\.0"
_NONE: Final = frozenset({"", "-1", "-1.0", "-", "--", "n/a"})
_OUT: Final = frozenset({"excluded", "opt-out", "opted out"})
_LATE: Final = frozenset({"not reported", "not-reported", "not yet reported"})


@dataclass(frozen=True)
class Figures:
    """Cells of verified emissions, read.

    Attributes:
        y: (N,) whole tonnes CO2e, NaN where there is no figure.
        excluded: (N,) where the cell says that the site was out of the scheme that year.
        code: (N,) what was wrong with the cell, "" for most.
    """

    y: Float
    excluded: Bool
    code: States


def read_figures(cells: pd.Series) -> Figures:
    """Read ``cells`` (N,) of text.

    Schemes publish whole tonnes. A cell with a comma or with a fraction is refused: 41.399 is 41
    tonnes to one reader and 41 thousand to the next. A column written "41399.0" throughout is read; a
    single cell like that among whole numbers may be a slipped point (413990) and is refused.
    """
    text = cells.str.lower()
    codes, distinct = pd.factorize(text)
    words = pd.Series(distinct, dtype="str")
    whole = words.str.fullmatch(_WHOLE).to_numpy(dtype=bool)
    if not whole.any():
        whole = words.str.fullmatch(_POINTED).to_numpy(dtype=bool)
    y = pd.to_numeric(words.where(whole), errors="coerce").to_numpy(dtype=float)
    big = whole & (y > IMPLAUSIBLE)
    known = whole | words.isin(_NONE | _OUT | _LATE).to_numpy()
    negative = ~known & words.str.fullmatch(r"-[0-9.,]+").to_numpy(dtype=bool)
    code = np.where(known, "", np.where(negative, "figure-negative", "figure-unreadable")).astype(object)
    code[big] = "figure-implausible"
    excluded = words.isin(_OUT).to_numpy()
    return Figures(np.where(big, np.nan, y)[codes], excluded[codes], code[codes])


def read_years(cells: pd.Series) -> Int:
    """(N,) years of the scheme, 0 where the cell is none."""
    lawful = cells.str.fullmatch(r"[0-9]{4}").to_numpy(dtype=bool)
    years = pd.to_numeric(cells.where(lawful), errors="coerce").fillna(0).to_numpy(dtype=np.int64)
    return np.where((years >= FIRST_YEAR) & (years <= LAST_YEAR), years, 0)


def states(site: Int, year: Int, y: Float, excluded: Bool) -> tuple[States, Float]:
    """State of every (site, year) and the figure it leaves standing.

    Args:
        site: (N,) numbers of the sites, from 0.
        year: (N,) calendar years.
        y: (N,) tonnes, NaN where none was given.
        excluded: (N,) out of the scheme that year.

    Returns:
        States (N,), and y (N,) with NaN wherever the state allows no figure.

    A figure above zero is operation. A zero or none between two years of life (a figure above zero, or
    an exclusion) is an idle year (0) or a missing report; after the last of them it is closure; before
    the first it is not reported: the site was not in the scheme or not built. In the newest year of
    the file a site that had life the year before and has no figure is late: not yet published if fewer
    than half as many sites have one as the year before, else not reported.
    """
    if not len(site):
        return np.array([], dtype=object), y
    positive = y > 0
    first, last = _span(site, year, positive, excluded)
    zero, none = y == 0, np.isnan(y)
    after = year > last[site]
    within = (year > first[site]) & ~after
    newest = int(year.max())
    had = int((~none & (year == newest - 1)).sum())
    has = int((~none & (year == newest)).sum())
    late = NOT_YET_PUBLISHED if 2 * has < had else NOT_REPORTED
    state = np.full(len(site), NOT_REPORTED, dtype=object)
    state[positive | (zero & within)] = OPERATING
    state[after & (zero | none)] = CLOSED
    state[after & none & (year == newest) & (last[site] == newest - 1)] = late
    state[excluded] = EXCLUDED
    standing = (state == OPERATING) | (state == CLOSED)
    return state, np.where(standing, y, np.nan)


def _span(site: Int, year: Int, positive: Bool, excluded: Bool) -> tuple[Int, Int]:
    """First year with a figure above zero, and last year of life, of each site; far ahead if never."""
    sites = int(site.max()) + 1
    first = np.full(sites, np.iinfo(np.int64).max)
    last = np.full(sites, np.iinfo(np.int64).max)
    np.minimum.at(first, site[positive], year[positive])
    lived = np.full(sites, -1)
    alive = positive | excluded
    np.maximum.at(lived, site[alive], year[alive])
    known = first < np.iinfo(np.int64).max
    last[known] = lived[known]
    return first, last
