"""Callers' own inventories over HTTP: looked at, refused row by row, kept and forecast."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sa

from serving import inventories
from serving.edge import Edge
from serving.guard import Rules
from serving.inventory_view import Asked, read_inventory
from serving.keys import create as create_key
from serving.state import read_deeds, state_of
from serving.tables import INVENTORIES
from tests.serving.desks import asked, bearer, code_of, desk_of
from tests.serving.test_openapi import faults, schema_of

CHECK, KEEP, GONE = "/v1/inventories/check", "/v1/inventories", "/v1/inventories/removed"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
LINES = [(site, year, 100.0 + year - 2014 + n) for n, site in enumerate("ab") for year in range(2014, 2024)]
HEAD = "facility_id,year,emissions,unit\n"
GOOD = HEAD + "".join(f"{s},{y},{v},ktCO2e\n" for s, y, v in LINES)
BAD = GOOD.replace("a,2016,102.0,ktCO2e", "a,2016,much,ktCO2e").replace(
    "b,2018,105.0,ktCO2e", "b,2018,lots,ktCO2e"
)
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made


def frame() -> pd.DataFrame:
    return pd.DataFrame(
        [(*row, "ktCO2e") for row in LINES], columns=["facility_id", "year", "emissions", "unit"]
    )


def workbook() -> bytes:
    out = io.BytesIO()
    frame().to_excel(out, index=False)
    return out.getvalue()


def parquet() -> bytes:
    out = io.BytesIO()
    frame().to_parquet(out, index=False)
    return out.getvalue()


def send(edge: Edge, path: str, payload: bytes | str, kind: str = "text/csv", **query: str) -> Any:
    content = payload.encode() if isinstance(payload, str) else payload
    return asked(edge, "POST", path, content=content, headers={"content-type": kind}, params=query)


@pytest.mark.parametrize(("payload", "kind", "told"), [
    (GOOD, "text/csv", "csv"), (workbook(), SHEET, "xlsx"), (parquet(), PARQUET, "parquet"),
    (workbook(), "application/octet-stream", "xlsx"),
])  # fmt: skip
def test_a_file_of_any_kind_gives_the_same_series(edge: Edge, payload: Any, kind: str, told: str) -> None:
    reply = send(edge, CHECK, payload, kind)
    seen = reply.json()
    assert reply.status_code == 200, seen
    assert faults(schema_of("InventoryCheck"), seen) == []
    assert (seen["good"], seen["kind"], seen["cadence"], seen["rows_bad"]) == (True, told, "year", 0)
    first = seen["series"][0]
    assert (first["unique_id"], first["figures"], first["newest"]) == ("upload:own:a", 10, 109_000.0)
    assert first["history"][0] == {"ds": "2014-01-01", "y": 100_000.0}


def test_bad_rows_are_told_by_their_number_and_nothing_is_kept(edge: Edge) -> None:
    seen = send(edge, CHECK, BAD).json()
    assert (seen["good"], seen["rows_bad"]) == (False, 2)
    lines = GOOD.splitlines()
    assert [each["row"] for each in seen["complaints"]] == [
        lines.index("a,2016,102.0,ktCO2e") + 1, lines.index("b,2018,105.0,ktCO2e") + 1,
    ]  # fmt: skip
    assert asked(edge, "GET", KEEP).json() == {"inventories": [], "count": 0}


def test_a_file_with_bad_rows_is_refused_whole_unless_the_good_ones_are_wanted(edge: Edge) -> None:
    refused = send(edge, KEEP, BAD)
    assert code_of(refused) == (422, "inventory-rows-refused")
    error = refused.json()["error"]
    assert [each["row"] for each in error["facts"]["complaints"]] == [4, 16]
    assert "keep_good=true" in error["remedy"]
    assert asked(edge, "GET", KEEP).json()["count"] == 0
    kept = send(edge, KEEP, BAD, keep_good="true").json()
    assert kept["inventory"]["figures"] == 18


def test_a_kept_file_is_the_callers_claim_and_forecast(edge: Edge, store: Path) -> None:
    reply = send(edge, KEEP, GOOD, name="My port", steps="3")
    told = reply.json()
    assert reply.status_code == 200, told
    assert faults(schema_of("InventoryKept"), told) == []
    assert [each["unique_id"] for each in told["forecasts"]] == ["upload:my-port:a", "upload:my-port:b"]
    assert len(told["forecasts"][0]["rows"]) == 3
    head = told["inventory"]
    assert (head["owner"], head["name"], head["figures"]) == ("local", "my-port", 20)
    again = send(edge, KEEP, GOOD, name="My port", steps="3").json()
    assert again["inventory"] == head, "the same file is kept once"
    assert asked(edge, "GET", KEEP).json() == {"inventories": [head], "count": 1}
    whole = asked(edge, "GET", f"{KEEP}/{head['id']}").json()
    assert faults(schema_of("InventoryRows"), whole) == []
    assert whole["rows"][0] == {"unique_id": "upload:my-port:a", "ds": "2014-01-01", "y": 100_000.0}
    assert [deed.what for deed in read_deeds(state_of(store))] == ["inventory-keep"]
    assert code_of(asked(edge, "GET", f"{KEEP}/nobodys")) == (404, "unknown-inventory")


def test_a_removed_one_is_gone_with_its_figures(edge: Edge, store: Path) -> None:
    head, other = (send(edge, KEEP, GOOD, name=name).json()["inventory"] for name in ("one", "two"))
    reply = asked(edge, "POST", GONE, json={"id": head["id"]})
    assert (reply.status_code, reply.json()) == (200, head)
    assert faults(schema_of("InventoryHead"), reply.json()) == []
    assert asked(edge, "GET", KEEP).json() == {"inventories": [other], "count": 1}
    assert code_of(asked(edge, "GET", f"{KEEP}/{head['id']}")) == (404, "unknown-inventory")
    assert code_of(asked(edge, "POST", GONE, json={"id": head["id"]})) == (404, "unknown-inventory")
    state = state_of(store)
    with state.reading() as line:
        assert [row.inventory_id for row in line.execute(sa.select(INVENTORIES))] == [other["id"]]
    last = read_deeds(state)[-1]
    assert (last.what, last.place, last.outcome) == ("inventory-remove", head["id"], "20 figures")
    assert send(edge, KEEP, GOOD, name="one").json()["inventory"]["id"] == head["id"]


def test_nobody_removes_what_is_anothers(store: Path) -> None:
    state = state_of(store)
    ada, bob, mute = (
        create_key(state, name, scopes=scopes, days=1, at=NOW, who="x")[1]
        for name, scopes in (("ada", ("own-history",)), ("bob", ("own-history",)), ("mute", ("read",)))
    )
    with desk_of(store, Rules(mode="keys")) as edge:
        heads = {**bearer(ada), "content-type": "text/csv"}
        kept = asked(edge, "POST", KEEP, content=GOOD.encode(), headers=heads).json()["inventory"]
        body = {"id": kept["id"]}
        others = asked(edge, "POST", GONE, json=body, headers=bearer(bob))
        assert code_of(others) == (404, "unknown-inventory")
        assert code_of(asked(edge, "POST", GONE, json=body, headers=bearer(mute)))[0] == 403
        assert asked(edge, "GET", f"{KEEP}/{kept['id']}", headers=bearer(ada)).status_code == 200
        assert asked(edge, "POST", GONE, json=body, headers=bearer(ada)).status_code == 200


@pytest.mark.parametrize(("body", "told"), [
    ({}, (400, "field-missing")), ({"id": ""}, (400, "out-of-range")), ({"id": 3}, (400, "invalid-value")),
    ({"id": "x", "odd": 1}, (400, "unknown-field")), ({"id": "nobodys"}, (404, "unknown-inventory")),
])  # fmt: skip
def test_what_cannot_be_removed(edge: Edge, body: dict[str, Any], told: tuple[int, str]) -> None:
    assert code_of(asked(edge, "POST", GONE, json=body)) == told


def test_one_too_many_is_refused_before_it_is_forecast(
    edge: Edge, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inventories, "MOST", 1)
    first = send(edge, KEEP, GOOD, name="one").json()["inventory"]
    assert edge.desk is not None
    noted: list[str] = []
    monkeypatch.setattr(edge.desk.journal, "note", noted.append)
    refused = send(edge, KEEP, GOOD, name="two")
    assert code_of(refused) == (422, "too-many-saved")
    assert GONE in refused.json()["error"]["remedy"]
    assert noted == []
    assert send(edge, KEEP, GOOD, name="one").json()["inventory"] == first
    assert len(noted) == 1
    asked(edge, "POST", GONE, json={"id": first["id"]})
    assert send(edge, KEEP, GOOD, name="two").status_code == 200


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 40_000_000)
    return out.getvalue()


@pytest.mark.parametrize(("payload", "kind", "query", "status", "code"), [
    ("", "text/csv", {}, 422, None),
    ("a,b\n1,2\n", "text/csv", {}, 422, "inventory-columns-missing"),
    (b"\xff\xfe\x00", "text/csv", {}, 422, None),
    (b"PK\x03\x04nothing", SHEET, {}, 422, "source-unreadable"),
    (b"PAR1nothing", PARQUET, {}, 422, "source-unreadable"),
    (b"\x1f\x8bpacked", "text/csv", {}, 422, "source-unreadable"),
    (bomb(), SHEET, {}, 422, "source-unreadable"),
    ("," * 500_000, "text/csv", {}, 422, "source-unreadable"),
    ("x" * 2_100_000, "text/csv", {}, 413, "body-too-large"),
    (GOOD, "application/json", {}, 415, "wrong-content-type"),
    (GOOD, "text/html", {}, 415, "wrong-content-type"),
    (GOOD, "text/csv", {"unit": "stone"}, 422, None),
    (GOOD, "text/csv", {"gwp": "AR9"}, 422, None),
    (GOOD, "text/csv", {"cadence": "fortnight"}, 422, None),
    (GOOD, "text/csv", {"encoding": "klingon"}, 422, None),
    (GOOD, "text/csv", {"name": "???"}, 422, "inventory-name-empty"),
    (GOOD, "text/csv", {"empty_gas_is_zero": "maybe"}, 400, "invalid-value"),
    (GOOD, "text/csv", {"odd": "1"}, 400, "unknown-field"),
    (GOOD, "text/csv", {"unit": "k" * 101}, 400, "out-of-range"),
])  # fmt: skip
def test_what_cannot_be_read(
    edge: Edge, payload: Any, kind: str, query: dict[str, str], status: int, code: str | None
) -> None:
    reply = send(edge, CHECK, payload, kind, **query)
    assert reply.status_code == status, reply.text
    error = reply.json()["error"]
    assert error["remedy"]
    assert code in (None, error["code"])


@pytest.mark.parametrize(("payload", "query", "code"), [
    (GOOD, {"steps": "31"}, (400, "steps-out-of-range")),
    (HEAD + "a,2020,,tCO2e\n", {}, (422, "inventory-rows-refused")),
    (HEAD + "a,2020,10000000000,MtCO2e\n", {}, (422, "inventory-rows-refused")),
    (HEAD + "".join(f"s{k},2020,1,tCO2e\n" for k in range(201)), {}, (422, "inventory-too-large")),
])  # fmt: skip
def test_what_cannot_be_kept(edge: Edge, payload: str, query: dict[str, str], code: tuple[int, str]) -> None:
    reply = send(edge, KEEP, payload, **query)
    assert code_of(reply) == code, reply.text
    assert asked(edge, "GET", KEEP).json()["count"] == 0


@pytest.mark.parametrize("cut", [1, 3, 50, 400, 1000])
def test_cut_files_are_refused_and_no_fault_of_ours(cut: int) -> None:
    from features.errors import ForecarbonError
    from features.sources.inventory_figures import Declared

    for payload in (workbook(), parquet()):
        with pytest.raises(ForecarbonError):
            read_inventory(Asked(payload[:-cut], "own", Declared()))
