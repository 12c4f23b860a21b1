"""Pieces of a replay: found again by what they were made from, and by nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from features.errors import ModelError
from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from models.fitted import FittedRecipe, fit
from models.kinds import MEMBERS
from models.parts import parts_of
from models.recipe import Recipe
from models.replay import Replay, replay
from tests.training.panels import random_walks
from tests.training.test_backtest import _folds, _hierarchy
from training import resume
from training.backtest import at_fold, backtest, scored_of
from training.folds import Folds
from training.pieces import Cache
from training.prints import Prints
from training.resume import backtested, refitted, resumed

RECIPE = Recipe(name="blend", members=("naive", "drift", "trend"), reach=3)
Float = npt.NDArray[np.float64]


@pytest.fixture
def history() -> Dense:
    return random_walks(12, seed=2)


@pytest.fixture
def origins(history: Dense) -> npt.NDArray[np.int64]:
    lengths = np.stack([history.lengths - back for back in (6, 5, 4, 3)])
    lengths[0, 0], lengths[1, 0] = 0, 2  # not there yet, then too short to be asked
    return lengths


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Members replayed, one entry a fold; those read from a cache leave none."""
    seen: list[str] = []

    def counted(history: Dense, origins: npt.NDArray[np.int64], recipe: Recipe, members: tuple[str, ...]):  # type: ignore[no-untyped-def]
        seen.extend(members)
        return replay(history, origins, recipe, members)

    monkeypatch.setattr("training.resume.replay", counted)
    return seen


def test_it_is_the_replay_bit_for_bit_from_pieces_too(
    history: Dense, origins: npt.NDArray[np.int64], tmp_path: Path, made: list[str]
) -> None:
    whole = replay(history, origins, RECIPE, RECIPE.members)
    for cache in (Cache(), Cache(tmp_path), Cache(tmp_path)):
        found = resumed(history, origins, RECIPE, cache)
        for name in ("point", "actual", "scale", "lengths"):
            np.testing.assert_array_equal(getattr(found.past, name), getattr(whole, name))
        assert (found.past.members, found.past.groups, found.past.pools) == (
            whole.members,
            whole.groups,
            whole.pools,
        )
        assert found.recipe == RECIPE
        assert found.conduct.refused == ()
        assert found.conduct.seconds is not None
        assert found.conduct.seconds > 0
    assert len(made) == 2 * 12


def test_a_killed_replay_goes_on_where_it_was(
    history: Dense, origins: npt.NDArray[np.int64], tmp_path: Path, made: list[str]
) -> None:
    def kill(member: str, origin: int) -> None:
        if (member, origin) == ("drift", 3):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        resumed(history, origins, RECIPE, Cache(tmp_path), told=kill)
    made.clear()
    resumed(history, origins, RECIPE, Cache(tmp_path))
    assert made == ["trend"]


def test_a_new_year_costs_the_new_fold_alone(
    history: Dense, origins: npt.NDArray[np.int64], tmp_path: Path, made: list[str]
) -> None:
    resumed(history.until(history.lengths - 1), origins, RECIPE, Cache(tmp_path))
    made.clear()
    longer = np.vstack([origins, history.lengths - 1])
    resumed(history, longer, RECIPE, Cache(tmp_path))
    assert made == list(RECIPE.members)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (lambda h, r: (h, replace(r, anchor=0.9, memory=0.5)), 0),  # read when members are blended only
        (lambda h, r: (h, replace(r, reach=2)), 12),
        (lambda h, r: (replace(h, y=np.where(np.arange(18) == 17, h.y + 1, h.y)), r), 0),  # not visible then
        (lambda h, r: (replace(h, y=np.where(np.arange(18) == 13, h.y + 1, h.y)), r), 6),  # two folds see it
        (lambda h, r: (replace(h, traits=h.traits.assign(kind="context")), r), 12),
        (lambda h, r: (replace(h, ids=tuple(f"x{name}" for name in h.ids)), r), 12),
    ],
)
def test_a_piece_is_found_by_what_it_was_made_from(
    history: Dense,
    origins: npt.NDArray[np.int64],
    tmp_path: Path,
    made: list[str],
    change: Callable[[Dense, Recipe], tuple[Dense, Recipe]],
    again: int,
) -> None:
    resumed(history, origins, RECIPE, Cache(tmp_path))
    made.clear()
    figures, recipe = change(history, RECIPE)
    resumed(figures, origins, recipe, Cache(tmp_path))
    assert len(made) == again


def test_other_code_finds_nothing(
    history: Dense,
    origins: npt.NDArray[np.int64],
    tmp_path: Path,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resumed(history, origins, RECIPE, Cache(tmp_path))
    made.clear()
    monkeypatch.setattr(resume, "made_with", lambda *floors: "other code")
    resumed(history, origins, RECIPE, Cache(tmp_path))
    assert len(made) == 12


def test_damaged_pieces_are_made_again_and_a_full_disk_is_no_failure(
    history: Dense,
    origins: npt.NDArray[np.int64],
    tmp_path: Path,
    made: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resumed(history, origins, RECIPE, Cache(tmp_path))
    first, second, *_ = sorted(tmp_path.iterdir())
    first.write_bytes(first.read_bytes()[:50])
    second.write_bytes(b"")
    made.clear()

    def full(path: Path, payload: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("training.pieces.write_bytes", full)
    for _ in range(2):
        assert resumed(history, origins, RECIPE, Cache(tmp_path)).conduct.refused == ()
    assert len(made) == 4


@dataclass(frozen=True)
class _Faulty:
    """A member that goes wrong once the history is long enough."""

    how: str
    name: str = "faulty"

    def fit(self, history: Dense) -> _Faulty:
        if self.how == "raises" and history.lengths.max() > 13:
            raise ZeroDivisionError("the slope of nothing")
        return self

    def forecast(self, history: Dense, steps: int) -> Float:
        out = np.ones((len(history.ids), steps))
        if self.how == "nan" and history.lengths.max() > 13:
            out[2, 1] = np.nan
        return out


@pytest.mark.parametrize(
    ("how", "words"), [("raises", "ZeroDivisionError: the slope"), ("nan", "of 1 series")]
)
def test_a_member_that_fails_is_left_out_by_name(
    how: str,
    words: str,
    history: Dense,
    origins: npt.NDArray[np.int64],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(MEMBERS, "faulty", lambda recipe: _Faulty(how))
    recipe = replace(RECIPE, members=("naive", "faulty", "drift"))
    found = resumed(history, origins, recipe, Cache(tmp_path))
    assert found.recipe.members == found.past.members == ("naive", "drift")
    assert np.isfinite(found.past.point[:, found.past.lengths > 0]).all()
    assert len(found.conduct.refused) == 1
    assert found.conduct.refused[0].startswith("faulty: ")
    assert words in found.conduct.refused[0]
    with pytest.raises(ModelError, match="no-member-left"):
        resumed(history, origins, recipe.alone("faulty"), Cache(tmp_path))


@pytest.mark.parametrize("fault", [MemoryError("no room"), ImportError("no library")])
def test_a_machine_that_fails_refuses_no_member(
    fault: Exception, history: Dense, origins: npt.NDArray[np.int64], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    class Starved(_Faulty):
        def forecast(self, history: Dense, steps: int) -> Float:
            raise fault

    monkeypatch.setitem(MEMBERS, "faulty", lambda recipe: Starved("raises"))
    with pytest.raises(type(fault)):
        resumed(history, origins, replace(RECIPE, members=("naive", "faulty")), Cache(tmp_path))


def test_a_backtest_is_kept_and_found_by_what_it_was_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = random_walks(12, seed=3)
    folds, hierarchy = _folds(history), _hierarchy(history)
    recipe = replace(RECIPE, members=("naive", "drift"), reach=4)
    past = replay(history, folds.lengths, recipe, recipe.members)
    true = backtest(history, past, folds, [recipe], hierarchy)["blend"]
    made: list[tuple[str, int]] = []

    def counted(*arguments: Any) -> Any:
        made.append((arguments[4].name, arguments[3]))
        return at_fold(*arguments)

    monkeypatch.setattr(resume, "at_fold", counted)
    scored = scored_of(folds)
    for _ in range(2):
        found = backtested(history, past, folds, recipe, hierarchy, Cache(tmp_path))
        for part in fields(true):
            np.testing.assert_array_equal(getattr(found, part.name), getattr(true, part.name))
    assert made == [("blend", fold) for fold in scored]
    made.clear()
    for other in (replace(recipe, anchor=0.9), replace(recipe, name="other"), recipe.alone("drift")):
        backtested(history, past, folds, other, hierarchy, Cache(tmp_path))
    shifted = replace(past, point=past.point + 1)
    backtested(history, shifted, folds, recipe, hierarchy, Cache(tmp_path))
    assert made == [(name, fold) for name in ("blend", "other", "drift", "blend") for fold in scored]


def test_a_killed_backtest_goes_on_at_its_fold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = random_walks(12, seed=3)
    folds, hierarchy = _folds(history), _hierarchy(history)
    recipe = replace(RECIPE, members=("naive", "drift"), reach=4)
    past = replay(history, folds.lengths, recipe, recipe.members)
    true = backtest(history, past, folds, [recipe], hierarchy)["blend"]
    asked: list[int] = []
    scored = scored_of(folds)

    def killed(*arguments: Any) -> Any:
        asked.append(arguments[3])
        if len(asked) == 3:
            raise KeyboardInterrupt
        return at_fold(*arguments)

    monkeypatch.setattr(resume, "at_fold", killed)
    with pytest.raises(KeyboardInterrupt):
        backtested(history, past, folds, recipe, hierarchy, Cache(tmp_path))
    spoiled = min(tmp_path.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    spoiled.write_bytes(spoiled.read_bytes()[:100])
    found = backtested(history, past, folds, recipe, hierarchy, Cache(tmp_path))
    assert asked == [*scored[:3], scored[0], *scored[2:]]
    for part in fields(true):
        np.testing.assert_array_equal(getattr(found, part.name), getattr(true, part.name))


Case = tuple[Dense, Replay, Folds, Recipe, Hierarchy]


@pytest.fixture
def case() -> Case:
    history = random_walks(12, seed=3)
    folds, recipe = _folds(history), replace(RECIPE, members=("naive", "boosted"), reach=4, trees=5)
    return history, replay(history, folds.lengths, recipe, recipe.members), folds, recipe, _hierarchy(history)


def _spoil(path: Path, at: int) -> None:
    payload = bytearray(path.read_bytes())
    payload[at] ^= 1
    path.write_bytes(payload)


def test_a_spoiled_whole_backtest_is_made_again(case: Case, tmp_path: Path) -> None:
    true = backtested(*case, Cache())
    for at, pattern in ((-1, "*-values.npy"), (-9, "*-cutoffs.npy"), (20, "*-actual.npy"), (190, "*.npz")):
        backtested(*case, Cache(tmp_path))
        assert sorted(path.suffix for path in tmp_path.iterdir()) == [*[".npy"] * 5, ".npz"]
        (spoiled,) = tmp_path.glob(pattern)
        _spoil(spoiled, at)
        assert Cache(tmp_path).read_large(next(tmp_path.glob("*.npz")).stem) is None
        found = backtested(*case, Cache(tmp_path))
        for part in fields(true):
            np.testing.assert_array_equal(getattr(found, part.name), getattr(true, part.name))


def test_what_is_done_to_a_mapped_backtest_stays_in_memory(case: Case, tmp_path: Path) -> None:
    backtested(*case, Cache(tmp_path))
    found = backtested(*case, Cache(tmp_path))
    before = found.values.copy()
    found.values[:] = 0.0
    np.testing.assert_array_equal(backtested(*case, Cache(tmp_path)).values, before)


def test_without_room_for_the_whole_its_folds_are_kept(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    true = backtested(*case, Cache())
    monkeypatch.setattr("training.pieces.replacing", full)
    backtested(*case, Cache(tmp_path))
    assert len(list(tmp_path.iterdir())) == len(scored_of(case[2]))
    monkeypatch.setattr(resume, "at_fold", lambda *asked: pytest.fail("made again"))
    np.testing.assert_array_equal(backtested(*case, Cache(tmp_path)).values, true.values)


def test_the_final_fit_is_kept_and_speaks_bit_for_bit(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history, past, folds, recipe, hierarchy = case
    of = Prints(history, past, folds, hierarchy).of
    true = fit(history, past, recipe)
    made: list[str] = []

    def counted(history: Dense, past: Replay, recipe: Recipe) -> FittedRecipe:
        made.append(recipe.name)
        return fit(history, past, recipe)

    monkeypatch.setattr(resume, "fit", counted)
    for _ in range(2):
        found = refitted(history, past, recipe, Cache(tmp_path), of(recipe))
        np.testing.assert_array_equal(found.curves(history, 6), true.curves(history, 6))
        paths = (one.paths(history, 6, 9, 1) for one in (found, true))
        np.testing.assert_array_equal(next(paths), next(paths))
        first, second = parts_of(found), parts_of(true)
        assert first == second
    assert made == ["blend"]
    other = replace(recipe, anchor=0.9)
    refitted(history, past, other, Cache(tmp_path), of(other))
    refitted(history, past, recipe, Cache(tmp_path), "")
    assert made == ["blend"] * 3
    for piece in tmp_path.iterdir():
        Cache(tmp_path).write(piece.stem, {"record.json": np.frombuffer(b"{}", dtype=np.uint8)})
    found = refitted(history, past, recipe, Cache(tmp_path), of(recipe))
    np.testing.assert_array_equal(found.curves(history, 6), true.curves(history, 6))
    assert made == ["blend"] * 4


def test_pieces_are_pruned_by_age_and_by_size_the_longest_unused_first(tmp_path: Path) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for days, name in ((500, "old"), (30, "b"), (20, "c"), (10, "d")):
        path = tmp_path / f"{name}.npz"
        path.write_bytes(b"x" * 100)
        at = (now - timedelta(days=days)).timestamp()
        os.utime(path, (at, at))
    cache = Cache(tmp_path)
    assert cache.prune(now) == 1
    assert cache.prune(now, size=250) == 1
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["c", "d"]
    assert Cache(tmp_path / "none").prune(now) == 0
