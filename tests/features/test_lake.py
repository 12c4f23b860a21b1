"""The lake: append-only, whole or nothing, and the past replayed exactly as it was known."""

from __future__ import annotations

import hashlib
import itertools
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import AskError, DataError, LawBroken
from features.series.ground import LocalGround, RemoteGround, ground_at
from features.series.lake import Lake
from features.series.lake_diff import diff, find
from features.series.replay import VINTAGE_COLUMNS
from features.series.snapshots import stamp_name, stamp_of
from features.sources.records import Batch

YEARS: Final = (2015, 2016, 2017)
ANY_TIME: Final = pd.Timestamp("2100-01-01")
Rows = dict[tuple[str, int], float | None]


def batch(rows: Rows, source: str = "eutl", reader: str = "eutl/1", name: str = "Works") -> Batch:
    """A batch of annual figures; None is a figure not yet published."""
    ids = [f"{source}:{site}" for site, _ in rows]
    y = [np.nan if value is None else value for value in rows.values()]
    return Batch.of(
        source=source,
        records=pd.DataFrame(
            {
                "facility_id": ids,
                "ds": [pd.Timestamp(year=year, month=1, day=1) for _, year in rows],
                "y": np.array(y, dtype=float),
                "state": ["not-yet-published" if value is None else "operating" for value in rows.values()],
            }
        ),
        facilities=pd.DataFrame(
            {
                "facility_id": sorted(set(ids)),
                "name": name,
                "country": "NL",
                "region": "",
                "activity": "20",
                "sector": "power",
                "lat": 52.0,
                "lon": 4.0,
                "scope_id": "eu-ets",
                "cadence": "year",
            }
        ),
        reader=reader,
    )


def hashed(rows: object) -> str:
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def put(lake: Lake, rows: Rows, known_at: str | pd.Timestamp, **more: Any) -> Any:
    told = batch(rows, **more)
    return lake.add(told, known_at=pd.Timestamp(known_at), content_hash=hashed((rows, more.get("name"))))


def said(lake: Lake, t: str | pd.Timestamp) -> dict[tuple[str, int], tuple[str, float]]:
    """What as_of tells: (facility, year) -> (known_at, y)."""
    records = lake.as_of(pd.Timestamp(t)).records
    return {
        (str(r["facility_id"]), int(r["ds"].year)): (f"{r['known_at']:%Y-%m-%d}", float(r["y"]))
        for r in records.to_dict("records")
    }


@pytest.fixture(params=["local", "memory", "remote-on-disk"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    if request.param == "local":
        return Lake(tmp_path / "lake")
    if request.param == "memory":
        return Lake(f"memory://lake-{uuid.uuid4().hex}/inner")
    # The rules of a remote ground, where a test can look at the files.
    import fsspec

    made = Lake(tmp_path / "lake")
    made.__dict__["ground"] = RemoteGround(fsspec.filesystem("file"), str(tmp_path / "lake"))
    return made


def test_what_is_added_is_told_again(lake: Lake) -> None:
    first = put(lake, {("a", 2015): 10.0, ("a", 2016): None, ("b", 2015): 3.0}, "2017-04-01")
    assert (first.new, first.seen_anew, first.early) == (True, False, 0)
    known = lake.as_of(ANY_TIME)
    assert known.records.columns.tolist() == list(VINTAGE_COLUMNS)
    assert known.records["y"].fillna(-1).tolist() == [10.0, -1.0, 3.0]
    assert known.records["state"].tolist() == ["operating", "not-yet-published", "operating"]
    assert known.records["source"].unique().tolist() == ["eutl"]
    assert known.records["ds"].dtype == "datetime64[ns]"
    assert known.records["known_at"].dtype == "datetime64[ns]"
    assert known.facilities["facility_id"].tolist() == ["eutl:a", "eutl:b"]
    assert len(lake.as_of(pd.Timestamp("2017-03-31")).records) == 0
    assert len(lake.as_of(pd.Timestamp("2017-03-31")).facilities) == 0


def test_an_empty_lake_knows_nothing(lake: Lake) -> None:
    assert lake.snapshots() == []
    known = lake.as_of(ANY_TIME)
    assert (len(known.records), len(known.facilities)) == (0, 0)
    assert known.records.columns.tolist() == list(VINTAGE_COLUMNS)
    assert len(lake.vintages(ANY_TIME)) == 0


def test_the_same_bytes_twice_are_one_snapshot(lake: Lake) -> None:
    rows: Rows = {("a", 2015): 10.0}
    first = put(lake, rows, "2017-04-01")
    names = lake.ground.names()
    again = put(lake, rows, "2017-04-01")
    assert (again.new, again.seen_anew) == (False, False)
    assert again.snapshot == first.snapshot
    assert lake.ground.names() == names
    later = put(lake, rows, "2018-04-01")
    assert (later.new, later.seen_anew, len(later.snapshot.seen)) == (False, True, 2)
    assert len(lake.snapshots()) == 1
    assert said(lake, ANY_TIME) == {("eutl:a", 2015): ("2017-04-01", 10.0)}


def test_a_restatement_is_a_new_vintage(lake: Lake) -> None:
    put(lake, {("a", 2015): 10.0, ("b", 2015): 5.0}, "2017-04-01")
    put(lake, {("a", 2015): 12.0, ("b", 2015): 5.0}, "2018-04-01")
    assert said(lake, "2018-03-31") == {
        ("eutl:a", 2015): ("2017-04-01", 10.0),
        ("eutl:b", 2015): ("2017-04-01", 5.0),
    }
    # What a later snapshot repeats has been known since the first.
    assert said(lake, "2018-04-01") == {
        ("eutl:a", 2015): ("2018-04-01", 12.0),
        ("eutl:b", 2015): ("2017-04-01", 5.0),
    }
    vintages = lake.vintages(ANY_TIME)
    assert vintages["y"].tolist() == [10.0, 12.0, 5.0]


def test_a_publisher_who_goes_back_is_followed(lake: Lake) -> None:
    old: Rows = {("a", 2015): 10.0}
    put(lake, old, "2017-04-01")
    put(lake, {("a", 2015): 99.0}, "2017-04-02")
    put(lake, old, "2017-04-03")
    assert [said(lake, f"2017-04-0{d}")["eutl:a", 2015][1] for d in (1, 2, 3)] == [10.0, 99.0, 10.0]
    assert len(lake.snapshots()) == 2


def test_facilities_are_those_last_told(lake: Lake) -> None:
    put(lake, {("a", 2015): 1.0}, "2017-01-01", name="Old name")
    put(lake, {("a", 2015): 1.0}, "2018-01-01", name="New name")
    assert lake.as_of(pd.Timestamp("2017-06-01")).facilities["name"].tolist() == ["Old name"]
    assert lake.as_of(ANY_TIME).facilities["name"].tolist() == ["New name"]


def test_a_figure_is_not_known_before_its_period_is_over(lake: Lake) -> None:
    rows: Rows = {("a", 2015): 1.0, ("a", 2016): 2.0, ("a", 2017): 3.0}
    added = put(lake, rows, "2017-01-01")
    assert added.early == 1
    assert set(said(lake, ANY_TIME)) == {("eutl:a", 2015), ("eutl:a", 2016)}
    with pytest.raises(DataError, match="known-too-early"):
        put(lake, {("a", 2017): 4.0}, "2017-12-31")
    assert len(lake.snapshots()) == 1
    # Shown again once the period is over, the same bytes tell the rest.
    assert put(lake, rows, "2018-01-01").early == 0
    assert said(lake, ANY_TIME)["eutl:a", 2017] == ("2018-01-01", 3.0)
    assert ("eutl:a", 2017) not in said(lake, "2017-12-31")


def test_a_newer_reader_of_the_same_bytes_is_a_new_snapshot(lake: Lake) -> None:
    rows: Rows = {("a", 2015): 1.0}
    lake.add(batch(rows), known_at=pd.Timestamp("2017-01-01"), content_hash="a" * 64)
    mended = batch({("a", 2015): 1000.0}, reader="eutl/10")
    lake.add(mended, known_at=pd.Timestamp("2017-01-01"), content_hash="a" * 64)
    older = batch({("a", 2015): 7.0}, reader="eutl/2")
    lake.add(older, known_at=pd.Timestamp("2017-01-01"), content_hash="a" * 64)
    assert len(lake.snapshots()) == 3
    assert said(lake, ANY_TIME)["eutl:a", 2015][1] == 1000.0


def test_sources_are_asked_for_by_name(lake: Lake) -> None:
    put(lake, {("a", 2015): 1.0}, "2017-01-01")
    put(lake, {("a", 2015): 2.0}, "2017-01-01", source="ghgrp", reader="ghgrp/1")
    assert lake.as_of(ANY_TIME).records["source"].tolist() == ["eutl", "ghgrp"]
    assert lake.as_of(ANY_TIME, ["ghgrp"]).records["y"].tolist() == [2.0]
    assert [s.source for s in lake.snapshots("eutl")] == ["eutl"]


def test_instants_with_a_zone_are_compared_in_utc(lake: Lake) -> None:
    put(lake, {("a", 2015): 1.0}, pd.Timestamp("2017-04-01 02:00", tz="Europe/Amsterdam"))
    assert len(lake.as_of(pd.Timestamp("2017-04-01 01:59", tz="Europe/Amsterdam")).records) == 0
    assert len(lake.as_of(pd.Timestamp("2017-04-01 00:00")).records) == 1


@pytest.mark.parametrize(("source", "digest"), [("../x", "a" * 64), ("eutl", "short"), ("eutl", "../" * 22)])
def test_no_name_leads_out_of_the_lake(lake: Lake, source: str, digest: str) -> None:
    with pytest.raises(LawBroken, match="lake-key-malformed"):
        lake.add(batch({("a", 2015): 1.0}, source=source), known_at=ANY_TIME, content_hash=digest)


@pytest.mark.parametrize("text", ["2017-04-01", "2017-04-01 12:34:56.789012345", "1999-12-31 23:59:59"])
def test_names_of_instants_come_back(text: str) -> None:
    assert stamp_of(stamp_name(pd.Timestamp(text))) == pd.Timestamp(text)


def test_what_is_damaged_is_refused(tmp_path: Path) -> None:
    put(Lake(tmp_path), {("a", 2015): 1.0}, "2017-01-01")
    part = next(tmp_path.rglob("records.parquet"))
    payload = bytearray(part.read_bytes())
    payload[len(payload) // 2] ^= 1
    part.write_bytes(payload)
    with pytest.raises(DataError, match="lake-damaged"):
        Lake(tmp_path).as_of(ANY_TIME)
    part.unlink()
    with pytest.raises(DataError, match="lake-damaged"):
        Lake(tmp_path).as_of(ANY_TIME)


def test_a_mark_never_finished_is_no_snapshot(lake: Lake) -> None:
    lake.ground.put("eutl/0123456789abcdef.1/snapshot.json", b'{"source": "eu')
    lake.ground.put("eutl/0123456789abcdef.2/records.parquet", b"PAR1")
    lake.ground.put("stray.txt", b"")
    assert lake.snapshots() == []
    assert len(lake.as_of(ANY_TIME).records) == 0


# --- killed and crowded writers -------------------------------------------------------------------

KILLED: Final = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from features.series import ground
from features.series.lake import Lake
from tests.features.test_lake import batch
written = Path.write_bytes
left = [int(sys.argv[2])]
def write(self, payload):
    left[0] -= 1
    if left[0] < 0:
        written(self, payload[: len(payload) // 2])
        os.kill(os.getpid(), signal.SIGKILL)
    return written(self, payload)
Path.write_bytes = write
Lake(sys.argv[1]).add(batch({("a", 2015): 2.0}), known_at=pd.Timestamp("2018-01-01"), content_hash="b" * 64)
"""


@pytest.mark.parametrize("writes", [1, 4])
def test_a_killed_writer_leaves_nothing_to_be_seen(tmp_path: Path, root: Path, writes: int) -> None:
    place = tmp_path / "lake"
    put(Lake(place), {("a", 2015): 1.0}, "2017-01-01")
    before = Lake(place).ground.names()
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(place), str(writes)],
        env={**os.environ, "PYTHONPATH": str(root)},
        cwd=root, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert Lake(place).ground.names() == before
    assert said(Lake(place), ANY_TIME)["eutl:a", 2015][1] == 1.0
    # The next writer succeeds, and sweeps what the killed one left.
    put(Lake(place), {("a", 2015): 2.0}, "2018-01-01")
    assert said(Lake(place), ANY_TIME)["eutl:a", 2015][1] == 2.0
    assert [path.name for path in place.glob("*/.*")] == []


class Failing(RemoteGround):
    """A remote place that is lost after so many writes."""

    def put(self, name: str, payload: bytes) -> None:
        object.__setattr__(self, "root", self.root)
        self.system.writes_left -= 1
        if self.system.writes_left < 0:
            raise ConnectionError("lost")
        super().put(name, payload)


@pytest.mark.parametrize("writes", range(5))
def test_a_remote_writer_cut_off_leaves_nothing_to_be_seen(writes: int) -> None:
    place = f"memory://cut-{uuid.uuid4().hex}"
    honest = ground_at(place)
    assert isinstance(honest, RemoteGround)
    cut = Lake(place)
    cut.__dict__["ground"] = Failing(honest.system, honest.root)
    honest.system.writes_left = writes
    with pytest.raises(ConnectionError):
        put(cut, {("a", 2015): 1.0}, "2017-01-01")
    assert Lake(place).snapshots() == []
    put(Lake(place), {("a", 2015): 1.0}, "2017-01-01")
    assert said(Lake(place), ANY_TIME)["eutl:a", 2015][1] == 1.0


def _write_many(place: str, contents: list[float], gate: Any) -> None:
    gate.wait()
    for value in contents:
        put(Lake(place), {("a", 2015): value}, f"{2017 + int(value)}-01-01")


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(3)
    contents = [[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0], [1.0, 4.0, 2.0, 3.0]]
    crowd = [context.Process(target=_write_many, args=(str(tmp_path), c, gate)) for c in contents]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(60)
    assert [one.exitcode for one in crowd] == [0, 0, 0]
    assert len(Lake(tmp_path).snapshots()) == 4
    assert [said(Lake(tmp_path), f"{2017 + k}-01-01")["eutl:a", 2015][1] for k in range(1, 5)] == [1, 2, 3, 4]
    assert [path.name for path in tmp_path.glob("*/.*")] == []


def test_the_lake_may_be_listed_while_writers_make_and_sweep_their_scratch(tmp_path: Path) -> None:
    put(Lake(tmp_path), {("a", 2015): 1.0}, "2017-01-01")
    ground, done = ground_at(tmp_path), threading.Event()
    want = ground.names()

    def churn() -> None:
        while not done.is_set():
            (tmp_path / "eutl" / ".scratch").mkdir()
            (tmp_path / "eutl" / ".scratch").rmdir()

    crowd = [threading.Thread(target=churn)]
    crowd[0].start()
    try:
        assert all(ground.names() == want for _ in range(2000))
    finally:
        done.set()
        crowd[0].join(60)


def test_a_folder_that_may_not_be_read_is_not_taken_for_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Lake(tmp_path), {("a", 2015): 1.0}, "2017-01-01")

    def refuse(place: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(place))

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        ground_at(tmp_path).names()


def test_two_threads_may_write_to_a_remote_place_at_once() -> None:
    place = f"memory://crowd-{uuid.uuid4().hex}"
    gate = threading.Barrier(2)
    crowd = [threading.Thread(target=_write_many, args=(place, [1.0, 2.0, 3.0], gate)) for _ in range(2)]
    for one in crowd:
        one.start()
    for one in crowd:
        one.join(60)
    assert len(Lake(place).snapshots()) == 3


# --- the as_of law --------------------------------------------------------------------------------

CONTENTS: Final = st.dictionaries(
    st.tuples(st.sampled_from("ab"), st.sampled_from(YEARS)),
    st.one_of(st.none(), st.sampled_from([1.0, 2.0, 3.0])),
    min_size=1,
    max_size=6,
)
DAYS: Final = st.integers(0, 1500).map(lambda day: pd.Timestamp("2016-01-01") + pd.Timedelta(day, "D"))


def slow_as_of(events: list[tuple[Rows, pd.Timestamp]], t: pd.Timestamp) -> dict[tuple[str, int], Any]:
    """The law in plain loops: of what was shown at or before t, the last to tell of each key."""
    told: dict[tuple[str, int], tuple[Any, pd.Timestamp]] = {}
    for rows, at in sorted(events, key=lambda event: (event[1], hashed((event[0], None)))):
        if at <= t:
            for (site, year), y in rows.items():
                if at >= pd.Timestamp(year=year + 1, month=1, day=1):
                    told[f"eutl:{site}", year] = y, at
    return {key: y for key, (y, _) in told.items()}


def filled(place: Path | str, events: list[tuple[Rows, pd.Timestamp]]) -> Lake:
    made = Lake(place)
    for rows, at in events:
        try:
            put(made, rows, at)
        except DataError as fault:
            assert fault.code == "known-too-early"  # noqa: PT017  # no pytest.raises: most events are lawful
    return made


def forget_memory() -> None:
    """Empty fsspec's memory: it is one for the process, and each listing walks all of it."""
    import fsspec

    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def plain(lake: Lake, t: pd.Timestamp) -> dict[tuple[str, int], float | None]:
    records = lake.as_of(t).records
    keys = zip(records["facility_id"], pd.DatetimeIndex(records["ds"]).year, strict=True)
    values = [None if pd.isna(y) else float(y) for y in records["y"]]
    return dict(zip(((str(f), int(y)) for f, y in keys), values, strict=True))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CONTENTS, DAYS), min_size=1, max_size=5), st.randoms(use_true_random=False), DAYS)
def test_any_order_gives_the_same_panel(
    events: list[tuple[Rows, pd.Timestamp]], random: Any, t: pd.Timestamp
) -> None:
    shuffled = events + events[:1]
    random.shuffle(shuffled)
    forget_memory()
    one = filled("memory://one", events)
    other = filled("memory://other", shuffled)
    for instant in (t, ANY_TIME, *(at for _, at in events)):
        assert plain(one, instant) == slow_as_of(events, instant)
        pd.testing.assert_frame_equal(one.as_of(instant).records, other.as_of(instant).records)
        pd.testing.assert_frame_equal(one.as_of(instant).facilities, other.as_of(instant).facilities)
        pd.testing.assert_frame_equal(one.vintages(instant), other.vintages(instant))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(CONTENTS, DAYS), min_size=1, max_size=4), CONTENTS, DAYS)
def test_what_is_known_later_changes_nothing_earlier(
    events: list[tuple[Rows, pd.Timestamp]], late: Rows, at: pd.Timestamp
) -> None:
    forget_memory()
    made = filled("memory://law", events)
    before = made.as_of(at - pd.Timedelta(1, "ns"))
    filled(made.root, [(late, at)])
    after = Lake(made.root).as_of(at - pd.Timedelta(1, "ns"))
    pd.testing.assert_frame_equal(before.records, after.records)
    pd.testing.assert_frame_equal(before.facilities, after.facilities)


def test_the_vintages_are_those_of_the_series() -> None:
    """as_of of the lake is as_of of the Vintages contract over the lake's vintages."""
    from features.series.vintages import Vintages

    made = Lake(f"memory://{uuid.uuid4().hex}")
    for k, (a, b) in enumerate(itertools.product((1.0, 2.0), repeat=2)):
        put(made, {("a", 2015): a, ("b", 2016): b}, f"201{7 + k % 3}-0{1 + k}-01")
    frame = made.vintages(ANY_TIME).rename(columns={"facility_id": "unique_id", "state": "flag"})
    vintages = Vintages.of(frame)
    for t in ("2017-02-01", "2018-06-01", "2020-01-01"):
        known = made.as_of(pd.Timestamp(t)).records
        assert vintages.as_of(pd.Timestamp(t))["y"].tolist() == known["y"].tolist()


# --- what was restated ----------------------------------------------------------------------------


def test_a_diff_names_what_changed(lake: Lake) -> None:
    old = put(lake, {("a", 2015): 10.0, ("b", 2015): 5.0, ("c", 2015): 1.0, ("d", 2015): None}, "2017-04-01")
    new = put(lake, {("a", 2015): 12.0, ("b", 2015): 5.0, ("a", 2016): 9.0, ("d", 2015): 4.0}, "2018-04-01")
    told = diff(lake, old.snapshot.folder, new.snapshot.content_hash[:8])
    assert told[["facility_id", "change"]].to_numpy().tolist() == [
        ["eutl:a", "restated"], ["eutl:a", "added"], ["eutl:c", "gone"], ["eutl:d", "restated"],
    ]  # fmt: skip
    assert told["before"].fillna(-1).tolist() == [10.0, -1.0, 1.0, -1.0]
    assert told["after"].fillna(-1).tolist() == [12.0, 9.0, -1.0, 4.0]
    assert told["state_before"].tolist() == ["operating", "", "operating", "not-yet-published"]
    between = diff(lake, "2017-04-01", "2018-04-01")
    # What a later file leaves out stays known.
    assert between["change"].tolist() == ["restated", "added", "restated"]
    assert len(diff(lake, "2018-04-01", "2018-04-01")) == 0
    assert len(diff(lake, "2017-01-01", old.snapshot.folder)) == 4


def test_a_diff_refuses_what_it_cannot_find(lake: Lake) -> None:
    one = put(lake, {("a", 2015): 10.0}, "2017-04-01").snapshot
    other = put(lake, {("a", 2015): 10.0}, "2017-04-01", source="ghgrp", reader="ghgrp/1", name="x").snapshot
    with pytest.raises(AskError, match="lake-diff-of-two-sources"):
        diff(lake, one.folder, other.folder)
    for name, code in (("zzz", "unknown"), ("", "unknown")):
        with pytest.raises(AskError, match=f"lake-snapshot-{code}"):
            find(lake, name)
    put(lake, {("a", 2015): 11.0}, "2018-04-01")
    with pytest.raises(AskError, match="lake-snapshot-ambiguous"):
        find(lake, "eutl/")
    with pytest.raises(AskError, match="lake-instant-unreadable"):
        diff(lake, "2017-13-45", one.folder)


def test_a_place_without_a_file_system_is_refused() -> None:
    with pytest.raises(AskError, match="lake-place-unknown"):
        Lake("nowhere://x/y").snapshots()


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert ground_at(f"file://{tmp_path}/a%20b") == LocalGround(tmp_path / "a b")


def test_the_mark_says_where_a_snapshot_comes_from(tmp_path: Path) -> None:
    made = Lake(tmp_path)
    made.add(
        batch({("a", 2015): 1.0}),
        known_at=pd.Timestamp("2017-01-01"),
        content_hash="c" * 64,
        files=[{"name": "x.csv"}],
    )
    told = json.loads(next(tmp_path.rglob("snapshot.json")).read_text())
    assert (told["source"], told["known_at"], told["reader"]) == ("eutl", "2017-01-01T00:00:00", "eutl/1")
    assert told["files"] == [{"name": "x.csv"}]
    assert told["parts"]["records"]["rows"] == 1
    assert {path.name for path in tmp_path.rglob("*.parquet")} == {
        "records.parquet", "facilities.parquet", "complaints.parquet",
    }  # fmt: skip
