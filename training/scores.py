"""The Scores frame: forecaster, kind, unique_id, step, metric, param, value, n, n_missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from models.forecast import STANDARD_QUANTILES
from training.backtest import Backtest
from training.scoring import absolute_error, inside, interval_score, mean_of, pinball

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

BANDS: Final = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
KINDS: Final = ("all", "plant", "sector", "context", "cluster")
COLUMNS: Final = ("forecaster", "kind", "unique_id", "step", "metric", "param", "value", "n", "n_missing")


@dataclass(frozen=True)
class Judged:
    """Element-wise scores of one backtest, (F, B, H) each unless said otherwise; NaN = not judged."""

    error: Float
    scaled: Float
    rmsse: Float
    loss: Float
    actual: Float
    signed: Float
    covered: Mapping[str, Float]
    width: Mapping[str, Float]


def judge(test: Backtest) -> Judged:
    """Score every forecast of a backtest by itself; rmsse is (F, B)."""
    error = absolute_error(test.median, test.actual)
    size = test.step_size[:, :, None]
    held = np.isfinite(error)
    square = np.where(held, error, 0.0) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        mean_square = square.sum(axis=2) / np.where(held.any(axis=2), held.sum(axis=2), np.nan)
        rmsse = np.sqrt(mean_square) / test.step_square
        return Judged(
            error=error,
            scaled=error / size,
            rmsse=rmsse,
            loss=quantile_loss(test),
            actual=np.where(held, np.abs(test.actual), np.nan),
            signed=test.median - test.actual,
            covered=covered(test),
            width={
                name: interval_score(*_band(test, name), test.actual, float(name)) / size for name in BANDS
            },
        )


def quantile_loss(test: Backtest) -> Float:
    """(F, B, H) mean pinball loss over the standard quantiles, in usual steps of each series."""
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = pinball(test.values, test.actual, np.asarray(STANDARD_QUANTILES))
        return loss / test.step_size[:, :, None]


def covered(test: Backtest) -> dict[str, Float]:
    """Band -> (F, B, H): 1 where the actual was inside, 0 where not, NaN where it is not known."""
    return {name: inside(*_band(test, name), test.actual) for name in BANDS}


def _band(test: Backtest, name: str) -> tuple[Float, Float]:
    low, high = BANDS[name]
    places = STANDARD_QUANTILES.index(low), STANDARD_QUANTILES.index(high)
    return test.values[..., places[0]], test.values[..., places[1]]


def scores_frame(tests: Mapping[str, Backtest]) -> pd.DataFrame:
    """Scores of every forecaster by kind of series and by step (0 = all steps)."""
    return side_by_side([scores_of(name, test) for name, test in tests.items()])


def side_by_side(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Scores of several forecasters as one Scores frame."""
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame([], columns=list(COLUMNS))


def scores_of(name: str, test: Backtest) -> pd.DataFrame:
    """The rows of one forecaster in the Scores frame."""
    rows: list[tuple[Any, ...]] = []
    judged = judge(test)
    for kind in KINDS:
        chosen = rows_of(test, kind)
        asked = test.asked & chosen[None, :]
        for step in range(test.values.shape[2] + 1):
            for metric, param, value, n, missing in _measures(judged, asked, step):
                rows.append((name, kind, "", step, metric, param, value, n, missing))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def rows_of(test: Backtest, kind: str) -> Bool:
    """(B,) True for the series of a kind; "all" is every series, totals apart."""
    groups = np.asarray(test.groups)
    return np.asarray(groups != "cluster" if kind == "all" else groups == kind)


def _measures(judged: Judged, asked: Bool, step: int) -> Iterator[tuple[str, str, float, int, int]]:
    def pick(values: Float) -> Float:
        chosen = values[asked]
        return chosen if step == 0 else chosen[:, step - 1]

    yield ("mase", "", *mean_of(pick(judged.scaled)))
    if step == 0:
        yield ("rmsse", "", *mean_of(judged.rmsse[asked]))
    yield ("sql", "", *mean_of(pick(judged.loss)))
    yield ("wape", "", *_share(pick(judged.error), pick(judged.actual)))
    yield ("bias", "", *_share(pick(judged.signed), pick(judged.actual)))
    for name in BANDS:
        yield ("coverage", name, *mean_of(pick(judged.covered[name])))
        yield ("interval_score", name, *mean_of(pick(judged.width[name])))


def _share(top: Float, bottom: Float) -> tuple[float, int, int]:
    held = np.isfinite(top) & np.isfinite(bottom)
    n = int(held.sum())
    total = float(bottom[held].sum())
    value = float(top[held].sum()) / total if total > 0 else float("nan")
    return value, n, int(top.size - n)


def series_table(test: Backtest) -> pd.DataFrame:
    """One row a series: unique_id, kind, n, n_missing, mase, sql, coverage_80, coverage_95."""
    judged, asked = judge(test), test.asked
    mase, n = _by_series(judged.scaled, asked)
    covered = {f"coverage_{k}": _by_series(values, asked)[0] for k, values in judged.covered.items()}
    frame = pd.DataFrame(
        {
            "unique_id": list(test.ids),
            "kind": list(test.groups),
            "n": n,
            "n_missing": asked.sum(axis=0) * test.values.shape[2] - n,
            "mase": mase,
            "sql": _by_series(judged.loss, asked)[0],
            **covered,
        }
    )
    return frame.iloc[np.flatnonzero(asked.any(axis=0))].reset_index(drop=True)


def _by_series(values: Float, asked: Bool) -> tuple[Float, npt.NDArray[np.int64]]:
    """(B,) mean of the finite values (F, B, H) of each series where it was asked (F, B); (B,) how many."""
    held = np.isfinite(values) & asked[:, :, None]
    n = held.sum(axis=(0, 2))
    total = np.where(held, values, 0.0).sum(axis=(0, 2))
    return np.where(n > 0, total / np.maximum(n, 1), np.nan), n


def pairs(test: Backtest, metric: str) -> Float:
    """(F, B) mean of the primary score over steps for each fold and series; NaN where not judged."""
    chosen: dict[str, Callable[[Judged], Float]] = {
        "mase": lambda judged: judged.scaled,
        "wape": lambda judged: judged.error / np.nanmean(judged.actual),
        "rmsse": lambda judged: judged.rmsse[:, :, None],
    }
    values = quantile_loss(test) if metric == "sql" else chosen[metric](judge(test))
    held = np.isfinite(values)
    n = held.sum(axis=2)
    total = np.where(held, values, 0.0).sum(axis=2)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)


def reliability(test: Backtest) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Share of actuals at or below each quantile (quantile, value), and inside each band by step
    (step, level, value)."""
    known = np.isfinite(test.actual) & test.asked[:, :, None]
    below = [
        {"quantile": level, "value": float((test.actual <= test.values[..., k])[known].mean())}
        for k, level in enumerate(STANDARD_QUANTILES)
    ]
    by_step = [
        {"step": h + 1, "level": float(name), "value": mean_of(values[:, :, h][test.asked])[0]}
        for name, values in covered(test).items()
        for h in range(test.values.shape[2])
    ]
    return pd.DataFrame(below), pd.DataFrame(by_step)
