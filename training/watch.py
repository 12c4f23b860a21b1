"""The watch: issued forecasts against the figures that came, and whether they keep what they promised.

A forecast promises a distribution, whose width is read off the errors of the backtest. Where the actual
lies in it gives a normal score z: if the promise is kept, z has mean 0 (no bias), its square the mean
of a normal score's square (errors as large as in the backtest), and bands cover as often as they say.
The misses of one year are not independent: n forecasts of a year count as n / (1 + (n - 1) r) of them,
r being their correlation in the backtest (docs/adr/0013).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest, norm

from features.findings import Finding, finding_id
from features.instants import to_second
from features.series.panel import Dense
from features.series.words import CUTOFF, DS, UNIQUE_ID, Y
from models.issued import KIND, MODEL, Issued
from training.plan import WatchPlan

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
BANDS: Final = {"coverage-80": (0.1, 0.9), "coverage-95": (0.025, 0.975)}
_FINE: Final = 20_000


@dataclass(frozen=True)
class Tested:
    """One test of the forecasts of one model and kind of series.

    Attributes:
        kind: "bias", "error", "coverage-80" or "coverage-95".
        value, expected: mean score, its sign that of yhat - y (bias), mean squared score (error), or share
            covered; and its promise.
        p_value: chance of a value at least so far off, if the promise were kept.
        n: forecasts; ``effective``: as how many independent ones they count; ``years`` they are of.
    """

    model_version: str
    series_kind: str
    kind: str
    value: float
    expected: float
    p_value: float
    n: int
    effective: float
    years: tuple[int, ...]


@dataclass(frozen=True)
class Watched:
    """What a watch saw: the rows scored, every test, and the findings among them."""

    rows: pd.DataFrame
    tests: tuple[Tested, ...]
    findings: tuple[Finding, ...]


def watch(
    issued: Issued, actuals: Dense, settings: WatchPlan, *, plan: str, serving: str, now: datetime
) -> Watched:
    """Score what was issued against ``actuals``, the figures known now, and test it.

    Args:
        plan: its name, for the findings.
        serving: the model version that serves.
    """
    rows = scored(issued, actuals)
    tests: list[Tested] = []
    for (version, kind), part in rows.groupby([MODEL, KIND], sort=True):
        if len(part) >= settings.least_rows:
            tests += promises_of(part, settings, str(version), str(kind))
    # So that all tests of one watch together raise a false alarm as rarely as the plan says.
    threshold = settings.alarm / max(len(tests), 1)
    stamp = to_second(now)
    digest = str(pd.util.hash_pandas_object(rows[[MODEL, UNIQUE_ID, DS, Y]], index=False).sum())
    findings = [
        _finding(test, threshold, stamp, plan, serving, digest) for test in tests if test.p_value < threshold
    ]
    return Watched(rows, tuple(tests), tuple(findings))


def scored(issued: Issued, actuals: Dense) -> pd.DataFrame:
    """model_version, kind, unique_id, cutoff, ds, y, z, and whether each band covered; one row a forecast
    that an actual of the same scope has come for.

    Of several forecasts of one model for a period the one with the newest cutoff counts.
    """
    frame = issued.frame
    y = _actual(frame, actuals)
    came = np.isfinite(y)
    frame, values = frame[came].assign(**{Y: y[came]}), issued.values[came]
    levels = np.asarray(issued.levels)
    at = {level: k for k, level in enumerate(issued.levels)}
    frame["z"] = normal_scores(frame[Y].to_numpy(), values, levels)
    for name, (low, high) in BANDS.items():
        told = frame[Y].to_numpy()
        frame[name] = (values[:, at[low]] <= told) & (told <= values[:, at[high]])
    newest = frame.sort_values([MODEL, UNIQUE_ID, DS, CUTOFF], kind="stable")
    return newest.drop_duplicates([MODEL, UNIQUE_ID, DS], keep="last").reset_index(drop=True)


def normal_scores(y: Float, values: Float, levels: Float) -> Float:
    """(N,) normal scores of actuals (N,) in forecasts (N, Q) at levels (Q,).

    Beyond the outermost quantile nothing is known: the middle of that tail is taken.
    """
    u = np.array([_level_of(one, row, levels) for one, row in zip(y, values, strict=True)])
    return np.asarray(norm.ppf(u), dtype=np.float64)


def _level_of(y: float, quantiles: Float, levels: Float) -> float:
    """Where in its forecast an actual lies."""
    if y < quantiles[0]:
        return float(levels[0]) / 2
    if y > quantiles[-1]:
        return (1 + float(levels[-1])) / 2
    same = quantiles == y  # several levels where a forecast has no width, as at zero
    return float(levels[same].mean()) if same.any() else float(np.interp(y, quantiles, levels))


def effective(years: Int, shared: float) -> float:
    """As how many independent forecasts those of the ``years`` (N,) count, if two of one year correlate."""
    _, counts = np.unique(years, return_counts=True)
    return float((counts / (1 + (counts - 1) * shared)).sum())


def promises_of(rows: pd.DataFrame, settings: WatchPlan, version: str, kind: str) -> list[Tested]:
    """Bias, error and both coverages of the rows of one model and kind of series."""
    z, years = rows["z"].to_numpy(), rows[DS].dt.year.to_numpy(dtype=np.int64)
    spread, square, square_spread = _promised()
    errors, hits = effective(years, settings.shared_errors), effective(years, settings.shared_hits)
    off = float(z.mean()) / (spread / np.sqrt(errors))
    wide = (float((z**2).mean()) - square) / (square_spread / np.sqrt(hits))
    told = [
        ("bias", -float(z.mean()), 0.0, float(2 * norm.sf(abs(off))), errors),
        ("error", float((z**2).mean()), square, float(norm.sf(wide)), hits),
    ]
    for name, (low, high) in BANDS.items():
        share, nominal = float(rows[name].mean()), high - low
        told.append((name, share, nominal, coverage_p(share, nominal, hits), hits))
    spoken = tuple(int(year) for year in np.unique(years))
    return [Tested(version, kind, name, v, e, p, len(rows), n, spoken) for name, v, e, p, n in told]


def coverage_p(share: float, nominal: float, count: float) -> float:
    """Two-sided binomial p of a share covered among ``count`` independent forecasts."""
    whole = max(int(count), 1)
    return float(binomtest(round(share * whole), whole, nominal).pvalue)


def _promised() -> tuple[float, float, float]:
    """Spread of z, mean and spread of its square, where the promise is kept; the tails cut as in scoring."""
    u = (np.arange(_FINE) + 0.5) / _FINE
    low, high = BANDS["coverage-95"]
    z = norm.ppf(np.where(u < low, low / 2, np.where(u > high, (1 + high) / 2, u)))
    return float(z.std()), float((z**2).mean()), float((z**2).std())


def _actual(frame: pd.DataFrame, actuals: Dense) -> Float:
    """(N,) the figure of each row; NaN if none came, or a scope break lies between it and the cutoff."""
    y = np.full(len(frame), np.nan)
    ends = actuals.cadence.ordinal(frame[DS].to_numpy())
    cuts = actuals.cadence.ordinal(frame[CUTOFF].to_numpy())
    for place, name in enumerate(frame[UNIQUE_ID]):
        row = actuals.row.get(str(name))
        if row is None:
            continue
        column, cut = int(ends[place] - actuals.starts[row]), int(cuts[place] - actuals.starts[row])
        if 0 <= column < actuals.lengths[row] and not actuals.breaks[row, cut + 1 : column + 1].any():
            y[place] = actuals.y[row, column]
    return y


def _finding(test: Tested, threshold: float, at: str, plan: str, serving: str, digest: str) -> Finding:
    return Finding(
        finding_id=finding_id(test.kind, test.model_version, test.series_kind, digest),
        at=at,
        plan=plan,
        kind=test.kind,
        model_version=test.model_version,
        series_kind=test.series_kind,
        value=test.value,
        expected=test.expected,
        p_value=test.p_value,
        threshold=threshold,
        n=test.n,
        years=test.years,
        serving=test.model_version == serving,
        sentence=sentence_of(test),
    )


def sentence_of(test: Tested) -> str:
    """A test in words."""
    years = ", ".join(map(str, test.years))
    of = f"over {test.n} {test.series_kind} forecasts of {years} by {test.model_version}"
    by_chance = f"(by chance {100 * test.p_value:.2g}%)"
    if test.kind == "bias":
        side = "high" if test.value > 0 else "low"
        return f"forecasts are {abs(test.value):.2f} usual errors too {side} {by_chance}, {of}"
    if test.kind == "error":
        times = np.sqrt(test.value / test.expected)
        return f"errors are {times:.2f} times those of the backtest {by_chance}, {of}"
    said = f"{100 * test.expected:.0f}% band covers {100 * test.value:.1f}% of actuals"
    return f"the {said} {by_chance}, {of}"
