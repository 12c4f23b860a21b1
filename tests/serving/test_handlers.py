from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.actuals import read_actuals
from serving.journal import find
from tests.serving.desks import asked, bearer, code_of, desk_of
from tests.serving.synthetic import VERSION, Fake, Kit
from tests.serving.test_guard import key

READ = ("/v1/clusters", "/v1/clusters/aa-north", "/v1/series?limit=2", "/v1/models/current",
        "/v1/evidence?series=aa-north", "/v1/lineage?series=aa-north%2Fpower&ds=2020-01-01")  # fmt: skip


@pytest.mark.parametrize("path", READ)
def test_a_view_need_not_be_sent_to_who_holds_it(store: Path, path: str) -> None:
    with desk_of(store) as edge:
        first = asked(edge, "GET", path)
        assert first.status_code == 200, first.text
        tag = first.headers["etag"]
        for held in (tag, f'"other", {tag}', "*", tag.removeprefix("W/")):
            again = asked(edge, "GET", path, headers={"if-none-match": held})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert asked(edge, "GET", path, headers={"if-none-match": '"other"'}).status_code == 200
        head = asked(edge, "HEAD", path)
        assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", tag)
        assert head.headers["content-length"] == first.headers["content-length"]
        Kit(version="next").publish(store)
        assert edge.desk is not None
        edge.desk.shelf.refresh()
        assert asked(edge, "GET", path, headers={"if-none-match": tag}).status_code == 200


def test_a_forecast_by_query_is_tagged_and_not_noted_when_it_is_held(store: Path) -> None:
    with desk_of(store) as edge:
        path = "/v1/forecast?series=aa-north%2Fpower&steps=3&levels=80&levels=50"
        first = asked(edge, "GET", path)
        assert list(first.json()["forecasts"][0]["rows"][0]["quantiles"]) == [
            "0.1",
            "0.25",
            "0.5",
            "0.75",
            "0.9",
        ]
        held = asked(edge, "GET", path, headers={"if-none-match": first.headers["etag"]})
        assert held.status_code == 304
        everything = asked(edge, "GET", "/v1/forecast").json()["forecasts"]
        assert {item["kind"] for item in everything} == {"cluster"}
    assert find(store, first.json()["forecast_id"]) is not None


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/forecast?steps=x", (400, "steps-out-of-range")),
        ("/v1/forecast?steps=31", (400, "steps-out-of-range")),
        ("/v1/forecast?levels=x", (400, "level-out-of-range")),
        ("/v1/forecast?level=80", (400, "unknown-field")),
        ("/v1/forecast?clusters=nowhere", (404, "unknown-cluster")),
        ("/v1/series?limit=0", (400, "limit-out-of-range")),
        ("/v1/series?limit=5&limit=6", (400, "invalid-value")),
        ("/v1/series?cursor=zzz", (404, "cursor-unreadable")),
        ("/v1/evidence", (400, "field-missing")),
        ("/v1/evidence?series=nowhere", (404, "unknown-series")),
        ("/v1/lineage?series=aa-north&ds=1800-01-01", (404, "unknown-period")),
        ("/v1/forecasts/20261128-nothing", (404, "unknown-forecast")),
        ("/v1/forecasts/", (404, "unknown-path")),
        ("/v1/clusters?x=%ff", (400, "malformed-query")),
        ("/v1/nothing", (404, "unknown-path")),
    ],
)
def test_what_is_wrong_with_a_query_is_told(store: Path, path: str, code: tuple[int, str]) -> None:
    with desk_of(store) as edge:
        assert code_of(asked(edge, "GET", path)) == code


def test_methods_are_told(store: Path) -> None:
    with desk_of(store) as edge:
        reply = asked(edge, "DELETE", "/v1/forecast")
        assert code_of(reply) == (405, "method-not-allowed")
        assert reply.headers["allow"] == "GET, HEAD, POST, OPTIONS"
        assert asked(edge, "POST", "/v1/clusters").headers["allow"] == "GET, HEAD, OPTIONS"
        assert asked(edge, "OPTIONS", "/v1/clusters").status_code == 204


def test_a_forecast_as_csv_names_its_refusals_in_a_header(store: Path) -> None:
    with desk_of(store) as edge:
        ask = {"clusters": ["aa-north", "cc-east"], "steps": 2}
        reply = asked(edge, "POST", "/v1/forecast", json=ask, headers={"accept": "text/csv"})
        assert reply.headers["content-type"].startswith("text/csv")
        assert reply.text.splitlines()[0].startswith("unique_id,kind,unit")
        assert len(reply.text.splitlines()) == 3
        assert json.loads(reply.headers["x-forecarbon-refusals"])[0]["unique_id"] == "cc-east"
        odd = asked(edge, "POST", "/v1/forecast", json=ask, headers={"accept": "image/png"})
        assert code_of(odd) == (406, "not-acceptable")


def test_paths_on_demand_add_up_to_the_cluster_on_every_path(store: Path) -> None:
    with desk_of(store) as edge:
        names = ["aa-north", "aa-north/power", "aa-north/steel"]
        told = asked(edge, "POST", "/v1/forecast", json={"series": names, "steps": 4, "paths": 20}).json()
        paths = {item["unique_id"]: np.array(item["paths"]) for item in told["forecasts"]}
        assert paths["aa-north"].shape == (20, 4)
        total = paths["aa-north/power"] + paths["aa-north/steel"]
        assert np.allclose(paths["aa-north"], total, rtol=1e-6)
        plain = asked(edge, "POST", "/v1/forecast", json={"series": names, "steps": 4}).json()
        assert all("paths" not in item for item in plain["forecasts"])


def test_an_older_champion_can_be_asked(store: Path) -> None:
    with desk_of(store) as edge:
        Kit(version="doubled", champion=Fake(scale=2.0)).publish(store)
        assert edge.desk is not None
        edge.desk.shelf.refresh()

        def told(**more: Any) -> dict[str, Any]:
            ask = {"clusters": ["aa-north"], "steps": 1, **more}
            record: dict[str, Any] = asked(edge, "POST", "/v1/forecast", json=ask).json()
            return record

        now, old = told(), told(model_version=VERSION)
        assert (now["model_version"], old["model_version"]) == ("doubled", VERSION)
        assert now["forecasts"][0]["rows"][0]["mean"] == pytest.approx(
            2 * old["forecasts"][0]["rows"][0]["mean"]
        )
        assert told(model_version="doubled")["model_version"] == "doubled"
        assert told(as_of=now["as_of"][:10])["model_version"] in ("doubled", VERSION)
        assert told(model_version="none")["error"]["code"] == "unknown-model"
        assert told(as_of="1990-01-01")["error"]["code"] == "unknown-model"
        assert told(as_of="yesterday")["error"]["code"] == "as-of-unreadable"
        assert told(as_of="0001-01-01T00:00:00+14:00")["error"]["code"] in (
            "unknown-model",
            "as-of-unreadable",
        )


def test_actuals_are_kept_as_claims_of_known_series(store: Path) -> None:
    row = {"unique_id": "aa-north/power", "ds": "2023-01-01", "y": 12.5, "source": "own\nmeter"}
    with desk_of(store) as edge:
        told = asked(edge, "POST", "/v1/actuals", json={"rows": [row]}).json()
        assert (told["accepted"], told["new"]) == (1, 1)
        assert asked(edge, "POST", "/v1/actuals", json={"rows": [row]}).json()["new"] == 0
        for change, code in (
            ({"unique_id": "nowhere"}, (404, "unknown-series")),
            ({"ds": "2023-02-31"}, (422, "actuals-unfit")),
            ({"y": -1.0}, (400, "out-of-range")),
            ({"extra": 1}, (400, "unknown-field")),
        ):
            assert code_of(asked(edge, "POST", "/v1/actuals", json={"rows": [{**row, **change}]})) == code
        assert code_of(asked(edge, "POST", "/v1/actuals", content=b"[", headers=JSON)) == (
            400,
            "malformed-json",
        )
    (kept,) = read_actuals(store).to_dict("records")
    assert (kept["y"], kept["source"]) == (12.5, "own meter")


JSON = {"content-type": "application/json"}


def test_an_issued_forecast_is_shown_to_its_key_alone(store: Path) -> None:
    mine, theirs = key(store, "read", "forecast"), key(store, "read")
    operator = key(store, "read", "operate")
    with desk_of(store) as edge:
        ask = {"clusters": ["aa-north"], "steps": 1}
        told = asked(edge, "POST", "/v1/forecast", json=ask, headers=bearer(mine)).json()
        assert edge.desk is not None
        edge.desk.journal.close()
        path = f"/v1/forecasts/{told['forecast_id']}"
        assert asked(edge, "GET", path, headers=bearer(mine)).json()["request"]["clusters"] == ["aa-north"]
        assert asked(edge, "GET", path, headers=bearer(operator)).status_code == 200
        assert code_of(asked(edge, "GET", path, headers=bearer(theirs))) == (404, "unknown-forecast")


def test_a_portfolio_is_streamed_and_noted(store: Path) -> None:
    with desk_of(store) as edge:
        reply = asked(edge, "POST", "/v1/forecasts/batch", json={"all": True, "steps": 2})
        lines = [json.loads(line) for line in reply.text.splitlines()]
        assert lines[-1]["summary"]["answered"] == len(lines) - 1 > 3
        arrow = asked(edge, "POST", "/v1/forecasts/batch", json={"all": True, "steps": 2},
                      headers={"accept": "application/vnd.apache.arrow.stream"})  # fmt: skip
        assert arrow.headers["content-type"] == "application/vnd.apache.arrow.stream"
        assert edge.desk is not None
        edge.desk.journal.close()
    entry = find(store, reply.headers["x-forecarbon-forecast-id"])
    assert entry is not None
    assert entry["request"]["batch"]["all"] is True


def test_figures_for_prometheus_have_labels_that_callers_cannot_make_up(store: Path) -> None:
    with desk_of(store) as edge:
        for number in range(30):
            asked(edge, "GET", f"/made/up/{number}")
            asked(edge, "GET", f"/v1/clusters/made-up-{number}")
        told = asked(edge, "GET", "/metrics").text
    assert 'forecarbon_requests_total{route="other",status="404"} 30.0' in told
    assert 'forecarbon_requests_total{route="cluster",status="404"} 30.0' in told
    assert "made" not in told
