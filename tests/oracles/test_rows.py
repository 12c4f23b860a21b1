"""Model rows, yardsticks, bridges and naive forecasts against one series at a time, in plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.matrix.build import build, recipe_for
from features.matrix.scale import ONLY_ZEROS, usual_change
from features.series.panel import Dense
from features.series.scopes import bridge, same_scope_ahead
from models.naive import Drift, Naive, SeasonalNaive
from tests.models.panels import NAN, ragged

SEEDS = st.integers(0, 10_000)
FEW = settings(max_examples=15, deadline=None)


def own(history: Dense, b: int) -> list[float]:
    """The figures of one series."""
    return [float(v) for v in history.y[b, : history.lengths[b]]]


def slow_bridge(y: list[float], breaks: list[int]) -> list[float]:
    out = list(y)
    for at in sorted(breaks):
        before = [v for v in out[:at] if not math.isnan(v)]
        after = [v for v in out[at:] if not math.isnan(v)]
        if not after:
            continue
        lawful = before and before[-1] > 0 and after[0] > 0
        ratio = after[0] / before[-1] if lawful else NAN
        out = [v * ratio for v in out[:at]] + out[at:]
    return out


def at(y: list[float], back: int) -> float:
    return y[len(y) - 1 - back] if back < len(y) else NAN


def slow_change(y: list[float], lag: int) -> float:
    memory = 0.7 if lag == 1 else 0.5 ** (1 / lag)
    top = bottom = 0.0
    for back in range(max(12, 2 * lag)):
        change = abs(at(y, back) - at(y, back + lag))
        if not math.isnan(change):
            top += memory**back * change
            bottom += memory**back
    return top / bottom if bottom > 0 else NAN


def slow_scale(y: list[float], season: int) -> float:
    change = slow_change(y, season)
    if math.isnan(change):
        change = slow_change(y, 1)
    if math.isnan(change):
        change = 0.0
    held = [abs(v) for v in y if not math.isnan(v)]
    level = max(held[-1], 0.2 * sum(held) / len(held)) if held else 0.0
    usual = change + 0.03 * level
    return usual if usual > 0 else ONLY_ZEROS


def slow_row(y: list[float], history: Dense, b: int, level: float) -> list[float]:
    season = history.cadence.season
    scale = slow_scale(y, season)
    held = [v for v in y if not math.isnan(v)]
    newest = held[-1] if held else 0.0
    recent = [at(y, k) for k in range(5)]

    def over_mean(values: list[float]) -> float:
        kept = [v for v in values if not math.isnan(v)]
        return (newest - sum(kept) / len(kept)) / scale if kept else NAN

    top = max(held) if held else NAN
    out = [(at(y, k) - at(y, k + 1)) / scale for k in range(4)]
    out += [over_mean(recent[:3]), over_mean(recent), over_mean(y)]
    out += [(newest - top) / scale, (newest - (min(held) if held else NAN)) / scale]
    out += [newest / top if held and top > 0 else 0.0]
    out += [(newest - (held[0] if held else NAN)) / scale / max(len(y) - 1, 1)]
    out += [newest / scale, math.log1p(abs(newest) / level), float(len(y))]
    out += [float(sum(v == 0 for v in recent))]
    if season > 1:
        gap = at(y, 0) - at(y, season)
        gap_before = at(y, 1) - at(y, season + 1)
        kept = [v for v in (gap, gap_before, 0.0) if not math.isnan(v)]
        out += [sum(kept) / len(kept) / scale, gap / scale, gap_before / scale]
        out += [float((history.starts[b] + len(y) - 1) % season)]
    return out


def slow_bridged(history: Dense, b: int) -> list[float]:
    marks = [int(c) for c in np.flatnonzero(history.breaks[b, : history.lengths[b]])]
    return slow_bridge(own(history, b), marks)


@FEW
@given(SEEDS)
def test_bridge(seed: int) -> None:
    history = ragged(12, seed=seed)
    known = bridge(history)
    for b in range(12):
        np.testing.assert_allclose(own(known, b), slow_bridged(history, b), rtol=1e-12)


@pytest.mark.parametrize("cadence", ["year", "quarter"])
@FEW
@given(SEEDS)
def test_usual_change(cadence: str, seed: int) -> None:
    known = bridge(ragged(12, seed=seed, cadence=cadence))
    theirs = [slow_scale(own(known, b), known.cadence.season) for b in range(12)]
    np.testing.assert_allclose(usual_change(known), theirs, rtol=1e-10)


@pytest.mark.parametrize("cadence", ["year", "quarter"])
@FEW
@given(SEEDS)
def test_rows(cadence: str, seed: int) -> None:
    history = ragged(12, seed=seed, cadence=cadence)
    recipe = recipe_for(history)
    made = build(history, recipe, 6)
    assert made.x.shape[1] == len(recipe.columns) - 1
    assert recipe.traits == ("kind", "sector")
    for b in range(12):
        y = slow_bridged(history, b)
        held = [v for v in y if not math.isnan(v)]
        codes = [
            float(sorted(set(history.traits[name])).index(history.traits[name][b])) for name in recipe.traits
        ]
        row = slow_row(y, history, b, recipe.level)
        np.testing.assert_allclose(made.x[b], [*row, *codes], rtol=1e-8, atol=1e-9)
        season = history.cadence.season
        for h in range(6):
            anchor = at(y, season - 1 - h % season) if season > 1 else NAN
            expected = anchor if not math.isnan(anchor) else (held[-1] if held else 0.0)
            assert made.anchor[b, h] == pytest.approx(expected, rel=1e-12)


@FEW
@given(SEEDS)
def test_naive_and_drift(seed: int) -> None:
    history = ragged(12, seed=seed)
    flat, line = Naive().forecast(history, 4), Drift().forecast(history, 4)
    for b in range(12):
        raw = [v for v in own(history, b) if not math.isnan(v)]
        assert flat[b].tolist() == [raw[-1] if raw else 0.0] * 4
        y = slow_bridged(history, b)
        places = [t for t, v in enumerate(y) if not math.isnan(v)]
        for h in range(4):
            expected = 0.0
            if places:
                first, last = places[0], places[-1]
                slope = (y[last] - y[first]) / max(last - first, 1)
                expected = max(y[last] + slope * (h + 1), 0.0)
            assert line[b, h] == pytest.approx(expected, rel=1e-9, abs=1e-6)


@FEW
@given(SEEDS)
def test_seasonal_naive(seed: int) -> None:
    history = ragged(12, seed=seed, cadence="quarter")
    ahead = SeasonalNaive().forecast(history, 9)
    for b in range(12):
        y = slow_bridged(history, b)
        held = [v for v in y if not math.isnan(v)]
        for h in range(9):
            back = 3 - h % 4
            found = [v for v in (at(y, back), at(y, back + 4)) if not math.isnan(v)]
            expected = found[0] if found else (held[-1] if held else 0.0)
            assert ahead[b, h] == pytest.approx(expected, rel=1e-12)


@FEW
@given(SEEDS, st.integers(0, 18))
def test_same_scope_ahead(seed: int, cut: int) -> None:
    history = ragged(12, seed=seed)
    cutoffs = np.minimum(cut, history.lengths)
    lawful = same_scope_ahead(history, cutoffs, 5)
    width = history.y.shape[1]
    for b in range(12):
        seen = max(int(cutoffs[b]) - 1, 0)
        for h in range(5):
            to = min(int(cutoffs[b]) + h, width - 1)
            assert lawful[b, h] == (not history.breaks[b, seen + 1 : to + 1].any())
