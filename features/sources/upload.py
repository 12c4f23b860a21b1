"""Anyone's panel, from a file or from records: checked, and remembered in the way it was written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError, DataError, LawBroken
from features.series.cadence import HOUR, YEAR, Cadence, named, recognise
from features.series.panel import Panel
from features.series.words import DS, UNIQUE_ID, Y
from features.sources import anchors as places
from features.sources import stamps
from features.sources.rawtable import of_file, of_records, refuse

_EMPTY: Final = ("", "nan", "NaN", "NA", "N/A", "null", "None", "<NA>")


@dataclass(frozen=True)
class Upload:
    """A caller's panel and how its time was written.

    Attributes:
        panel: the checked series. Periods follow the caller's own clock (a local month stays that
            month); hourly series are in UTC.
        ignored: columns that vary within a series and were not read.
        style, anchors: how ds was written, and where in its period each series puts it.
    """

    panel: Panel
    ignored: tuple[str, ...]
    style: stamps.Style
    anchors: places.Anchors

    def write_ds(
        self, unique_ids: Sequence[str] | pd.Series | npt.NDArray[Any], ds: npt.ArrayLike
    ) -> pd.Series:
        """Period starts ``ds`` (N,) of the series ``unique_ids`` (N,) as the caller writes them.

        Whole years stay numbers, month ends stay month ends, an offset is written again.

        Raises:
            LawBroken: a series that was not uploaded.
        """
        rows = pd.Index(self.panel.dense.ids).get_indexer(pd.Index(unique_ids))
        if (rows < 0).any():
            raise LawBroken(
                "series-unknown",
                found="series that were not uploaded",
                expected="series of this upload",
                offenders=[str(name) for name in pd.Index(unique_ids)[rows < 0]],
                remedy="report this with the call that caused it",
            )
        begin = np.asarray(ds, dtype="datetime64[ns]")
        stamped = self.anchors.place(begin, rows.astype(np.int64), self.panel.cadence)
        return stamps.written(stamped, self.style, utc=self.panel.cadence == HOUR)


def read_file(path: Path, *, cadence: str | None = None, allow_missing: bool = True) -> Upload:
    """Read a CSV or Parquet file with unique_id, ds, y and optional static columns.

    Raises:
        DataError: what cannot be read, with line numbers (header = line 1; rows of Parquet from 1).
        AskError: an unknown cadence, or one finer than ds tells.
    """
    frame, place = of_file(path)
    return _upload(frame, place, cadence, allow_missing=allow_missing)


def read_records(
    rows: Sequence[dict[str, Any]], *, cadence: str | None = None, allow_missing: bool = False
) -> Upload:
    """Read JSON-like rows with unique_id, ds, y and optional static fields. Errors as ``read_file``."""
    return _upload(of_records(rows), lambda i: f"row {i + 1}", cadence, allow_missing=allow_missing)


def of_table(frame: pd.DataFrame, place: Callable[[int], str], *, cadence: str | None = None) -> Upload:
    """Read a table with unique_id, ds, y and static columns, whose rows ``place`` names. As ``read_file``."""
    return _upload(frame, place, cadence, allow_missing=True)


def _upload(
    frame: pd.DataFrame, place: Callable[[int], str], cadence: str | None, *, allow_missing: bool
) -> Upload:
    ids = _names(frame, place)
    values = _values(frame, place, allow_missing=allow_missing)
    told = stamps.read(frame[DS])
    unread = np.isnat(told.wall)
    refuse(
        unread, frame, place, "ds-unreadable",
        "every ds written as the others, a day that exists, from 1700 to 2199",
        "correct the ds of these rows", column=DS,
    )  # fmt: skip
    used = _cadence(cadence, told, ids)
    when = told.utc if used == HOUR else told.wall
    codes, names = pd.factorize(ids, sort=True)
    order = used.ordinal(when)
    _refuse_doubles(frame, place, codes, order, used)
    anchors, astray = places.find(when, codes.astype(np.int64), used)
    refuse(
        astray, frame, place, "ds-irregular",
        f"every ds of a series at the same place in its {used.name}, such as its first or last day",
        "write the first day of each period, or name the cadence that is meant", column=DS,
    )  # fmt: skip
    traits, ignored = _traits(frame, codes, pd.Index(names, name=UNIQUE_ID))
    long = pd.DataFrame({UNIQUE_ID: ids, DS: used.instant(order), Y: values})
    return Upload(Panel.of(long, used, traits), ignored, told.style, anchors)


def _names(frame: pd.DataFrame, place: Callable[[int], str]) -> pd.Series:
    cells = frame[UNIQUE_ID]
    missing = cells.isna().to_numpy(dtype=bool)
    ids = cells.astype(object).where(~missing, "").astype(str)
    refuse(
        missing | (ids.str.strip() == "").to_numpy(dtype=bool), frame, place, "id-missing",
        "a unique_id in every row", "name the series of these rows", column=UNIQUE_ID,
    )  # fmt: skip
    return ids


def _values(
    frame: pd.DataFrame, place: Callable[[int], str], *, allow_missing: bool
) -> npt.NDArray[np.float64]:
    cells = frame[Y]
    if cells.dtype != object and pd.api.types.is_numeric_dtype(cells.dtype):
        truth = np.full(len(cells), pd.api.types.is_bool_dtype(cells.dtype))
        missing = cells.isna().to_numpy(dtype=bool)
    else:
        truth = (
            np.array([isinstance(v, bool) for v in cells])
            if cells.dtype == object
            else np.zeros(len(cells), bool)
        )
        cells = cells.str.strip() if cells.dtype != object else cells
        missing = (cells.isna() | cells.isin(_EMPTY)).to_numpy(dtype=bool)
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (np.isnan(numbers) & ~missing) | truth
    refuse(
        wrong, frame, place, "value-not-a-number", "tonnes as a plain number such as 1234.5",
        "write the figure with a decimal point and no thousands mark, or leave it empty where unknown",
        column=Y,
    )  # fmt: skip
    refuse(
        np.isinf(numbers), frame, place, "value-not-finite", "finite tonnes",
        "replace infinite values by the figure or by nothing", column=Y,
    )  # fmt: skip
    if not allow_missing:
        refuse(
            missing, frame, place, "value-missing", "a figure in every row",
            "leave out the rows without a figure: gaps are filled as missing", column=Y,
        )  # fmt: skip
    return np.where(missing, np.nan, numbers)


def _cadence(asked: str | None, told: stamps.Read, ids: pd.Series) -> Cadence:
    style = told.style
    if asked is not None:
        used = named(asked)
    elif ids.is_unique:
        used = named(style.finest) if style.finest in ("quarter", "month", "week") else YEAR
    else:
        used = recognise(pd.DataFrame({UNIQUE_ID: ids, DS: told.utc}))
    if stamps.FINEST.index(used.name) > stamps.FINEST.index(style.finest):
        raise AskError(
            "cadence-finer-than-ds",
            found=f"cadence {used.name} with ds that tells no more than the {style.finest}",
            expected=f"cadence {style.finest} or a longer one",
            remedy="name a longer cadence, or write ds in full",
        )
    if not told.one_offset and used != HOUR:
        raise DataError(
            "ds-mixed-offsets",
            found=f"{used.name} figures whose clocks are set to different offsets",
            expected="one offset, or none",
            remedy="write ds in UTC, or as plain dates",
        )
    return used


def _refuse_doubles(
    frame: pd.DataFrame,
    place: Callable[[int], str],
    codes: npt.NDArray[np.intp],
    order: places.Int,
    used: Cadence,
) -> None:
    twice = pd.DataFrame({"code": codes, "order": order}).duplicated().to_numpy()
    refuse(
        twice, frame, place, "duplicate-rows", f"one row a series and {used.name}",
        "keep one row for each period, or declare a finer cadence", column=DS,
    )  # fmt: skip


def _traits(
    frame: pd.DataFrame, codes: npt.NDArray[np.intp], names: pd.Index[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns with one value a series as text, and the names of the others."""
    _, first = np.unique(codes, return_index=True)
    kept: dict[str, npt.NDArray[Any]] = {}
    ignored = []
    for column in frame.columns.drop([UNIQUE_ID, DS, Y]):
        cells = frame[column]
        text = cells.astype(object).where(cells.notna(), "").astype(str)
        value, _ = pd.factorize(text)
        if np.array_equal(value, value[first][codes]):
            kept[str(column)] = text.to_numpy()[first]
        else:
            ignored.append(str(column))
    return pd.DataFrame(kept, index=names), tuple(ignored)
