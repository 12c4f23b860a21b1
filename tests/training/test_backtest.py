"""The backtest walks forward: nothing after a fold's issue time reaches its forecasts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from models.blend import blended, learn_weights, mixed
from models.calibration import calibrate
from models.dependence import learn_dependence, read_quantiles, sample_ranks
from models.exits import hurdled, survivors
from models.fitted import areas_of
from models.forecast import STANDARD_QUANTILES
from models.recipe import Recipe
from models.replay import Replay, replay
from tests.training.panels import YEARS, random_walks
from training.backtest import Backtest, at_fold, backtest
from training.folds import Folds
from training.scores import pairs, reliability, scores_frame, series_table
from training.spoken import PATHS

FOLDS = 8
RECIPE = Recipe(name="blend", members=("naive", "drift", "arima"), reach=3)


def _folds(history: Dense) -> Folds:
    backs = np.arange(FOLDS, 0, -1)
    lengths = np.repeat((YEARS - backs)[:, None], len(history.ids), axis=1)
    issued = tuple(pd.Timestamp(year=2005 + int(n), month=6, day=1) for n in YEARS - backs)
    return Folds(issued=issued, lengths=lengths, scored=np.arange(FOLDS) >= 4)


def _hierarchy(history: Dense) -> Hierarchy:
    return Hierarchy.of(history.traits.assign(unique_id=list(history.ids)).set_index("unique_id"))


def _run(history: Dense) -> tuple[dict[str, Backtest], Folds, Replay]:
    folds = _folds(history)
    past = replay(history, folds.lengths, RECIPE, RECIPE.members)
    recipes = [RECIPE.alone("naive"), RECIPE]
    return dict(backtest(history, past, folds, recipes, _hierarchy(history))), folds, past


@pytest.fixture(scope="module")
def walked() -> tuple[dict[str, Backtest], Folds, Replay]:
    return _run(random_walks(60, seed=1))


def test_later_figures_never_change_an_earlier_fold(
    walked: tuple[dict[str, Backtest], Folds, Replay],
) -> None:
    tests, folds, _ = walked
    history = random_walks(60, seed=1)
    first = int(np.flatnonzero(folds.scored)[0])
    seen = int(folds.lengths[first, 0])
    y = history.y.copy()
    y[:, seen:] = y[:, seen:] * 3 + 500
    changed, _, _ = _run(replace(history, y=y))
    for name, test in tests.items():
        np.testing.assert_array_equal(test.values[0], changed[name].values[0])
        assert not np.array_equal(test.values[-1], changed[name].values[-1])


def test_a_sign_that_turns_later_is_not_known_yet() -> None:
    """Series that come near to zero, so that bands would pass below it were that allowed."""
    history = random_walks(60, seed=1)
    low = replace(history, y=history.y - np.nanmin(history.y, axis=1, keepdims=True))
    folds = _folds(history)
    first = int(np.flatnonzero(folds.scored)[0])
    turned = low.y.copy()
    turned[:, int(folds.lengths[first, 0]) :] *= -1
    told, changed = _run(low)[0], _run(replace(low, y=turned))[0]
    for name, test in told.items():
        np.testing.assert_array_equal(test.values[0], changed[name].values[0])
        assert (test.values[0] == 0).any()


def test_full_grid_is_present_and_unknown_actuals_stay(
    walked: tuple[dict[str, Backtest], Folds, Replay],
) -> None:
    tests, _, _ = walked
    test = tests["blend"]
    assert test.values.shape[:3] == (4, 60 + 2, 3)
    assert np.isfinite(test.values).all()
    assert np.isnan(test.actual[-1, :, 1:]).all()
    assert np.isfinite(test.actual[-1, :, 0]).all()


def test_quantiles_never_cross_and_cover_random_walks(
    walked: tuple[dict[str, Backtest], Folds, Replay],
) -> None:
    tests, _, _ = walked
    for test in tests.values():
        assert (np.diff(test.values, axis=-1) >= 0).all()
    below, by_step = reliability(tests["naive"])
    shares = by_step[by_step["level"] == 80.0]["value"]
    assert shares.between(0.65, 0.95).all()
    assert below["value"].is_monotonic_increasing


def test_cluster_bands_come_from_paths_not_from_added_quantiles(
    walked: tuple[dict[str, Backtest], Folds, Replay],
) -> None:
    tests, _, _ = walked
    test = tests["naive"]
    sectors = np.array([name.startswith("c0/") for name in test.ids])
    total = test.values[:, list(test.ids).index("c0")]
    added = test.values[:, sectors].sum(axis=1)
    width, added_width = total[..., -1] - total[..., 0], added[..., -1] - added[..., 0]
    # Thirty independent walks: the band of the sum is far narrower than the sum of the bands.
    assert (width < 0.5 * added_width).all()


def test_a_scope_break_ahead_is_never_scored() -> None:
    history = random_walks(20, seed=2)
    breaks = history.breaks.copy()
    breaks[:10, YEARS - 3] = True
    broken = replace(history, breaks=breaks)
    tests, folds, _ = _run(broken)
    test = tests["naive"]
    scored = np.flatnonzero(folds.scored)
    for f, fold in enumerate(scored):
        for h in range(3):
            crosses = folds.lengths[fold, 0] <= YEARS - 3 <= folds.lengths[fold, 0] + h
            known = folds.lengths[fold, 0] + h < YEARS
            assert np.isfinite(test.actual[f, 0, h]) == (known and not crosses)
            assert np.isfinite(test.actual[f, 15, h]) == known


def test_scores_count_what_they_could_not_judge(
    walked: tuple[dict[str, Backtest], Folds, Replay],
) -> None:
    tests, _, _ = walked
    frame = scores_frame(tests)
    row = frame[
        (frame["forecaster"] == "naive")
        & (frame["kind"] == "sector")
        & (frame["step"] == 3)
        & (frame["metric"] == "mase")
    ].iloc[0]
    assert (row["n"], row["n_missing"]) == (60 * 2, 60 * 2)
    naive_step_1 = frame[
        (frame["forecaster"] == "naive") & (frame["step"] == 1) & (frame["metric"] == "mase")
    ]
    assert naive_step_1[naive_step_1["kind"] == "sector"]["value"].iloc[0] == pytest.approx(1.0, abs=0.2)


def test_one_row_a_series_and_pairs_by_fold(walked: tuple[dict[str, Backtest], Folds, Replay]) -> None:
    tests, _, _ = walked
    table = series_table(tests["blend"])
    assert len(table) == 62
    assert table["n"].min() > 0
    assert pairs(tests["blend"], "sql").shape == (4, 62)


@pytest.mark.parametrize("exits", [False, True])
def test_it_says_what_whole_curves_of_every_series_say(exits: bool) -> None:
    """The slow way: every curve whole, paths of every series read off them, sums of the cluster's."""
    history = random_walks(20, seed=4)
    traits = history.traits.assign(kind=["plant" if row % 3 == 0 else "sector" for row in range(20)])
    history = replace(history, traits=traits, y=np.where(np.arange(20)[:, None] == 5, -history.y, history.y))
    folds, hierarchy = _folds(history), _hierarchy(history)
    folds = replace(folds, lengths=np.where(np.arange(20) == 7, 0, folds.lengths))
    past = replay(history, folds.lengths, RECIPE, RECIPE.members)
    fold = int(np.flatnonzero(folds.scored)[1])
    chances = np.where(np.arange(20)[:, None] % 2 == 0, np.arange(1, 4) * 0.2, 0.0) if exits else None
    said = at_fold(history, past, folds, fold, RECIPE, hierarchy, chances)
    lengths = folds.lengths[fold]
    weights = learn_weights(past, lengths, RECIPE)
    mix = blended(past, weights)
    past = survivors(past) if exits else past
    bands = calibrate(past, mix, lengths, RECIPE, season=1)
    dependence = learn_dependence(past, mix, lengths, bands, areas_of(history))
    floor = np.where(history.non_negative, 0.0, -np.inf)[:, None, None]
    centre = mixed(past.point[:, fold], weights.of(past.groups, 3))
    curves = centre[:, :, None] + past.scale[fold][:, None, None] * bands.of(past.pools, 3)
    curves = np.maximum(curves, floor)
    curves = hurdled(curves, chances) if chances is not None else curves
    levels = np.asarray(STANDARD_QUANTILES)
    slow = np.maximum(read_quantiles(curves, np.broadcast_to(levels, (20, 3, len(levels)))), floor)
    np.testing.assert_array_equal(said["values"][:20], slow)
    assert np.isnan(slow[7]).all()
    inner = np.flatnonzero(traits["kind"] == "sector")
    areas = tuple(areas_of(history)[row] for row in inner)
    ranks = sample_ranks(dependence, areas, 3, PATHS, RECIPE.seed + fold)
    paths = dict(zip(inner.tolist(), read_quantiles(curves[inner], ranks), strict=True))
    for c, cluster in enumerate(hierarchy.clusters):
        rows = [row for row in map(history.row.__getitem__, hierarchy.members[cluster]) if row != 7]
        total = np.stack([np.maximum(paths[row], floor[row]) for row in rows]).sum(axis=0)
        np.testing.assert_array_equal(said["values"][20 + c], np.quantile(total, levels, axis=1).T)


def test_totals_speak_for_themselves_and_leave_series_alone() -> None:
    history = random_walks(20, seed=4)
    folds, hierarchy = _folds(history), _hierarchy(history)
    past = replay(history, folds.lengths, RECIPE, RECIPE.members)
    tests = backtest(history, past, folds, [RECIPE, replace(RECIPE, name="sums", totals=())], hierarchy)
    with_totals, sums = tests[RECIPE.name], tests["sums"]
    np.testing.assert_array_equal(with_totals.actual, sums.actual)
    np.testing.assert_array_equal(with_totals.values[:, :20], sums.values[:, :20])
    moved = np.abs(with_totals.values[:, 20:] / sums.values[:, 20:] - 1)
    assert 0 < np.median(moved) < 0.2
