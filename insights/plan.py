"""One lever or project of a scenario: what its fields mean together, in plain numbers.

Quantities are kept in tonnes, MWh and years; what is not told stays empty, and what is then taken from the
reference factors is told (``assumed``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from insights.kinds.kind import Kind, Terms
from insights.lever_kinds import LEVERS
from insights.projects import Risk
from insights.refusals import refused
from insights.scenario_fields import LEVER
from insights.tolls import FUELS, Factors, Toll, factor
from insights.units import measured

# Of texts that are quantities: field -> what it may be measured in.
_UNITS: Final = {name: field.units for name, field in LEVER.items() if field.units}
_ALL_OWN: Final = tuple(sorted({name for kind in LEVERS.values() for name in kind.fields}))


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
        return LEVERS[self.kind].toll(self._terms(factors))

    def assumed(self, factors: Factors) -> list[dict[str, Any]]:
        """What was not told and stands in from the reference factors, or is not counted at all."""
        gaps = [
            *LEVERS[self.kind].gaps(self._terms(factors)),
            ("fuel", FUELS[self.fuel], factor(factors, FUELS[self.fuel])),
            ("upstream", "not counted", None),
        ]
        return [
            {"of": self.name, "field": field, "taken_from": key, "value": value}
            for field, key, value in gaps
            if field not in self.told
        ]

    def _terms(self, factors: Factors) -> Terms:
        return Terms(self.told, self.fuel, self.grid, factors)


def plan_of(told: Mapping[str, Any], place: str, *, grid: float | None, factors: Factors) -> Plan:
    """A lever or project of checked fields, with what they mean together.

    Args:
        told: fields by name; of a project the registry's gaps are filled in.
        grid: of the scenario.

    Raises:
        AskError: the field is named.
    """
    kind, name = LEVERS[str(told["kind"])], str(told["name"])
    for field in _ALL_OWN:
        if field in told and field not in kind.fields:
            allowed = f"for {kind.name}: {', '.join(kind.fields)}"
            raise refused("field-foreign", f"{place}.{field}", f"{field} of {kind.name}", allowed)
    known = {**told, **_quantities(told, place, kind)}
    flow, power = known.pop("flow", None), known.pop("fuel_flow", None)
    start, end, ramp = known["start"], known.get("end"), known.get("ramp_years", 0)
    _check_years(start, end, ramp, place)
    part = known.get("share", 1.0)
    # A share bounds a lever's reach; of a project it is the cluster's part of the capacity.
    is_project = "project_id" in known
    fuel, of_grid = known.get("fuel", "gas"), known.get("grid", grid)
    rate = kind.reach(Terms(known, fuel, of_grid, factors))
    if flow is None and power is None and (is_project or "share" not in known):
        raise refused("size-missing", f"{place}.capacity", "nothing", "a capacity, or a share for a lever")
    scale = part if is_project else 1.0
    return Plan(
        name=name,
        kind=kind.name,
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
        fuel=fuel,
        grid=of_grid,
        cost=known.get("cost"),
        currency=known.pop("currency", ""),
        store=known.get("store", ""),
        risk=_risk(known.get("risk", {}), f"{place}.risk"),
        told=known,
    )


def _quantities(told: Mapping[str, Any], place: str, kind: Kind) -> dict[str, Any]:
    """The fields that are quantities, as numbers in our units."""
    out: dict[str, Any] = {}
    kinds = {**_UNITS, "capacity": kind.measures}
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
