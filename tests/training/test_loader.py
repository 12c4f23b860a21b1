from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from features.errors import AskError
from features.series.panel import Dense, Panel
from models.forecast import Outlook
from training.loader import Champion


@dataclass(frozen=True)
class Last:
    """Says the last figure, widened by the quantile level."""

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Outlook:
        last = history.y[np.arange(len(history.ids)), history.lengths - 1]
        values = last[:, None, None] * np.ones((1, steps, 1)) * (1 + np.asarray(levels))
        names = ("last",) * len(history.ids)
        ahead = history.future(steps)
        return Outlook(
            history.ids,
            ahead,
            history.cutoffs(),
            values.mean(axis=2),
            levels,
            values,
            names,
            history.cadence,
        )


@pytest.fixture
def champion() -> Champion:
    frame = pd.DataFrame(
        {
            "unique_id": ["a"] * 3 + ["b"] * 3,
            "ds": pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01"] * 2),
            "y": [1.0, 2, 3, 4, 5, 6],
        }
    )
    return Champion(fitted=Last(), history=Panel.of(frame).dense)


def own(steps: int = 2) -> pd.DataFrame:
    years = ["2001-01-01", "2002-01-01", "2003-01-01"]
    return pd.DataFrame({"unique_id": ["mine"] * 3, "steps": [steps] * 3, "ds": years, "y": [7.0, 8.0, 9.0]})


def test_each_series_gets_its_own_steps_in_the_order_asked(champion: Champion) -> None:
    answer = champion.predict(pd.DataFrame({"unique_id": ["b", "a"], "steps": [1, 3]}))
    assert list(answer.columns) == ["unique_id", "ds", "quantile", "cutoff", "step", "yhat"]
    assert answer["unique_id"].drop_duplicates().tolist() == ["b", "a"]
    assert answer.groupby("unique_id")["step"].max().to_dict() == {"a": 3, "b": 1}
    assert sorted(answer["quantile"].unique()) == [0.025, 0.1, 0.5, 0.9, 0.975]
    median = answer[(answer["quantile"] == 0.5) & (answer["step"] == 1)].set_index("unique_id")["yhat"]
    assert median.to_dict() == {"a": 4.5, "b": 9.0}


def test_levels_are_the_callers(champion: Champion) -> None:
    answer = champion.predict(pd.DataFrame({"unique_id": ["a"], "steps": [1]}), {"levels": [50]})
    assert answer["quantile"].tolist() == [0.25, 0.5, 0.75]


def test_own_history_is_forecast_from_its_own_end(champion: Champion) -> None:
    for rows in (own(), own().assign(ds=pd.to_datetime(own()["ds"]))):
        answer = champion.predict(rows, {"levels": [50]})
        assert answer["ds"].dt.year.unique().tolist() == [2004, 2005]
        assert answer["yhat"].iloc[1] == pytest.approx(13.5)


def test_known_and_own_series_are_answered_together(champion: Champion) -> None:
    asked = pd.concat([own(), pd.DataFrame({"unique_id": ["a"], "steps": [1]})])
    answer = champion.predict(asked, {"levels": [50]})
    assert answer.groupby("unique_id", sort=False).size().to_dict() == {"mine": 6, "a": 3}


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (pd.DataFrame({"unique_id": ["nobody"], "steps": [2]}), "unknown-series"),
        (pd.DataFrame({"unique_id": ["a"], "steps": [0]}), "steps-out-of-range"),
        (pd.DataFrame({"unique_id": ["a"], "steps": [31]}), "steps-out-of-range"),
        (pd.DataFrame({"unique_id": [], "steps": []}), "steps-out-of-range"),
        (own().assign(ds="soon"), "date-unreadable"),
    ],
)
def test_what_cannot_be_answered_is_refused(champion: Champion, frame: pd.DataFrame, code: str) -> None:
    with pytest.raises(AskError) as refusal:
        champion.predict(frame)
    assert refusal.value.code == code
