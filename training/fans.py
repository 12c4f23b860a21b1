"""Fan charts: history, bands and what came to pass, drawn without a screen.

Values come in tCO2e and are drawn in Mt CO2e, or in kt where a series is small.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from features.series.words import DS, QUANTILE, YHAT, Y
from training.pictures import BLUE, GREEN, GREY, INK, RED, STYLE, write_figure

BANDS: Final = ((0.025, 0.975, "95% band", 0.16), (0.1, 0.9, "80% band", 0.34))


@dataclass(frozen=True)
class Fan:
    """One series to draw.

    Attributes:
        title: name of the series, as a reader says it.
        history: ds, y up to the cutoff.
        forecast: ds, quantile, yhat after it; 0.025, 0.1, 0.5, 0.9, 0.975 are drawn where present.
        actuals: ds, y after the cutoff, where known by now.
        breaks: first instants of new scopes.
        goal: year and level (tCO2e) of the climate target, if there is one.
    """

    title: str
    history: pd.DataFrame
    forecast: pd.DataFrame
    actuals: pd.DataFrame | None = None
    breaks: Sequence[pd.Timestamp] = ()
    goal: tuple[pd.Timestamp, float] | None = None


def fan_charts(
    fans: Sequence[Fan], *, title: str, path: Path, columns: int = 3, each: tuple[float, float] = (4.1, 2.75)
) -> None:
    """Many series small, each on its own scale: history, 80 and 95 bands, median, actuals, breaks and target.

    Writes a PNG.

    Args:
        each: width and height of one, inches.
    """
    rows = -(-len(fans) // columns)
    size = (each[0] * columns, each[1] * rows + 1.0)
    with rc_context(STYLE):
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(-(-len(fans) // columns), columns, squeeze=False).ravel()
        shown: dict[str, Any] = {}
        for axes, fan in zip(grid, fans, strict=False):
            _draw(axes, fan)
            handles, labels = axes.get_legend_handles_labels()
            shown = {**dict(zip(labels, handles, strict=True)), **shown}
        for axes in grid[len(fans) :]:
            axes.set_visible(False)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        width = len(shown) if columns > 1 else 4
        figure.legend(list(shown.values()), list(shown), loc="outside lower center", ncols=width, fontsize=9)
        write_figure(figure, path)


def _draw(axes: Axes, fan: Fan) -> None:
    unit, divisor = _unit(fan)
    wide = fan.forecast.pivot_table(index=DS, columns=QUANTILE, values=YHAT).sort_index()
    levels = {round(float(q), 4): wide[q].to_numpy(dtype=float) / divisor for q in wide.columns}
    past = fan.history.dropna(subset=[Y]).sort_values(DS)
    cuts = _scopes(axes, past, fan.breaks, divisor)
    # The fan opens at the last figure known, unless a scope begins in between.
    joined = len(past) > 0 and not any(past[DS].iloc[-1] < cut for cut in cuts)
    start = [_day(past[DS].iloc[-1])] if joined else []
    known = [float(past[Y].iloc[-1]) / divisor] if joined else []
    ahead = [*start, *(_day(instant) for instant in wide.index)]
    for low, high, label, alpha in BANDS:
        if low in levels and high in levels:
            lower, upper = [*known, *levels[low]], [*known, *levels[high]]
            axes.fill_between(ahead, lower, upper, color=BLUE, alpha=alpha, linewidth=0, label=label)
    axes.plot(ahead, [*known, *levels[0.5]], color=BLUE, linewidth=1.8, label="median forecast")
    if fan.actuals is not None and len(fan.actuals):
        axes.plot(
            [_day(instant) for instant in fan.actuals[DS]],
            fan.actuals[Y] / divisor,
            "o",
            color=RED,
            markersize=4.5,
            label="actual after the cutoff",
        )
    if fan.goal is not None:
        axes.plot(
            [_day(fan.goal[0])],
            [fan.goal[1] / divisor],
            "*",
            color=GREEN,
            markersize=13,
            label="target level",
        )
    axes.set_title(fan.title)
    axes.set_ylabel(f"{unit} CO2e a year")
    axes.set_ylim(bottom=0 if float(np.nanmin(past[Y])) >= 0 else None)
    locator = AutoDateLocator(maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    years = ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(years)


def _unit(fan: Fan) -> tuple[str, float]:
    most = float(np.nanmax(np.abs(np.append(fan.history[Y].to_numpy(), fan.forecast[YHAT].to_numpy()))))
    return ("Mt", 1e6) if most >= 1e6 else ("kt", 1e3)


def _scopes(
    axes: Axes, past: pd.DataFrame, breaks: Sequence[pd.Timestamp], divisor: float
) -> list[pd.Timestamp]:
    """Draw the history, lifting the pen at every scope break; returns the breaks in order."""
    cuts = sorted(breaks)
    scope = np.searchsorted(np.array(cuts, dtype="datetime64[ns]"), past[DS].to_numpy(), side="right")
    days = np.array([_day(instant) for instant in past[DS]])
    for number in np.unique(scope):
        inside = scope == number
        axes.plot(
            days[inside], past[Y].to_numpy()[inside] / divisor,
            color=INK, linewidth=1.6, marker="o", markersize=2.5, label="history",
        )  # fmt: skip
    for cut in cuts:
        before = days[days < _day(cut)]
        if len(before):
            axes.axvline(
                (before[-1] + _day(cut)) / 2, color=GREY, linestyle="--", linewidth=1, label="scope changes"
            )
    return cuts


def _day(instant: pd.Timestamp) -> float:
    return float(date2num(instant.to_pydatetime()))  # type: ignore[no-untyped-call]
