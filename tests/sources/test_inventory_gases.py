"""Gases and their potentials: one GWP set a file and a series, and no sum with a gas missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.sources.inventory import read
from features.sources.inventory_figures import Declared
from tests.sources.inventories import asked, codes, faults, figures, refused, written

AR5, AR6 = Declared(gwp="AR5"), Declared(gwp="AR6")
LONG = "site,year,gas,unit,value\nA,2015,CO2,kt,10\nA,2015,CH4,t,100\nA,2016,CO2,kt,11\nA,2016,CH4,t,110\n"
BOTH = "site,CO2 2015 (kt),CH4 2015 (t),CO2 2016 (kt),CH4 2016 (t)\nA,10,100,11,110\n"
WIDE = "site,year,CO2 (kt),CH4 (t)\nA,2015,10,100\nA,2016,11,110\n"


@pytest.mark.parametrize(
    "text", [LONG, WIDE, "site,CO2 2015 (kt),CH4 2015 (t),CO2 2016 (kt),CH4 2016 (t)\nA,10,100,11,110\n"]
)
def test_gases_are_summed_with_the_declared_set(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    assert asked(path).code == "gwp-set-untold"
    for said, factor in ((AR5, 28.0), (AR6, 27.0)):
        batch = read(path, declared=said)
        assert figures(batch) == {("A", 2015): 10_000 + 100 * factor, ("A", 2016): 11_000 + 110 * factor}
        assert set(batch.facilities["scope_id"]) == {f"upload-co2e-{str(said.gwp).lower()}"}
    assert asked(path, declared=Declared(gwp="AR4")).code == "gwp-set-unknown"


@pytest.mark.parametrize(
    "text", [LONG.replace("t,110", "t,"), WIDE.replace(",110", ","), WIDE.replace(",110", ",NaN")]
)
def test_a_gas_without_a_figure_is_no_zero(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    refusal = refused(path, declared=AR5)
    empty = [text for _, code, text in refusal.facts["complaints"] if code == "gas-empty"]
    assert len(empty) == 1
    assert "A 2016 CH4" in empty[0]
    assert "write 0" in empty[0]
    assert figures(read(path, declared=AR5, keep_good=True)) == {("A", 2015): 12_800.0}
    zero = read(path, declared=Declared(gwp="AR5", empty_gas_is_zero=True))
    assert figures(zero) == {("A", 2015): 12_800.0, ("A", 2016): 11_000.0}


def test_a_period_without_any_gas_is_no_figure_and_no_fault(tmp_path: Path) -> None:
    batch = read(written(tmp_path, WIDE + "A,2017,,\n"), declared=AR5)
    assert batch.records["state"].tolist() == ["operating", "operating", "not-reported"]
    assert codes(batch) == [(0, "figure-absent")]


def test_a_gas_whose_row_is_absent(tmp_path: Path) -> None:
    path = written(tmp_path, LONG.replace("A,2016,CH4,t,110\n", ""))
    assert faults(refused(path, declared=AR5)) == [(4, "gas-absent")]


def test_a_bad_gas_spoils_its_sum(tmp_path: Path) -> None:
    path = written(tmp_path, LONG.replace("t,110", "t,-110"))
    assert faults(refused(path, declared=AR5)) == [(4, "sum-incomplete"), (5, "figure-negative")]
    assert list(figures(read(path, declared=AR5, keep_good=True))) == [("A", 2015)]


def test_totals_beside_their_parts(tmp_path: Path) -> None:
    path = written(tmp_path, LONG + "A,2015,CO2e,kt,13\n")
    assert {code for _, code in faults(refused(path, declared=AR5))} == {"total-and-parts", "gas-absent"}
    path = written(tmp_path, WIDE.replace("CH4 (t)", "CO2e (t)"))
    assert asked(path, declared=AR5).code == "column-ambiguous"


def test_figures_in_co2e_carry_the_declared_set(tmp_path: Path) -> None:
    path = written(tmp_path, "site,year,ktCO2e\nA,2015,10\n")
    assert set(read(path).facilities["scope_id"]) == {"upload-co2e"}
    assert set(read(path, declared=AR6).facilities["scope_id"]) == {"upload-co2e-ar6"}
    path = written(tmp_path, "site,year,Emissions (kt CO2e) AR5\nA,2015,10\n")
    assert set(read(path).facilities["scope_id"]) == {"upload-co2e-ar5"}
    assert asked(path, declared=AR6).code == "gwp-sets-mixed"


@pytest.mark.parametrize(
    "text",
    [
        "site,year,gwp,ktCO2e\nA,2015,AR5,10\nA,2016,AR6,11\n",
        "site,2015 (ktCO2e AR5),2016 (ktCO2e AR6)\nA,1,2\n",
    ],
)
def test_two_sets_in_one_file(tmp_path: Path, text: str) -> None:
    assert asked(written(tmp_path, text)).code == "gwp-sets-mixed"


def test_unit_and_gas_must_be_told_once_and_not_twice(tmp_path: Path) -> None:
    path = written(tmp_path, "site,year,value\nA,2015,10\n")
    assert asked(path).code == "unit-untold"
    assert asked(path, declared=Declared(unit="kt")).code == "gas-untold"
    assert asked(path, declared=Declared(unit="mt", gas="CO2")).code == "unit-unknown"
    path = written(tmp_path, LONG)
    assert {c for _, c in faults(refused(path, declared=Declared(unit="t", gwp="AR5")))} >= {
        "unit-contradicted"
    }


def test_recalled_potentials_are_told(tmp_path: Path) -> None:
    path = written(tmp_path, "site,year,N2O (t)\nA,2015,2\n")
    batch = read(path, declared=AR6)
    assert figures(batch) == {("A", 2015): 546.0}
    assert "N2O 273 (AR6) is recalled" in batch.complaints["text"].iloc[0]
    assert codes(read(path, declared=AR5)) == []
