from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pandas as pd
import pytest

from features.instants import naive_utc, to_milli, to_second

EAST = datetime(2026, 6, 30, 14, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))


@pytest.mark.parametrize("moment", [EAST, EAST.astimezone(UTC), pd.Timestamp(EAST), naive_utc(EAST)])
def test_an_instant_has_one_text(moment: datetime) -> None:
    assert to_second(moment) == "2026-06-30T12:00:00Z"
    assert to_milli(moment) == "2026-06-30T12:00:00.123Z"
    assert naive_utc(moment) == pd.Timestamp("2026-06-30 12:00:00.123456")


def test_texts_stand_in_the_order_of_time() -> None:
    moments = [EAST + timedelta(milliseconds=step) for step in (0, 7, 900, 61_000, 40_000_000)]
    assert [to_milli(m) for m in moments] == sorted(to_milli(m) for m in reversed(moments))
    assert [to_second(m) for m in moments] == sorted(to_second(m) for m in reversed(moments))
