from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from training.fans import Fan, fan_charts

RED, GREEN = "#D55E00", "#009E73"


def share_of(picture: Path, colour: str) -> float:
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    points = np.round(np.asarray(imread(picture))[:, :, :3] * 255)
    return float((points == wanted).all(axis=2).mean())


def stroke(picture: Path) -> int:
    """Ink points in the middle of the plot, away from axes, labels and figures."""
    height, width = np.asarray(imread(picture)).shape[:2]
    points = np.round(np.asarray(imread(picture))[:, :, :3] * 255)
    middle = points[int(0.45 * height) : int(0.65 * height), int(0.1 * width) : int(0.9 * width)]
    return int((middle.max(axis=2) < 100).sum())


def series(first: int, last: int, level: float) -> pd.DataFrame:
    years = [pd.Timestamp(year, 1, 1) for year in range(first, last + 1)]
    return pd.DataFrame({"ds": years, "y": level})


@pytest.fixture
def plain() -> Fan:
    ahead = [pd.Timestamp(year, 1, 1) for year in (2019, 2020, 2021)]
    rows = [(ds, q, 2e6 * (0.5 + q)) for ds in ahead for q in (0.025, 0.1, 0.5, 0.9, 0.975)]
    forecast = pd.DataFrame(rows, columns=["ds", "quantile", "yhat"])
    return Fan("Rotterdam · refining", series(2005, 2018, 2e6), forecast)


def test_actuals_and_target_are_drawn_where_given(tmp_path: Path, plain: Fan) -> None:
    full = Fan(
        plain.title,
        plain.history,
        plain.forecast,
        actuals=series(2019, 2020, 1.8e6),
        goal=(pd.Timestamp("2021-01-01"), 1e6),
    )
    fan_charts([plain], title="blend", path=tmp_path / "plain.png", columns=1, each=(8.6, 3.9))
    fan_charts([full], title="blend", path=tmp_path / "full.png", columns=1, each=(8.6, 3.9))
    for colour in (RED, GREEN):
        assert share_of(tmp_path / "plain.png", colour) == 0
        assert share_of(tmp_path / "full.png", colour) > 0.0001


def test_the_pen_is_lifted_at_a_scope_break(tmp_path: Path, plain: Fan) -> None:
    history = plain.history.assign(y=np.where(plain.history["ds"].dt.year < 2013, 2e5, 2e6))
    cut = Fan(plain.title, history, plain.forecast, breaks=[pd.Timestamp("2013-01-01")])
    spliced = Fan(plain.title, history, plain.forecast)
    fan_charts([cut], title="blend", path=tmp_path / "cut.png", columns=1, each=(8.6, 3.9))
    fan_charts([spliced], title="blend", path=tmp_path / "spliced.png", columns=1, each=(8.6, 3.9))
    # Between 0.4 and 1.8 Mt there is only the stroke that splices the two scopes.
    assert stroke(tmp_path / "cut.png") == 0
    assert stroke(tmp_path / "spliced.png") > 0


def test_small_multiples_take_gaps_small_series_and_a_break_at_the_cutoff(tmp_path: Path, plain: Fan) -> None:
    gaps = plain.history.assign(y=[np.nan if i in (3, 13) else 900.0 for i in range(14)])
    tiny = Fan("tiny", gaps, plain.forecast.assign(yhat=plain.forecast["yhat"] / 4000))
    late = Fan("late", plain.history, plain.forecast, breaks=[pd.Timestamp("2019-01-01")])
    fan_charts([plain, tiny, late, plain], title="blend", path=tmp_path / "fans.png")
    height, width = np.asarray(imread(tmp_path / "fans.png")).shape[:2]
    assert width > height > 500
