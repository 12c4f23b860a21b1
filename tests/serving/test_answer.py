from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import ForecarbonError
from serving.answer import answer
from serving.errors import status_of
from serving.shelf import Shelf, Standing
from serving.wire import read_ask, write_json_bytes
from tests.serving.synthetic import VERSION, Fake, Kit

MARKS = {"issued_at": "2026-11-24T00:00:00Z", "request_id": "r", "forecast_id": "j"}


def ask(standing: Standing, **question: Any) -> dict[str, Any]:
    return answer(read_ask(json.dumps(question).encode()), standing, **MARKS)


def refused(standing: Standing, **question: Any) -> ForecarbonError:
    with pytest.raises(ForecarbonError) as caught:
        ask(standing, **question)
    return caught.value


def test_an_answer_says_what_when_from_what_and_by_whom(standing: Standing) -> None:
    told = ask(standing, clusters=["aa-north"], steps=2, levels=[80])
    (forecast,) = told["forecasts"]
    assert {k: forecast[k] for k in ("unique_id", "kind", "unit", "scope", "cadence", "cutoff")} == {
        "unique_id": "aa-north", "kind": "cluster", "unit": "tCO2e", "scope": "eu-ets", "cadence": "year",
        "cutoff": "2022-01-01",
    }  # fmt: skip
    assert forecast["made_by"] == "sum of 2 sector paths by blend"
    assert [(row["ds"], row["step"]) for row in forecast["rows"]] == [("2023-01-01", 1), ("2024-01-01", 2)]
    assert list(forecast["rows"][0]["quantiles"]) == ["0.1", "0.5", "0.9"]
    assert {**MARKS, "model_version": VERSION, "recipe": "blend", "degraded": ""}.items() <= told.items()
    assert told["as_of"] == "2026-11-23T20:45:01Z"
    assert told["sources"] == ["EU ETS (EC, CC BY 4.0)"]
    json.loads(write_json_bytes(told))


def test_the_figures_are_those_of_the_pack(standing: Standing) -> None:
    rows = ask(standing, series=["bb-south/power"], steps=30, quantiles=[0.1])["forecasts"][0]["rows"]
    pack = standing.pack
    at = pack.series["bb-south/power"].row
    assert [row["mean"] for row in rows] == pack.mean[at].tolist()
    expected = np.quantile(pack.paths[at], 0.1, axis=1)
    assert np.allclose([row["quantiles"]["0.1"] for row in rows], expected, rtol=1e-12)


def test_quantiles_off_the_grid_are_read_from_the_paths(standing: Standing) -> None:
    rows = ask(standing, series=["initiative"], steps=3, levels=[99.9])["forecasts"][0]["rows"]
    paths = standing.pack.paths[standing.pack.series["initiative"].row, :3]
    assert np.allclose([r["quantiles"]["0.0005"] for r in rows], np.quantile(paths, 0.0005, axis=1))


def test_some_known_some_not_is_an_answer_with_refusals(standing: Standing) -> None:
    told = ask(standing, clusters=["aa-north", "cc-east", "zz"], series=["aa-north/glass", "bb-south"])
    assert [item["unique_id"] for item in told["forecasts"]] == ["aa-north", "bb-south"]
    assert {item["unique_id"]: item["code"] for item in told["refusals"]} == {
        "cc-east": "no-public-facility-series", "zz": "unknown-cluster", "aa-north/glass": "series-ended",
    }  # fmt: skip
    assert all(item["remedy"] for item in told["refusals"])


NAMES = ("aa-north", "bb-south", "cc-east", "initiative", "aa-north/power", "aa-north/glass", "zz", "Ω")


@given(
    clusters=st.lists(st.sampled_from(NAMES), max_size=6), series=st.lists(st.sampled_from(NAMES), max_size=6)
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_asked_is_answered_plus_refused_exactly_once(
    standing: Standing, clusters: list[str], series: list[str]
) -> None:
    if not clusters and not series:
        return
    try:
        told = ask(standing, clusters=clusters, series=series, steps=1)
        items = [*told["forecasts"], *told["refusals"]]
    except ForecarbonError as error:
        items = error.facts["refusals"]
    names = [item["unique_id"] for item in items]
    assert sorted(names) == sorted(set(clusters) | set(series))


def test_include_sectors_adds_every_served_sector_of_the_cluster(standing: Standing) -> None:
    told = ask(standing, clusters=["aa-north"], include_sectors=True, steps=1)
    assert [item["unique_id"] for item in told["forecasts"]] == [
        "aa-north",
        "aa-north/power",
        "aa-north/steel",
    ]
    mean = {item["unique_id"]: item["rows"][0]["mean"] for item in told["forecasts"]}
    assert np.isclose(mean["aa-north"], mean["aa-north/power"] + mean["aa-north/steel"])


def test_all_unknown_is_not_found_with_a_guess(standing: Standing) -> None:
    error = refused(standing, clusters=["aa-nroth"])
    assert (status_of(error), error.code) == (404, "unknown-cluster")
    assert "did you mean aa-north" in error.remedy


def test_a_series_is_no_cluster(standing: Standing) -> None:
    error = refused(standing, clusters=["initiative"])
    assert status_of(error) == 404
    assert '"series"' in error.remedy


def test_known_but_without_series_is_unprocessable_with_the_reason(standing: Standing) -> None:
    error = refused(standing, clusters=["cc-east"])
    assert (status_of(error), error.code) == (422, "series-absent")
    assert error.found == "no public record"
    mixed = refused(standing, clusters=["zz", "cc-east"])
    assert status_of(mixed) == 422
    assert len(mixed.facts["refusals"]) == 2


@pytest.fixture
def limping(tmp_path: Path) -> Standing:
    """A pack whose rows of one series are unusable, and no champion before it."""
    pack = Kit(champion=Fake()).write(tmp_path)
    spoil(tmp_path, pack, "aa-north/power")
    shelf = Shelf(tmp_path)
    shelf.refresh()
    return shelf.standing


def spoil(store: Path, pack: Path, name: str) -> None:
    """Make the rows of a series not finite, digests and pointer in order."""
    from features.files import read_json, write_json
    from serving.layout import folder_digests
    from serving.pack import publish

    card = read_json(pack / "pack.json")
    row = [item["unique_id"] for item in card["series"]].index(name)
    grid = np.load(pack / "grid.npy")
    grid[row, 3, 7] = np.nan
    np.save(pack / "grid.npy", grid)
    write_json(pack / "pack.json", {**card, "files": folder_digests(pack)})
    publish(store, pack)


def test_unusable_rows_are_answered_by_naive_which_says_so(limping: Standing) -> None:
    told = ask(limping, series=["aa-north/power", "bb-south"], steps=2, levels=[80])
    spoken = {item["unique_id"]: item["made_by"] for item in told["forecasts"]}
    assert spoken["aa-north/power"].startswith("naive (because")
    assert spoken["bb-south"] == "sum of 1 sector paths by blend"
    row = limping.pack.series["aa-north/power"].row
    assert told["forecasts"][0]["rows"][1]["mean"] == limping.pack.naive_mean[row, 1]
    k = limping.pack.levels.index(0.1)
    assert told["forecasts"][0]["rows"][1]["quantiles"]["0.1"] == limping.pack.naive_grid[row, 1, k]
    write_json_bytes(told)


def test_naive_refuses_what_its_grid_cannot_show(limping: Standing) -> None:
    told = ask(limping, series=["aa-north/power", "bb-south"], levels=[99.9])
    assert [item["code"] for item in told["refusals"]] == ["quantile-out-of-reach"]
    assert status_of(refused(limping, series=["aa-north/power"], levels=[99.9])) == 422


def test_the_previous_champion_speaks_before_naive_does(tmp_path: Path) -> None:
    Kit(version="older", champion=Fake(scale=3.0)).publish(tmp_path)
    pack = Kit(version="newer").write(tmp_path)
    spoil(tmp_path, pack, "aa-north/power")
    shelf = Shelf(tmp_path)
    shelf.refresh()
    told = ask(shelf.standing, series=["aa-north/power"], steps=1)
    assert "previous champion older" in told["forecasts"][0]["made_by"]
    assert told["model_version"] == "newer"
    ratio = told["forecasts"][0]["rows"][0]["mean"] / shelf.standing.pack.naive_mean[0, 0]
    assert np.isclose(ratio, 1.5)
