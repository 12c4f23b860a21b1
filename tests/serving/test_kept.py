from __future__ import annotations

import pandas as pd
import pytest

from features.errors import ModelError
from serving.shelf import Standing

LATE = pd.Timestamp("2026-01-01")
YEAR_2020 = pd.Timestamp("2020-01-01")


def test_nothing_is_read_before_it_is_asked_for(whole: Standing) -> None:
    assert vars(whole.pack.kept).keys() == {"folder", "promised"}
    assert whole.pack.kept.track is whole.pack.kept.track


def test_a_pack_of_a_model_that_keeps_nothing_says_so(standing: Standing) -> None:
    assert standing.pack.kept.track is None
    assert standing.pack.kept.figures is None
    assert standing.pack.kept.digests() == {}


@pytest.mark.parametrize("name", ["judged.parquet", "judged_steps.parquet", "judged.json"])
def test_an_altered_track_record_is_refused(whole: Standing, name: str) -> None:
    path = whole.pack.folder / "model" / name
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelError, match=f"{name} differs from its digest") as refusal:
        _ = whole.pack.kept.track
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
