"""Instants as text: UTC, ISO 8601, in two lengths whose texts stand in the order of time."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd


def naive_utc(t: datetime) -> pd.Timestamp:
    """``t`` as UTC without a zone; an instant that names no zone is taken as UTC already."""
    stamp = pd.Timestamp(t)
    return stamp if stamp.tzinfo is None else stamp.tz_convert("UTC").tz_localize(None)


def to_second(moment: datetime) -> str:
    """As records and packs write an instant: "2026-06-30T12:00:00Z"; one without a zone is UTC."""
    return f"{_utc(moment):%Y-%m-%dT%H:%M:%SZ}"


def to_milli(moment: datetime) -> str:
    """As answers, keys and the timetable write one: "2026-06-30T12:00:00.000Z"; without a zone it is UTC."""
    return _utc(moment).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment
