"""Lakes to measure on: of the real registers, and of simulated plants.

Usage: python benchmarks/lake/made.py FOLDER [--plants N] [--shown 2]
Without --plants the EU ETS, the British and the American register are read in from the public records.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from benchmarks.figures import DATA  # noqa: E402
from benchmarks.growth.run import CHUNK, NEWEST, Facts, chunk, facts  # noqa: E402
from features.series.lake import Lake  # noqa: E402
from features.sources import eutl, ghgrp, uk_ets  # noqa: E402
from features.sources.records import FACILITY, Batch  # noqa: E402

# Of the figures shown first, how many are shown anew with another value a year later.
RESTATED = 0.03


def registers(root: Path) -> None:
    """The three registers; of the EU ETS also what a reader had seen in three earlier springs."""
    lake = Lake(root)
    eu = eutl.read(DATA / "eutl")
    for year in (2021, 2022, 2023):
        old = eu.records[eu.records["ds"].dt.year < year].copy()
        draw = np.random.default_rng(year).random(len(old)) < RESTATED
        old.loc[draw & (old["y"] > 0).to_numpy(), "y"] *= 1.01
        kept(lake, eu, old, f"{year}-05-01")
    kept(lake, eu, eu.records, "2024-05-01")
    for batch, shown in (
        (
            uk_ets.read(DATA / "uk_ets" / "20250611_Compliance_Report_Emissions_and_Surrenders.xlsx"),
            "2025-06-11",
        ),
        (ghgrp.read(DATA / "ghgrp" / "ghgp_data_by_year_2023_eight_states.xlsx"), "2024-10-01"),
    ):
        kept(lake, batch, batch.records, shown)


def kept(lake: Lake, batch: Batch, records: pd.DataFrame, at: str) -> None:
    """Records of a batch as a snapshot of their own."""
    again = Batch.of(source=batch.source, records=records, facilities=batch.facilities, reader=batch.reader)
    name = hashlib.sha256(f"{batch.source}{at}".encode()).hexdigest()
    lake.add(again, known_at=pd.Timestamp(at), content_hash=name)


def simulated(root: Path, known: Facts, plants: int, shown: int) -> None:
    """``plants`` facilities of the facts of real ones, as shown in so many springs, the last whole."""
    lake, firsts = Lake(root), range(0, plants, CHUNK)
    frame = pd.concat(
        [chunk(known, first, min(CHUNK, plants - first)).to_pandas() for first in firsts], ignore_index=True
    )
    frame["facility_id"] = "eutl:" + frame["unique_id"]
    sites = frame.drop_duplicates("facility_id")
    facilities = sites.assign(
        name="Works " + sites["unique_id"], region="", activity="20", lat=np.nan, lon=np.nan,
        scope_id="eu-ets", cadence="year",
    )[list(FACILITY)]  # fmt: skip
    records = frame[["facility_id", "y"]].assign(
        ds=pd.to_datetime(frame["ds"].astype(str) + "-01-01"), state="operating"
    )
    del frame, sites
    for back in range(shown - 1, -1, -1):
        rows = records[records["ds"].dt.year <= NEWEST - back].copy() if back else records
        if back:
            draw = np.random.default_rng(back).random(len(rows)) < RESTATED
            rows.loc[draw, "y"] = np.round(rows.loc[draw, "y"] * 1.01)
        mine = facilities[facilities["facility_id"].isin(rows["facility_id"])] if back else facilities
        batch = Batch.of(source="eutl", records=rows, facilities=mine, reader="eutl/1")
        name = hashlib.sha256(f"{plants}/{back}".encode()).hexdigest()
        lake.add(batch, known_at=pd.Timestamp(f"{NEWEST + 1 - back}-05-01"), content_hash=name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--plants", type=int, default=0)
    parser.add_argument("--shown", type=int, default=2)
    given = parser.parse_args()
    if given.plants:
        simulated(given.folder, facts(), given.plants, given.shown)
    else:
        registers(given.folder)
