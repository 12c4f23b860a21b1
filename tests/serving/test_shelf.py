from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from features.errors import ModelError
from features.files import read_json, write_json
from serving.layout import CURRENT, folder_digests, sha256_of
from serving.shelf import Shelf
from tests.serving.synthetic import VERSION, Fake, Kit


def pack_of(store: Path) -> Path:
    return store / str(read_json(store / CURRENT)["pack"])


def test_an_empty_store_has_no_champion_until_one_is_published(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    assert not shelf.refresh()
    with pytest.raises(ModelError) as caught:
        _ = shelf.standing
    assert caught.value.code == "no-champion"
    Kit().publish(tmp_path)
    assert shelf.refresh()
    assert shelf.standing.pack.model_version == VERSION


def test_a_new_champion_is_swapped_in_whole_and_the_old_one_answers_on(store: Path) -> None:
    shelf = Shelf(store)
    shelf.refresh()
    before = shelf.standing
    Kit(version="newer", champion=Fake(scale=2.0)).publish(store)
    assert shelf.standing is before
    assert shelf.refresh()
    assert shelf.standing.pack.model_version == "newer"
    assert float(before.pack.mean[0, 0]) > 0
    assert not shelf.refresh()


@pytest.mark.parametrize("name", ["grid.npy", "paths.npy", "pack.json", "clusters.json", "history.parquet"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_a_corrupt_pack_is_refused_and_the_last_good_one_serves(store: Path, name: str, how: str) -> None:
    shelf = Shelf(store)
    shelf.refresh()
    Kit(version="newer").publish(store)
    path = pack_of(store) / name
    raw = path.read_bytes()
    if how == "gone":
        path.unlink()
    else:
        path.write_bytes(raw[:-1] if how == "cut" else raw[:-9] + bytes([raw[-9] ^ 1]) + raw[-8:])
    assert not shelf.refresh()
    assert shelf.standing.pack.model_version == VERSION
    assert shelf.refused is not None
    assert shelf.refused.code in ("pack-corrupt", "pack-missing")
    assert "retrain" in shelf.refused.remedy


def test_a_refused_pack_is_taken_once_it_is_mended(store: Path) -> None:
    shelf = Shelf(store)
    shelf.refresh()
    Kit(version="newer").publish(store)
    (pack_of(store) / "mean.npy").write_bytes(b"")
    shelf.refresh()
    Kit(version="newer").publish(store)
    assert shelf.refresh()
    assert shelf.refused is None
    assert shelf.standing.pack.model_version == "newer"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"model_version": "x"}', '{"pack": "../etc", "digest": "0"}']
)
def test_an_unreadable_pointer_is_refused(store: Path, text: str) -> None:
    shelf = Shelf(store)
    shelf.refresh()
    (store / CURRENT).write_text(text)
    assert not shelf.refresh()
    assert shelf.refused is not None
    assert shelf.refused.code == "pointer-unreadable"
    assert shelf.standing.pack.model_version == VERSION


def test_a_pointer_leads_nowhere_but_into_packs(store: Path) -> None:
    write_json(store / CURRENT, {"model_version": "x", "pack": "packs/../models", "digest": "0"})
    shelf = Shelf(store)
    shelf.refresh()
    assert shelf.refused is not None
    assert shelf.refused.code == "pointer-unreadable"


def change_card(store: Path, **changes: object) -> None:
    pack = pack_of(store)
    card = {**read_json(pack / "pack.json"), **changes, "files": folder_digests(pack)}
    write_json(pack / "pack.json", card)
    pointer = read_json(store / CURRENT)
    write_json(store / CURRENT, {**pointer, "digest": sha256_of(pack / "pack.json")})


@pytest.mark.parametrize("changes", [{"format": 2}, {"steps": 29}, {"paths": 7}, {"levels": [0.5]}])
def test_a_pack_of_another_format_or_shape_is_incompatible(store: Path, changes: dict[str, object]) -> None:
    change_card(store, **changes)
    shelf = Shelf(store)
    assert not shelf.refresh()
    assert shelf.refused is not None
    assert shelf.refused.code == "pack-incompatible"
    with pytest.raises(ModelError, match="pack-incompatible"):
        _ = shelf.standing


def test_at_the_start_the_previous_champion_stands_in_for_a_corrupt_one(store: Path) -> None:
    Kit(version="newer").publish(store)
    (pack_of(store) / "grid.npy").write_bytes(b"")
    shelf = Shelf(store)
    assert shelf.refresh()
    assert shelf.standing.pack.model_version == VERSION
    assert "pack-corrupt" in shelf.standing.degraded
    rungs = shelf.standing.rungs.values()
    assert {rung.level for rung in rungs} == {"previous"}
    assert all("previous champion" in rung.made_by for rung in rungs)


def test_a_pack_taken_away_after_loading_goes_on_answering(store: Path) -> None:
    shelf = Shelf(store)
    shelf.refresh()
    shutil.rmtree(pack_of(store))
    shelf.refresh()
    assert shelf.standing.pack.paths.sum() > 0
    assert shelf.refused is not None
    json.dumps(shelf.refused.as_record(), allow_nan=False)
