"""Hostile files: bombs, entities, lies in footers and lists. Refused by name, in seconds."""

from __future__ import annotations

import gzip
import io
import random
import time
import tracemalloc
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import DataError
from features.sources.archives import fault_of
from features.sources.flat_parquet import opened
from features.sources.inventory_files import parquet_grid
from features.sources.inventory_workbook import workbook_grids
from serving.edge import Edge
from tests.security.conftest import CANARY
from tests.serving.desks import asked

CHECK = "/v1/inventories/check"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = "xl/worksheets/sheet1.xml"
FRAME = pd.DataFrame(
    [("a", year, 100.0 + year, "ktCO2e") for year in range(2014, 2024)],
    columns=["facility_id", "year", "emissions", "unit"],
)


def workbook(**parts: Callable[[bytes], bytes]) -> bytes:
    """A good workbook, each part named changed by its function; parts that are new are added."""
    plain, out = io.BytesIO(), io.BytesIO()
    FRAME.to_excel(plain, index=False)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, parts.pop(name, bytes)(old.read(name)))
        for name, make in parts.items():
            new.writestr(name, make(b""))
    return out.getvalue()


def within(before: bytes, found: bytes) -> Callable[[bytes], bytes]:
    """A part in which one text stands before another."""

    def change(part: bytes) -> bytes:
        assert found in part
        return part.replace(found, before + found, 1)

    return change


def sent(edge: Edge, payload: bytes, kind: str = XLSX) -> Any:
    begun = time.process_time()
    reply = asked(edge, "POST", CHECK, content=payload, headers={"content-type": kind})
    assert time.process_time() - begun < 12
    assert reply.status_code < 500, reply.text[:500]
    assert CANARY not in reply.text
    return reply


LAUGHS = b"".join(b'<!ENTITY l%d "%s">' % (k, b"&l%d;" % (k - 1) * 10) for k in range(1, 10))
TYPES = {
    "laughs": b'<!DOCTYPE w [<!ENTITY l0 "ha">' + LAUGHS + b"]>",
    "quadratic": b'<!DOCTYPE w [<!ENTITY a "' + b"x" * 100_000 + b'">]>',
    "outside": b'<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    "parameter": b'<!DOCTYPE w [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd"> %p;]>',
    "bare": b"<!DOCTYPE w>",
}


@pytest.mark.parametrize("kind", sorted(TYPES))
@pytest.mark.parametrize("part", [SHEET, "xl/workbook.xml", "[Content_Types].xml", "xl/styles.xml"])
def test_document_types_are_refused_before_anything_is_parsed(edge: Edge, kind: str, part: str) -> None:
    payload = workbook(**{part: lambda old: TYPES[kind] + old[old.index(b"?>") + 2 :] if b"?>" in old
                          else TYPES[kind] + old})  # fmt: skip
    error = sent(edge, payload).json()["error"]
    assert error["code"] == "source-unreadable"
    assert "document type" in error["found"]


def test_no_encoding_hides_a_document_type() -> None:
    wide = ('<?xml version="1.0" encoding="UTF-16"?>' + TYPES["laughs"].decode() + "<w/>").encode("utf-16")
    with zipfile.ZipFile(io.BytesIO(workbook(**{"xl/more.xml": lambda _: wide}))) as archive:
        assert "document type" in (fault_of(archive, 1 << 28) or "")
    split = b" " * ((1 << 20) - 4) + TYPES["bare"]
    with zipfile.ZipFile(io.BytesIO(workbook(**{"xl/more.xml": lambda _: split}))) as archive:
        assert "document type" in (fault_of(archive, 1 << 28) or ""), "over two pieces"
    with zipfile.ZipFile(io.BytesIO(workbook())) as archive:
        assert fault_of(archive, 1 << 28) is None


def test_a_zip_bomb_is_weighed_and_not_unpacked(edge: Edge) -> None:
    payload = workbook(**{"xl/bomb.xml": lambda _: b"<a>" + b" " * 300_000_000})
    assert len(payload) < 1_000_000
    tracemalloc.start()
    reply = sent(edge, payload)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reply.json()["error"]["code"] == "source-unreadable"
    assert peak < 30_000_000


def test_readers_of_records_weigh_what_they_open() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook(**{"xl/big.xml": lambda _: b" " * 3_000_000}))) as archive:
        assert "more than 2000000" in (fault_of(archive, 2_000_000) or "")
        assert fault_of(archive, 4_000_000) is None


def test_a_zip_that_lies_of_its_sizes_is_damage(edge: Edge) -> None:
    big = b"<a>" + b"x" * 40_000_000
    payload = workbook(**{"xl/lies.xml": lambda _: big})
    lying = payload.replace(len(big).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    assert lying != payload
    reply = sent(edge, lying)
    assert reply.json()["error"]["code"] == "source-unreadable"
    assert "damage" in reply.json()["error"]["found"]


def test_a_sheet_may_say_any_size_of_itself(edge: Edge) -> None:
    part = {SHEET: lambda old: old.replace(b'ref="A1:D11"', b'ref="A1:XFD1048576"')}
    assert b"XFD1048576" in zipfile.ZipFile(io.BytesIO(workbook(**part))).read(SHEET)
    assert sent(edge, workbook(**part)).json()["good"]


def test_rows_far_below_and_cells_far_to_the_right_cost_little(edge: Edge) -> None:
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    sent(edge, workbook(**{SHEET: within(far, b"</sheetData>")}))


def test_a_thousand_merged_columns_cost_no_more_than_one() -> None:
    areas = b"".join(b'<mergeCell ref="A%d:B1048576"/>' % row for row in range(100, 4100))
    part = within(b"<mergeCells>" + areas + b"</mergeCells>", b"<pageMargins")
    begun = time.process_time()
    (grid,) = workbook_grids(workbook(**{SHEET: part}), "a.xlsx", None)
    assert time.process_time() - begun < 3
    assert len(grid.rows) == 11
    assert not grid.faults


def test_merged_cells_over_figures_are_still_named() -> None:
    part = within(b'<mergeCells><mergeCell ref="A3:A5"/></mergeCells>', b"<pageMargins")
    (grid,) = workbook_grids(workbook(**{SHEET: part}), "a.xlsx", None)
    assert {row: fault[0] for row, fault in grid.faults.items()} == dict.fromkeys((3, 4, 5), "cells-merged")
    assert "A3:A5" in grid.faults[4][1]


@pytest.mark.parametrize("text", [b"<mergeCell ", b'<mergeCell ref="', b'ref="A', b"<x:mergeCell "])
def test_no_comment_keeps_the_search_for_merged_cells_busy(text: bytes) -> None:
    part = within(b"<!--" + text * (2_000_000 // len(text)) + b"-->", b"<sheetData")
    begun = time.process_time()
    workbook_grids(workbook(**{SHEET: part}), "a.xlsx", None)
    assert time.process_time() - begun < 5


@pytest.mark.parametrize("name", ["../../evil.xml", "/etc/evil.xml", "xl/../../evil.xml", "C:\\evil.xml"])
def test_names_of_parts_lead_nowhere(edge: Edge, store: Path, name: str) -> None:
    before = {path for path in store.parent.rglob("*") if "state.db" not in path.name}
    reply = sent(edge, workbook(**{name: lambda _: CANARY.encode()}))
    assert reply.status_code == 200
    assert {path for path in store.parent.rglob("*") if "state.db" not in path.name} == before


def test_a_workbook_behind_a_password_is_refused(edge: Edge) -> None:
    payload = bytearray(workbook())
    for place in range(len(payload) - 4):
        if payload[place : place + 4] == b"PK\x03\x04":
            payload[place + 6] |= 1
        if payload[place : place + 4] == b"PK\x01\x02":
            payload[place + 8] |= 1
    assert sent(edge, bytes(payload)).json()["error"]["code"] == "source-unreadable"


def test_footers_of_parquet_are_no_orders(edge: Edge) -> None:
    """A hundred spoilt files: a refusal by name or an answer, never a fall and never much memory."""
    out = io.BytesIO()
    FRAME.to_parquet(out, index=False)
    good, dice = out.getvalue(), random.Random(10)
    told: dict[str, int] = {}
    for turn in range(100):
        bad = bytearray(good)
        begin = 0 if turn % 3 == 0 else len(good) - int.from_bytes(good[-8:-4], "little") - 8
        for _ in range(dice.choice([1, 2, 8])):
            bad[dice.randrange(max(begin, 4), len(bad))] = dice.choice([0, 1, 0x7F, 0x80, 0xFF])
        reply = sent(edge, bytes(bad), "application/vnd.apache.parquet")
        code = "answered" if reply.status_code == 200 else reply.json()["error"]["code"]
        told[code] = told.get(code, 0) + 1
    assert told.get("source-unreadable", 0) > 15, told


WORD = "x" * 200
UNLIKE: dict[str, pa.Array] = {
    "lists": pa.array([[WORD] * 20] * 5_000),
    "records": pa.array([{"a": WORD}] * 99_000),
    "fixed": pa.array([WORD.encode()] * 99_000, pa.binary(200)),
}


def parquet_of(**columns: pa.Array) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


@pytest.mark.parametrize("kind", sorted(UNLIKE))
def test_columns_that_can_only_be_decoded_whole_are_refused_by_their_schema(edge: Edge, kind: str) -> None:
    payload = parquet_of(notes=UNLIKE[kind])
    assert len(payload) < 20_000
    before = pa.default_memory_pool().max_memory()
    error = sent(edge, payload, "application/vnd.apache.parquet").json()["error"]
    assert error["code"] == "source-unreadable"
    assert "columns notes" in error["found"]
    assert pa.default_memory_pool().max_memory() - before < 8_000_000


@pytest.mark.parametrize("make", [pa.string, pa.binary, pa.large_string, pa.large_binary, pa.string_view])
def test_a_text_told_a_hundred_thousand_times_is_kept_once(tmp_path: Path, make: Callable[[], Any]) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_of(notes=pa.array([WORD] * 99_000, make()), year=pa.array(range(99_000))))
    with opened(path) as file:
        assert file.read().nbytes < 1_500_000
    rows = parquet_grid(path).rows
    assert rows[1][1] == [WORD, "0"]
    assert len({id(cells[0]) for _, cells in rows[1:]}) < 10


def test_two_columns_of_one_name_hide_no_text(edge: Edge) -> None:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_arrays([pa.array([WORD] * 99_000)] * 2, names=["a", "a"]), out)
    error = sent(edge, out.getvalue(), "application/vnd.apache.parquet").json()["error"]
    assert "dictionary in columns a" in error["found"]


def test_names_of_sixteen_bytes_are_no_bomb(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(parquet_of(site=pa.array([b"x" * 16] * 3, pa.uuid())))
    assert parquet_grid(path).rows[1] == (1, [str(uuid.UUID(bytes=b"x" * 16))])


def test_compressed_bodies_are_not_opened(edge: Edge) -> None:
    bomb = gzip.compress(b"a,b\n" * 25_000_000)
    reply = sent(edge, bomb, "text/csv")
    assert reply.json()["error"]["found"] == "a compressed file"
    heads = {"content-type": "application/json", "content-encoding": "gzip"}
    for path in (CHECK, "/v1/forecast"):
        assert asked(edge, "POST", path, content=bomb, headers=heads).status_code in (400, 415)


def test_a_gzip_bomb_on_the_command_line_ends_at_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from features.sources import inventory_files

    monkeypatch.setattr(inventory_files, "MOST_BYTES", 1_000_000)
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(b"a,b\n" * 5_000_000))
    with pytest.raises(DataError, match="more than 1000000 bytes"):
        inventory_files.csv_grid(path.read_bytes(), path.name, None)
