"""The recursive booster: what it reads at a cutoff, what it learns from, and that one scan serves all."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from features.matrix.build import recipe_for
from features.matrix.scan import CHANGES, SCANNED, scan, state_of
from features.series.panel import Dense
from models.engine import fit_panel
from models.recipe import champion_recipe
from models.recursive import Recursive, RecursiveFit, adjusted, training_rows
from models.saved import read, write
from tests.models.panels import NAN, dense_of, ragged, walks

Float = npt.NDArray[np.float64]


def by_hand(figures: list[float]) -> dict[str, float]:
    """Features of one series in plain loops; NaN figures are not there."""
    held = [y for y in figures if not np.isnan(y)]
    changes = [b - a for a, b in itertools.pairwise(held)]
    weights = [0.7**back for back in range(len(changes))]
    usual = sum(w * abs(c) for w, c in zip(weights, reversed(changes), strict=True)) / max(sum(weights), 1e-6)
    level = max(abs(held[-1]), 0.2 * float(np.mean(np.abs(held))))
    scale = usual + 0.03 * level or 1e-6
    told = {f"change_{k + 1}": NAN for k in range(CHANGES)}
    for k, change in enumerate(reversed(changes[-CHANGES:])):
        told[f"change_{k + 1}"] = change / scale
    return told | {
        "over_mean_3": (held[-1] - float(np.mean((held[:1] * 2 + held)[-3:]))) / scale,
        "over_mean": (held[-1] - float(np.mean(held))) / scale,
        "over_max": (held[-1] - max(held)) / scale,
        "level_in_scale": held[-1] / scale,
        "size": abs(held[-1]),
    }


def test_features_are_what_they_are_called() -> None:
    draw = np.random.default_rng(5)
    y = np.stack(walks(12, 9, seed=2, spread=0.3))
    y[draw.random(y.shape) < 0.2] = np.nan
    y[draw.random(y.shape) < 0.1] = 0.0
    y[3] = 0.0
    made = scan(y)
    count = 0
    for b in range(len(y)):
        for t in range(y.shape[1]):
            if np.isfinite(y[b, : t + 1]).any():
                want = by_hand(y[b, : t + 1].tolist())
                np.testing.assert_allclose(
                    made.x[t, b], [want[name] for name in SCANNED], rtol=2e-6, atol=2e-5
                )
                count += 1
    assert count > 80


def test_a_forecast_scans_on_from_where_training_stopped() -> None:
    y = np.stack(walks(30, 14, seed=4, spread=0.2))
    y[::4, 3] = np.nan
    made, x = scan(y), np.empty((30, len(SCANNED)), dtype=np.float32)
    for t in (1, 5, 13):
        state = state_of(y[:, : t + 1])
        state.write(x, state.scale)
        np.testing.assert_array_equal(x, made.x[t])


def test_rows_learn_the_next_change_and_cross_no_break_and_no_gap() -> None:
    y = [[100.0, 110.0, 130.0, 120.0, 150.0], [10.0, 20.0, NAN, 40.0, 50.0, 45.0]]
    history = dense_of(y, breaks=[(0, 3)])
    plain, _ = adjusted(history)
    made = scan(plain)
    x, target = training_rows(history, made, history.lengths, recipe_for(history))
    # Series 0: from 110 to 130 and from 120 to 150; into the break at column 3 nothing. Series 1: a first
    # change has no usual change before it, and changes across the gap are none of one period.
    size = x[:, SCANNED.index("size")]
    changes = sorted((float(s), float(t)) for s, t in zip(size, target, strict=True))
    bridged = 110.0 * 120.0 / 130.0
    assert [pytest.approx(s) for s, _ in changes] == [40.0, 50.0, bridged, 120.0]
    assert [np.sign(t) for _, t in changes] == [1, -1, 1, 1]


@pytest.mark.parametrize("kind", ["ragged", "whole", "quarter"])
def test_many_origins_at_once_are_origins_one_by_one(kind: str) -> None:
    history = ragged(60, seed=9, longest=18, cadence="quarter" if kind == "quarter" else "year")
    if kind == "whole":
        history = replace(history, breaks=np.zeros_like(history.breaks))
    origins = np.maximum(history.lengths[None, :] - np.array([5, 3, 1])[:, None], 0)
    member = Recursive(trees=8)
    together = member.forecast_origins(history, origins, 3)
    trained = 0
    for o, lengths in enumerate(origins):
        rows = np.flatnonzero(lengths > 0)
        seen = history.until(lengths).take(rows)
        fitted = member.fit(seen)
        trained += fitted.booster is not None
        np.testing.assert_array_equal(together[o, rows], fitted.forecast(seen, 3))
        assert np.isnan(together[o, lengths == 0]).all()
    assert trained > 0


def test_it_learns_what_there_is_to_learn() -> None:
    """Every rise is followed by a fall of the same size: naive misses all of them."""
    draw = np.random.default_rng(8)
    base, swing = draw.uniform(50, 150, (80, 1)), draw.uniform(5, 20, (80, 1))
    phase = draw.integers(0, 2, (80, 1))
    y = base + swing * ((np.arange(16)[None, :] + phase) % 2)
    history = dense_of(list(y[:, :12]))
    made = Recursive().fit(history).forecast(history, 4)
    ours, naive = np.abs(made - y[:, 12:]).mean(), np.abs(y[:, 11:12] - y[:, 12:]).mean()
    assert ours < 0.25 * naive


def test_too_small_a_panel_stands_still() -> None:
    history = dense_of([[1.0, 2.0, 4.0], [5.0, 3.0, 0.0]])
    fitted = Recursive().fit(history)
    assert fitted.booster is None
    np.testing.assert_array_equal(fitted.forecast(history, 2), [[4.0, 4.0], [0.0, 0.0]])


def test_a_season_is_taken_out_and_put_back() -> None:
    season = np.array([1.0, 1.4, 0.8, 0.6])
    y = [level * np.tile(season, 8) for level in np.linspace(50, 400, 30)]
    history = dense_of(y, cadence="quarter")
    made = Recursive().fit(history).forecast(history, 8)
    np.testing.assert_allclose(made, np.stack([row[:8] for row in y]), rtol=0.02)


def test_a_saved_model_of_it_speaks_bit_for_bit(tmp_path: Path) -> None:
    history: Dense = ragged(60, seed=11, longest=16)
    recipe = replace(champion_recipe(seasonal=False, reach=3, origins=4), members=("naive", "recursive"))
    model = fit_panel(history, recipe)
    assert isinstance(model.members[1], RecursiveFit)
    assert model.members[1].booster is not None
    write(model, history, tmp_path / "model")
    again, its_history = read(tmp_path / "model")
    np.testing.assert_array_equal(again.curves(its_history, 5), model.curves(history, 5))
    assert (tmp_path / "model" / "recursive.txt").exists()
