"""One lever or project of a scenario: what its fields mean together, in plain numbers.

Quantities are kept in tonnes, MWh and years; what is not told stays empty, and what is then taken from the
reference factors is told (``assumed``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insights.levers import CCUS, EFFICIENCY, ELECTRIFICATION, HYDROGEN
from insights.projects import Risk
from insights.refusals import refused
from insights.tolls import (
    BOILER,
    DEVICES,
    FUELS,
    Factors,
    Toll,
    capture_energy,
    factor,
    hydrogen_of_gas,
    of_capture,
    of_efficiency,
    of_electrification,
    of_green_hydrogen,
    of_hydrogen,
)
from insights.units import CURRENCIES, measured

_SPECIFIC: Final = {
    EFFICIENCY: ("fuel",),
    ELECTRIFICATION: ("fuel", "fuel_efficiency", "device", "cop"),
    HYDROGEN: ("fuel", "made_from", "h2_intensity"),
    CCUS: ("fuel", "fuel_efficiency", "capture_rate", "heat", "power", "leakage", "store"),
}
_ALL_SPECIFIC: Final = tuple(sorted({name for names in _SPECIFIC.values() for name in names}))
# The factors that say what hydrogen takes, by what it is made from.
_MADE_BY: Final = {
    "power": ("electrolyser_efficiency_2030",),
    "gas": ("ef_gas", "smr_efficiency"),
    "gas-ccs": ("ef_gas", "smr_cc_capture_rate", "smr_cc_efficiency"),
}
_COSTS: Final = tuple(f"{money}/t" for money in CURRENCIES)


@dataclass(frozen=True)
class Plan:
    """A lever, or a project with its risk.

    Attributes:
        project_id: names the draw of a project; "" for a lever.
        capacity: gross tonnes a year, the share in it; None where only a share bounds a lever.
        power_capacity: the same in MWh of fuel a year, where it was told so: tonnes by the fuel's factor.
        reach: share of what is left.
        additional: the part of it that the baseline does not hold already.
        start: None only where the registry does not know it, which is refused later.
        grid, cost: None where not known.
        told: the fields as they were told, checked, in our units: what the fingerprint is made of.
    """

    name: str
    kind: str
    project_id: str
    capacity: float | None
    power_capacity: float | None
    reach: float
    additional: float
    start: int
    ramp_years: int
    end: int | None
    delay_years: int
    late_years: int
    fuel: str
    grid: float | None
    cost: float | None
    currency: str
    store: str
    risk: Risk
    told: Mapping[str, Any]

    def gross_capacity(self, factors: Factors) -> float:
        """Gross tonnes a year at full strength; infinite where a share alone bounds it."""
        if self.power_capacity is not None:
            return self.power_capacity * factor(factors, FUELS[self.fuel])
        return float("inf") if self.capacity is None else self.capacity

    def toll(self, factors: Factors) -> Toll:
        """What a gross tonne brings back."""
        told, fuel = self.told, factor(factors, FUELS[self.fuel])
        upstream = float(told.get("upstream", 0.0))
        if self.kind == EFFICIENCY:
            return of_efficiency(fuel, upstream)
        if self.kind == ELECTRIFICATION:
            cop = told.get("cop") or factor(factors, DEVICES[told.get("device", "electric-boiler")])
            boiler = told.get("fuel_efficiency", BOILER)
            return of_electrification(fuel, self.grid, device=cop, boiler=boiler, upstream=upstream)
        if self.kind == HYDROGEN:
            return self._hydrogen(factors, fuel, upstream)
        heat, power = capture_energy(factors)
        return of_capture(
            self.grid, heat=told.get("heat", heat), power=told.get("power", power), fuel=fuel,
            boiler=told.get("fuel_efficiency", BOILER), upstream=upstream, leakage=told.get("leakage", 0.0),
        )  # fmt: skip

    def _hydrogen(self, factors: Factors, fuel: float, upstream: float) -> Toll:
        if "h2_intensity" in self.told:
            return of_hydrogen(fuel, self.told["h2_intensity"], upstream)
        made_from = self.told.get("made_from", "power")
        if made_from == "power":
            electrolyser = factor(factors, "electrolyser_efficiency_2030")
            return of_green_hydrogen(fuel, self.grid, electrolyser, upstream)
        with_capture = made_from == "gas-ccs"
        intensity = hydrogen_of_gas(factors, with_capture=with_capture, upstream=upstream)
        return of_hydrogen(fuel, intensity, upstream if self.fuel == "gas" else 0.0)

    def assumed(self, factors: Factors) -> list[dict[str, Any]]:
        """What was not told and stands in from the reference factors, or is not counted at all."""
        told, out = self.told, []

        def takes(field: str, key: str, value: float | None) -> None:
            if field not in told:
                out.append({"of": self.name, "field": field, "taken_from": key, "value": value})

        if self.kind == CCUS:
            heat, power = capture_energy(factors)
            takes("heat", "capture_heat_cement", heat)
            takes("power", "capture_power_cement + compression_power", power)
            takes("capture_rate", "capture_rate_cement", factor(factors, "capture_rate_cement"))
            takes("leakage", "not counted", None)
        if self.kind == ELECTRIFICATION and "cop" not in told:
            takes("device", DEVICES["electric-boiler"], factor(factors, DEVICES["electric-boiler"]))
        if self.kind == HYDROGEN:
            for key in _MADE_BY[told.get("made_from", "power")]:
                takes("h2_intensity", key, factor(factors, key))
        if self.kind in (CCUS, ELECTRIFICATION):
            takes("fuel_efficiency", "the 90% boiler of the break-even factors", BOILER)
        takes("fuel", FUELS[self.fuel], factor(factors, FUELS[self.fuel]))
        takes("upstream", "not counted", None)
        return out


def plan_of(told: Mapping[str, Any], place: str, *, grid: float | None, factors: Factors) -> Plan:
    """A lever or project of checked fields, with what they mean together.

    Args:
        told: fields by name; of a project the registry's gaps are filled in.
        grid: of the scenario.

    Raises:
        AskError: the field is named.
    """
    kind, name = str(told["kind"]), str(told["name"])
    for field in _ALL_SPECIFIC:
        if field in told and field not in _SPECIFIC[kind]:
            allowed = f"for {kind}: {', '.join(_SPECIFIC[kind])}"
            raise refused("field-foreign", f"{place}.{field}", f"{field} of {kind}", allowed)
    known = {**told, **_quantities(told, place, kind)}
    flow, power = known.pop("flow", None), known.pop("fuel_flow", None)
    start, end, ramp = known["start"], known.get("end"), known.get("ramp_years", 0)
    _check_years(start, end, ramp, place)
    part = known.get("share", 1.0)
    # A share bounds a lever's reach; of a project it is the cluster's part of the capacity.
    is_project = "project_id" in known
    rate = known.get("capture_rate", factor(factors, "capture_rate_cement")) if kind == CCUS else 1.0
    if flow is None and power is None and (is_project or "share" not in known):
        raise refused("size-missing", f"{place}.capacity", "nothing", "a capacity, or a share for a lever")
    scale = part if is_project else 1.0
    return Plan(
        name=name,
        kind=kind,
        project_id=str(known.get("project_id", "")),
        capacity=None if flow is None else flow * scale,
        power_capacity=None if power is None else power * scale,
        reach=rate if is_project else rate * part,
        additional=known.get("additional", 1.0),
        start=start,
        ramp_years=ramp,
        end=end,
        delay_years=known.get("delay_years", 0),
        late_years=known.get("late_years", 2),
        fuel=known.get("fuel", "gas"),
        grid=known.get("grid", grid),
        cost=known.get("cost"),
        currency=known.pop("currency", ""),
        store=known.get("store", ""),
        risk=_risk(known.get("risk", {}), f"{place}.risk"),
        told=known,
    )


def _quantities(told: Mapping[str, Any], place: str, kind: str) -> dict[str, Any]:
    """The fields that are quantities, as numbers in our units."""
    out: dict[str, Any] = {}
    kinds = {
        **dict.fromkeys(("h2_intensity", "upstream", "grid"), ("intensity",)),
        **dict.fromkeys(("heat", "power"), ("specific",)),
        "cost": _COSTS,
        "capacity": ("flow",) if kind == CCUS else ("flow", "power"),
    }
    for field, allowed in kinds.items():
        if field not in told:
            continue
        if isinstance(told[field], float):  # a capacity of the registry, in tonnes already
            out[field], measure = told[field], "flow"
        else:
            out[field], measure = measured(told[field], allowed, f"{place}.{field}")
        if field == "capacity":
            out["flow" if measure == "flow" else "fuel_flow"] = out[field]
            out["capacity"] = f"{out[field]!r} {'t/year' if measure == 'flow' else 'MWh/year'}"
        if field == "cost":
            out["currency"] = measure[:3]
    return out


def _check_years(start: int, end: int | None, ramp: int, place: str) -> None:
    if end is None:
        return
    if start > end:
        raise refused("start-after-end", f"{place}.start", start, f"a year up to its end in {end}")
    if start + ramp > end:
        raise refused(
            "ramp-impossible", f"{place}.ramp_years", f"{ramp} years from {start}, past the end in {end}",
            f"at most {end - start} years", "shorten the ramp, start earlier or end later",
        )  # fmt: skip


def _risk(told: Mapping[str, Any], place: str) -> Risk:
    """The caller's chances.

    Raises:
        AskError: ``risk-impossible``: certain and chances both, chances that do not add up to 1, or a
            delivery that is not in order.
    """
    parts = [name for name in ("slip_chances", "cancel", "delivery") if name in told]
    if told.get("certain") and parts:
        raise refused("risk-impossible", f"{place}.certain", f"true, and {parts[0]}", "one of both")
    slips, delivery = tuple(told.get("slip_chances", ())), tuple(told.get("delivery", ()))
    if slips and abs(sum(slips) - 1.0) > 1e-6:
        raise refused(
            "risk-impossible", f"{place}.slip_chances", f"a sum of {sum(slips):.6g}", "chances adding up to 1"
        )
    if list(delivery) != sorted(delivery):
        raise refused("risk-impossible", f"{place}.delivery", list(delivery), "lowest, likeliest, highest")
    return Risk(bool(told.get("certain")), slips, told.get("cancel"), delivery)
