"""The bulk CSV of Climate TRACE (v5 column layout), plain or gzipped, read in pieces."""

from __future__ import annotations

import csv
import gzip
import io
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import numpy as np
import pandas as pd

from features.sources.climate_trace_rows import IMPLAUSIBLE, Site, Span
from features.sources.records import changed_shape, unreadable
from features.sources.textfile import refuse_if_many

COLUMNS: Final = (
    *("source_id", "source_name", "iso3_country", "subsector", "start_time", "end_time", "lat", "lon", "gas"),
    *("emissions_quantity", "temporal_granularity"),
)
# The publisher's own two factors of most figures: read to check them, and not kept.
FACTORS: Final = ("activity", "emissions_factor")
SLACK: Final = 0.02
STRAY_SHARE: Final = 0.2
GRANULARITY: Final = ("month", "annual", "year")
FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2199
_PIECE: Final = 200_000
_DAMAGE: Final = (OSError, ValueError, EOFError, zlib.error, csv.Error, pd.errors.ParserWarning, MemoryError)
_DATE: Final = r"\d{4}-\d{2}-\d{2}(?:[ T]00:00:00(?:\.0+)?)?"
Complaints = list[tuple[int, str, str]]


def read_bulk(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, Complaints, int]:
    """Spans, sites, complaints and the number of rows read.

    Raises:
        DataError: ``source-unreadable`` or ``source-changed-shape``.
    """
    spans, sites, read = [], [], 0
    complaints: Complaints = []
    try:
        with _text(path) as stream:
            names = _header(stream, path.name)
        with _text(path) as stream, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            pieces = pd.read_csv(
                stream, header=0, names=names, dtype=str, keep_default_na=False, na_filter=False,
                skip_blank_lines=False, chunksize=_PIECE, quoting=csv.QUOTE_MINIMAL,
            )  # fmt: skip
            for piece in pieces:
                if not isinstance(piece.index, pd.RangeIndex):
                    found = "rows with more cells than the header"
                    raise changed_shape(path.name, found=found, expected=f"{len(names)} cells a row")
                lines = pd.Series(np.arange(read, read + len(piece)) + 2, index=piece.index)
                read += len(piece)
                may = [name for name in FACTORS if name in piece.columns]
                cells = piece[[*COLUMNS, *may]].fillna("")
                stripped = pd.DataFrame({name: cells[name].str.strip() for name in cells.columns})
                good = _lawful(stripped, lines, complaints)
                spans.append(_spans(good, lines.loc[good.index], complaints))
                sites.append(_sites(good))
    except _DAMAGE as problem:
        reason = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise unreadable(path.name, found=reason[:200], expected="a whole CSV in UTF-8") from problem
    if not read:
        raise changed_shape(path.name, found="a header and no rows", expected="a row a source and month")
    refuse_if_many(path.name, complaints, read)
    if not any(frame["y"].notna().any() for frame in spans):
        raise changed_shape(path.name, found="no figure in any row", expected="tonnes in emissions_quantity")
    merged = pd.concat(sites, ignore_index=True).drop_duplicates()
    return pd.concat(spans, ignore_index=True), merged, complaints, read


@contextmanager
def _text(path: Path) -> Iterator[IO[str]]:
    with path.open("rb") as raw:
        start = raw.read(2)
        packed, wide = start == b"\x1f\x8b", start in (b"\xff\xfe", b"\xfe\xff")
        encoding = "utf-16" if wide else "utf-8-sig"
        raw.seek(0)
        with gzip.open(raw) if packed else raw as binary:
            yield io.TextIOWrapper(binary, encoding=encoding, newline="")


def _header(stream: IO[str], file: str) -> list[str]:
    # A file without line ends must not be read whole to find that out.
    names = [name.strip() for name in next(csv.reader([stream.readline(65_536)]), [])]
    absent = [name for name in COLUMNS if name not in names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if absent or twice:
        raise changed_shape(
            file,
            found="columns " + ", ".join(names)[:300],
            expected="each column of the bulk files once",
            offenders=absent or twice,
            remedy="separate the columns by commas" if len(names) == 1 else "",
        )
    return names


def _lawful(frame: pd.DataFrame, lines: pd.Series, complaints: Complaints) -> pd.DataFrame:
    """The rows whose words stand where they belong; the others have cells moved or cut off."""
    good = (
        frame["source_id"].str.fullmatch(r"[1-9][0-9]{0,17}")
        & frame["iso3_country"].str.fullmatch("[A-Z]{3}")
        & frame["gas"].str.fullmatch(r"[a-z0-9_]{2,20}")
        & frame["temporal_granularity"].isin(GRANULARITY)
        & frame["subsector"].str.fullmatch(r"[a-z0-9-]{2,80}")
        & frame["start_time"].str.fullmatch(_DATE)
        & frame["end_time"].str.fullmatch(_DATE)
    )
    blank = (frame == "").all(axis=1)
    complaints += [(int(line), "row-unreadable", "cells missing or moved") for line in lines[~good & ~blank]]
    return frame[good]


def _spans(frame: pd.DataFrame, lines: pd.Series, complaints: Complaints) -> pd.DataFrame:
    start, end = (
        pd.to_datetime(frame[name].str.slice(0, 10), format="%Y-%m-%d", errors="coerce")
        for name in ("start_time", "end_time")
    )
    text = frame["emissions_quantity"]
    y = _numbers(text)
    code = pd.Series("", index=frame.index).mask(y.isna() & (text != ""), "figure-unreadable")
    code = code.mask(y < 0, "figure-negative").mask(y >= IMPLAUSIBLE, "figure-implausible")
    code = code.mask((code == "") & _contradicted(frame, y), "figure-contradicted")
    dated = start.notna() & end.notna() & (start.dt.year >= FIRST_YEAR) & (end.dt.year <= LAST_YEAR)
    code = code.mask(~dated, "row-unreadable")
    told = code != ""
    named = zip(lines[told], code[told], frame.loc[told, "source_id"], strict=True)
    complaints += [(int(line), word, f"source {name}") for line, word, name in named]
    spans = pd.DataFrame({
        "row": lines, "id": frame["source_id"], "gas": frame["gas"], "start": start.astype("datetime64[ns]"),
        "end": end.astype("datetime64[ns]"), "y": y.where(code == ""), "proved": True,
    }, columns=list(Span._fields))  # fmt: skip
    return spans[dated]


def _numbers(text: pd.Series) -> pd.Series:
    plain = text.where(text.str.fullmatch(r"-?[0-9.]+(?:[eE][+-]?[0-9]+)?"), "")
    return pd.to_numeric(plain, errors="coerce").astype("float64")


def _contradicted(frame: pd.DataFrame, y: pd.Series) -> pd.Series:
    """Figures that are not activity times emissions factor, in subsectors where nearly all are.

    That finds slipped decimal marks; a subsector that counts otherwise is left alone.
    """
    if not set(FACTORS) <= set(frame.columns):
        return pd.Series(False, index=frame.index)
    product = _numbers(frame[FACTORS[0]]) * _numbers(frame[FACTORS[1]])
    known = product.notna() & y.notna() & (product > 0)
    off = known & ((y - product).abs() > SLACK * product)
    words = frame["subsector"]
    share = off.groupby(words).transform("sum") / known.groupby(words).transform("sum")
    return off & (share <= STRAY_SHARE)


def _sites(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({
        "id": frame["source_id"], "name": frame["source_name"].str.strip(), "iso3": frame["iso3_country"],
        "subsector": frame["subsector"], "lat": frame["lat"], "lon": frame["lon"], "cadence": "year",
    }, columns=list(Site._fields)).drop_duplicates()  # fmt: skip
