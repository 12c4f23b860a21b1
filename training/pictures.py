"""Pictures of scores for the people who compare runs, drawn without a screen. Fans are in ``fans``."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from features.files import write_bytes
from features.series.words import FORECASTER, QUANTILE, STEP

# Okabe and Ito's colours, told apart by readers of every colour vision.
BLUE, ORANGE, GREEN, RED, PURPLE = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"
INK, GREY, PALE = "#222222", "#777777", "#DDDDDD"
COLOURS: Final = {
    "naive": GREY, "drift": RED, "trend": ORANGE, "arima": GREEN, "boosted": PURPLE, "recursive": INK,
    "blend": BLUE,
}  # fmt: skip
MARKS: Final = {
    "naive": "s",
    "drift": "D",
    "trend": "P",
    "arima": "^",
    "boosted": "v",
    "recursive": "<",
    "blend": "o",
}
DPI: Final = 110
FEWEST_IN_BIN: Final = 20
STYLE: Final[dict[Any, Any]] = {
    "font.size": 10, "axes.titlesize": 10.5, "axes.titlelocation": "left", "axes.edgecolor": GREY,
    "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.color": PALE,
    "grid.linewidth": 0.7, "axes.axisbelow": True, "legend.frameon": False,
}  # fmt: skip


def error_by_step(scores: pd.DataFrame, *, title: str, path: Path, metric: str = "MASE") -> None:
    """Error against step, one line a forecaster.

    ``scores`` has forecaster, step (from 1) and value; a value that is missing breaks the line.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(8.6, 4.9), layout="constrained")
        axes = figure.subplots()
        for name, rows in _ordered(scores):
            line = rows.sort_values(STEP)
            axes.plot(line[STEP], line["value"], label=name, **_line(name))
        axes.set(xlabel="years ahead (step)", ylabel=f"{metric} (1 = a one-year naive step, lower is better)")
        axes.axhline(1.0, color=INK, linewidth=0.9, linestyle=":")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0)
        axes.set_title(title, fontweight="bold")
        _legend_right(axes)
        write_figure(figure, path)


def coverage(by_quantile: pd.DataFrame, by_step: pd.DataFrame, *, title: str, path: Path) -> None:
    """Whether the quantiles keep their word. Writes a PNG.

    Left: share of actuals at or below each quantile (``quantile``, ``value``) against its promise.
    Right: share inside each central band by step (``step``, ``level`` in percent, ``value``).
    Shares lie between 0 and 1.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(10.2, 4.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        _reliability(left, by_quantile.sort_values(QUANTILE))
        for (level, rows), colour, mark in zip(
            by_step.groupby("level"), (BLUE, RED, GREEN, PURPLE), "osD^", strict=False
        ):
            line = rows.sort_values(STEP)
            axis = line[STEP].to_numpy()
            right.plot(axis, line["value"], color=colour, marker=mark, label=f"{level:g}% band")
            right.axhline(float(str(level)) / 100, color=colour, linestyle="--", linewidth=1)
        right.set(xlabel="years ahead (step)", ylabel="actuals inside the band", ylim=(0, 1.02))
        right.set_title("Central bands by step (dashed: promised)")
        right.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        right.legend(loc="lower left")
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        write_figure(figure, path)


def score_bars(
    scores: pd.DataFrame, *, title: str, path: Path, baseline: str = "naive", chosen: str = ""
) -> None:
    """Scores of every forecaster beside the baseline, one panel a metric. Writes a PNG.

    ``scores`` has forecaster, metric and value, lower being better; ``chosen`` is drawn solid.
    """
    metrics = list(dict.fromkeys(scores["metric"]))
    names = [name for name, _ in _ordered(scores)]
    with rc_context({**STYLE, "axes.grid.axis": "x"}):
        size = (2.0 + 2.5 * len(metrics), 1.5 + 0.48 * len(names))
        figure = Figure(figsize=size, layout="constrained")
        panels = figure.subplots(1, len(metrics), sharey=True, squeeze=False)[0]
        for axes, metric in zip(panels, metrics, strict=True):
            values = scores[scores["metric"] == metric].set_index(FORECASTER)["value"].reindex(names)
            _bars(axes, values.astype(float), baseline=baseline, chosen=chosen)
            axes.set_title(metric)
        panels[0].invert_yaxis()
        figure.supxlabel(f"lower is better · dashed: {baseline}", fontsize=9, color=GREY)
        figure.suptitle(title, x=0.01, ha="left", fontweight="bold")
        write_figure(figure, path)


def differences(rows: pd.DataFrame, *, title: str, path: Path) -> None:
    """How much better or worse at each cutoff, and on average. Writes a PNG.

    ``rows`` has issued (instant), value (relative difference of the score, below zero is better) and n.
    """
    with rc_context({**STYLE, "axes.grid.axis": "y"}):
        figure = Figure(figsize=(8.6, 4.2), layout="constrained")
        axes = figure.subplots()
        values = rows["value"].to_numpy(dtype=float)
        colours = [BLUE if value < 0 else RED for value in values]
        axes.bar(range(len(values)), np.nan_to_num(values), color=colours, width=0.62)
        labels = [f"{row['issued']:%b %Y}\nn = {row['n']:,}" for _, row in rows.iterrows()]
        axes.set_xticks(range(len(values)), labels, fontsize=8)
        axes.axhline(0.0, color=INK, linewidth=0.9)
        if np.isfinite(values).any():
            mean = float(np.nanmean(values))
            axes.axhline(mean, color=GREY, linestyle="--", linewidth=1.2, label=f"mean {100 * mean:+.2f}%")
            axes.legend(loc="best")
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.set(xlabel="forecast issued", ylabel="difference of the score (below zero: better)")
        axes.set_title(title, fontweight="bold")
        write_figure(figure, path)


def chances(rows: pd.DataFrame, *, title: str, path: Path) -> None:
    """Reliability diagram: how often what was said came true, one line a kind. Writes a PNG.

    ``rows`` has kind ("all" is drawn boldest), p (mean chance of a bin), observed (share) and n; bins of
    fewer than ``FEWEST_IN_BIN`` are left out.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(7.4, 5.6), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
        kinds = [kind for kind in dict.fromkeys(rows["kind"]) if kind != "all"]
        for kind, colour, mark in zip(kinds, (GREEN, ORANGE, PURPLE, RED, INK), "^svDP", strict=False):
            _chance_line(axes, rows, kind, color=colour, marker=mark, linewidth=1.2, markersize=4)
        _chance_line(axes, rows, "all", color=BLUE, marker="o", linewidth=2.4, markersize=5.5)
        axes.set(xlabel="chance that was said", ylabel="share that was met", xlim=(0, 1), ylim=(0, 1))
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_title(title, fontweight="bold")
        axes.legend(loc="upper left")
        write_figure(figure, path)


def _chance_line(axes: Axes, rows: pd.DataFrame, kind: str, **style: Any) -> None:
    mine = rows[(rows["kind"] == kind) & (rows["n"] >= FEWEST_IN_BIN)].sort_values("p")
    total = int(rows.loc[rows["kind"] == kind, "n"].sum())
    axes.plot(mine["p"], mine["observed"], label=f"{kind} (n = {total:,})", **style)


def _reliability(axes: Axes, rows: pd.DataFrame) -> None:
    promised = rows[QUANTILE].to_numpy(dtype=float)
    kept = rows["value"].to_numpy(dtype=float)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfect")
    axes.fill_between(promised, promised, kept, color=ORANGE, alpha=0.25, linewidth=0)
    axes.plot(promised, kept, color=BLUE, marker="o", label="observed")
    axes.set(xlabel="quantile promised", ylabel="actuals at or below it", xlim=(0, 1), ylim=(0, 1))
    axes.set_title("Reliability of every quantile")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.legend(loc="upper left")


def _bars(axes: Axes, values: pd.Series[float], *, baseline: str, chosen: str) -> None:
    most = float(np.nanmax(np.append(values.to_numpy(), 0.0)))
    for place, (name, value) in enumerate(values.items()):
        colour = COLOURS.get(str(name), BLUE)
        if np.isfinite(value):
            axes.barh(place, value, color=colour, alpha=1.0 if str(name) == chosen else 0.55, height=0.66)
        text = f"{value:.3g}" if np.isfinite(value) else "no score"
        axes.text(most * 1.05, place, text, va="center", fontsize=9)
    axes.set_yticks(range(len(values)), [str(name) for name in values.index])
    axes.grid(visible=False, axis="y")
    axes.set_xlim(0, most * 1.38 if most > 0 else 1.0)
    if baseline in values.index and np.isfinite(values[baseline]):
        axes.axvline(float(values[baseline]), color=INK, linestyle="--", linewidth=1)


def _ordered(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Forecasters in the fixed order of COLOURS, others after them by name."""
    place = {name: i for i, name in enumerate(COLOURS)}
    groups = {str(name): rows for name, rows in frame.groupby(FORECASTER)}
    return [(name, groups[name]) for name in sorted(groups, key=lambda n: (place.get(n, len(place)), n))]


def _line(name: str) -> dict[str, Any]:
    main = name == "blend"
    return {
        "color": COLOURS.get(name, RED), "marker": MARKS.get(name, "x"), "markersize": 5.5,
        "linewidth": 2.4 if main else 1.5, "zorder": 3 if main else 2,
    }  # fmt: skip


def _legend_right(axes: Axes) -> None:
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))


def write_figure(figure: Figure, path: Path) -> None:
    """Draw the figure into the PNG ``path``, whole or not at all."""
    FigureCanvasAgg(figure)
    drawn = io.BytesIO()
    # Without the drawing library's name and version, equal figures are equal bytes.
    figure.savefig(drawn, format="png", dpi=DPI, metadata={"Software": None})
    write_bytes(path, drawn.getvalue())
