from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from insights.lever_kinds import KINDS, LEVERS, lever_of
from insights.levers import RAISES, RAISES_INSIDE, Measure, applied, ordered, ramped
from insights.tolls import (
    BOILER,
    Toll,
    annuity,
    capture_cost,
    capture_energy,
    factor,
    hydrogen_of_gas,
    of_capture,
    of_efficiency,
    of_electrification,
    of_green_hydrogen,
    of_hydrogen,
)
from tests.insights.plans import FACTORS, scenario

GAS = factor(FACTORS, "ef_gas")
RANDOM = 10_000


def test_the_worked_case_of_capture() -> None:
    """DOMAIN question 14: 79 EUR/t captured -> 94 avoided (7%, 25 y, 28 EUR/MWh gas, 80 EUR/MWh power)."""
    assert list(capture_energy(FACTORS)) == pytest.approx([0.72, 0.107])
    assert factor(FACTORS, "capture_life") == 25
    assert annuity(0.07, 25) == pytest.approx(0.0858, abs=5e-5)
    cost = capture_cost(FACTORS, rate=0.07, fuel_price=28, power_price=80)
    assert round(cost.captured) == 79
    assert round(cost.avoided) == 94
    assert cost.penalty == pytest.approx(0.72 / 0.9 * 0.198)
    assert cost.avoided == pytest.approx(cost.captured / (1 - cost.penalty))
    # Power of a grid that is not clean costs more tonnes, and so more a tonne avoided.
    assert capture_cost(FACTORS, rate=0.07, fuel_price=28, power_price=80, grid=0.4).avoided > cost.avoided


@pytest.mark.parametrize(
    ("key", "published", "toll"),
    [
        (
            "breakeven_grid_electric_boiler",
            0.218,
            of_electrification(GAS, 0.3, device=factor(FACTORS, "electric_boiler_eff")),
        ),
        (
            "breakeven_grid_heat_pump_150C",
            0.67,
            of_electrification(GAS, 0.3, device=factor(FACTORS, "heat_pump_150C_cop")),
        ),
        (
            "breakeven_grid_electrolytic_h2_as_fuel",
            0.123,
            of_green_hydrogen(GAS, 0.3, factor(FACTORS, "electrolyser_efficiency_2030")),
        ),
    ],
)
def test_break_even_grids_come_of_the_factors(key: str, published: float, toll: Toll) -> None:
    assert toll.break_even is not None
    assert toll.break_even == pytest.approx(factor(FACTORS, key), abs=5e-4)
    assert toll.break_even == pytest.approx(published, abs=2e-3)


@pytest.mark.parametrize("grid", [0.0, 0.05, 0.1, 0.2, 0.3, 0.6, 1.0])
def test_a_grid_above_its_break_even_raises_emissions(grid: float) -> None:
    tolls = [
        of_electrification(GAS, grid, device=0.99),
        of_electrification(GAS, grid, device=3.05, upstream=0.02),
        of_green_hydrogen(GAS, grid, 0.6217),
    ]
    for toll in tolls:
        assert toll.break_even is not None
        assert toll.avoided is not None
        assert (toll.avoided < 0) == (grid > toll.break_even)
        even = of_electrification(GAS, toll.break_even, device=1.0)
        assert even.avoided is not None


def test_at_the_break_even_nothing_is_avoided() -> None:
    for device in (0.99, 2.7, 3.05):
        even = of_electrification(GAS, 0.0, device=device, upstream=0.01).break_even
        toll = of_electrification(GAS, even, device=device, upstream=0.01)
        assert toll.avoided == pytest.approx(0.0, abs=1e-12)
    even = of_capture(0.0, heat=0.72, power=0.107, fuel=GAS).break_even
    assert of_capture(even, heat=0.72, power=0.107, fuel=GAS).avoided == pytest.approx(0.0, abs=1e-12)


def test_tolls_by_hand() -> None:
    assert of_efficiency(0.2, 0.02).avoided == pytest.approx(1.1)
    assert of_hydrogen(0.2, 0.09, 0.02).avoided == pytest.approx(1 - 0.07 / 0.2)
    assert hydrogen_of_gas(FACTORS, with_capture=True) == pytest.approx(0.198 * 0.1 / 0.69)
    assert hydrogen_of_gas(FACTORS, with_capture=False, upstream=0.02) == pytest.approx(0.218 / 0.76)
    toll = of_capture(0.4, heat=0.9, power=0.1, fuel=0.2, upstream=0.05, leakage=0.01)
    assert toll.inside == pytest.approx(0.2)
    assert toll.elsewhere == pytest.approx(0.1 * 0.4 + 1.0 * 0.05 + 0.01)
    unknown = of_capture(None, heat=0.9, power=0.1, fuel=0.2)
    assert (unknown.elsewhere, unknown.avoided) == (None, None)
    # Hydrogen of unabated gas as a fuel emits more than the gas it replaces.
    grey = of_hydrogen(GAS, hydrogen_of_gas(FACTORS, with_capture=False))
    assert grey.avoided is not None
    assert grey.avoided < 0
    assert BOILER == 0.9


def test_a_ramp_by_hand() -> None:
    years = np.arange(2025, 2033)
    assert ramped(years, 2027, 0)[:, 0].tolist() == [0, 0, 1, 1, 1, 1, 1, 1]
    assert ramped(years, 2027, 3, 2031)[:, 0].tolist() == [0, 0, 0.25, 0.5, 0.75, 1, 1, 0]
    both = ramped(years, np.array([2027.0, 2030.0]), 0)
    assert both[:, 1].tolist() == [0, 0, 0, 0, 0, 1, 1, 1]


def measure(**more: Any) -> Measure:
    told = {"name": "m", "kind": "ccus", "capacity": 5.0, "reach": 1.0, "toll": Toll()}
    return Measure(**{"strength": np.ones((1, 1)), **told, **more})


def test_levers_meet_on_the_same_tonnes() -> None:
    """Efficiency halves 10, capture takes 90% of what is left: alone 5 and 9, together 9.5, 4.5 lost."""
    half, catch = measure(name="a", capacity=np.inf, reach=0.5), measure(name="b", capacity=np.inf, reach=0.9)
    told = applied(np.array([[10.0]]), [half, catch])
    assert told.gross[0].item() == pytest.approx(5.0)
    assert told.gross[1].item() == pytest.approx(4.5)
    assert told.paths.item() == pytest.approx(0.5)
    assert told.interaction.item() == pytest.approx(4.5)
    # The order decides who gets the tonnes, not how many there are where only shares bound.
    turned = applied(np.array([[10.0]]), [catch, half])
    assert turned.paths.item() == pytest.approx(0.5)
    assert turned.gross[0].item() == pytest.approx(9.0)
    # Far from one another they do not meet.
    small = [measure(capacity=1.0), measure(capacity=2.0)]
    assert applied(np.array([[10.0]]), small).interaction.item() == 0.0
    assert applied(np.array([[10.0]]), small[:1]).interaction.item() == 0.0


def test_captured_is_told_apart_from_what_leaves_the_path() -> None:
    catch = measure(toll=Toll(inside=0.2, elsewhere=0.1))
    told = applied(np.array([[10.0]]), [catch])
    assert told.captured(0).item() == 5.0
    assert told.direct(0).item() == 4.0
    elsewhere = told.elsewhere(0)
    assert elsewhere is not None
    assert elsewhere.item() == 0.5
    assert applied(np.array([[10.0]]), [measure(kind="hydrogen")]).captured(0).item() == 0.0
    assert measure(toll=Toll(elsewhere=1.1)).flags == (RAISES,)
    assert RAISES_INSIDE in measure(toll=Toll(inside=1.1)).flags


def test_levers_are_applied_in_the_order_asked() -> None:
    mixed = [measure(name=kind, kind=kind) for kind in reversed(KINDS)]
    assert [each.kind for each in ordered(mixed)] == list(KINDS)
    assert [each.kind for each in ordered(mixed, KINDS[::-1])] == list(KINDS[::-1])


def test_the_table_of_kinds_is_of_one_mind() -> None:
    """A row stands under its kind's name, and a field that several kinds have is one field."""
    assert [kind.name for kind in LEVERS.values()] == list(LEVERS)
    fields: dict[str, Any] = {}
    for kind in LEVERS.values():
        for name, field in kind.fields.items():
            assert fields.setdefault(name, field) == field, name


def test_a_technology_names_its_lever() -> None:
    told = (
        "CO2 pipeline",
        "hydrogen with CCS",
        "green ammonia",
        "electric furnace",
        "waste heat",
        "N2O",
        "x",
    )
    kinds = ["ccus", "ccus", "hydrogen", "electrification", "efficiency", "efficiency", None]
    assert [lever_of(technology) for technology in told] == kinds


def slowly(paths: Any, measures: list[Measure]) -> tuple[Any, list[Any]]:
    """The same by plain loops."""
    left, gross = paths.copy(), [np.zeros_like(paths) for _ in measures]
    for h in range(paths.shape[0]):
        for p in range(paths.shape[1]):
            for k, each in enumerate(measures):
                strength = np.broadcast_to(each.strength, paths.shape)[h, p]
                taken = strength * min(each.reach * left[h, p], each.capacity)
                gross[k][h, p] = taken
                left[h, p] -= taken - taken * each.toll.inside
    return left, gross


def test_abatement_is_never_above_emissions_or_capacity() -> None:
    dice = np.random.default_rng(8)
    for turn in range(RANDOM):
        height, width = int(dice.integers(1, 6)), int(dice.integers(1, 5))
        paths = dice.gamma(0.7, 5.0, (height, width)) * (dice.random((height, width)) > 0.1)
        measures = [
            measure(
                name=str(k),
                kind=str(dice.choice(KINDS)),
                capacity=float(dice.choice([np.inf, dice.gamma(1.0, 4.0), 0.0])),
                reach=float(dice.choice([1.0, dice.random()])),
                strength=dice.choice([0.0, 1.0, dice.random()], (height, int(dice.choice([1, width])))),
                toll=Toll(float(dice.choice([0.0, dice.random()])), float(dice.normal(0.3, 0.5))),
            )
            for k in range(int(dice.integers(1, 6)))
        ]
        told = applied(paths, measures)
        room = 1e-9 * (1.0 + paths)
        total = sum(told.direct(k) for k in range(len(measures)))
        assert (total <= paths + room).all()
        assert (told.paths >= -room).all()
        assert np.allclose(told.paths, paths - total, atol=1e-9)
        for each, gross in zip(measures, told.gross, strict=True):
            assert (gross >= 0).all()
            assert (gross <= min(each.capacity, 1e18) * each.strength + room).all()
        assert all((told.captured(k) <= gross).all() for k, gross in enumerate(told.gross))
        if turn % 50 == 0:
            left, gross_too = slowly(paths, measures)
            assert np.allclose(left, told.paths)
            assert all(np.allclose(a, b) for a, b in zip(gross_too, told.gross, strict=True))


def test_a_lever_of_a_scenario_is_what_its_fields_say() -> None:
    pump = {"name": "pumps", "kind": "electrification", "capacity": "1 TWh/year", "start": 2027}
    made = scenario(
        grid="0.3 t/MWh", levers=[{**pump, "device": "heat-pump-150C"}, {**pump, "name": "boilers"}]
    )
    first, second = made.levers
    assert first.gross_capacity(FACTORS) == pytest.approx(1e6 * 0.198)
    assert first.toll(FACTORS).break_even == pytest.approx(0.671, abs=1e-3)
    assert (first.toll(FACTORS).avoided or 0) > 0 > (second.toll(FACTORS).avoided or 0)
    blue = {"name": "blue", "kind": "hydrogen", "share": 0.2, "start": 2027}
    by_gas, told = scenario(
        levers=[{**blue, "made_from": "gas-ccs"}, {**blue, "name": "b", "h2_intensity": "3 kgCO2e/kgH2"}]
    ).levers
    assert by_gas.toll(FACTORS).elsewhere == pytest.approx(0.198 * 0.1 / 0.69 / 0.198)
    assert told.toll(FACTORS).elsewhere == pytest.approx(3 / 33.33 / 0.198)
    assert by_gas.gross_capacity(FACTORS) == np.inf
