"""Bands of plants are as wide on each side as their like have erred; nothing after the cutoff is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from features.errors import LawBroken, ModelError
from features.files import read_json, write_json
from features.series.panel import Dense
from models import saved, widths
from models.blend import learn_weights
from models.calibration import GRID, calibrate
from models.dependence import read_quantiles
from models.engine import fit_panel
from models.fitted import FittedRecipe, blended, fit
from models.forecast import STANDARD_QUANTILES
from models.parts import model_of, parts_of
from models.recipe import Recipe
from models.replay import Replay, past_origins, replay
from models.widths import WIDEST_RATIO, Widths, learn_widths, stretched
from tests.models.panels import dense_of
from training.spoken import speak

Float = npt.NDArray[np.float64]
RECIPE = Recipe(name="blend", members=("naive", "level"), reach=3, origins=8)
LENGTH = 14
COUNT = 120


def figures(seed: int) -> Float:
    """(COUNT, LENGTH + 3): one half rises by fits and starts, the other falls; changes are of one size."""
    draw = np.random.default_rng(seed)
    change = draw.exponential(0.1, (COUNT, LENGTH + 3)) * np.where(np.arange(COUNT) % 2 == 0, 1, -1)[:, None]
    return np.asarray(1e5 * 10 ** draw.uniform(-1, 1, COUNT)[:, None] * np.exp(np.cumsum(change, axis=1)))


def panel(y: Float, kinds: int = 1) -> Dense:
    return dense_of(
        list(y),
        traits={
            "kind": ["sector" if i % kinds else "plant" for i in range(len(y))],
            "area": [f"a{i % 5}" for i in range(len(y))],
            "sector": [("rising", "falling")[i % 2] for i in range(len(y))],
        },
    )


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small panel counts as one of many series."""
    monkeypatch.setattr(widths, "LEAST_SERIES", 50)
    monkeypatch.setattr(widths, "STRENGTH", 1.0)


def learnt(history: Dense, recipe: Recipe = RECIPE) -> tuple[Widths | None, Replay, Replay, Float]:
    past = replay(history, past_origins(history, recipe), recipe, recipe.members)
    mix = blended(past, learn_weights(past, history.lengths, recipe))
    made, measured = learn_widths(history, past, mix, history.lengths, recipe)
    return made, past, measured, mix


def test_bands_reach_to_the_side_on_which_their_like_erred() -> None:
    history = panel(figures(1)[:, :LENGTH])
    made, _, _, _ = learnt(history)
    assert made is not None
    above, below = made.of(history)
    rising = history.traits["sector"].to_numpy() == "rising"
    assert np.median(above[rising]) > 2 * np.median(above[~rising])
    assert np.median(below[~rising]) > 2 * np.median(below[rising])
    assert (made.of(history) >= 1 / WIDEST_RATIO).all()
    assert (made.of(history) <= WIDEST_RATIO).all()


def test_learnt_widths_lower_the_quantile_loss_of_figures_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    y = figures(2)
    history = panel(y[:, :LENGTH])
    with_widths = _loss(fit_panel(history, RECIPE), history, y)
    monkeypatch.setattr(widths, "LEAST_SERIES", COUNT + 1)
    plain = fit_panel(history, RECIPE)
    assert plain.widths is None
    assert with_widths < 0.9 * _loss(plain, history, y)


def _loss(model: FittedRecipe, history: Dense, y: Float) -> float:
    outlook = model.outlook(history, 3, STANDARD_QUANTILES)
    levels = np.asarray(STANDARD_QUANTILES)
    short = (y[:, LENGTH:, None] - outlook.values) / y[:, LENGTH - 1][:, None, None]
    return float(np.maximum(levels * short, (levels - 1) * short).mean())


def test_past_errors_are_measured_in_the_widths_of_their_cutoff() -> None:
    history = panel(figures(3)[:, :LENGTH])
    made, past, measured, mix = learnt(history)
    assert made is not None
    o, b = 5, 17
    seen = history.until(past.lengths[o])
    above, below = made.of(seen)[:, b]
    error = past.actual[o, b] - mix[o, b]
    known = past.known_by(history.lengths)[o, b]
    expected = mix[o, b] + error / np.where(error > 0, above, below)
    np.testing.assert_allclose(measured.actual[o, b][known], expected[known], rtol=1e-12)


@pytest.mark.parametrize("change", ["later figures", "later actuals"])
def test_nothing_after_the_cutoff_is_read(change: str) -> None:
    history = panel(figures(4)[:, :LENGTH])
    lengths = history.lengths - 2
    past = replay(history, past_origins(history, RECIPE), RECIPE, RECIPE.members)
    mix = blended(past, learn_weights(past, lengths, RECIPE))
    made, _ = learn_widths(history, past, mix, lengths, RECIPE)
    if change == "later figures":
        y = history.y.copy()
        y[:, LENGTH - 2 :] *= 7.0
        other, _ = learn_widths(replace(history, y=y), past, mix, lengths, RECIPE)
    else:
        unknown = replace(past, actual=np.where(past.known_by(lengths), past.actual, 1e9))
        other, _ = learn_widths(history, unknown, mix, lengths, RECIPE)
    assert made is not None
    assert other is not None
    seen = history.until(lengths)
    np.testing.assert_array_equal(made.of(seen), other.of(seen))


@pytest.mark.parametrize("case", ["few series", "few cutoffs", "one side", "a season"])
def test_where_too_little_is_known_there_are_none(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    y = figures(5)[:, :LENGTH]
    history, recipe = panel(y), RECIPE
    if case == "few series":
        monkeypatch.setattr(widths, "LEAST_SERIES", COUNT + 1)
    if case == "few cutoffs":
        recipe = replace(recipe, origins=widths.LEAST_CUTOFFS - 1)
    if case == "one side":
        history, recipe = panel(np.sort(y, axis=1)), recipe.alone("naive")
    if case == "a season":
        history = dense_of(list(np.tile(y, (1, 3))), cadence="month")
    made, past, measured, _ = learnt(history, recipe)
    assert made is None
    assert measured is past


def test_kinds_of_few_series_keep_their_bands() -> None:
    history = panel(figures(6)[:, :LENGTH], kinds=3)
    made, past, measured, _ = learnt(history)
    assert made is not None
    assert made.groups == ("sector",)
    plants = np.flatnonzero(history.traits["kind"] == "plant")
    np.testing.assert_array_equal(made.of(history)[:, plants], 1.0)
    np.testing.assert_array_equal(measured.actual[:, plants], past.actual[:, plants])
    assert (made.of(history) != 1.0).any()


def test_stretched_curves_stay_in_order_about_their_zero() -> None:
    spread = np.sort(np.random.default_rng(1).normal(0, 1, (4, 2, len(GRID))), axis=2)
    wide = stretched(spread, np.array([[2.0, 0.5, 1.0, 4.0], [0.25, 3.0, 1.0, 4.0]]))
    assert (np.diff(wide, axis=2) >= 0).all()
    np.testing.assert_array_equal(np.sign(wide), np.sign(spread))
    np.testing.assert_allclose(wide[0][spread[0] > 0], 2 * spread[0][spread[0] > 0])
    np.testing.assert_allclose(wide[1][spread[1] < 0], 3 * spread[1][spread[1] < 0])


def test_a_backtest_says_what_a_model_fitted_at_its_fold_says() -> None:
    """With members that learn nothing, what is fitted to the figures of a fold is what was said there."""
    history = panel(figures(7)[:, :LENGTH])
    origins = past_origins(history, replace(RECIPE, origins=9))
    past = replay(history, origins, RECIPE, RECIPE.members)
    fold = len(origins) - 1
    lengths = origins[fold]
    said, _ = speak(history, past, lengths, fold, RECIPE, np.arange(3), None)
    seen = history.until(lengths)
    model = fit(seen, past, replace(RECIPE, exits=False))
    assert model.widths is not None
    levels = np.broadcast_to(np.asarray(STANDARD_QUANTILES), (COUNT, 3, len(STANDARD_QUANTILES)))
    slow = np.maximum(read_quantiles(model.curves(seen, 3), levels), 0.0)
    np.testing.assert_allclose(said, slow, rtol=1e-12)


def test_tonnes_and_kilotonnes_have_the_same_widths() -> None:
    y = figures(8)[:, :LENGTH]
    one, other = (learnt(panel(scale * y))[0] for scale in (1.0, 1000.0))
    assert one is not None
    assert other is not None
    np.testing.assert_allclose(one.of(panel(y)), other.of(panel(1000.0 * y)), rtol=1e-6)


def test_bands_of_errors_in_widths_still_cover_the_past() -> None:
    history = panel(figures(9)[:, :LENGTH])
    made, past, measured, mix = learnt(history)
    assert made is not None
    bands = calibrate(measured, mix, history.lengths, RECIPE, season=1).of(past.pools, 3)
    o = len(past.lengths) - 2
    curves = stretched(bands, made.of(history.until(past.lengths[o])))
    z = ((past.actual[o] - mix[o]) / past.scale[o][:, None])[:, 0]
    inside = (curves[:, 0, 19] <= z) & (z <= curves[:, 0, 179])
    # 120 errors of one year: two standard errors of 80% are 0.07, and the prior has a share.
    assert inside.mean() == pytest.approx(0.8, abs=0.12)


def test_a_saved_model_keeps_its_widths(tmp_path: Path) -> None:
    history = panel(figures(10)[:, :LENGTH])
    model = fit_panel(history, RECIPE)
    assert model.widths is not None
    saved.write(model, history, tmp_path / "model")
    assert {"above.txt", "below.txt"} <= {path.name for path in (tmp_path / "model").iterdir()}
    again, its_history = saved.read(tmp_path / "model")
    assert again.widths is not None
    np.testing.assert_array_equal(again.curves(its_history, 5), model.curves(history, 5))


def test_a_model_saved_before_there_were_widths_is_read_without(tmp_path: Path) -> None:
    history = panel(figures(11)[:, :LENGTH])
    model = replace(fit_panel(history, RECIPE), widths=None)
    saved.write(model, history, tmp_path / "model")
    record = read_json(tmp_path / "model" / "model.json")
    old = {key: value for key, value in record.items() if key not in ("widths", "digest")} | {"format": 2}
    write_json(tmp_path / "model" / "model.json", {**old, "digest": saved._digest(old)})
    again, its_history = saved.read(tmp_path / "model")
    assert again.widths is None
    np.testing.assert_array_equal(again.curves(its_history, 3), model.curves(history, 3))


def test_widths_of_other_features_are_refused() -> None:
    history = panel(figures(12)[:, :LENGTH])
    record, texts = parts_of(fit_panel(history, RECIPE))
    record["widths"]["columns"] = ["strange"]
    with pytest.raises(ModelError, match="strange") as refused:
        model_of(record, texts.__getitem__)
    assert refused.value.code == "model-features-differ"


def test_a_model_whose_widths_read_back_otherwise_is_not_left_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = panel(figures(13)[:, :LENGTH])
    model = fit_panel(history, RECIPE)
    assert model.widths is not None
    above, below = model.widths.boosters
    other = replace(model, widths=replace(model.widths, boosters=(below, above)))
    monkeypatch.setattr(saved, "read", lambda folder: (other, history))
    with pytest.raises(LawBroken, match="saved-model-differs"):
        saved.write(model, history, tmp_path / "model")
    assert not (tmp_path / "model").exists()
