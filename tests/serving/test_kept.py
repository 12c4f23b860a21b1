from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from features.errors import ModelError
from models.dated import DATED_FILE
from models.past_fans import FANS_FILE
from serving.kept import Kept
from serving.shelf import Standing
from tests.serving.whole import dated

LATE = pd.Timestamp("2026-01-01")
YEAR_2020 = pd.Timestamp("2020-01-01")


def test_nothing_is_read_before_it_is_asked_for(whole: Standing) -> None:
    assert vars(whole.pack.kept).keys() == {"folder", "promised"}
    assert whole.pack.kept.track is whole.pack.kept.track


def test_a_pack_of_a_model_that_keeps_nothing_says_so(standing: Standing) -> None:
    assert standing.pack.kept.track is None
    assert standing.pack.kept.dated is None
    assert standing.pack.kept.figures is None
    assert standing.pack.kept.digests() == {}


@pytest.mark.parametrize("name", ["judged.parquet", "judged_steps.parquet", "judged.json"])
def test_an_altered_track_record_is_refused(whole: Standing, name: str) -> None:
    path = whole.pack.folder / "model" / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=f"{name} differs from its digest") as refusal:
        _ = whole.pack.kept.track
    assert refusal.value.code == "pack-corrupt"


def test_altered_fans_are_refused(whole: Standing) -> None:
    path = whole.pack.folder / "model" / FANS_FILE
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=f"{FANS_FILE} differs from its digest"):
        whole.pack.kept.fans("aa-north/power")


def test_the_record_of_dated_targets_is_that_of_the_model(whole: Standing) -> None:
    found = whole.pack.kept.dated
    assert found is not None
    assert found is whole.pack.kept.dated
    assert found.facts == dated().facts
    assert found.recalibration.as_record() == dated().recalibration.as_record()
    assert float(found.recalibration.apply(0.9, "sector")) < 0.9


def test_an_altered_record_of_dated_targets_is_refused(whole: Standing) -> None:
    path = whole.pack.folder / "model" / DATED_FILE
    path.write_bytes(path.read_bytes().replace(b"0.6", b"0.9"))
    with pytest.raises(ModelError, match=f"{DATED_FILE} differs from its digest") as refusal:
        _ = whole.pack.kept.dated
    assert refusal.value.code == "pack-corrupt"


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"not json", b'{"facts": {}, "recalibration": []}'])
def test_what_is_no_record_of_dated_targets_is_refused(whole: Standing, payload: bytes) -> None:
    path = whole.pack.folder / "model" / DATED_FILE
    path.write_bytes(payload)
    kept = Kept(whole.pack.folder, {f"model/{DATED_FILE}": hashlib.sha256(payload).hexdigest()})
    with pytest.raises(ModelError) as refusal:
        _ = kept.dated
    assert refusal.value.code == "pack-corrupt"


@pytest.mark.parametrize("name", ["basis.json", "vintages.parquet", "traits.parquet"])
def test_figures_that_are_gone_are_refused(whole: Standing, name: str) -> None:
    (whole.pack.folder / "model" / "basis" / name).unlink()
    with pytest.raises(ModelError, match="FileNotFoundError"):
        _ = whole.pack.kept.figures


def test_figures_are_those_known_at_the_time_oldest_first(whole: Standing) -> None:
    figures = whole.pack.kept.figures
    assert figures is not None
    both = figures.at(["aa-north/power"], YEAR_2020, LATE)
    assert both["y"].tolist()[1] == 1e6
    assert both["known_at"].is_monotonic_increasing
    early = figures.at(["aa-north/power"], YEAR_2020, pd.Timestamp("2022-01-01"))
    assert early["y"].tolist() == both["y"].tolist()[:1]


def test_what_lies_inside_a_cluster_and_a_sector(whole: Standing) -> None:
    figures = whole.pack.kept.figures
    assert figures is not None
    assert figures.inside("aa-north") == ["aa-north/glass", "aa-north/power", "aa-north/steel"]
    assert figures.inside("aa-north", "steel") == ["aa-north/steel/forge", "aa-north/steel/mill"]
    assert figures.inside("aa-north", "glass") == []
