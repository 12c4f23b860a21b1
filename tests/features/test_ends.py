"""How far series had been published, held against the panels built anew for each instant."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.reference.tables import load
from features.series.build import SeriesSet, embedded
from features.series.cadence import YEAR
from features.series.ends import NEVER, Ends
from features.series.vintages import Vintages


@pytest.fixture(scope="module")
def series() -> SeriesSet:
    """The embedded figures, some withdrawn or restated later, and one series of no area."""
    made = embedded(load())
    frame = made.vintages.frame
    later = frame.sample(900, random_state=4)
    withdrawn = later.assign(y=np.where(np.arange(900) % 3 == 0, later["y"] + 1, np.nan))
    withdrawn["known_at"] = withdrawn["known_at"] + pd.Timedelta(days=400)
    whole = pd.concat([frame, withdrawn]).sort_values(["unique_id", "ds", "known_at"])
    traits = made.traits.copy()
    traits.loc["NL/refining", "area"] = np.nan
    return replace(made, vintages=Vintages.of(whole, YEAR), traits=traits)


@pytest.mark.parametrize(
    "t", ["1990-01-01", "2009-06-15", "2014-04-01", "2019-06-15", "2024-05-03", "2026-11-23T12:00Z"]
)
def test_it_is_what_the_panel_says(series: SeriesSet, t: str) -> None:
    moment = pd.Timestamp(t)
    ends = Ends.of(series)
    published, ended = ends.at(moment)
    if moment.year < 2000:
        assert (published == NEVER).all()
        assert not ended.any()
        return
    panel = series.as_of(moment)
    slow = dict(zip(panel.ids, (panel.starts + panel.lengths - 1).tolist(), strict=True))
    fast = {name: int(end) for name, end in zip(ends.names, published, strict=True) if end > NEVER}
    assert fast == slow
    named = {name for name, over in zip(ends.names, ended, strict=True) if over}
    assert named == set(series.ended(moment)["unique_id"])
    assert "NL/refining" not in named
