"""Dated targets replayed, held against slow loops over single pseudo-targets."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest

from features.series.scopes import bridge
from models.dated import DatedRecord
from models.dated_scores import NAIVE, RAW, RECALIBRATED
from models.past_targets import CUTS, STEPS, PastTargets
from models.recipe import Recipe
from models.replay import replay
from tests.training.plants import ground, restated
from training.backtest import Backtest
from training.dated import Counts, record_of, served, walked, walking
from training.dated_past import KINDS, Past, past_of, with_countries
from training.folds import Folds, make_folds
from training.judging import Ground
from training.pieces import Cache
from training.plan import FoldPlan

Float = npt.NDArray[np.float64]
RECIPE = Recipe("blend", ("naive", "drift"), reach=5)
FOLDS = FoldPlan(issue_month=6, issue_day=15, first_year=2010, last_year=2021, scored=4)
NOW = pd.Timestamp("2026-01-01")


@dataclass(frozen=True)
class World:
    ground: Ground
    folds: Folds
    past: Past
    ours: Backtest
    naive: Backtest


def world_of(place: Ground) -> World:
    folds = make_folds(place.figures, place.history, FOLDS, NOW)
    said = replay(place.history, folds.lengths, RECIPE, RECIPE.members)
    return World(place, folds, *served(place, said, folds, RECIPE, "naive", Cache()))


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(ground())


def chances(world: World) -> list[tuple[PastTargets, dict[str, Float]]]:
    counts = Counts.none(len(world.folds.issued))
    return list(walking(world.past, world.ours.values, world.naive.values, counts))


def test_every_kind_is_asked_and_plants_close(world: World) -> None:
    found = walked(world.past, world.ours.values, world.naive.values)
    record = record_of(world.past, found)
    assert [row["kind"] for row in record.facts["scores"]] == ["all", *KINDS]
    assert record.facts["closures"] > 100
    whole = record.facts["scores"][0]
    assert whole["n"] == sum(row["n"] for row in record.facts["scores"][1:]) > 5_000
    assert whole["n_missing"] > 0
    open_ = record.facts["undecided"][0]
    assert open_["n"] < whole["n"]
    assert open_["brier"] > whole["brier"]
    json.dumps(record.as_record(), allow_nan=False)


def test_outcomes_are_those_of_the_series(world: World) -> None:
    """Some hundred pseudo-targets by hand: level from figures seen, outcome from the figure that came."""
    history, folds, past = world.ground.history, world.folds, world.past
    draw = np.random.default_rng(0)
    seen = 0
    for fold, (asked, _) in enumerate(chances(world)):
        bridged = bridge(history.until(folds.lengths[fold]))
        own = np.flatnonzero(asked.rows < len(history.ids))
        for k in draw.choice(own, 40, replace=False):
            row, step = int(asked.rows[k]), int(asked.steps[k])
            length = int(folds.lengths[fold, row])
            line = bridged.y[row, :length]
            first = int(np.flatnonzero(np.isfinite(line))[0])
            base = (line[first], line[length - 11] if length > 10 else np.nan, line[length - 6])
            level = base[asked.bases[k]] * (1 - CUTS[asked.cuts[k]])
            assert asked.levels[k] == pytest.approx(level)
            column = length + step - 1
            broken = history.breaks[row, length : column + 1].any()
            if column < history.lengths[row]:
                true = np.nan if broken else float(history.y[row, column] <= level)
            else:
                # Figures go to 2022. An earlier end is a closure, but for the year a scheme changed hands.
                moved = history.starts[row] + history.lengths[row] == 2013 - 1970
                unknown = moved or history.starts[row] + column > 2022 - 1970
                true = np.nan if unknown or past.kind[row] != KINDS.index("plant") else 1.0
            np.testing.assert_equal(asked.met[k], true)
            seen += np.isfinite(true)
    assert seen > 200


def test_scores_are_means_over_pseudo_targets(world: World) -> None:
    found = walked(world.past, world.ours.values, world.naive.values)
    record = record_of(world.past, found)
    said = chances(world)
    met = np.concatenate([asked.met for asked, _ in said])
    kind = np.concatenate([world.past.kind[asked.rows] for asked, _ in said])
    mine = np.isfinite(met) & (kind == KINDS.index("sector"))
    told = record.of_kind("sector")
    assert told is not None
    assert told["n"] == mine.sum()
    for name, key in ((RECALIBRATED, "brier"), (RAW, "brier_raw"), (NAIVE, "brier_naive")):
        p = np.concatenate([chance[name] for _, chance in said])
        assert told[key] == pytest.approx(((p - met) ** 2)[mine].mean(), rel=1e-5)
    rate = met[mine].mean()
    assert told["base_rate"] == pytest.approx(rate)
    assert told["skill"] == pytest.approx(1 - told["brier"] / (rate * (1 - rate)))


def test_only_published_outcomes_teach(world: World) -> None:
    """An outcome is known from the first issue after its figure; the newest year here only in 2023."""
    past, folds = world.past, world.folds
    due = world.ours.cutoffs[:, :, None] + np.arange(1, RECIPE.reach + 1)
    known = np.isfinite(past.actual) & (past.kind != KINDS.index("plant"))[None, :, None]
    first = np.array([moment.year for moment in folds.issued])
    year = 1970 + due[known]
    expected = np.searchsorted(first, year + 1)  # a figure of one year is out by June of the next
    np.testing.assert_array_equal(past.known[known], np.minimum(expected, len(first)))
    late = past_of(
        restated(world.ground, "2030-01-01"), with_countries(world.ground.hierarchy, world.ground.history),
        replace(folds, scored=np.ones(len(folds.issued), dtype=bool)), world.ours,
    )  # fmt: skip
    assert (late.known >= past.known).all()
    assert (late.known[known][year == 2022] == len(first)).all()


def test_countries_are_sums_of_their_sectors(world: World) -> None:
    country = world.ours.ids.index("BB")
    assert KINDS[world.past.kind[country]] == "country"
    parts = [world.ours.ids.index(f"BB/{sector}") for sector in ("power", "steel")]
    np.testing.assert_allclose(
        world.past.actual[:, country], world.past.actual[:, parts].sum(axis=1), rtol=1e-9
    )
    np.testing.assert_allclose(
        world.past.seen[:, country, -1], world.past.seen[:, parts, -1].sum(axis=1), rtol=1e-9
    )


def test_few_folds_leave_chances_as_they_are(world: World) -> None:
    past = world.past
    few = replace(
        past,
        seen=past.seen[:2],
        actual=past.actual[:2],
        closed=past.closed[:2],
        known=np.minimum(past.known[:2], 2),
    )
    found = walked(few, world.ours.values[:2], world.naive.values[:2])
    assert not found.recalibration.believed("plant")
    assert "fewer than" in str(found.recalibration.learnt[""]["why"])


def test_the_record_is_written_and_read(world: World, tmp_path: Path) -> None:
    record = record_of(world.past, walked(world.past, world.ours.values, world.naive.values))
    record.write(tmp_path)
    again = DatedRecord.read(tmp_path)
    assert again.facts == json.loads(json.dumps(record.facts))
    for kind in (*KINDS, "never seen"):
        assert again.recalibration.apply(0.3, kind) == pytest.approx(record.recalibration.apply(0.3, kind))
        low, high = again.recalibration.band(0.3, kind)
        assert 0 < low < float(again.recalibration.apply(0.3, kind)) < high < 1
    assert STEPS[0] == again.facts["targets"]["steps"][0]
