"""How people write time: years, quarters, months, weeks, dates and instants, read and written back alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import DataError

Stamps = npt.NDArray[np.datetime64]

FINEST: Final = ("year", "quarter", "month", "week", "day", "hour")
_FIRST, _LAST = np.datetime64("1700-01-01"), np.datetime64("2200-01-01")
_OFFSET: Final = r"(?:[Zz]|[+-]\d{2}:?\d{2}|[+-]\d{2})"
_DATE: Final = r"\d{4}-\d{2}-\d{2}"
# pattern, strptime template, the finest cadence it can tell apart
_TEXTS: Final = (
    (r"\d{4}", "%Y", "year"),
    (r"\d{4}Q[1-4]", "%YQ%q", "quarter"),
    (r"\d{4}-Q[1-4]", "%Y-Q%q", "quarter"),
    (r"\d{4} Q[1-4]", "%Y Q%q", "quarter"),
    (r"\d{4}-\d{2}", "%Y-%m", "month"),
    (r"\d{4}/\d{2}", "%Y/%m", "month"),
    (r"\d{4}M\d{2}", "%YM%m", "month"),
    (r"\d{4}-W\d{2}", "%G-W%V", "week"),
    (_DATE, "%Y-%m-%d", "day"),
    (r"\d{4}/\d{2}/\d{2}", "%Y/%m/%d", "day"),
    (r"\d{8}", "%Y%m%d", "day"),
    *(
        (_DATE + gap + clock, "%Y-%m-%d" + gap + template, "hour")
        for gap in ("T", " ")
        for clock, template in ((r"\d{2}:\d{2}", "%H:%M"), (r"\d{2}:\d{2}:\d{2}", "%H:%M:%S"))
    ),
    *(
        (rf"{_DATE}{gap}\d{{2}}:\d{{2}}:\d{{2}}\.\d{{{digits}}}", f"%Y-%m-%d{gap}%H:%M:%S.%{digits}f", "hour")
        for gap in ("T", " ")
        for digits in range(1, 10)
    ),
)
_KNOWN: Final = (
    "years (2005), quarters (2005-Q1), months (2005-01), weeks (2005-W01), dates or ISO timestamps"
)


@dataclass(frozen=True)
class Style:
    """How one column of time is written.

    Attributes:
        kind: "number" (whole years), "text", "date" (date objects) or "stamp" (a datetime type).
        template: of "text", as strftime with %q the quarter and %3f a fraction of three digits.
        finest: the shortest cadence this way of writing can tell apart.
        offset: what follows a local clock ("Z", "+01:00"), "" where none is written.
        ahead: minutes by which that clock is ahead of UTC.
        dtype: of "number" and "stamp", to be given back.
    """

    kind: str
    template: str = ""
    finest: str = "hour"
    offset: str = ""
    ahead: int = 0
    dtype: str = ""


@dataclass(frozen=True)
class Read:
    """A column of time as read: the clock on the caller's wall and the same instants in UTC, both
    datetime64[ns] (N,), NaT where a cell cannot be read; one_offset is False where the offsets differ."""

    style: Style
    wall: Stamps
    utc: Stamps
    one_offset: bool = True


def read(cells: pd.Series) -> Read:
    """Recognise how ``cells`` are written and read them.

    Raises:
        DataError: a column that is no time at all. Single bad cells come back as NaT.
    """
    if isinstance(cells.dtype, pd.CategoricalDtype):
        cells = cells.astype(cells.cat.categories.dtype)
    kind = pd.api.types.infer_dtype(cells, skipna=True)
    if kind == "string":
        return _of_text(cells)
    if kind in ("integer", "floating") and not isinstance(cells.dtype, pd.BooleanDtype):
        return _of_years(cells)
    if kind in ("datetime64", "datetime", "date"):
        return _of_stamps(cells, kind)
    raise DataError(
        "ds-unreadable",
        found=f"ds of type {kind}",
        expected=_KNOWN,
        remedy="write every ds in one of these ways",
    )


def _of_years(cells: pd.Series) -> Read:
    years = pd.to_numeric(cells, errors="coerce").astype(float)
    lawful = (years % 1 == 0) & years.between(1700, 2199)
    wall = (years.where(lawful, 1970).to_numpy(dtype=np.int64) - 1970).astype("datetime64[Y]")
    stamps = np.where(lawful, wall.astype("datetime64[ns]"), np.datetime64("NaT", "ns"))
    dtype = str(cells.dtype) if cells.dtype != object else "int64"
    return Read(Style("number", finest="year", dtype=dtype), stamps, stamps)


def _of_stamps(cells: pd.Series, kind: str) -> Read:
    try:
        stamps = pd.to_datetime(cells)
    except (ValueError, TypeError) as problem:
        raise DataError(
            "ds-unreadable",
            found="ds of several kinds of time",
            expected="all with one time zone, or all without",
            remedy="write every ds in UTC",
        ) from problem
    style = Style("date" if kind == "date" else "stamp", finest="day" if kind == "date" else "hour",
                  dtype=str(stamps.dtype))  # fmt: skip
    if stamps.dt.tz is None:
        wall = _bounded(stamps.to_numpy())
        return Read(style, wall, wall)
    utc = stamps.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return Read(style, _bounded(stamps.dt.tz_localize(None).to_numpy()), _bounded(utc))


def _of_text(cells: pd.Series) -> Read:
    codes, values = pd.factorize(cells.fillna("").astype(str).str.strip())
    texts = pd.Series(values, dtype=str)
    style, bare, suffix = _recognised(texts)
    wall = _parsed(bare, style)[codes]
    offsets = suffix.unique()
    if len(offsets) > 1 and "" in offsets:
        wall[(suffix == "").to_numpy()[codes]] = np.datetime64("NaT", "ns")
    minutes = suffix.map({text: _ahead(text) for text in offsets}).to_numpy(dtype=np.int64)
    ahead = minutes.astype("timedelta64[m]").astype("timedelta64[ns]")
    if len(offsets) == 1:
        style = Style("text", style.template, style.finest, offsets[0], _ahead(offsets[0]))
    elif len(offsets) > 1:
        style = Style("text", style.template, style.finest, "+00:00")
    return Read(style, wall, wall - ahead[codes], one_offset=len(offsets) <= 1)


def _recognised(texts: pd.Series) -> tuple[Style, pd.Series, pd.Series]:
    """The style that fits most of a sample of the texts, the texts without their offset, the offsets."""
    timed = texts.str.contains(":", regex=False)
    suffix = texts.str.extract(f"({_OFFSET})$", expand=False).where(timed, "").fillna("")
    bare = pd.Series([text.removesuffix(end) for text, end in zip(texts, suffix, strict=True)], dtype=str)
    sample = bare.head(50)
    fits = [int(sample.str.fullmatch(pattern).sum()) for pattern, _, _ in _TEXTS]
    first = [int(sample[sample != ""].head(1).str.fullmatch(pattern).sum()) for pattern, _, _ in _TEXTS]
    best = int(np.argmax(2 * np.array(fits) + first))  # of two that fit as many, the one seen first
    if not fits[best]:
        raise DataError(
            "ds-unreadable",
            found="no ds that can be read",
            expected=_KNOWN,
            offenders=[repr(text) for text in sample],
            remedy="write every ds in one of these ways; days first or months first cannot be told apart",
        )
    pattern, template, finest = _TEXTS[best]
    return Style("text", template, finest), bare.where(bare.str.fullmatch(pattern), ""), suffix


def _parsed(texts: pd.Series, style: Style) -> Stamps:
    template = style.template
    if "%q" in template:
        year = pd.to_numeric(texts.str.slice(0, 4), errors="coerce")
        month = 3 * pd.to_numeric(texts.str.slice(-1), errors="coerce") - 2
        texts = (year.astype("Int64").astype(str) + "-" + month.astype("Int64").astype(str)).where(
            texts != "", ""
        )
        template = "%Y-%m"
    elif "%V" in template:
        texts, template = texts + "-1", template + "-%u"
    plain = re.sub(r"%\df", "%f", template)
    return _bounded(pd.to_datetime(texts, format=plain, errors="coerce").to_numpy())


def _bounded(stamps: npt.NDArray[np.datetime64]) -> Stamps:
    """As datetime64[ns], NaT outside the years that fit and make sense."""
    inside = (stamps >= _FIRST) & (stamps < _LAST)
    # NaT in the coarsest unit: years outside do not fit into nanoseconds, not even for a moment.
    return np.where(inside, stamps, np.datetime64("NaT", "s")).astype("datetime64[ns]")


def _ahead(offset: str) -> int:
    """Minutes by which a clock with this offset is ahead of UTC."""
    if offset in ("", "Z", "z"):
        return 0
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return -minutes if offset[0] == "-" else minutes


def written(stamps: Stamps, style: Style, *, utc: bool) -> pd.Series:
    """``stamps`` (N,) in the caller's way of writing; ``utc`` says that they are UTC, not wall clock."""
    column = pd.Series(stamps)
    if style.kind == "number":
        return pd.Series(column.dt.year.to_numpy(), dtype=pd.api.types.pandas_dtype(style.dtype))
    if style.kind == "date":
        return pd.Series(list(column.dt.date), dtype=object)
    if style.kind == "stamp":
        return _zoned(column, style.dtype, utc=utc)
    return _printed(column + pd.Timedelta(minutes=style.ahead if utc else 0), style)


def _zoned(column: pd.Series, dtype: str, *, utc: bool) -> pd.Series:
    kind = pd.api.types.pandas_dtype(dtype)
    index = pd.DatetimeIndex(column)
    if isinstance(kind, pd.DatetimeTZDtype):
        if utc:
            index = index.tz_localize("UTC").tz_convert(kind.tz)
        else:
            index = index.tz_localize(
                kind.tz, ambiguous=np.ones(len(index), bool), nonexistent="shift_forward"
            )
        return pd.Series(index.as_unit(kind.unit))
    return pd.Series(index).astype(np.dtype(dtype))


def _printed(column: pd.Series, style: Style) -> pd.Series:
    codes, values = pd.factorize(column)
    unique = pd.Series(values)
    fraction = re.search(r"%(\d)f$", style.template)
    template = style.template.removesuffix(fraction.group(0)) if fraction else style.template
    if "%q" in template:
        texts = unique.dt.strftime(template.replace("%q", "")) + unique.dt.quarter.astype(str)
    else:
        texts = unique.dt.strftime(template)
    if fraction:
        below = unique.to_numpy(dtype="datetime64[ns]").astype(np.int64) % 1_000_000_000
        digits = pd.Series(below).astype(str).str.zfill(9)
        texts = texts + digits.str.slice(0, int(fraction.group(1)))
    return pd.Series((texts + style.offset).to_numpy()[codes])
