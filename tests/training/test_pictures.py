from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from training.pictures import BLUE, COLOURS, chances, coverage, error_by_step, score_bars

NAMES = ["naive", "drift", "arima", "boosted", "blend"]


def share_of(picture: Path, colour: str) -> float:
    """Share of the picture's points painted in exactly this colour."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    points = np.round(np.asarray(imread(picture))[:, :, :3] * 255)
    return float((points == wanted).all(axis=2).mean())


@pytest.fixture
def errors() -> pd.DataFrame:
    rows = [(name, step, step * (1 - 0.1 * i)) for i, name in enumerate(NAMES) for step in range(1, 6)]
    return pd.DataFrame(rows, columns=["forecaster", "step", "value"])


def test_error_by_step_has_a_line_for_every_forecaster(tmp_path: Path, errors: pd.DataFrame) -> None:
    error_by_step(errors, title="blend", path=tmp_path / "all.png")
    error_by_step(errors[errors["forecaster"] != "arima"], title="blend", path=tmp_path / "fewer.png")
    for name in NAMES:
        assert share_of(tmp_path / "all.png", COLOURS[name]) > 0.0005
    assert share_of(tmp_path / "fewer.png", COLOURS["arima"]) == 0


def test_equal_scores_draw_equal_bytes_over_an_older_picture(tmp_path: Path, errors: pd.DataFrame) -> None:
    path = tmp_path / "error.png"
    path.write_text("older")
    error_by_step(errors, title="blend", path=path)
    first = path.read_bytes()
    error_by_step(errors.sample(frac=1, random_state=1), title="blend", path=path)
    assert path.read_bytes() == first
    assert [item.name for item in tmp_path.iterdir()] == ["error.png"]


def test_coverage_draws_quantiles_and_bands(tmp_path: Path) -> None:
    promised = np.array([0.1, 0.5, 0.9])
    by_quantile = pd.DataFrame({"quantile": promised, "value": [0.15, 0.5, 0.8]})
    by_step = pd.DataFrame(
        {"step": [1, 2, 1, 2], "level": [80, 80, 95, 95], "value": [0.8, 0.7, 0.9, np.nan]}
    )
    coverage(by_quantile, by_step, title="blend", path=tmp_path / "coverage.png")
    assert share_of(tmp_path / "coverage.png", "#0072B2") > 0.001
    assert share_of(tmp_path / "coverage.png", "#D55E00") > 0.0001


def test_a_reliability_diagram_has_a_line_a_kind_and_no_thin_bins(tmp_path: Path) -> None:
    rows = [
        {"kind": kind, "p": p, "observed": p**power, "n": 10 if kind == "sector" else 500}
        for kind, power in (("all", 2), ("plant", 0.5), ("sector", 3))
        for p in (0.1, 0.4, 0.7, 0.9)
    ]
    chances(pd.DataFrame(rows), title="chances", path=tmp_path / "chances.png")
    assert share_of(tmp_path / "chances.png", BLUE) > 0.001
    assert share_of(tmp_path / "chances.png", "#009E73") > 0.0005
    # Its bins are thin: only the legend has its colour.
    assert share_of(tmp_path / "chances.png", "#E69F00") < 0.0005


def test_score_bars_say_where_there_is_no_score(tmp_path: Path) -> None:
    scores = pd.DataFrame({"forecaster": NAMES, "metric": "MASE", "value": [1.0, 1.1, 0.9, np.nan, 0.8]})
    score_bars(scores, title="scores", path=tmp_path / "bars.png", chosen="blend")
    assert share_of(tmp_path / "bars.png", COLOURS["blend"]) > 0.01
    score_bars(scores.assign(value=np.nan), title="scores", path=tmp_path / "none.png")
    assert share_of(tmp_path / "none.png", COLOURS["blend"]) == 0
