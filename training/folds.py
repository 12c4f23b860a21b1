"""Folds: dated issue times, each knowing only what had been published by then.

issue 2016  o o o o o o|? ? ?          o seen   ? asked   publication lag: the newest figure seen
issue 2017  o o o o o o o|? ? ?        at the issue of year t is that of t − 1 (EU, UK) or t − 2 (US)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.build import SeriesSet
from features.series.ends import NEVER, Ends
from features.series.panel import Dense
from training.plan import FoldPlan

Int = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Folds:
    """Past issue times of one panel.

    Attributes:
        issued: (O,) issue times, UTC without a zone, oldest first.
        lengths: (O, B) periods of each series visible at each issue; 0 = not forecast then.
        scored: (O,) True where the fold is scored.
    """

    issued: tuple[pd.Timestamp, ...]
    lengths: Int
    scored: npt.NDArray[np.bool_]


def make_folds(figures: SeriesSet, history: Dense, plan: FoldPlan, now: pd.Timestamp) -> Folds:
    """The folds of a plan up to ``now``, by publication dates.

    A series whose figures had ended when the fold was issued (see ``SeriesSet.ended``) is not asked.

    Args:
        history: everything known now, the panel the lengths refer to.
    """
    issued = issued_by(plan, now)
    ends = Ends.of(figures)
    lengths = np.stack([visible(ends, history, moment) for moment in issued])
    scored = np.arange(len(issued)) >= len(issued) - plan.scored
    return Folds(issued=issued, lengths=lengths, scored=scored)


def issued_by(plan: FoldPlan, now: pd.Timestamp) -> tuple[pd.Timestamp, ...]:
    """The issue times of a plan before ``now``."""
    years = range(plan.first_year, plan.last_year + 1)
    moments = [pd.Timestamp(year=year, month=plan.issue_month, day=plan.issue_day) for year in years]
    return tuple(moment for moment in moments if moment < now)


def visible(ends: Ends, history: Dense, moment: pd.Timestamp) -> Int:
    """(B,) how many periods of each series of ``history`` were published at ``moment``; 0 if it had
    ended or not begun."""
    published, ended = ends.at(moment)
    at = pd.Index(history.ids).get_indexer(pd.Index(ends.names))
    asked = (published > NEVER) & ~ended & (at >= 0)
    out = np.zeros(len(history.ids), dtype=np.int64)
    out[at[asked]] = published[asked] + 1 - history.starts[at[asked]]
    return out
