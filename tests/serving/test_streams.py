from __future__ import annotations

import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving import streams
from serving.answer import forecast_of, provenance
from serving.batch_ask import BatchAsk
from serving.portfolio import Portfolio, portfolio
from serving.shelf import Standing
from serving.streams import ARROW, CHUNK, METADATA, NDJSON, PARQUET, WRITERS, summary

MARKS = {"issued_at": "2026-11-24T08:00:00.000Z", "request_id": "r", "forecast_id": "f"}


@pytest.fixture
def asked(whole: Standing) -> Portfolio:
    return portfolio(BatchAsk(all=True, steps=5, quantiles=[0.1, 0.35]), whole)


def marks(standing: Standing) -> dict[str, Any]:
    return provenance(standing, **MARKS)


def test_ndjson_lines_are_the_forecasts_of_single_questions(whole: Standing, asked: Portfolio) -> None:
    lines = b"".join(streams.ndjson(asked, marks(whole))).decode().splitlines()
    told = [json.loads(line) for line in lines]
    assert len(told) == len(asked.rungs) + 1
    for line, rung in zip(told, asked.rungs, strict=False):
        alone = forecast_of(rung, asked.steps, asked.wanted)
        assert [list(row["quantiles"]) for row in line["rows"]] == [["0.1", "0.35", "0.5"]] * 5
        assert list(line) == list(alone)
        near(line, alone)
    last = told[-1]["summary"]
    assert last == json.loads(json.dumps(summary(asked, marks(whole))))
    assert (last["answered"], last["refused"], len(last["refusals"])) == (9, 2, 2)
    assert last["model_version"] == whole.pack.model_version


def near(one: Any, other: Any) -> None:
    if isinstance(one, float):
        assert one == pytest.approx(other, rel=1e-12)
    elif isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            near(one[key], other[key])
    elif isinstance(one, list):
        for a, b in zip(one, other, strict=True):
            near(a, b)
    else:
        assert one == other


def table_of(media: str, body: bytes) -> Any:
    if media == ARROW:
        return pa.ipc.open_stream(body).read_all()
    return pq.read_table(io.BytesIO(body))


@pytest.mark.parametrize("media", [ARROW, PARQUET])
def test_tables_hold_the_same_numbers_and_the_summary(whole: Standing, asked: Portfolio, media: str) -> None:
    table = table_of(media, b"".join(WRITERS[media](asked, marks(whole))))
    assert table.schema.names == [
        *("unique_id", "kind", "cluster_id", "sector", "scope", "cutoff", "made_by", "ds", "step", "mean"),
        *("q0.1", "q0.35", "q0.5"),
    ]
    frame = table.to_pandas()
    lines = [json.loads(x) for x in b"".join(streams.ndjson(asked, marks(whole))).splitlines()][:-1]
    flat = pd.json_normalize(lines, "rows", ["unique_id", "kind", "made_by"])
    assert frame["unique_id"].astype(str).tolist() == flat["unique_id"].tolist()
    assert frame["ds"].astype(str).tolist() == flat["ds"].tolist()
    for name, other in (("mean", "mean"), ("q0.1", "quantiles.0.1"), ("q0.35", "quantiles.0.35")):
        np.testing.assert_array_equal(frame[name], flat[other])
    assert json.loads(table.schema.metadata[METADATA]) == json.loads(json.dumps(summary(asked, marks(whole))))


@pytest.mark.parametrize("media", [NDJSON, ARROW, PARQUET])
def test_chunks_are_bounded_and_blocks_do_not_show(
    whole: Standing, media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = portfolio(BatchAsk(all=True, steps=30, quantiles=[k / 100 for k in range(3, 98)]), whole)
    one = b"".join(WRITERS[media](asked, marks(whole)))
    monkeypatch.setattr(streams, "CHUNK", 5000)
    monkeypatch.setattr(streams, "GROUP", 50_000)
    chunks = list(WRITERS[media](asked, marks(whole)))
    assert len(chunks) > 5
    assert max(map(len, chunks)) <= 5000 < CHUNK
    if media == NDJSON:
        assert b"".join(chunks) == one
    else:
        assert table_of(media, b"".join(chunks)).equals(table_of(media, one))


def test_the_first_chunk_comes_before_the_last_series_is_read(whole: Standing, asked: Portfolio) -> None:
    read: list[str] = []

    class Watched(tuple):  # type: ignore[type-arg]
        def __getitem__(self, place: Any) -> Any:
            got = super().__getitem__(place)
            read.extend(rung.entry.unique_id for rung in got)
            return got

    many = Portfolio(Watched(asked.rungs * 200), asked.refusals, asked.steps, asked.wanted)
    stream = streams.ndjson(many, marks(whole))
    next(stream)
    assert 0 < len(read) < len(many.rungs)


@pytest.mark.parametrize("media", [NDJSON, ARROW, PARQUET])
def test_memory_does_not_grow_with_the_portfolio(
    whole: Standing, asked: Portfolio, media: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "GROUP", CHUNK)

    def peak(times: int) -> int:
        many = Portfolio(asked.rungs * times, (), 30, asked.wanted)
        tracemalloc.start()
        try:
            for _ in WRITERS[media](many, marks(whole)):
                pass
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(30), peak(300)
    assert many < few + 5 * CHUNK
