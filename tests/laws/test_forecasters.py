"""The laws every forecaster keeps, one by one and blended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from features.matrix.build import build, recipe_for
from features.matrix.scale import usual_change
from features.series.hierarchy import Hierarchy, total_paths
from features.series.panel import Dense, Panel
from features.series.scopes import bridge
from models.blend import blended, learn_weights
from models.boosted import training_rows
from models.calibration import calibrate
from models.dependence import learn_dependence
from models.engine import fit_panel, forecast_panel
from models.fitted import FittedRecipe, areas_of
from models.kinds import MEMBERS, make
from models.recipe import Recipe, champion_recipe
from models.replay import past_origins, replay
from tests.models.panels import NAN, dense_of, panel_of, ragged, walks

Float = npt.NDArray[np.float64]
RECIPE: Final = champion_recipe(seasonal=False, reach=4, origins=6, trees=15)
EVERY: Final = sorted(MEMBERS)
STEPS: Final = 4


@pytest.fixture(scope="module")
def history() -> Dense:
    """Sixty ragged series with gaps, breaks, zeros and traits, boosted big enough to be trained."""
    return ragged(60, seed=7, longest=20)


@pytest.fixture(scope="module")
def fitted(history: Dense) -> FittedRecipe:
    return fit_panel(history, RECIPE)


def _altered_after(history: Dense, lengths: npt.NDArray[np.int64]) -> Dense:
    """Other figures, and other breaks, after each cutoff."""
    after = np.arange(history.y.shape[1])[None, :] >= lengths[:, None]
    y = np.where(after & np.isfinite(history.y), history.y * 7 + 1e6, history.y)
    return replace(history, y=y, breaks=np.where(after, ~history.breaks, history.breaks))


# No peeking.


@pytest.mark.parametrize("name", EVERY)
def test_no_peeking(name: str, history: Dense) -> None:
    lengths = np.maximum(history.lengths - 5, 1)
    seen = history.until(lengths)
    other = _altered_after(history, lengths).until(lengths)
    told = [make(name, RECIPE).fit(h).forecast(h, STEPS) for h in (seen, other)]
    np.testing.assert_array_equal(told[0], told[1])


@dataclass(frozen=True)
class _Peeker:
    """A planted fault: for every cut history it was told the whole one, and says what is to come."""

    wholes: dict[int, tuple[Dense, Dense]]
    name: str = "peeker"

    def fit(self, history: Dense) -> _Peeker:
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        whole = self.wholes[id(history)][1]
        rows = np.array([whole.row[name] for name in history.ids])
        column = np.minimum(history.lengths[:, None] + np.arange(steps), whole.y.shape[1] - 1)
        return np.asarray(np.nan_to_num(whole.y[rows[:, None], column]))


def test_the_law_catches_a_forecaster_that_peeks(history: Dense, monkeypatch: pytest.MonkeyPatch) -> None:
    """By itself and in a replay, which are the two ways in which a gate could be shown it."""
    wholes: dict[int, tuple[Dense, Dense]] = {}
    cut, pick = Dense.until, Dense.take

    def until(figures: Dense, lengths: npt.NDArray[np.int64]) -> Dense:
        made = cut(figures, lengths)
        wholes[id(made)] = (made, figures)
        return made

    def take(figures: Dense, rows: npt.NDArray[np.int64] | list[int]) -> Dense:
        made = pick(figures, rows)
        wholes[id(made)] = (made, wholes.get(id(figures), (made, made))[1])
        return made

    monkeypatch.setattr(Dense, "until", until)
    monkeypatch.setattr(Dense, "take", take)
    monkeypatch.setitem(MEMBERS, "peeker", lambda recipe: _Peeker(wholes))
    check_no_peeking_in_replay(history, ("naive",))
    with pytest.raises(AssertionError, match="not equal"):
        check_no_peeking_in_replay(history, ("naive", "peeker"))
    with pytest.raises(AssertionError, match="not equal"):
        test_no_peeking("peeker", history)


def test_no_peeking_in_replay(history: Dense) -> None:
    check_no_peeking_in_replay(history, RECIPE.members)


def check_no_peeking_in_replay(history: Dense, members: tuple[str, ...]) -> None:
    origins = past_origins(history, RECIPE)
    newest = origins.max(axis=0)
    other = _altered_after(history, newest)
    a, b = (replay(h, origins, RECIPE, members) for h in (history, other))
    np.testing.assert_array_equal(a.point, b.point)
    np.testing.assert_array_equal(a.scale, b.scale)
    assert not np.array_equal(a.actual, b.actual, equal_nan=True)


def test_no_peeking_by_what_is_learnt(history: Dense) -> None:
    """Weights, bands and dependence at an earlier cutoff do not know what came after it."""
    lengths = np.maximum(history.lengths - 4, 1)
    altered = _altered_after(history, lengths)
    a, b = (fit_panel(h.until(lengths), RECIPE) for h in (history, altered))
    np.testing.assert_array_equal(a.weights.shares, b.weights.shares)
    np.testing.assert_array_equal(a.calibration.z, b.calibration.z)
    assert a.dependence == b.dependence


def test_no_peeking_by_what_is_learnt_inside_a_longer_replay(history: Dense) -> None:
    """The backtest learns at each fold from one replay: errors after the fold are there, but not read."""
    lengths = np.maximum(history.lengths - 4, 1)
    origins = np.minimum(past_origins(history, RECIPE), lengths)
    learnt = []
    for figures in (history, _altered_after(history, lengths)):
        past = replay(figures, origins, RECIPE, RECIPE.members)
        weights = learn_weights(past, lengths, RECIPE)
        mix = blended(past, weights)
        bands = calibrate(past, mix, lengths, RECIPE, season=1)
        learnt.append((weights, bands, learn_dependence(past, mix, lengths, bands, areas_of(figures))))
    (weights, bands, dependence), (other_weights, other_bands, other_dependence) = learnt
    np.testing.assert_array_equal(weights.shares, other_weights.shares)
    np.testing.assert_array_equal(bands.z, other_bands.z)
    assert dependence == other_dependence


# One path.


@pytest.mark.parametrize("cadence", ["year", "quarter"])
def test_bulk_rows_are_rows_built_one_cutoff_at_a_time(cadence: str) -> None:
    history = ragged(20, seed=3, longest=14, cadence=cadence)
    recipe = recipe_for(history)
    x, target, weight = training_rows(history, recipe, 3)
    assert len(weight) == len(target)
    assert (weight > 0).all()
    found = {tuple(np.nan_to_num(row, nan=-9e9)): value for row, value in zip(x, target, strict=True)}
    count = 0
    for b in range(20):
        alone = history.take([b])
        length = int(alone.lengths[0])
        for cut in range(3, length):
            # The builder is shown the series up to the cutoff and nothing else.
            seen = alone.until(np.array([cut]))
            made = build(seen, recipe, 3)
            for h in range(min(3, length - cut)):
                crossed = history.breaks[b, cut : cut + h + 1].any()
                actual = history.y[b, cut + h]
                if crossed or not np.isfinite(actual):
                    continue
                row = tuple(np.nan_to_num(np.append(made.x[0], h + 1.0), nan=-9e9))
                expected = np.clip((actual - made.anchor[0, h]) / made.scale[0], -8, 8)
                assert found[row] == pytest.approx(expected, abs=1e-9)
                count += 1
    assert count == len(target)


@pytest.mark.parametrize("name", EVERY)
def test_a_series_alone_is_answered_as_among_others(name: str, history: Dense) -> None:
    fitted = make(name, RECIPE).fit(history)
    together = fitted.forecast(history, STEPS)
    for b in range(0, 60, 7):
        alone = fitted.forecast(history.take([b]), STEPS)[0]
        np.testing.assert_allclose(alone, together[b], rtol=1e-9, atol=1e-6)


def test_the_blend_answers_a_series_alone_as_among_others(fitted: FittedRecipe, history: Dense) -> None:
    together = fitted.curves(history, STEPS)
    for b in range(0, 60, 13):
        alone = fitted.curves(history.take([b]), STEPS)[0]
        np.testing.assert_allclose(alone, together[b], rtol=1e-9, atol=1e-6)


# Scale.


def _times(history: Dense, factor: float) -> Dense:
    return replace(history, y=history.y * factor)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
@pytest.mark.parametrize("name", EVERY)
def test_kilotonnes_are_tonnes(name: str, factor: float, history: Dense) -> None:
    tonnes = make(name, RECIPE).fit(history).forecast(history, STEPS)
    scaled = _times(history, factor)
    other = make(name, RECIPE).fit(scaled).forecast(scaled, STEPS)
    np.testing.assert_allclose(other / factor, tonnes, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 1e3])
def test_bands_in_kilotonnes_are_bands_in_tonnes(factor: float, fitted: FittedRecipe, history: Dense) -> None:
    scaled = _times(history, factor)
    other = fit_panel(scaled, RECIPE).curves(scaled, STEPS) / factor
    np.testing.assert_allclose(other, fitted.curves(history, STEPS), rtol=1e-6, atol=1e-2)


def test_bands_of_tiny_series_are_bands_of_large_ones() -> None:
    """No floor in tonnes: a figure of a microgram is as uncertain as one of a gigatonne."""
    tall = panel_of(walks(8, 15, seed=1, level=1e9))
    low = panel_of([y * 1e-15 for y in walks(8, 15, seed=1, level=1e9)])
    ours, theirs = (forecast_panel(p, steps=3, levels=(0.1, 0.5, 0.9)).values for p in (tall, low))
    np.testing.assert_allclose(theirs * 1e15, ours, rtol=1e-6)


# Order.


@pytest.mark.parametrize("model", ["champion-recipe", *EVERY])
def test_order_of_rows_does_not_matter(model: str) -> None:
    panel = panel_of(walks(14, 14, seed=4), traits={"kind": ["a", "b"] * 7})
    mixed = panel.frame.sample(frac=1.0, random_state=3)
    shuffled = Panel.of(mixed, panel.cadence, panel.traits.iloc[::-1])
    a, b = (forecast_panel(p, steps=3, levels=(0.1, 0.5, 0.9), model=model) for p in (panel, shuffled))
    pd.testing.assert_frame_equal(a.frame(), b.frame())


# Nothing lost.


def _odd_series() -> dict[str, Float]:
    draw = np.random.default_rng(5)
    walk = [*walks(8, 18, seed=9)]
    gaps = walk[0].copy()
    gaps[[2, 3, 9, 17]] = NAN
    far = np.full(100, NAN)
    far[:6] = walk[1][:6]
    back = np.r_[walk[2][:6], np.zeros(6), walk[2][6:8]]
    return {
        "one figure": walk[3][:1],
        "two figures": walk[3][:2],
        "three figures": walk[3][:3],
        "constant": np.full(12, 7.25),
        "zeros": np.zeros(12),
        "from nothing": np.r_[np.zeros(10), 1e5, 1.1e5, 0.9e5],
        "to nothing": np.r_[walk[4], 0.0, 0.0],
        "standstill and back": back,
        "gaps": gaps,
        "figures long ago": far,
        "negative": -walk[5],
        "both signs": draw.normal(0, 100, 20),
        "huge": walk[6] * 1e7,
        "tiny": walk[7] / walk[7].mean() * 1e-6,
    }


@pytest.mark.parametrize(
    ("cadence", "model"),
    [
        *((cadence, "champion-recipe") for cadence in ("year", "quarter", "month", "week", "day", "hour")),
        *(("year", name) for name in EVERY),
    ],
)
def test_nothing_is_lost(cadence: str, model: str) -> None:
    series = _odd_series()
    panel = panel_of(series.values(), cadence=cadence)
    outlook = forecast_panel(panel, steps=5, levels=(0.025, 0.1, 0.5, 0.9, 0.975), model=model)
    assert outlook.ids == panel.dense.ids
    assert outlook.values.shape == (len(series), 5, 5)
    assert np.isfinite(outlook.values).all()
    assert np.isfinite(outlook.mean).all()
    assert (np.diff(outlook.values, axis=2) >= 0).all()
    never_below = panel.dense.non_negative
    assert (outlook.values[never_below] >= 0).all()
    assert (outlook.mean[never_below] >= 0).all()
    # Nobody's answer leaves the neighbourhood of his own figures.
    largest = np.nanmax(np.abs(panel.dense.y), axis=1)
    zeros = list(series).index("zeros")
    assert (np.abs(outlook.values) < 25 * largest[:, None, None])[np.arange(len(series)) != zeros].all()
    assert np.abs(outlook.values[zeros]).max() < 1e-3


@pytest.mark.parametrize("model", ["champion-recipe", *EVERY])
@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8])
def test_one_short_series_alone(model: str, length: int) -> None:
    outlook = forecast_panel(panel_of(walks(1, length, seed=2)), steps=4, levels=(0.1, 0.5, 0.9), model=model)
    assert np.isfinite(outlook.values).all()
    assert (outlook.values[0, 0, 0] < outlook.values[0, 0, -1]) == bool(outlook.values.size)
    assert outlook.made_by[0].startswith("naive") == (length < 3 or model == "naive")


# Sums by paths.


@pytest.fixture(scope="module")
def clusters() -> Dense:
    count = 12
    return dense_of(
        walks(count, 16, seed=6),
        traits={
            "kind": ["sector"] * count,
            "area": [f"c{i % 3}" for i in range(count)],
            "cluster_id": [f"c{i % 3}" for i in range(count)],
        },
    )


def test_sums_by_paths(clusters: Dense) -> None:
    model = fit_panel(clusters, RECIPE)
    paths = model.paths(clusters, STEPS, 500, seed=3)
    hierarchy = Hierarchy.of(clusters.traits.set_axis(pd.Index(clusters.ids)))
    totals = total_paths(clusters, clusters.ids, paths, hierarchy)
    assert totals.ids == ("c0", "c1", "c2", "initiative")
    for c, name in enumerate(hierarchy.clusters):
        mine = [clusters.row[i] for i in hierarchy.members[name]]
        np.testing.assert_allclose(totals.paths[c], paths[mine].sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(totals.paths[3], paths.sum(axis=0), rtol=1e-6)
    # Quantiles do not add: the band of the total is narrower than the added bands.
    added = np.quantile(paths, 0.9, axis=2).sum(axis=0) - np.quantile(paths, 0.1, axis=2).sum(axis=0)
    joint = np.quantile(totals.paths[3], 0.9, axis=1) - np.quantile(totals.paths[3], 0.1, axis=1)
    assert (joint < 0.8 * added).all()


def test_paths_keep_each_series_band(clusters: Dense) -> None:
    # Only what a total says by itself moves its parts.
    model = replace(fit_panel(clusters, RECIPE), totals=None)
    paths = model.paths(clusters, STEPS, 1000, seed=3)
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    bands = model.outlook(clusters, STEPS, levels).values
    own = np.quantile(paths, levels, axis=2).transpose(1, 2, 0)
    width = (bands[..., -1] - bands[..., 0])[..., None]
    assert (np.abs(own - bands) < 0.01 * width).all()


def test_paths_repeat_by_seed(clusters: Dense) -> None:
    model = fit_panel(clusters, RECIPE)
    a, b, c = (model.paths(clusters, STEPS, 50, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


# Scope breaks.


def test_no_error_crosses_a_break(history: Dense) -> None:
    past = replay(history, past_origins(history, RECIPE), RECIPE, ("naive",))
    crossing = 0
    for o, b in np.argwhere(past.lengths > 0):
        cut = int(past.lengths[o, b])
        for h in range(RECIPE.reach):
            column = cut + h
            inside = column < history.lengths[b]
            same = inside and not history.breaks[b, cut : column + 1].any()
            crossing += inside and not same and bool(np.isfinite(history.y[b, column]))
            expected = history.y[b, column] if same else NAN
            np.testing.assert_equal(past.actual[o, b, h], expected)
    assert crossing > 20


@pytest.mark.parametrize("name", EVERY)
def test_the_size_of_the_old_scope_says_nothing(name: str) -> None:
    """Ten times as many plants counted before the break: the forecast is the same."""
    calm = walks(30, 16, seed=8)
    breaks = [(b, 9) for b in range(30)]
    grown = [np.r_[y[:9] * 10, y[9:]] for y in calm]
    a, b = (dense_of(s, breaks=breaks) for s in (calm, grown))
    fitted = make(name, RECIPE).fit(a)
    told = [fitted.forecast(h, STEPS) for h in (a, b)]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-6)
    np.testing.assert_allclose(usual_change(bridge(a)), usual_change(bridge(b)), rtol=1e-9)


@pytest.mark.parametrize("name", EVERY)
def test_what_lies_before_an_unbridgeable_break_is_not_read(name: str) -> None:
    calm = walks(30, 16, seed=8)
    breaks = [(b, 9) for b in range(30)]
    start = [np.r_[y[:9], 0.0, y[10:]] for y in calm]
    wild = [np.r_[y[:8] * 1e6, y[8:9], 0.0, y[10:]] for y in calm]
    a, b = (dense_of(s, breaks=breaks) for s in (start, wild))
    fitted = make(name, RECIPE).fit(a)
    told = [fitted.forecast(h, STEPS) for h in (a, b)]
    np.testing.assert_array_equal(told[0], told[1])


def test_growth_across_a_break_is_none() -> None:
    history = dense_of([[10.0, 10.0, 10.0, 80.0, 80.0, 80.0]], breaks=[(0, 3)])
    recipe = recipe_for(history)
    row = dict(zip(recipe.columns, build(history, recipe, 1).x[0], strict=False))
    quiet = [f"change_{k}" for k in range(1, 5)] + ["over_mean", "over_max", "over_min", "slope"]
    assert [row[name] for name in quiet] == [0.0] * len(quiet)
    assert row["share_of_max"] == 1.0


def test_the_recipe_of_one_member_is_that_member(history: Dense) -> None:
    alone: Recipe = RECIPE.alone("drift")
    middle = fit_panel(history, alone)
    assert middle.weights.shares.tolist() == np.ones_like(middle.weights.shares).tolist()
    assert middle.outlook(history, 2, (0.5,)).made_by == ("drift",) * 60
