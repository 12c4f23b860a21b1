"""Forecasts of the caller's own rows: checked at the door, fitted in a bounded pool, bounded in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import AskError, DataError, ModelError
from features.series.cadence import named, recognise
from features.series.panel import Panel
from features.series.quality import of_own
from features.series.words import DS, UNIQUE_ID, UNIT, Y
from features.sources.stamps import read as read_stamps
from features.sources.upload import Upload, read_records
from models.forecast import Outlook
from serving.wire import MAX_OWN_SERIES, ForecastAsk, quantile_key

SECONDS: Final = 9.0
WORKERS: Final = 2
# A place in the line is worth it while the wait stays within a fit or two.
WAITING: Final = 3
MAX_CELLS: Final = 500_000
# Tonnes; the whole world emits some 6e10 a year. Far larger numbers overflow on the way.
LARGEST: Final = 1e15
SCOPE: Final = "own"
SOURCE: Final = "rows sent by the caller"


class Engine(Protocol):
    """``models.engine.forecast_panel``."""

    def __call__(self, panel: Panel, *, steps: int, levels: tuple[float, ...]) -> Outlook:
        """Fit on the panel itself and forecast it."""
        ...


class Kitchen:
    """A bounded pool that fits forecasts of callers' rows; one of them never holds up the others.

    A fit that runs out of time goes on in its thread and counts as busy until it ends; with every place
    taken the next caller is sent away at once.
    """

    def __init__(self, engine: Engine, *, seconds: float = SECONDS, workers: int = WORKERS) -> None:
        self._engine = engine
        self._seconds = seconds
        self._places = workers + WAITING
        self._busy = 0
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="own-history")

    async def forecast(self, ask: ForecastAsk) -> list[dict[str, Any]]:
        """Forecasts of every series in ``ask.history``, JSON-ready.

        Raises:
            AskError: too many series or periods.
            DataError: rows that no series can be made of, such as rows without a figure.
            ModelError: every place is taken, or the time ran out.
        """
        if self._busy >= self._places:
            raise ModelError(
                "too-busy",
                found=f"{self._busy} own histories being fitted or waiting",
                expected=f"fewer than {self._places} at a time",
                remedy="try again in a few seconds",
            )
        loop = asyncio.get_running_loop()
        job = self._pool.submit(self._cook, ask)
        self._busy += 1
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._free))
        try:
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(job)), self._seconds)
        except TimeoutError:
            job.cancel()  # takes it out of the line; one that has begun goes on
            raise ModelError(
                "took-too-long",
                found=f"no forecast of {len(ask.history or ())} rows after {self._seconds:g} s",
                expected="a history that can be fitted in that time",
                remedy="send fewer series or periods in one request, or use `forecarbon forecast --history`",
            ) from None

    def close(self) -> None:
        """Take no more work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _free(self) -> None:
        self._busy -= 1

    def _cook(self, ask: ForecastAsk) -> list[dict[str, Any]]:
        return own_forecasts(ask, self._engine)


def own_forecasts(ask: ForecastAsk, engine: Engine) -> list[dict[str, Any]]:
    """Forecasts of every series in ``ask.history``, JSON-ready; refusals as in ``Kitchen.forecast``."""
    records = [{UNIQUE_ID: row.unique_id, DS: row.ds, Y: row.y} for row in ask.history or ()]
    check_size(records, ask.cadence)
    upload = read_records(records, cadence=ask.cadence)
    outlook = engine(upload.panel, steps=ask.steps, levels=ask.wanted)
    return forecasts_of(outlook, upload)


def check_size(records: Sequence[Mapping[str, Any]], cadence: str | None) -> None:
    """Refuse histories that would be large once their gaps are filled, however few the rows.

    Raises:
        AskError: too many series, or too many periods.
        DataError: dates of several kinds, or values beyond any emission.
    """
    frame = pd.DataFrame(records)
    large = frame[np.isfinite(frame[Y].astype(float)) & (frame[Y].astype(float).abs() > LARGEST)]
    if len(large):
        raise DataError(
            "value-out-of-range",
            found=f"{len(large)} values beyond {LARGEST:g}",
            expected="tonnes of CO2e",
            offenders=[f"{row.unique_id} {row.ds}" for row in large.head(4).itertuples()],
            remedy="check the unit of y",
        )
    count = frame[UNIQUE_ID].nunique()
    if count > MAX_OWN_SERIES:
        raise AskError(
            "too-many-series",
            found=f"{count} series",
            expected=f"at most {MAX_OWN_SERIES} in one request",
            remedy="split the request, or use `forecarbon forecast --history`",
        )
    told = frame.assign(**{DS: read_stamps(frame[DS]).utc}).dropna(subset=[DS])
    used = named(cadence) if cadence else recognise(told)
    ends = told.groupby(UNIQUE_ID)[DS].agg(["min", "max"])
    periods = used.ordinal(ends["max"].to_numpy()) - used.ordinal(ends["min"].to_numpy()) + 1
    longest = int(periods.max(initial=1))
    if longest * count > MAX_CELLS:
        raise AskError(
            "history-too-long",
            found=f"{count} series of up to {longest} periods of one {used.name}, gaps counted",
            expected=f"at most {MAX_CELLS} values in all",
            remedy="send a shorter or coarser history, or fewer series in one request",
        )


def forecasts_of(outlook: Outlook, upload: Upload) -> list[dict[str, Any]]:
    """The outlook as JSON-ready forecasts, dates written as the caller wrote them."""
    keys = [quantile_key(level) for level in outlook.levels]
    cutoffs = _written(upload, outlook.ids, outlook.cutoffs)
    dense, forecasts = upload.panel.dense, []
    for row, name in enumerate(outlook.ids):
        stamps = _written(upload, [name] * len(outlook.ds[row]), outlook.ds[row])
        means = outlook.mean[row].tolist()
        bands = outlook.values[row].tolist()
        forecasts.append(
            {
                UNIQUE_ID: name,
                "kind": "own",
                "unit": UNIT,
                "scope": SCOPE,
                "bridge": None,
                "quality": of_own(dense.y[dense.row[name], : dense.lengths[dense.row[name]]], SCOPE),
                "cadence": outlook.cadence.name,
                "cutoff": cutoffs[row],
                "made_by": outlook.made_by[row],
                "rows": [
                    {
                        "ds": stamp,
                        "step": k + 1,
                        "mean": means[k],
                        "quantiles": dict(zip(keys, bands[k], strict=True)),
                    }
                    for k, stamp in enumerate(stamps)
                ],
            }
        )
    return forecasts


def _written(upload: Upload, names: Sequence[str], ds: npt.NDArray[np.datetime64]) -> list[str | int]:
    stamps = upload.write_ds(names, ds)
    return (
        [int(stamp) for stamp in stamps] if pd.api.types.is_integer_dtype(stamps) else list(map(str, stamps))
    )
