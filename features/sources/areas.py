"""Series of countries, states and markets: gapless from first to last figure, each gap with its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.cadence import Cadence
from features.sources.records import (
    DS,
    FACILITY_ID,
    NOT_REPORTED,
    OPERATING,
    STATE,
    Batch,
    Y,
    changed_shape,
    complaint_frame,
)  # fmt: skip
from features.sources.textfile import Complaints, Table, refuse_if_many

Bool = npt.NDArray[np.bool_]
_SHOWN: Final = 5


def gapless(rows: pd.DataFrame, cadence: Cadence, *, tail: str = NOT_REPORTED) -> pd.DataFrame:
    """facility_id, ds, y, state of every period from a series' first figure to its last row.

    ``rows`` has facility_id, ds, y (NaN: an empty cell). Periods without a row or a figure are NaN,
    "not-reported" up to the last figure and ``tail`` after it. Series without any figure are left out.
    """
    order = cadence.ordinal(rows[DS].to_numpy(dtype="datetime64[ns]"))
    table = pd.DataFrame({FACILITY_ID: rows[FACILITY_ID].to_numpy(), "order": order, Y: rows[Y].to_numpy()})
    told = table[table[Y].notna()].groupby(FACILITY_ID)["order"].agg(["min", "max"])
    last = table.groupby(FACILITY_ID)["order"].max().reindex(told.index).to_numpy(dtype=np.int64)
    first = told["min"].to_numpy(dtype=np.int64)
    length = last - first + 1
    count = int(length.sum())
    series = np.repeat(np.arange(len(told)), length)
    period = np.arange(count) - np.repeat(np.cumsum(length) - length, length) + np.repeat(first, length)
    grid = pd.DataFrame({FACILITY_ID: told.index.to_numpy()[series], "order": period})
    # Left, not one-to-one: a row given twice stays twice, for the batch to refuse.
    full = grid.merge(table, how="left", on=[FACILITY_ID, "order"])
    end = full[FACILITY_ID].map(told["max"]).to_numpy(dtype=np.int64)
    after = np.where(full["order"].to_numpy() > end, tail, NOT_REPORTED)
    full[STATE] = np.where(full[Y].notna(), OPERATING, after)
    full[DS] = cadence.instant(full["order"].to_numpy(dtype=np.int64))
    return full[[FACILITY_ID, DS, Y, STATE]]


def absent_periods(
    area: pd.Series, ds: npt.NDArray[np.datetime64], cadence: Cadence, *, even: bool
) -> Complaints:
    """A complaint (row 0) for each area that lacks periods among those it spans.

    ``even`` says that every area of the source spans the same periods: a file cut short then shows.
    """
    table = pd.DataFrame({"area": area.to_numpy(), "order": cadence.ordinal(ds)}).drop_duplicates()
    span = table.groupby("area")["order"].agg(["min", "max", "count"])
    if even and len(span):
        span["min"], span["max"] = span["min"].min(), span["max"].max()
    lacking = span["max"] - span["min"] + 1 - span["count"]
    return [
        (0, "periods-absent", f"{name}: {int(number)} {cadence.name}s have no row")
        for name, number in lacking[lacking > 0].items()
    ]


def disagreeing(code: pd.Series, name: pd.Series) -> Bool:
    """(N,) True where a code goes with another name, or a name with another code, than it usually does."""
    pairs = pd.DataFrame({"code": code.to_numpy(), "name": name.to_numpy()})
    count = pairs.groupby(["code", "name"])["code"].transform("size")
    best_of_code = count.groupby(pairs["code"]).transform("max")
    best_of_name = count.groupby(pairs["name"]).transform("max")
    return np.asarray((count < best_of_code) | (count < best_of_name), dtype=bool)


def named_areas(code: pd.Series, name: pd.Series) -> pd.DataFrame:
    """code, name of each area; a name that lost a letter to a wrong encoding gives way to the code."""
    areas = pd.DataFrame({"code": code.to_numpy(), "name": name.to_numpy()}).drop_duplicates("code")
    areas["name"] = areas["name"].where(~areas["name"].str.contains("\ufffd", regex=False), areas["code"])
    return areas.reset_index(drop=True)


def long_of(
    ids: Mapping[str, pd.Series], ds: npt.NDArray[np.datetime64], y: Mapping[str, npt.NDArray[np.float64]]
) -> pd.DataFrame:
    """Columns of figures ``y`` (N,) as rows facility_id, ds, y; ``ids`` (N,) under the same keys."""
    return pd.concat(
        [pd.DataFrame({FACILITY_ID: ids[key].to_numpy(), DS: ds, Y: y[key]}) for key in y], ignore_index=True
    )


def batch(
    table: Table,
    records: pd.DataFrame,
    facilities: pd.DataFrame,
    *,
    source: str,
    reader: str,
    remarks: Complaints,
) -> Batch:
    """The checked batch of what is left of ``table``; ``remarks`` are facts that cost no row.

    Raises:
        DataError: ``source-changed-shape`` where nothing, or too little, could be read;
            ``source-repeats`` where a series has a period twice.
    """
    refuse_if_many(table.file, table.complaints, table.rows_read)
    if records.empty:
        raise changed_shape(table.file, found="no figure at all", expected="at least one figure")
    return Batch.of(
        source=source,
        records=records,
        facilities=facilities[facilities[FACILITY_ID].isin(records[FACILITY_ID])],
        complaints=complaint_frame([*table.complaints, *remarks]),
        counts={"rows_read": table.rows_read, "dropped": len(table.complaints)},
        reader=reader,
    )
