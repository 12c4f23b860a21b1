"""Files and addresses into the lake: whole or not at all, and the same bytes only once."""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pandas as pd
import pytest

from features.errors import AskError, DataError
from features.series.lake import Lake
from features.sources.canonical import content_hash
from features.sources.ingest import Ingested, Line, expanded, ingest
from features.sources.readers import EACH, ONE, READERS, Entry, Reader, reader_of
from features.sources.records import Batch

NOW: Final = pd.Timestamp("2026-01-02 03:04:05")
PRICES: Final = (
    "year,price,currency,source,scheme\n2020,24.8,EUR,exchange,eu-ets\n2021,53.5,EUR,exchange,eu-ets\n"
)
RESTATED: Final = PRICES.replace("53.5", "54.0")


def prices(folder: Path, text: str = PRICES, name: str = "prices.csv") -> Path:
    path = folder / name
    payload = text.encode()
    path.write_bytes(gzip.compress(payload) if name.endswith(".gz") else payload)
    return path


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "lake")


def told(lake: Lake, t: str = "2100-01-01") -> list[float]:
    values: list[float] = lake.as_of(pd.Timestamp(t)).records["y"].tolist()
    return values


def test_a_file_becomes_a_snapshot(lake: Lake, tmp_path: Path) -> None:
    done = ingest("carbon-price", lake=lake, now=NOW, files=[prices(tmp_path)])
    assert done.outcome == "new"
    assert done.snapshot.known_at == NOW
    assert done.snapshot.files[0]["name"] == "prices.csv"
    assert done.snapshot.files[0]["sha256"] == hashlib.sha256(PRICES.encode()).hexdigest()
    assert told(lake) == [24.8, 53.5]


def test_the_second_ingest_does_nothing(lake: Lake, tmp_path: Path) -> None:
    ingest("carbon-price", lake=lake, now=NOW, files=[prices(tmp_path)])
    before = lake.ground.names()
    for path in (prices(tmp_path), prices(tmp_path, name="again.csv.gz"), tmp_path / "again.csv.gz"):
        done = ingest("carbon-price", lake=lake, now=NOW + pd.Timedelta("1D"), files=[path])
        assert (done.outcome, len(done.complaints)) == ("nothing-new", 0)
    assert lake.ground.names() == before


def test_an_earlier_day_stated_is_noted(lake: Lake, tmp_path: Path) -> None:
    path = prices(tmp_path)
    ingest("carbon-price", lake=lake, now=NOW, files=[path])
    early = pd.Timestamp("2022-03-01")
    done = ingest("carbon-price", lake=lake, now=NOW, files=[path], known_at=early)
    assert done.outcome == "seen-again"
    assert done.snapshot.known_at == early
    assert told(lake, "2022-03-01") == [24.8, 53.5]
    assert ingest("carbon-price", lake=lake, now=NOW, files=[path], known_at=early).outcome == "nothing-new"


def test_a_restatement_taken_back_is_told(lake: Lake, tmp_path: Path) -> None:
    first, other = prices(tmp_path), prices(tmp_path, RESTATED, "b.csv")
    outcomes = [
        ingest("carbon-price", lake=lake, now=NOW + pd.Timedelta(day, "D"), files=[path]).outcome
        for day, path in enumerate((first, other, first, first))
    ]
    assert outcomes == ["new", "new", "seen-again", "nothing-new"]
    assert [told(lake, f"2026-01-0{2 + k} 12:00")[1] for k in range(3)] == [53.5, 54.0, 53.5]


def test_periods_that_have_ended_since_are_news(lake: Lake, tmp_path: Path) -> None:
    path = prices(tmp_path)
    first = ingest("carbon-price", lake=lake, now=pd.Timestamp("2021-06-01"), files=[path])
    assert (first.outcome, first.early) == ("new", 1)
    assert told(lake) == [24.8]
    assert ingest("carbon-price", lake=lake, now=NOW, files=[path]).outcome == "seen-again"
    assert told(lake) == [24.8, 53.5]


def test_a_bad_file_leaves_the_lake_as_it_was(lake: Lake, tmp_path: Path) -> None:
    ingest("carbon-price", lake=lake, now=NOW, files=[prices(tmp_path)])
    before = lake.ground.names()
    spoilt = tmp_path / "spoilt.csv.gz"
    spoilt.write_bytes(gzip.compress(PRICES.encode() * 99)[:-20])
    with pytest.raises(DataError, match="source-unreadable"):
        ingest("carbon-price", lake=lake, now=NOW, files=[spoilt])
    with pytest.raises(DataError, match="source-changed-shape"):
        ingest("carbon-price", lake=lake, now=NOW, files=[prices(tmp_path, "when,what\n1,2\n", "x.csv")])
    assert lake.ground.names() == before


def test_what_cannot_be_asked(lake: Lake, tmp_path: Path) -> None:
    path = prices(tmp_path)
    with pytest.raises(AskError, match="source-unknown"):
        ingest("nobody", lake=lake, now=NOW, files=[path])
    with pytest.raises(AskError, match="nothing-to-ingest"):
        ingest("carbon-price", lake=lake, now=NOW)
    with pytest.raises(AskError, match="file-not-there"):
        ingest("carbon-price", lake=lake, now=NOW, files=[tmp_path / "none.csv"])
    with pytest.raises(AskError, match="known-at-unlawful"):
        ingest("carbon-price", lake=lake, now=NOW, files=[path], known_at=NOW + pd.Timedelta("1s"))
    with pytest.raises(AskError, match="nowhere-to-fetch"):
        ingest("carbon-price", lake=lake, now=NOW, urls=["http://a.example/x"])
    with pytest.raises(AskError, match="files-do-not-fit"):
        ingest("carbon-price", lake=lake, now=NOW, files=[path, prices(tmp_path, RESTATED, "b.csv")])
    assert lake.snapshots() == []


def test_folders_are_opened_one_deep(tmp_path: Path) -> None:
    inner = tmp_path / "a"
    (inner / "deep").mkdir(parents=True)
    names = [inner / "2.csv", inner / "1.csv", inner / ".hidden", inner / "deep" / "3.csv"]
    for name in names:
        name.write_text("x")
    assert [path.name for path in expanded([inner, inner / "1.csv"])] == ["1.csv", "2.csv"]


def test_the_hash_is_of_the_content(tmp_path: Path) -> None:
    plain, packed = prices(tmp_path), prices(tmp_path, name="b.csv.gz")
    other = prices(tmp_path, RESTATED, "c.csv")
    assert content_hash([plain]) == content_hash([packed])
    assert content_hash([plain, other]) == content_hash([other, packed])
    assert len({content_hash(p) for p in ([plain], [other], [plain, other], [plain, plain])}) == 4
    with pytest.raises(DataError, match="unpacked"):
        content_hash([packed], most=10)
    with pytest.raises(AskError, match="file-not-there"):
        content_hash([tmp_path / "none"])


@pytest.mark.parametrize("source", sorted(READERS))
def test_every_source_has_its_reader(source: str) -> None:
    reader = reader_of(source)
    assert reader.name.rpartition("/")[0] == source
    assert callable(reader.function)


def test_files_go_where_the_reader_takes_them(tmp_path: Path) -> None:
    calls: list[tuple[object, ...]] = []

    def read(*main: object, **beside: object) -> Batch:
        calls.append((main, beside))
        return Batch("x", pd.DataFrame(), pd.DataFrame(), pd.DataFrame(), {}, "x/1")

    a, b, beside = Path("a.csv"), Path("b.csv"), Path("Operators_Daily.csv.gz")
    Reader("x", "x/1", Entry("x", EACH), read).read([a, b])
    Reader("x", "x/1", Entry("x", ONE, (("operators", "operators_daily"),)), read).read([a, beside])
    assert calls == [((a, b), {}), ((a,), {"operators": beside})]
    with pytest.raises(AskError, match="files-do-not-fit"):
        Reader("x", "x/1", Entry("x", ONE, (("operators", "operators_daily"),)), read).read([beside])


# --- over HTTP ------------------------------------------------------------------------------------


class Publisher(BaseHTTPRequestHandler):
    """One file with an ETag; it minds If-None-Match."""

    body = b""
    asked: list[str]

    def do_GET(self) -> None:
        tag = f'"{hashlib.md5(self.body).hexdigest()}"'
        same = self.headers.get("If-None-Match") == tag
        self.asked.append("unchanged" if same else "whole")
        self.send_response(304 if same else 200)
        self.send_header("ETag", tag)
        self.send_header("Content-Length", "0" if same else str(len(self.body)))
        self.end_headers()
        if not same:
            self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def publisher() -> Iterator[tuple[type[Publisher], str]]:
    handler = type("Mine", (Publisher,), {"body": PRICES.encode(), "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield handler, f"http://127.0.0.1:{running.server_address[1]}/prices.csv?key=secret"
        running.shutdown()
        thread.join()


def came(lake: Lake, url: str, tmp_path: Path, day: int = 0, known_at: str | None = None) -> Ingested:
    return ingest(
        "carbon-price",
        lake=lake,
        now=NOW + pd.Timedelta(day, "D"),
        urls=[url],
        known_at=None if known_at is None else pd.Timestamp(known_at),
        line=Line(tmp_path / "downloads", allow_local=True),
    )


def test_an_address_is_fetched_once(
    lake: Lake, publisher: tuple[type[Publisher], str], tmp_path: Path
) -> None:
    handler, url = publisher
    assert came(lake, url, tmp_path).outcome == "new"
    names = lake.ground.names()
    assert came(lake, url, tmp_path, 1).outcome == "nothing-new"
    assert handler.asked == ["whole", "unchanged"]
    assert lake.ground.names() == names
    assert came(lake, url, tmp_path, 1, known_at="2025-06-01").outcome == "seen-again"
    handler.body = RESTATED.encode()
    assert came(lake, url, tmp_path, 2).outcome == "new"
    handler.body = PRICES.encode()
    assert came(lake, url, tmp_path, 3).outcome == "seen-again"
    assert came(lake, url, tmp_path, 4).outcome == "nothing-new"
    assert handler.asked[2:] == ["unchanged", "whole", "whole", "unchanged"]
    assert told(lake) == [24.8, 53.5]


def test_downloads_are_cleared_and_no_secret_is_kept(
    lake: Lake, publisher: tuple[type[Publisher], str], tmp_path: Path
) -> None:
    handler, url = publisher
    came(lake, url, tmp_path)
    handler.body = b"when,what\n1,2\n"
    with pytest.raises(DataError, match="source-changed-shape"):
        came(lake, url, tmp_path, 1)
    assert [p.name for p in (tmp_path / "downloads").rglob("*") if p.is_file() and p.suffix != ".lock"] == []
    marks = [lake.ground.read(name) for name in lake.ground.names() if name.endswith(".json")]
    assert marks
    assert not any(b"secret" in mark for mark in marks)


def test_private_addresses_need_leave(
    lake: Lake, publisher: tuple[type[Publisher], str], tmp_path: Path
) -> None:
    handler, url = publisher
    with pytest.raises(AskError, match="address-not-public"):
        ingest("carbon-price", lake=lake, now=NOW, urls=[url], line=Line(tmp_path / "downloads"))
    assert handler.asked == []


# --- the real records -----------------------------------------------------------------------------


def test_the_registry_goes_in_and_comes_out(lake: Lake, shared_data: Path) -> None:
    files = [shared_data / "eutl"]
    ingest("eutl", lake=lake, now=NOW, files=files, known_at=pd.Timestamp("2023-05-01"))
    again = ingest("eutl", lake=lake, now=NOW, files=files)
    assert again.outcome == "nothing-new"
    raw = pd.read_csv(shared_data / "eutl" / "operators_yearly_activity_daily.csv.gz", low_memory=False)
    counted = raw[raw["VERIFIED_EMISSIONS"] >= 0].groupby(["REGISTRY_CODE", "PERIOD_YEAR"])[
        "VERIFIED_EMISSIONS"
    ]
    records = lake.as_of(NOW).records
    country = records["facility_id"].str.removeprefix("eutl:").str.split("_").str[0]
    mine = records.groupby([country, records["ds"].dt.year])["y"].sum()
    expected = counted.sum()
    assert expected.index.nlevels == 2
    for key, total in expected.items():
        assert mine.get(key, 0.0) == pytest.approx(total, abs=0.5), key
