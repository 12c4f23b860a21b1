"""A clock that is set back: a challenger on older figures than the champion's is not promoted by itself."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import pandas as pd

from features.series.words import KNOWN_AT
from training.gate import Verdict, settled
from training.judging import Ground
from training.promotions import Promotion
from training.rails import Rule

CODE: Final = "older-figures"
# Clocks of machines, and figures restated on one day, lie within it.
_SLACK: Final = timedelta(days=1)
_MADE: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d{6})Z-")


def made_at(model_version: str) -> pd.Timestamp | None:
    """When the figures of a saved model were known, by its name; None for a name that says nothing.

    The record tells when a version was promoted instead, which by hand may be years later.
    """
    found = _MADE.match(model_version)
    return pd.to_datetime(found[1], format="%Y-%m-%dT%H%M%S") if found else None


def not_older(verdict: Verdict, ground: Ground, moment: pd.Timestamp, standing: Promotion | None) -> Verdict:
    """``verdict``, or ``keep`` where it would promote on figures older than those of what serves.

    They are older if known a day or more before the champion's and other than its own: the same figures
    under a clock that is behind are none the worse.

    Args:
        moment: when the challenger's figures were known (UTC without a zone).
        standing: the promotion that made the champion; None before the first.
    """
    theirs = made_at(standing.to_version) if standing is not None else None
    if verdict.decision != "promote" or standing is None or theirs is None or moment > theirs - _SLACK:
        return verdict
    known_at = ground.figures.vintages.frame[KNOWN_AT]
    since = bool(((known_at > moment) & (known_at <= theirs)).any())
    if standing.data_hash == ground.data_hash and not since:
        return verdict
    days = (theirs - moment) / pd.Timedelta(days=1)
    why = (
        f"found figures known on {moment:%Y-%m-%d}, {days:,.0f} days before those of {standing.to_version}, "
        f"which serves; expected figures as new as those; set the clock right and run again, or let it serve "
        f"by hand with `forecarbon promote`"
    )
    rules = (*verdict.rules, Rule(CODE, float(days), float(_SLACK.days), False, why))
    return settled("keep", verdict.challenger, verdict.against, rules, ground.data_hash)


def left_to_a_person(verdict: Verdict) -> bool:
    """Whether nothing but its age kept the challenger: it is saved then, so that a person may promote it."""
    return any(rule.name == CODE for rule in verdict.rules)
