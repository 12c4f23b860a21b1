from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import AskError
from features.reference.tables import load
from features.series.units import (
    CH4,
    CH4_FOSSIL,
    CO2,
    CO2E,
    GASES,
    N2O,
    NO_SET,
    SF6,
    UNTOLD,
    GwpSet,
    Unit,
    gas_of,
    gwp_set,
    gwp_sets,
    one_gas,
    one_set,
    unit_of,
)  # fmt: skip


@pytest.fixture
def sets() -> dict[str, GwpSet]:
    return gwp_sets(load().factors)


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("t", Unit(0)), ("kt", Unit(3)), ("Mt", Unit(6)), ("kg", Unit(-3)), ("Gt", Unit(9)),
        ("ktCO2e", Unit(3, CO2E)), ("Mt CO2", Unit(6, CO2)), ("tonnes of CH4", Unit(0, CH4)),
        ("Million tonnes CO₂", Unit(6, CO2)), ("MMTCO2e", Unit(6, CO2E)), ("t CO2-eq", Unit(0, CO2E)),
        ("metric tons", Unit(0)), (" kt  N2O ", Unit(3, N2O)), ("kg SF6", Unit(-3, SF6)),
        ("t fossil methane", Unit(0, CH4_FOSSIL)),
    ],
)  # fmt: skip
def test_units_as_people_write_them(text: str, unit: Unit) -> None:
    assert unit_of(text) == unit


@pytest.mark.parametrize(
    "text", ["MT", "mt", "tons", "ton", "KT", "", "t/yr", "tCO3", "kW", "CO2", "t CO2 kt"]
)
def test_units_that_could_mean_two_things_or_none(text: str) -> None:
    with pytest.raises(AskError, match="unit-unknown"):
        unit_of(text)


@given(st.text(max_size=12))
def test_any_text_is_a_unit_or_refused(text: str) -> None:
    gas, code = "", "unit-unknown"
    try:
        gas = unit_of(text).gas
    except AskError as problem:
        code = problem.code
    assert gas in ("", *GASES)
    assert code == "unit-unknown"


def test_gases_by_name() -> None:
    told = [gas_of(text) for text in ("co2", "CO₂e", "Methane", "CH4-fossil", "SF₆")]
    assert told == [CO2, CO2E, CH4, CH4_FOSSIL, SF6]
    with pytest.raises(AskError, match="gas-unknown"):
        gas_of("HFC-23")


def test_the_reference_s_sets(sets: dict[str, GwpSet]) -> None:
    gases = (CH4, CH4_FOSSIL, N2O, SF6)
    told = {name: tuple(one.factors[gas] for gas in gases) for name, one in sets.items()}
    assert told == {"AR5": (28, 30, 265, 23500), "AR6": (27.0, 29.8, 273, 24300)}
    with pytest.raises(AskError, match="gwp-set-unknown"):
        gwp_set("AR4", load().factors)
    with pytest.raises(AskError, match="gas-unknown"):
        sets["AR5"].factor("HFC-23")


def test_sets_never_mix() -> None:
    for names in (["AR5", "AR6"], ["AR6", UNTOLD]):
        with pytest.raises(AskError, match="gwp-sets-mixed"):
            one_set(names)
    assert one_set([NO_SET, "AR5", "AR5"]) == "AR5"
    assert one_set([]) == NO_SET


def test_the_gas_must_be_told() -> None:
    with pytest.raises(AskError, match="gas-untold"):
        one_gas(unit_of("t"), "")
    assert one_gas(unit_of("t"), CH4) == CH4
    with pytest.raises(AskError, match="gas-contradicted"):
        one_gas(unit_of("t CO2"), CH4)
