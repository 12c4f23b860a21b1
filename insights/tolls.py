"""What a tonne takes: energy, emissions and money per tonne of CO2 that a lever catches or replaces.

All coefficients are rows of features/reference/factors.csv (keys beside them) unless the caller gives his
own. Energies are by lower heating value, MWh; intensities tCO2e a MWh; a *gross tonne* is one that was
captured, or that the replaced fuel would have emitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Factors = Mapping[str, tuple[float, ...]]
FUELS: Final = {"gas": "ef_gas", "coal": "ef_coal", "oil": "ef_oil"}
DEVICES: Final = {
    "electric-boiler": "electric_boiler_eff",
    "heat-pump-125C": "heat_pump_125C_cop",
    "heat-pump-150C": "heat_pump_150C_cop",
}
MADE_FROM: Final = ("power", "gas", "gas-ccs")
# The boiler that the break-even rows of the reference table are held against.
BOILER: Final = 0.9
HOURS: Final = 8760.0


@dataclass(frozen=True)
class Toll:
    """Emissions that a gross tonne brings back.

    Attributes:
        inside: t/t on the path itself: the heat of capture is made on the site.
        elsewhere: t/t outside the path: grid, hydrogen plant, upstream, leaks; below zero where what the
            replaced fuel took upstream is saved. None where the grid's intensity is needed and not known.
        power: MWh of electricity a gross tonne.
        break_even: t/MWh of the grid at which a gross tonne avoids nothing; None where no power is used.
    """

    inside: float = 0.0
    elsewhere: float | None = 0.0
    power: float = 0.0
    break_even: float | None = None

    @property
    def avoided(self) -> float | None:
        """Tonnes avoided in all by a gross tonne; below zero where it raises emissions."""
        return None if self.elsewhere is None else 1.0 - self.inside - self.elsewhere


def factor(factors: Factors, key: str) -> float:
    """The value of one row of the reference table."""
    return float(factors[key][0])


def _powered(power: float, grid: float | None, rest: float, inside: float = 0.0) -> Toll:
    """A toll of electricity and of a ``rest`` elsewhere that is known."""
    elsewhere = rest + power * grid if grid is not None else rest if power == 0 else None
    even = (1.0 - inside - rest) / power if power > 0 else None
    return Toll(inside, elsewhere, power, even)


def of_efficiency(fuel: float, upstream: float = 0.0) -> Toll:
    """Fuel that is not burnt: nothing comes back, and what it took upstream is saved.

    Args:
        fuel: tCO2 a MWh burnt.
        upstream: tCO2e a MWh of it before it is burnt.
    """
    return Toll(elsewhere=-upstream / fuel)


def of_electrification(
    fuel: float, grid: float | None, *, device: float, boiler: float = BOILER, upstream: float = 0.0
) -> Toll:
    """Heat from electricity. Power a gross tonne = boiler ÷ (fuel × device); break-even grid =
    (fuel + upstream) × device ÷ boiler.

    Args:
        fuel: tCO2 a MWh of the fuel replaced.
        grid: tCO2e a MWh of electricity; None where not known.
        device: heat per electricity: an efficiency or a COP.
        boiler: heat per fuel of what is replaced.
    """
    return _powered(boiler / (fuel * device), grid, -upstream / fuel)


def of_hydrogen(fuel: float, intensity: float, upstream: float = 0.0) -> Toll:
    """Hydrogen of a known intensity (tCO2e a MWh) in place of a fuel, MWh for MWh."""
    return Toll(elsewhere=(intensity - upstream) / fuel)


def of_green_hydrogen(fuel: float, grid: float | None, electrolyser: float, upstream: float = 0.0) -> Toll:
    """Hydrogen from electricity in place of a fuel; break-even grid = (fuel + upstream) × electrolyser."""
    return _powered(1.0 / (fuel * electrolyser), grid, -upstream / fuel)


def hydrogen_of_gas(factors: Factors, *, with_capture: bool, upstream: float = 0.0) -> float:
    """tCO2e a MWh of hydrogen from natural gas: (ef × (1 − captured) + upstream) ÷ efficiency."""
    gas = factor(factors, "ef_gas")
    if not with_capture:
        return (gas + upstream) / factor(factors, "smr_efficiency")
    left = gas * (1.0 - factor(factors, "smr_cc_capture_rate"))
    return (left + upstream) / factor(factors, "smr_cc_efficiency")


def of_capture(
    grid: float | None,
    *,
    heat: float,
    power: float,
    fuel: float,
    boiler: float = BOILER,
    upstream: float = 0.0,
    leakage: float = 0.0,
) -> Toll:
    """CCS: heat from an own boiler comes back on the site, electricity and leaks elsewhere.

    Args:
        heat, power: MWh a tonne captured, compression included.
        leakage: share of the captured that escapes on the way or from the store.
    """
    burnt = heat / boiler
    return _powered(power, grid, burnt * upstream + leakage, inside=burnt * fuel)


def annuity(rate: float, years: float) -> float:
    """r ÷ (1 − (1 + r)^−n): the yearly part of an outlay; 1 ÷ n at no interest. DOMAIN question 13."""
    return 1.0 / years if rate == 0 else rate / (1.0 - (1.0 + rate) ** -years)


@dataclass(frozen=True)
class CaptureCost:
    """What capture costs, EUR a tonne.

    Attributes:
        captured: a tonne captured: capital, upkeep, heat and electricity.
        avoided: a tonne avoided: captured ÷ (1 − penalty). DOMAIN question 14.
        penalty: tonnes that come back by the energy of a tonne captured.
    """

    captured: float
    avoided: float
    penalty: float


def capture_cost(
    factors: Factors,
    *,
    rate: float,
    fuel_price: float,
    power_price: float,
    grid: float = 0.0,
    load: float = 0.9,
    boiler: float = BOILER,
) -> CaptureCost:
    """The cost of capture from the reference factors (cement-like flue gas, 2030); transport and storage are
    not in it.

    Args:
        rate: interest, a share a year.
        fuel_price, power_price: EUR a MWh.
        grid: tCO2e a MWh of the electricity used.
        load: share of the hours of a year that the plant runs.
    """
    years, upkeep = factor(factors, "capture_life"), factor(factors, "capture_fom") / 100
    capital = factor(factors, "capture_capex_cement_2030") * (annuity(rate, years) + upkeep) / (HOURS * load)
    heat, power = capture_energy(factors)
    toll = of_capture(grid, heat=heat, power=power, fuel=factor(factors, "ef_gas"), boiler=boiler)
    cost = capital + heat / boiler * fuel_price + power * power_price
    penalty = toll.inside + (toll.elsewhere or 0.0)
    return CaptureCost(cost, cost / (1.0 - penalty), penalty)


def capture_energy(factors: Factors) -> tuple[float, float]:
    """Heat and electricity, MWh a tonne captured; compression is in the electricity."""
    power = factor(factors, "capture_power_cement") + factor(factors, "compression_power")
    return factor(factors, "capture_heat_cement"), power
