"""The lake read by stretches of facilities is the lake read whole, bit for bit."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from features.errors import AskError, DataError
from features.reference.tables import load
from features.series import exact, snapshots
from features.series.basis import Basis, stock_of
from features.series.lake import Lake
from features.series.snapshots import Stretch
from features.series.stretches import checked, read, stretches
from tests.features.lakes import SITES, SOURCES, basis, put, same, several
from tests.features.places import TODAY
from tests.features.test_lake import forget_memory

ANY_TIME: Final = pd.Timestamp("2100-01-01")


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """Written in row groups of seven rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "GROUP", 7)
        yield several(Lake(tmp_path_factory.mktemp("stretches") / "lake"))


def test_however_it_is_cut_it_is_what_one_reading_would_tell(lake: Lake) -> None:
    whole = basis(lake, 1 << 30)
    assert set(whole.series.traits["kind"]) == {"plant", "sector", "context"}
    assert len(whole.series.traits) > len(SITES)
    for rows in (200, 30):
        same(whole, basis(lake, rows))


ROWS: Final = st.dictionaries(
    st.tuples(st.sampled_from(SITES), st.integers(2015, 2019)),
    st.one_of(st.none(), st.just(0.0), st.floats(0.001, 1e9)),
    min_size=1, max_size=12,
)  # fmt: skip


# Not shrunk: each example reads two lakes, and says itself what it holds.
@settings(max_examples=10, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    st.lists(st.tuples(st.sampled_from(["eutl", "uk-ets", "other"]), ROWS, st.integers(0, 5)),
             min_size=1, max_size=4),
    st.integers(1, 20), st.integers(0, 6),
)  # fmt: skip
def test_any_lake_is_the_sum_of_its_stretches(
    events: list[tuple[str, dict[tuple[str, int], float | None], int]], rows: int, day: int
) -> None:
    """Whatever was shown, restated or withdrawn, and wherever it is cut: the same, or the same refusal."""
    forget_memory()
    made, t = Lake(f"memory://{uuid.uuid4().hex}"), pd.Timestamp("2021-05-01") + pd.Timedelta(day, "D")
    for source, told, turn in events:
        put(made, source, {(f"eutl:{name}", year): y for (name, year), y in told.items()}, turn)
    outcomes: list[Basis | dict[str, Any]] = []
    for most in (1 << 30, rows):
        try:
            outcomes.append(basis(made, most, t, fewest_years=2))
        except (DataError, AskError) as fault:
            outcomes.append(fault.as_record())
    one, other = outcomes
    if isinstance(one, Basis) and isinstance(other, Basis):
        same(one, other)
    else:
        assert one == other


def test_stretches_hold_every_facility_once_and_read_what_replay_of_all_would(lake: Lake) -> None:
    told = lake.sightings(ANY_TIME, None)
    cut = stretches(lake, told, 40)
    assert (cut[0].first, cut[-1].stop) == ("", "")
    assert all(one.stop == other.first for one, other in pairwise(cut))
    assert len(cut) > 8
    whole = read(lake, told, Stretch())
    pd.testing.assert_frame_equal(
        whole.records.sort_values(["source", "facility_id", "ds", "known_at"], ignore_index=True),
        lake.vintages(ANY_TIME).sort_values(["source", "facility_id", "ds", "known_at"], ignore_index=True),
    )
    pd.testing.assert_frame_equal(whole.facilities, lake.as_of(ANY_TIME).facilities)
    parts = [read(lake, told, one) for one in cut]
    for name in ("records", "facilities"):
        joined = pd.concat([getattr(part, name) for part in parts if len(getattr(part, name))])
        order = ["source", "facility_id"] + (["ds", "known_at"] if name == "records" else [])
        pd.testing.assert_frame_equal(
            joined.sort_values(order, ignore_index=True),
            getattr(whole, name).sort_values(order, ignore_index=True),
        )


def test_a_stretch_decodes_the_row_groups_it_lies_in(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"eutl": lake.sightings(ANY_TIME, ["eutl"])["eutl"][-1:]}
    decoded: list[int] = []
    plain = pq.ParquetFile.read_row_group

    def counted(file: Any, group: int) -> Any:
        decoded.append(group)
        return plain(file, group)

    monkeypatch.setattr(pq.ParquetFile, "read_row_group", counted)
    everything = read(lake, told, Stretch())
    groups = len(decoded)
    decoded.clear()
    found = read(lake, told, Stretch("eutl:d", "eutl:e"))
    assert set(found.records["facility_id"]) == {"eutl:d"}
    assert len(found.records) == (everything.records["facility_id"] == "eutl:d").sum()
    assert 0 < len(decoded) < groups / 3


def test_a_snapshot_of_an_older_release_is_read_by_stretches_too(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row group, no checksums of pages, and even no statistics."""

    def old(frame: pd.DataFrame) -> bytes:
        sink = io.BytesIO()
        table = pa.Table.from_pandas(frame, preserve_index=False)
        pq.write_table(table, sink, compression="zstd", write_statistics=False)
        return sink.getvalue()

    monkeypatch.setattr(snapshots, "packed", old)
    before = several(Lake(tmp_path / "old"))
    assert [s.folder for s in before.snapshots()] == [s.folder for s in lake.snapshots()]
    same(basis(lake, 1 << 30), basis(before, 200))


def test_what_is_damaged_or_out_of_sight_is_refused(tmp_path: Path) -> None:
    made = several(Lake(tmp_path / "lake"))
    told = made.sightings(ANY_TIME, None)
    checked(made, told)
    path = next((tmp_path / "lake" / "eutl").glob("*/records.parquet"))
    payload = bytearray(path.read_bytes())
    figures = pq.read_metadata(path).row_group(0).column(2)
    payload[figures.data_page_offset + figures.total_compressed_size // 2] ^= 0xFF
    path.write_bytes(payload)
    with pytest.raises(DataError, match=r"lake-damaged.*checksum is not the one recorded"):
        basis(made, 60)
    with pytest.raises(DataError, match=r"lake-damaged.*records\.parquet"):
        read(made, told, Stretch())
    path.unlink()
    with pytest.raises(DataError, match=r"lake-damaged.*nothing"):
        basis(made, 60)
    with pytest.raises(DataError, match=r"lake-unseen.*same path or URL for every worker"):
        read(made, told, Stretch())


def test_what_is_wrong_in_several_stretches_is_told_once(tmp_path: Path) -> None:
    made = Lake(tmp_path / "lake")
    for source in ("eutl", "uk-ets"):
        put(made, source, {(f"eutl:{name}", 2019): 1.0 for name in "abcdef"}, 1)
    whole, parts = (pytest.raises(DataError) for _ in range(2))
    with whole as one:
        stock_of(made, load(), TODAY, sources=tuple(SOURCES))
    with parts as other:
        basis(made, 2)
    assert one.value.as_record() == other.value.as_record()
    assert (one.value.code, one.value.more) == ("facility-counted-twice", 3)


@given(
    st.lists(st.one_of(st.floats(0.001, 5e10), st.integers(0, 10**10).map(float)), min_size=1, max_size=40)
)
def test_exact_sums_are_those_of_fractions_in_any_order(values: list[float]) -> None:
    y = np.array(values)
    parts = exact.split(y)
    assert exact.joined(*parts.values()).tolist() == values
    total = exact.joined(*(np.array([part.sum()]) for part in parts.values()))[0]
    true = sum(map(Fraction, values), Fraction(0))
    assert abs(Fraction(float(total)) - true) <= true / 2**52
    back = exact.joined(*(np.array([part[::-1].cumsum()[-1]]) for part in parts.values()))[0]
    assert back == total
