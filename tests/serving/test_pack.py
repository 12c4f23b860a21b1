from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from features.errors import DataError, ModelError
from serving.forecasts import NOT_FINITE
from serving.layout import CURRENT, GRID, PREVIOUS, read_pointer
from serving.opened import OpenedPack, open_pack
from serving.pack import build_and_publish, evidence_of, publish
from serving.written import Evidence
from tests.serving.synthetic import NOW, VERSION, Fake, Kit, figures


def opened(store: Path) -> OpenedPack:
    pointer = read_pointer(store / CURRENT)
    assert pointer is not None
    return open_pack(store, pointer)


def test_every_live_series_is_in_the_pack_and_every_other_is_told(store: Path) -> None:
    pack = opened(store)
    assert list(pack.series) == [
        *("aa-north/power", "aa-north/steel", "bb-south/power"),
        *("aa-north", "bb-south", "initiative"),
    ]
    assert set(pack.absent) == {"cc-east", "aa-north/glass"}
    assert pack.absent["cc-east"]["reason"] == "no public record"


def test_a_cluster_is_the_sum_of_its_sectors_path_by_path(store: Path) -> None:
    pack = opened(store)
    rows = [pack.series[name].row for name in ("aa-north/power", "aa-north/steel")]
    total = pack.paths[pack.series["aa-north"].row]
    assert np.abs(pack.paths[rows].sum(axis=0) - total).max() < 1e-6


def test_the_initiative_is_summed_by_date_over_schemes_that_end_in_different_years(store: Path) -> None:
    pack = opened(store)
    whole, north, south = (pack.series[name] for name in ("initiative", "aa-north", "bb-south"))
    assert (whole.cutoff, north.cutoff, south.cutoff) == ("2022-01-01", "2022-01-01", "2024-01-01")
    days, figures_ = pack.history["bb-south"]
    known = figures_[days.index("2023-01-01")]
    assert np.allclose(pack.paths[whole.row, 0], pack.paths[north.row, 0] + known)
    later = pack.paths[north.row, whole.ds.index("2026-01-01")] + pack.paths[south.row, 1]
    assert np.allclose(pack.paths[whole.row, whole.ds.index("2026-01-01")], later)


def test_bands_of_a_total_come_from_its_paths_and_not_from_added_bands(store: Path) -> None:
    pack = opened(store)
    row = pack.series["aa-north"].row
    assert np.allclose(pack.grid[row], np.quantile(pack.paths[row], GRID, axis=1).T)
    parts = [pack.series[name].row for name in ("aa-north/power", "aa-north/steel")]
    k = GRID.index(0.9)
    assert (pack.grid[parts][:, :, k].sum(axis=0) > pack.grid[row, :, k]).all()


def test_past_totals_hold_the_ended_sectors_too(store: Path) -> None:
    pack = opened(store)
    frame, _ = figures()
    days, total = pack.history["aa-north"]
    at = {name: frame.y[frame.row[name]] for name in frame.ids}
    expected = at["aa-north/power"][5] + at["aa-north/steel"][3] + at["aa-north/glass"][5]
    assert np.isclose(total[days.index("2015-01-01")], expected)


def test_a_series_without_finite_paths_is_answered_by_naive_and_totals_stay_coherent(tmp_path: Path) -> None:
    kit = Kit(champion=Fake(broken=("aa-north/steel",)))
    kit.publish(tmp_path)
    pack = opened(tmp_path)
    steel, north = pack.series["aa-north/steel"], pack.series["aa-north"]
    assert steel.made_by == NOT_FINITE
    assert "naive" in north.made_by
    parts = pack.paths[[pack.series["aa-north/power"].row, steel.row]]
    assert np.abs(parts.sum(axis=0) - pack.paths[north.row]).max() < 1e-6
    assert pack.usable.all()


def test_the_same_champion_on_the_same_figures_is_not_written_again(store: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()}

    def never() -> Fake:
        raise AssertionError("the naive rung was built though nothing had to be written")

    Kit().publish(store, created_at=NOW + timedelta(days=1), naive=never)
    assert {path: path.stat().st_mtime_ns for path in store.rglob("*") if path.is_file()} == before


def test_other_figures_make_another_pack(store: Path) -> None:
    first = opened(store).name
    dense, _ = figures()
    Kit().publish(store, history=replace(dense, y=dense.y * 1.01))
    assert opened(store).name != first
    assert opened(store).name.startswith(VERSION)


def test_a_corrupt_pack_on_disk_is_written_anew(store: Path) -> None:
    pack = store / "packs" / opened(store).name
    (pack / "mean.npy").write_bytes(b"")
    Kit().publish(store)
    assert opened(store).steps == 30


def test_the_pointer_before_is_kept_only_when_the_champion_changes(store: Path) -> None:
    assert not (store / PREVIOUS).exists()
    Kit(version="newer").publish(store)
    previous = read_pointer(store / PREVIOUS)
    assert previous is not None
    assert previous.model_version == VERSION


def test_a_pack_that_does_not_open_is_never_pointed_to(store: Path) -> None:
    before = (store / CURRENT).read_bytes()
    pack = Kit(version="newer").write(store)
    (pack / "grid.npy").write_bytes(b"no array")
    with pytest.raises(ModelError) as caught:
        publish(store, pack)
    assert caught.value.code == "pack-corrupt"
    assert (store / CURRENT).read_bytes() == before


def test_a_killed_writer_leaves_no_pack_behind(tmp_path: Path) -> None:
    class Killed(Fake):
        def paths(self, *_: object) -> np.ndarray:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Kit(champion=Killed()).write(tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_model_folder_travels_in_the_pack_under_its_digests(tmp_path: Path) -> None:
    model = tmp_path / "models" / VERSION
    model.mkdir(parents=True)
    (model / "model.json").write_text("{}")
    pack = Kit().publish(tmp_path, model_folder=model)
    card = json.loads((pack / "pack.json").read_text())
    assert "model/model.json" in card["files"]
    assert opened(tmp_path).model_version == VERSION


def test_no_sectors_no_pack(tmp_path: Path) -> None:
    dense, _ = figures()
    with pytest.raises(DataError) as caught:
        Kit().write(tmp_path, history=dense.take([dense.row["AA/power"]]))
    assert caught.value.code == "nothing-to-serve"


def test_a_store_without_champion_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        build_and_publish(store=tmp_path, now=NOW)
    assert caught.value.code == "no-champion"
    assert "retrain" in caught.value.remedy


def test_evidence_lies_beside_the_saved_model(tmp_path: Path) -> None:
    assert evidence_of(tmp_path) == Evidence()
    (tmp_path / "evidence.json").write_text('{"scores": [{"metric": "mase"}], "git_commit": "abc"}')
    assert evidence_of(tmp_path).git_commit == "abc"


def test_credits_name_title_publisher_and_terms(store: Path) -> None:
    pack = opened(store)
    assert pack.series["aa-north"].sources == ("EU ETS (EC, CC BY 4.0)",)
    assert pack.series["initiative"].sources == ("EU ETS (EC, CC BY 4.0)", "UK ETS (HMG, terms not stated)")


def test_unknown_facts_are_null_and_never_nan(store: Path) -> None:
    facts = opened(store).clusters["cc-east"]["facts"]
    assert facts["lat"] is None
    assert facts["baseline_year"] is None
    assert opened(store).clusters["aa-north"]["facts"]["baseline_year"] == 2016


def test_no_room_for_the_pack_is_a_refusal_and_the_pointer_stays(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Path:
        raise OSError(28, "No space left on device")

    before = (store / CURRENT).read_bytes()
    monkeypatch.setattr("training.registry.champion_folder", lambda store: store / "models" / "newest")
    monkeypatch.setattr("serving.pack.build", full)
    with pytest.raises(ModelError) as caught:
        build_and_publish(store=store, now=NOW)
    assert caught.value.code == "pack-unwritten"
    assert "No space left" in caught.value.message
    assert (store / CURRENT).read_bytes() == before
