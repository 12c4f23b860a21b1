from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from scipy.stats import norm

from features.series.cadence import YEAR
from features.series.panel import Dense, Panel
from models.forecast import STANDARD_QUANTILES
from models.issued import Issued
from training.plan import WatchPlan
from training.watch import coverage_p, effective, normal_scores, promises_of, scored, sentence_of, watch

NOW = datetime(2024, 6, 1, tzinfo=UTC)
LEVELS = np.asarray(STANDARD_QUANTILES)
SERIES, USUAL = 60, 10.0
Float = npt.NDArray[np.float64]


def told(version: str = "v1", cutoff: int = 2021, steps: tuple[int, ...] = (1, 2)) -> Issued:
    """Every series forecast as 1000 with a spread of ``USUAL``."""
    rows = [
        (version, f"s{k:02d}", "sector", f"{cutoff}-01-01", f"{cutoff + step}-01-01", step)
        for k in range(SERIES)
        for step in steps
    ]
    names = ["model_version", "unique_id", "kind", "cutoff", "ds", "step"]
    values = np.tile(1000 + USUAL * norm.ppf(LEVELS), (len(rows), 1))
    return Issued.of(pd.DataFrame(rows, columns=names), STANDARD_QUANTILES, values)


def came(errors: Float) -> Dense:
    """Figures to 2021, then 1000 plus the errors (S, 2) of 2022 and 2023."""
    frames = [
        pd.DataFrame(
            {
                "unique_id": f"s{k:02d}",
                "ds": pd.to_datetime([f"{year}-01-01" for year in range(2018, 2024)]),
                "y": [1000.0] * 4 + (1000 + errors[k]).tolist(),
            }
        )
        for k in range(SERIES)
    ]
    return Panel.of(pd.concat(frames), YEAR).dense


def drawn(seed: int, *, shock: float = 0.1, mean: float = 0.0, times: float = 1.0) -> Float:
    """Errors with a shock common to all series of a year, of the variance that was promised."""
    rng = np.random.default_rng(seed)
    common = np.sqrt(shock) * rng.standard_normal((1, 2))
    own = np.sqrt(1 - shock) * rng.standard_normal((SERIES, 2))
    return np.asarray(USUAL * (mean + times * (common + own)))


def kinds(errors: Float, settings: WatchPlan | None = None) -> set[str]:
    seen = watch(told(), came(errors), settings or WatchPlan(), plan="p", serving="v1", now=NOW)
    assert len(seen.tests) == 4
    return {finding.kind for finding in seen.findings}


def test_kept_promises_raise_few_false_alarms_though_years_have_shocks() -> None:
    alarms = sum(bool(kinds(drawn(seed))) for seed in range(100))
    assert alarms <= 0.05 * 100


def test_without_regard_to_common_shocks_the_alarms_would_be_many() -> None:
    blind = WatchPlan(shared_errors=0.0, shared_hits=0.0)
    assert sum(bool(kinds(drawn(seed), blind)) for seed in range(30)) > 10


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"mean": -1.5}, "bias"),
        ({"mean": 1.5}, "bias"),
        ({"times": 2.0}, "error"),
        ({"times": 2.5}, "coverage-80"),
    ],
)
def test_planted_drift_is_found(planted: dict[str, float], found: str) -> None:
    hits = sum(found in kinds(drawn(seed, **planted)) for seed in range(20))
    assert hits >= 18


def test_bias_has_the_sign_of_the_house() -> None:
    """Actuals far below the forecasts: yhat - y is above zero."""
    seen = watch(told(), came(drawn(1, mean=-2.0)), WatchPlan(), plan="p", serving="v2", now=NOW)
    bias = next(finding for finding in seen.findings if finding.kind == "bias")
    assert bias.value > 1
    assert "too high" in bias.sentence
    assert (bias.years, bias.n, bias.serving, bias.plan) == ((2022, 2023), 2 * SERIES, False, "p")
    assert bias.at == "2024-06-01T00:00:00Z"


def test_bands_far_too_wide_are_found_too() -> None:
    assert "coverage-80" in kinds(np.zeros((SERIES, 2)))


def test_the_same_figures_give_the_same_finding_and_newer_ones_another() -> None:
    errors = drawn(1, mean=-2.0)
    later = NOW.replace(year=2025)
    first = watch(told(), came(errors), WatchPlan(), plan="p", serving="v1", now=NOW)
    again = watch(told(), came(errors), WatchPlan(), plan="p", serving="v1", now=later)
    assert [f.finding_id for f in first.findings] == [f.finding_id for f in again.findings]
    errors[0, 0] += 1
    other = watch(told(), came(errors), WatchPlan(), plan="p", serving="v1", now=NOW)
    assert not {f.finding_id for f in first.findings} & {f.finding_id for f in other.findings}


def test_too_few_forecasts_are_not_tested() -> None:
    seen = watch(told(), came(drawn(1, mean=-2)), WatchPlan(least_rows=121), plan="p", serving="v1", now=NOW)
    assert len(seen.rows) == 120
    assert seen.tests == ()


def test_figures_that_have_not_come_or_crossed_a_break_are_not_scored() -> None:
    actuals = came(drawn(1))
    y, breaks = actuals.y.copy(), actuals.breaks.copy()
    y[0, 5] = np.nan
    breaks[1, 5] = True
    breaks[2, 4] = True
    breaks[3, 3] = True  # 2021 is the cutoff itself: what comes after is of its scope
    rows = scored(told(), replace(actuals, y=y, breaks=breaks))
    years = rows.groupby("unique_id")["ds"].apply(lambda ds: ds.dt.year.tolist()).to_dict()
    assert years["s00"] == [2022]
    assert years["s01"] == [2022]
    assert "s02" not in years
    assert years["s03"] == [2022, 2023]


def test_a_series_nobody_has_figures_of_is_not_scored() -> None:
    few = came(drawn(1)).take([0, 1])
    assert set(scored(told(), few)["unique_id"]) == {"s00", "s01"}


def test_of_two_forecasts_of_a_period_the_newer_counts() -> None:
    one, two = told(), told(cutoff=2022, steps=(1,))
    both = Issued.of(
        pd.concat([two.frame, one.frame]), STANDARD_QUANTILES, np.concatenate([two.values, one.values])
    )
    rows = scored(both, came(drawn(1)))
    cutoffs = rows.groupby(rows["ds"].dt.year)["cutoff"].unique().map(lambda c: [x.year for x in c])
    assert cutoffs.to_dict() == {2022: [2021], 2023: [2022]}


def test_normal_scores_by_hand() -> None:
    values = np.tile(1000 + USUAL * norm.ppf(LEVELS), (4, 1))
    z = normal_scores(np.array([1000.0, 1000 + USUAL * norm.ppf(0.9), 0.0, 2000.0]), values, LEVELS)
    assert np.allclose(z, [0, norm.ppf(0.9), norm.ppf(0.0125), norm.ppf(0.9875)])


def test_a_forecast_without_width_that_is_right_has_score_zero() -> None:
    assert np.allclose(normal_scores(np.zeros(1), np.zeros((1, len(LEVELS))), LEVELS), 0)


def test_forecasts_of_a_year_count_as_fewer() -> None:
    years = np.array([2022] * 10 + [2023])
    assert effective(years, 0.0) == 11
    assert np.isclose(effective(years, 0.1), 10 / 1.9 + 1)
    assert effective(years, 1.0) == 2


def test_coverage_is_tested_on_both_sides() -> None:
    assert coverage_p(0.8, 0.8, 50) > 0.9
    assert coverage_p(0.5, 0.8, 50) < 1e-4
    assert coverage_p(1.0, 0.8, 50) < 1e-3
    assert coverage_p(0.5, 0.8, 0.4) > 0.1


def test_every_test_has_a_sentence() -> None:
    rows = scored(told(), came(drawn(1)))
    said = [sentence_of(test) for test in promises_of(rows, WatchPlan(), "v1", "sector")]
    assert len(set(said)) == 4
    assert all("120 sector forecasts of 2022, 2023 by v1" in line for line in said)
