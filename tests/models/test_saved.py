"""A saved model opens as it was written, or refuses with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import LawBroken, ModelError
from features.files import read_json, write_json
from features.series.panel import Dense
from models import saved
from models.engine import fit_panel
from models.fitted import FittedRecipe
from models.kinds import MEMBERS
from models.recipe import champion_recipe
from models.saved import read, write
from models.totals import FittedTotals
from tests.models.panels import dense_of, ragged, walks

RECIPE = champion_recipe(seasonal=False, reach=3, origins=5, trees=10)


@pytest.fixture(scope="module")
def history() -> Dense:
    return ragged(40, seed=11, longest=16)


@pytest.fixture(scope="module")
def model(history: Dense) -> FittedRecipe:
    fitted = fit_panel(history, RECIPE)
    assert any(getattr(member, "booster", None) is not None for member in fitted.members)
    return fitted


@pytest.fixture
def folder(tmp_path: Path, model: FittedRecipe, history: Dense) -> Path:
    write(model, history, tmp_path / "model")
    return tmp_path / "model"


def test_round_trip_bit_for_bit(folder: Path, model: FittedRecipe, history: Dense) -> None:
    again, its_history = read(folder)
    np.testing.assert_array_equal(again.curves(its_history, 6), model.curves(history, 6))
    np.testing.assert_array_equal(
        again.paths(its_history, 3, 20, seed=4), model.paths(history, 3, 20, seed=4)
    )
    assert again.recipe == model.recipe
    assert again.trained_on == history.ids == its_history.ids
    assert again.dependence == model.dependence


def _other_booster(model: FittedRecipe, history: Dense) -> tuple[FittedRecipe, Dense]:
    other = fit_panel(history, replace(RECIPE, trees=11))
    learnt = [getattr(member, "booster", None) is not None for member in model.members]
    pairs = zip(model.members, other.members, learnt, strict=True)
    return replace(model, members=tuple(b if different else a for a, b, different in pairs)), history


@pytest.mark.parametrize(
    "otherwise",
    [
        _other_booster,
        lambda m, h: (replace(m, weights=replace(m.weights, shares=m.weights.shares[..., ::-1])), h),
        lambda m, h: (replace(m, calibration=replace(m.calibration, z=m.calibration.z * 1.0000001)), h),
        lambda m, h: (m, replace(h, y=h.y * 1.0000001)),
        lambda m, h: (replace(m, totals=FittedTotals(m.weights, m.calibration)), h),
    ],
)
def test_a_model_that_reads_back_otherwise_is_not_left_on_disk(
    tmp_path: Path,
    model: FittedRecipe,
    history: Dense,
    monkeypatch: pytest.MonkeyPatch,
    otherwise: Callable[[FittedRecipe, Dense], tuple[FittedRecipe, Dense]],
) -> None:
    monkeypatch.setattr(saved, "read", lambda folder: otherwise(*read(folder)))
    with pytest.raises(LawBroken, match="saved-model-differs"):
        write(model, history, tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_history_with_room_to_spare_is_no_other_history(
    tmp_path: Path, model: FittedRecipe, history: Dense
) -> None:
    wider = replace(
        history,
        y=np.hstack([history.y, np.full((len(history.ids), 2), np.nan)]),
        breaks=np.hstack([history.breaks, np.zeros((len(history.ids), 2), dtype=bool)]),
    )
    write(model, wider, tmp_path / "model")
    again, its_history = read(tmp_path / "model")
    np.testing.assert_array_equal(again.curves(its_history, 3), model.curves(history, 3))


def test_history_comes_back_whole(folder: Path, history: Dense) -> None:
    _, again = read(folder)
    np.testing.assert_array_equal(again.y, history.y)
    np.testing.assert_array_equal(again.breaks, history.breaks)
    np.testing.assert_array_equal(again.lengths, history.lengths)
    np.testing.assert_array_equal(again.starts, history.starts)
    assert again.traits.equals(history.traits)
    assert again.cadence == history.cadence


@pytest.mark.parametrize("name", sorted(MEMBERS))
@pytest.mark.parametrize("cadence", ["year", "month"])
def test_every_member_alone(tmp_path: Path, name: str, cadence: str) -> None:
    history = dense_of(walks(12, 30, seed=1), cadence=cadence)
    fitted = fit_panel(history, champion_recipe(cadence == "month", reach=3, origins=3, trees=5).alone(name))
    write(fitted, history, tmp_path / "model")
    again, its_history = read(tmp_path / "model")
    np.testing.assert_array_equal(again.curves(its_history, 5), fitted.curves(history, 5))


def test_totals_come_back(tmp_path: Path) -> None:
    history = dense_of(walks(6, 14, seed=2), traits={"area": list("aaabbb")})
    fitted = fit_panel(history, RECIPE)
    assert fitted.totals is not None
    write(fitted, history, tmp_path / "model")
    again, its_history = read(tmp_path / "model")
    np.testing.assert_array_equal(
        again.paths(its_history, 4, 50, seed=1), fitted.paths(history, 4, 50, seed=1)
    )


def test_too_small_for_a_booster(tmp_path: Path) -> None:
    history = dense_of(walks(2, 5, seed=1))
    fitted = fit_panel(history, RECIPE)
    write(fitted, history, tmp_path / "model")
    again, its_history = read(tmp_path / "model")
    assert not (tmp_path / "model" / "booster.txt").exists()
    np.testing.assert_array_equal(again.curves(its_history, 3), fitted.curves(history, 3))


def test_order_of_series_survives(tmp_path: Path, history: Dense) -> None:
    """Rows that are not sorted by name come back in the order they had."""
    mixed = history.take(list(range(39, -1, -1)))
    fitted = fit_panel(mixed, RECIPE.alone("naive"))
    write(fitted, mixed, tmp_path / "model")
    _, again = read(tmp_path / "model")
    assert again.ids == mixed.ids
    np.testing.assert_array_equal(again.breaks, mixed.breaks)


@pytest.mark.parametrize(
    "name", ["booster.txt", "history.parquet", "traits.parquet", "breaks.parquet", "evidence.json"]
)
@pytest.mark.parametrize("harm", ["altered", "missing"])
def test_a_harmed_file_is_refused(
    tmp_path: Path, model: FittedRecipe, history: Dense, name: str, harm: str
) -> None:
    folder = tmp_path / "model"
    write(model, history, folder, evidence={"verdict": "promote"})
    if harm == "altered":
        content = bytearray((folder / name).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / name).write_bytes(bytes(content))
    else:
        (folder / name).unlink()
    with pytest.raises(ModelError) as refused:
        read(folder)
    assert refused.value.code == ("model-altered" if harm == "altered" else "model-unreadable")
    assert name in str(refused.value)


def test_altered_weights_are_refused(folder: Path) -> None:
    record = read_json(folder / "model.json")
    record["weights"]["shares"][0][0] = [1.0, 0.0, 0.0, 0.0]
    write_json(folder / "model.json", record)
    with pytest.raises(ModelError) as refused:
        read(folder)
    assert refused.value.code == "model-altered"
    assert "model.json" in str(refused.value)


def test_another_format_is_refused(folder: Path) -> None:
    record = read_json(folder / "model.json")
    write_json(folder / "model.json", {**record, "format": 99})
    with pytest.raises(ModelError) as refused:
        read(folder)
    assert refused.value.code == "model-format"


@pytest.mark.parametrize("content", ["", "[]", "{", json.dumps({"format": 1}), "\0\0"])
def test_a_model_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "model.json").write_text(content)
    with pytest.raises(ModelError):
        read(tmp_path)


def test_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refused:
        read(tmp_path / "absent")
    assert refused.value.remedy


def test_a_finished_folder_is_never_overwritten(folder: Path, model: FittedRecipe, history: Dense) -> None:
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(OSError, match=r"not empty|exists"):
        write(model, history, folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before
    assert [p.name for p in folder.parent.iterdir()] == [folder.name]
