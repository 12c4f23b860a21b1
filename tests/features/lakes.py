"""Lakes made by hand, and what is read of them, for the tests of reading by stretches."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from features.reference.tables import load
from features.series.basis import Basis, of_lake
from features.series.basis_files import packed
from features.series.lake import Lake
from features.series.membership import Boundary
from features.sources.records import FACILITY, Batch
from tests.features.places import INSIDE, OUTSIDE, TODAY, facility

SITES: Final = "abcdefgh"
# One source of the EU ETS, one that goes on for it in Great Britain, and one of a scope of its own.
SOURCES: Final = {"eutl": "eu-ets", "uk-ets": "uk-ets", "other": "other"}
OWN: Final = (Boundary("xx-home", (), shapely.box(6.0, 52.5, 6.5, 52.7)),)


def site(name: str, source: str, turn: int) -> dict[str, object]:
    """A facility: inside Rotterdam, inside the user's own cluster or in neither; once moved to a sector."""
    at = (INSIDE, OUTSIDE, (50.0, 8.0))[SITES.index(name[-1]) % 3]
    sector = ("refining", "power")[(SITES.index(name[-1]) + (turn > 2)) % 2]
    country = "DE" if at[0] == 50.0 else "NL"
    return facility(name, at=at, country=country, sector=sector, scope=SOURCES[source], source=source)


def put(lake: Lake, source: str, rows: dict[tuple[str, int], float | None], turn: int) -> None:
    """A snapshot of ``rows``, shown in the spring after the last of their years and some days."""
    names = sorted({name for name, _ in rows}) or ["a"]
    told = [
        (name, pd.Timestamp(year=year, month=1, day=1), y, "not-reported" if y is None else "operating")
        for (name, year), y in rows.items()
    ]
    frame = pd.DataFrame(told, columns=["facility_id", "ds", "y", "state"]).astype({"y": float})
    sites = pd.DataFrame([site(name, source, turn) for name in names]).loc[:, list(FACILITY)]
    batch = Batch.of(source=source, records=frame, facilities=sites, reader=f"{source}/1")
    content = hashlib.sha256(repr((source, sorted(rows.items(), key=str), turn)).encode()).hexdigest()
    lake.add(batch, known_at=pd.Timestamp("2021-05-01") + pd.Timedelta(turn, "D"), content_hash=content)


def several(lake: Lake) -> Lake:
    """Restatements, withdrawals, closures and several sources, with tonnes that round when added."""
    draw = np.random.default_rng(3)
    for turn in range(4):
        rows: dict[tuple[str, int], float | None] = {}
        for name in SITES[: 5 + turn]:
            for year in range(2008, 2016 + turn):
                rows[f"eutl:{name}", year] = None if draw.random() < 0.05 else float(draw.lognormal(8, 3))
        put(lake, "eutl", rows, turn)
    put(lake, "uk-ets", {(f"eutl:{n}", 2020): 1e6 / 3 for n in "ag"} | {("eutl:c", 2019): None}, 5)
    put(lake, "other", {(f"other:{n}", y): 0.1 for n in SITES for y in range(2008, 2020)}, 5)
    return lake


def basis(lake: Lake, rows: int, t: pd.Timestamp = TODAY, **more: Any) -> Basis:
    return of_lake(Lake(lake.root), load(), t, sources=tuple(SOURCES), own=OWN, rows=rows, **more)


def same(one: Basis, other: Basis) -> None:
    """Bit for bit, and in the very same order."""
    ours, theirs = packed(one), packed(other)
    for name, payload in ours.items():
        assert theirs[name] == payload, name
    assert one.series.data_hash() == other.series.data_hash()
    assert list(one.names.items()) == list(other.names.items())
    pd.testing.assert_frame_equal(one.series.traits, other.series.traits)
    pd.testing.assert_frame_equal(one.quality, other.quality)
