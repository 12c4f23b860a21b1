from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import numpy as np
import pytest

from features.errors import AskError, DataError, ForecarbonError, ModelError
from features.series.panel import Panel
from models.forecast import Outlook
from serving.own_history import WAITING, Kitchen
from serving.wire import ForecastAsk, read_ask


def fake_engine(panel: Panel, *, steps: int, levels: tuple[float, ...]) -> Outlook:
    dense = panel.dense
    last = dense.y[np.arange(len(dense.ids)), dense.lengths - 1]
    mean = np.repeat(last[:, None], steps, axis=1)
    return Outlook(
        ids=dense.ids,
        ds=dense.future(steps),
        cutoffs=dense.cutoffs(),
        mean=mean,
        levels=levels,
        values=mean[:, :, None] * np.asarray(levels)[None, None, :],
        made_by=("fake",) * len(dense.ids),
        cadence=dense.cadence,
    )


def asked(rows: list[tuple[str, Any, Any]], **more: Any) -> ForecastAsk:
    history = [{"unique_id": name, "ds": ds, "y": y} for name, ds, y in rows]
    return read_ask(json.dumps({"history": history, **more}).encode())


def cook(ask: ForecastAsk, engine: Any = fake_engine) -> list[dict[str, Any]]:
    kitchen = Kitchen(engine)
    try:
        return asyncio.run(kitchen.forecast(ask))
    finally:
        kitchen.close()


def refused(*args: Any, **more: Any) -> ForecarbonError:
    with pytest.raises(ForecarbonError) as caught:
        cook(asked(*args, **more))
    return caught.value


def test_own_rows_come_back_as_forecasts_with_dates_written_alike() -> None:
    rows = [("plant", year, 100.0 + year) for year in range(2015, 2023)]
    (forecast,) = cook(asked(rows, steps=2, levels=[80]))
    assert (forecast["unique_id"], forecast["kind"], forecast["scope"]) == ("plant", "own", "own")
    assert (forecast["cadence"], forecast["cutoff"], forecast["made_by"]) == ("year", 2022, "fake")
    assert [row["ds"] for row in forecast["rows"]] == [2023, 2024]
    assert list(forecast["rows"][0]["quantiles"]) == ["0.1", "0.5", "0.9"]
    months = [("m", f"2022-{month:02}", 5.0) for month in range(1, 13)]
    (monthly,) = cook(asked(months, steps=1))
    assert (monthly["cadence"], monthly["rows"][0]["ds"]) == ("month", "2023-01")


def test_rows_without_a_figure_are_named() -> None:
    for empty in (None, float("nan")):
        error = refused([("a", 2019, 1.0), ("a", 2020, empty)])
        assert isinstance(error, DataError)
        assert error.code == "value-missing"
        assert error.offenders[0].startswith("row 2: a y")


@pytest.mark.parametrize(
    ("rows", "more", "kind", "code"),
    [
        ([("a", 2019, 1.0), ("a", 2019, 2.0)], {}, DataError, "duplicate-rows"),
        ([("a", 2019, 1.0), ("a", 2020, float("inf"))], {}, DataError, "value-not-finite"),
        ([("a", 2019, 1.0), ("a", 2020, 1e300)], {}, DataError, "value-out-of-range"),
        ([("a", "soon", 1.0)], {}, DataError, "ds-unreadable"),
        ([(f"s{i}", 2019, 1.0) for i in range(201)], {}, AskError, "too-many-series"),
        (
            [(f"s{i}", f"{year}-01-01T00:00:00", 1.0) for i in range(3) for year in (1800, 2100)],
            {"cadence": "hour"},
            AskError,
            "history-too-long",
        ),
    ],
)
def test_bad_rows_are_refused(rows: Any, more: dict[str, Any], kind: type, code: str) -> None:
    error = refused(rows, **more)
    assert isinstance(error, kind)
    assert error.code == code


def test_a_slow_fit_is_cut_off_and_a_full_kitchen_sends_away() -> None:
    go_on = threading.Event()

    def slow(panel: Panel, *, steps: int, levels: tuple[float, ...]) -> Outlook:
        go_on.wait(10)
        return fake_engine(panel, steps=steps, levels=levels)

    async def scene() -> None:
        kitchen = Kitchen(slow, seconds=0.2, workers=1)
        ask = asked([("a", 2019, 1.0), ("a", 2020, 1.0)])
        many = [asyncio.create_task(kitchen.forecast(ask)) for _ in range(1 + WAITING + 1)]
        ended = await asyncio.gather(*many, return_exceptions=True)
        codes = [fault.code for fault in ended if isinstance(fault, ModelError)]
        assert sorted(codes) == ["too-busy"] + ["took-too-long"] * (1 + WAITING)
        go_on.set()
        await asyncio.sleep(0.1)
        assert len(await kitchen.forecast(ask)) == 1
        kitchen.close()

    try:
        asyncio.run(scene())
    finally:
        go_on.set()


def test_a_fault_of_the_engine_reaches_the_edge_as_it_is() -> None:
    def broken(panel: Panel, *, steps: int, levels: tuple[float, ...]) -> Outlook:
        raise ZeroDivisionError("inside")

    with pytest.raises(ZeroDivisionError):
        cook(asked([("a", 2019, 1.0), ("a", 2020, 1.0)]), broken)
