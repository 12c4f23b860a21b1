"""The reliability report: shares counted by hand, thirds by size, and fates that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from models.forecast import STANDARD_QUANTILES
from tests.models.test_exits import closing
from training.backtest import Backtest
from training.folds import Folds
from training.reliability import exits_report, reliability_report


def _test(actual: np.ndarray) -> Backtest:
    """Bands of ±1 (80%) and ±2 (95%) about 10, 20, 30 for three sectors at two folds."""
    folds, count, steps = actual.shape
    offset = np.interp(STANDARD_QUANTILES, (0.025, 0.1, 0.5, 0.9, 0.975), (-2, -1, 0, 1, 2))
    middle = np.array([10.0, 20.0, 30.0])[None, :, None, None]
    values = np.broadcast_to(middle + offset, (folds, count, steps, len(offset))).copy()
    ones = np.ones((folds, count))
    return Backtest(
        "blend", ("a", "b", "c"), ("sector",) * 3, values, actual, ones, ones, ones.astype(np.int64)
    )


def _folds() -> Folds:
    issued = tuple(pd.Timestamp(f"{year}-06-15") for year in (2018, 2019, 2020))
    return Folds(issued, np.full((3, 3), 9), np.array([False, True, True]))


def test_shares_are_those_counted_by_hand() -> None:
    actual = np.array([10.0, 20.0, 30.0])[None, :, None] + np.array(
        [[[0.5, 1.5], [0.0, 3.0], [0.0, np.nan]], [[0.5, 0.5], [0.5, 0.5], [1.5, 1.5]]]
    )
    report = reliability_report(_test(actual), _folds())
    rows = report.loc[report["kind"] == "sector"].to_dict("records")
    told = {
        (row["by"], row["value"], row["level"]): (round(row["covered"] * row["n"]), row["n"]) for row in rows
    }
    assert told["all", "", 80.0] == (7, 11)
    assert told["all", "", 95.0] == (10, 11)
    assert told["step", "2", 80.0] == (2, 5)
    assert told["issued", "2020", 80.0] == (4, 6)
    assert told["size", "large", 80.0] == (1, 3)


def test_a_view_without_actuals_has_no_row() -> None:
    report = reliability_report(_test(np.full((2, 3, 2), np.nan)), _folds())
    assert report.empty


def test_chances_are_held_against_fates() -> None:
    history = closing(900, seed=5)
    lengths = np.stack([np.where(history.lengths >= seen, seen, 0) for seen in (8, 9, 10)])
    issued = tuple(pd.Timestamp(f"{year}-06-15") for year in (2018, 2019, 2020))
    told = exits_report(history, Folds(issued, lengths, np.array([False, True, True])), 2)
    assert told["step"].tolist() == [1, 2, 1, 2]
    first = told.iloc[0]
    alive = history.lengths >= 9
    assert first["n"] == alive.sum()
    assert first["left"] == (history.lengths[alive] == 9).sum()
    assert (told["brier"] < told["brier_of_rate"]).all()
    assert told["chance"].to_numpy() == pytest.approx((told["left"] / told["n"]).to_numpy(), abs=0.05)
