"""Warming, the science-based tests, published totals that weigh paths, ranks, and the roll-up."""

from __future__ import annotations

import numpy as np
import pytest

from features.errors import AskError
from features.series.bridges import Bridge
from insights.compare import like_or_refused, ranked, share_of_target, yearly_rate
from insights.figures import Future
from insights.informed import informed
from insights.rollup import Member, by_forecast, by_targets, counted_once, total_paths
from insights.science import intensity_path, linear_test, sda
from insights.warming import implied, warming
from tests.insights.grounds import future, record

FACTORS = {
    "tcre_ar6": (0.45, 0.27, 0.63),
    "rcb_1.5C_p50_from2025": (130.0, np.nan, np.nan),
    "co2_fossil_world_2024": (38.6, np.nan, np.nan),
    "tpi_1p5_cement_s1_2019": (0.545, np.nan, np.nan),
    "tpi_1p5_cement_s1_2030": (0.419, np.nan, np.nan),
    "tpi_1p5_cement_s1_2050": (0.031, np.nan, np.nan),
}
TCRE = (0.27, 0.45, 0.63)


def test_warming_is_the_formula_of_itr() -> None:
    """os-climate/ITR: T = T_bench + budget x (overshoot - 1) x TCRE."""
    told = warming(300.0, 100.0, benchmark=1.5, budget_gt=130.0, tcre=TCRE)
    assert told is not None
    assert told.degrees == pytest.approx(1.5 + 0.130 * 2 * 0.45)
    assert told.low == pytest.approx(1.5 + 0.26 * 0.27)
    assert told.high == pytest.approx(1.5 + 0.26 * 0.63)
    under = warming(50.0, 100.0, benchmark=1.5, budget_gt=130.0, tcre=TCRE)
    assert under is not None
    assert under.low is not None
    assert under.high is not None
    assert under.low < under.high < 1.5
    assert told.as_record()["label"] == "indicative"


def test_warming_beyond_the_formula_and_without_an_allowance() -> None:
    beyond = warming(1100.0, 100.0, benchmark=1.5, budget_gt=130.0, tcre=TCRE)
    assert beyond is not None
    assert beyond.degrees is None
    assert beyond.ratio == pytest.approx(11.0)
    assert warming(1.0, 0.0, benchmark=1.5, budget_gt=130.0, tcre=TCRE) is None


def test_emissions_that_stay_as_they_are_spend_what_everyone_would() -> None:
    flat = future({year: [5.0, 5.0] for year in range(2025, 2051)})
    told = implied(record({2024: 5.0}, "x"), flat, FACTORS)
    assert told is not None
    assert told.ratio == pytest.approx(26 * 38.6 / 130)
    assert implied(record({2024: 5.0}, "x"), future({2025: [5.0]}), FACTORS) is None


def test_the_linear_test() -> None:
    told = linear_test(20.6e6, 1990, 9.27e6, 2030, 4.2)
    assert told.rate == pytest.approx(55 / 40)
    assert not told.passes
    assert linear_test(100.0, 2020, 58.0, 2030, 4.2).passes
    assert linear_test(100.0, 2000, 10.0, 2050, 4.2).level_asked == 0.0


def test_sda_starts_at_the_own_base_and_ends_where_the_sector_ends() -> None:
    path = intensity_path("cement", FACTORS)
    assert sda(0.7, 2019, 2019, path) == pytest.approx(0.7)
    assert sda(0.7, 2019, 2050, path) == pytest.approx(0.031)
    d, p = 0.7 - 0.031, (0.419 - 0.031) / (0.545 - 0.031)
    assert sda(0.7, 2019, 2030, path) == pytest.approx(d * p + 0.031)
    assert sda(0.7, 2019, 2030, path, share_ratio=0.5) == pytest.approx(d * p * 0.5 + 0.031)
    for bad in (lambda: intensity_path("paper", FACTORS), lambda: sda(0.7, 2010, 2030, path)):
        with pytest.raises(AskError):
            bad()


def test_published_totals_weigh_paths_and_move_none() -> None:
    over = Bridge("c", "own", "pub", "CO2", (2018, 2019, 2020), (1.09, 1.1, 1.11), ("read",) * 3)
    rng = np.random.default_rng(2)
    own = 20e6 * np.exp(0.1 * rng.normal(size=(3, 800)))
    before = Future("pub", np.arange(2023, 2026), own * 1.1, np.full(800, 1 / 800), own, np.full(800, 1.1))
    after = informed(before, {2023: 24e6}, over)
    assert after.informed_by == (2023,)
    assert after.weights.sum() == pytest.approx(1.0)
    assert np.array_equal(after.paths, before.paths)
    # Exact by the formula: t of the log miss, scaled as the bridge scales it.
    assert after.weights @ after.paths[0] > before.weights @ before.paths[0]
    absurd = informed(before, {2023: 90e6}, over)
    assert absurd.informed_by == ()
    assert informed(before, {2010: 24e6}, over) is before


def test_ranks_with_intervals() -> None:
    steady = {name: np.full(50, float(k)) for k, name in enumerate("abc")}
    told = ranked(steady, lower_is_better=True)
    assert [(r.name, r.rank, r.rank_low, r.rank_high, r.first) for r in told] == [
        ("a", 1, 1, 1, 1.0), ("b", 2, 2, 2, 0.0), ("c", 3, 3, 3, 0.0),
    ]  # fmt: skip
    assert [r.name for r in ranked(steady, lower_is_better=False)] == ["c", "b", "a"]
    rng = np.random.default_rng(5)
    alike = ranked({name: rng.normal(size=4000) for name in "abcd"}, lower_is_better=True)
    assert all(
        r.rank_low == 1 and r.rank_high == 4 and r.first == pytest.approx(0.25, abs=0.03) for r in alike
    )
    with pytest.raises(AskError, match="group-too-small"):
        ranked({"a": np.ones(2), "b": np.ones(2)}, lower_is_better=True)


def test_a_shock_all_share_does_not_widen_a_rank() -> None:
    shock = np.random.default_rng(1).normal(0, 50, 500)
    told = ranked({name: shock + k for k, name in enumerate("abc")}, lower_is_better=True)
    assert [(r.rank_low, r.rank_high) for r in told] == [(1, 1), (2, 2), (3, 3)]


def test_unlike_scopes_are_not_compared() -> None:
    like_or_refused({"a": "x", "b": "x", "c": "y"}, ["a", "b"])
    with pytest.raises(AskError, match="scope-unlike") as told:
        like_or_refused({"a": "x", "b": "x", "c": "y"}, ["a", "b", "c"])
    assert told.value.facts["groups"] == {"x": ["a", "b"], "y": ["c"]}


def test_measures() -> None:
    assert yearly_rate(10.0, np.array([5.0]), 5) == pytest.approx([-10.0])
    assert share_of_target(np.array([10.0, 5.0]), 10.0, 5.0) == pytest.approx([0.0, 1.0])
    with pytest.raises(ValueError, match="not below"):
        share_of_target(np.array([1.0]), 5.0, 5.0)


def test_totals_keep_common_shocks() -> None:
    members = [
        Member("a", record({2024: 5.0}, "x"), future({2025: [4.0, 6.0], 2026: [4.0, 6.0]}), {}),
        Member("b", record({2022: 5.0}, "x"), future({y: [4.0, 6.0] for y in range(2023, 2027)}), {}),
        Member("c", None, None, {}),
    ]
    years, total = total_paths([m for m in members if m.future])
    assert years.tolist() == [2025, 2026]
    assert total.tolist() == [[8e6, 12e6]] * 2
    told = by_forecast(members, 2026)
    assert told is not None
    assert (told["clusters"], told["now"]) == (2, 10e6)
    assert told["chance_of_any_fall"] == 0.5
    assert by_forecast(members, 2030) is None
    assert by_forecast([members[2]], 2026) is None


def test_of_several_targets_of_one_cluster_the_last_counts() -> None:
    members = [Member("a", None, None, {2030: 3.0, 2040: 7.0}), Member("b", None, None, {2050: 9.0})]
    assert by_targets(members, 2030) == {"year": 2030, "clusters": ["a"], "cut": 3.0}
    assert by_targets(members, 2050)["cut"] == 16.0


def test_projects_are_counted_once() -> None:
    def row(cluster: str, name: str, **more: object) -> dict[str, object]:
        return {
            "cluster_id": cluster,
            "project": name,
            "technology": "CCS",
            "unit": "Mt",
            "stage": "planned",
            **more,
        }

    told = counted_once(
        [
            row("a", "Store", abatement_mt_per_yr=4.5),
            row("a", "Store, whole", abatement_mt_per_yr=10.0, unit="Mt CO2/yr (total)"),
            row("b", "Shared", abatement_mt_per_yr=2.0),
            row("c", "shared", abatement_mt_per_yr=2.0),
            row("c", "Gone", abatement_mt_per_yr=9.0, stage="cancelled"),
        ]
    )
    assert [(p["project"], p["clusters"], p["abatement_mt_per_yr"], p["inside"]) for p in told] == [
        ("Store", ["a"], None, "Store, whole"),
        ("Store, whole", ["a"], 10.0, None),
        ("Shared", ["b", "c"], 2.0, None),
    ]
