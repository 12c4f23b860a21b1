"""What a tonne avoided costs, and what of it is asked for: only from figures that were told.

Nothing is filled in: a part that is not told is listed as left out, and what needs it is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from features.errors import DataError
from insights.avoidance import Tonnes, Window, spread
from insights.contract import Contract
from insights.figures import Float
from insights.scenario import Scenario

_PARTS: Final = ("capex", "opex", "transport_storage")
# Expected tonnes below which money a tonne has no meaning.
_NO_TONNES: Final = 1.0


@dataclass(frozen=True)
class Terms:
    """What an applicant says beside the plan; None for what is not told.

    Attributes:
        first_year: from which the ten years are counted; the planned start where left out.
        promised: tonnes that the applicant promises to avoid in them.
        currency: of every amount.
        capex: spent in ``capex_year``, the year before the first where that is not told.
        opex: a year of operation.
        transport_storage: a tonne captured.
        carbon_price: a tonne not emitted.
        rate: of interest, a share a year.
        grant: asked for.
    """

    first_year: int | None = None
    promised: float | None = None
    currency: str = "EUR"
    capex: float | None = None
    capex_year: int | None = None
    opex: float | None = None
    transport_storage: float | None = None
    carbon_price: float | None = None
    rate: float | None = None
    grant: float | None = None


def costs_of(
    terms: Terms, scenario: Scenario, tonnes: Tonnes, window: Window, weights: Float
) -> dict[str, Any]:
    """Cost, grant and break-even support of a tonne, JSON-ready.

    per_tonne = expected cost / expected tonnes avoided (a mean of ratios has no meaning where a path avoids
    nothing); discounted: both to the year of the capex. Grant a tonne likewise, with the band of the tonnes.
    """
    yearly, known = _yearly(terms, scenario, tonnes, weights)
    capex = terms.capex or 0.0
    begin = min(window.first - 1 if terms.capex_year is None else terms.capex_year, window.first)
    avoided = tonnes.avoided
    mean = None if avoided is None else avoided @ weights
    worth = None if terms.rate is None else (1.0 + terms.rate) ** -(window.years - begin).astype(np.float64)
    any_known = bool(known)
    return {
        "currency": scenario.currency or terms.currency,
        "known": known,
        "left_out": [part for part in _PARTS if part not in known],
        "money_of": begin if any_known else None,
        "rate": terms.rate,
        "total": capex + float(yearly.sum()) if any_known else None,
        "per_tonne": _each(capex + float(yearly.sum()), mean, np.ones(len(yearly))) if any_known else None,
        "per_tonne_discounted": None
        if worth is None or not any_known
        else _each(capex + float(yearly @ worth), mean, worth),
        "grant": terms.grant,
        "grant_per_tonne": _grant(terms.grant, avoided, weights),
        "break_even": _break_even(terms, scenario, tonnes, window, weights, begin),
    }


def _yearly(terms: Terms, scenario: Scenario, tonnes: Tonnes, weights: Float) -> tuple[Float, list[str]]:
    """(Y,) expected cost a year without capex, and which parts of it are known."""
    rows = np.zeros(len(tonnes.reference))
    known = [] if terms.capex is None else ["capex"]
    if terms.opex is not None:
        rows, known = rows + terms.opex, [*known, "opex"]
    if terms.transport_storage is not None:
        rows = rows + terms.transport_storage * (tonnes.captured @ weights)
        known = [*known, "transport_storage"]
    told = [plan for plan in scenario.plans if plan.cost is not None]
    for plan in told:
        rows = rows + (plan.cost or 0.0) * (tonnes.gross_by[plan.name] @ weights)
    return rows, [*known, *(f"per_tonne:{plan.name}" for plan in told)]


def _each(money: float, tonnes: Float | None, worth: Float) -> float | None:
    if tonnes is None:
        return None
    whole = float(tonnes @ worth)
    return money / whole if whole >= _NO_TONNES else None


def _grant(grant: float | None, avoided: Float | None, weights: Float) -> dict[str, float | None] | None:
    """Grant a tonne avoided: at the mean, and at the ends of the 80% band of the tonnes."""
    if grant is None or avoided is None:
        return None
    told = spread(avoided.sum(axis=0), weights)
    ends = {"mean": told["mean"], "low": told["q0.9"], "median": told["q0.5"], "high": told["q0.1"]}
    return {name: grant / each if each >= _NO_TONNES else None for name, each in ends.items()}


def _break_even(
    terms: Terms, scenario: Scenario, tonnes: Tonnes, window: Window, weights: Float, begin: int
) -> dict[str, Any]:
    """The support a tonne captured at which the contract pays, or what is missing for it."""
    names = ("capex", "opex", "transport_storage", "carbon_price", "rate")
    missing = [name for name in names if getattr(terms, name) is None]
    if missing or tonnes.avoided is None or any(plan.cost is not None for plan in scenario.plans):
        # A cost a tonne of a plan holds an unknown part of the same money: it is not counted twice.
        return {"support": None, "missing": missing or ["costs-told-once"]}
    years = np.arange(begin, window.last + 1)
    pad = np.zeros(window.first - begin)
    volumes = np.concatenate([pad, tonnes.captured @ weights])
    caught = float(volumes.sum())
    if caught < _NO_TONNES:
        return {"support": None, "missing": ["captured"]}
    share = float((tonnes.avoided @ weights).sum()) / caught
    ones = np.ones(len(years))
    capex = np.zeros(len(years))
    capex[0] = terms.capex or 0.0
    contract = Contract(
        years=years,
        capex=capex,
        volumes=volumes,
        booked=volumes,
        support=0.0,
        rate=terms.rate or 0.0,
        opex=np.concatenate([pad, np.full(len(window.years), terms.opex or 0.0)]),
        fee=ones * (terms.transport_storage or 0.0),
        price=ones * (terms.carbon_price or 0.0),
        avoided=min(max(share, 0.0), 1.0),
    )
    try:
        support = contract.break_even()
    except DataError:
        return {"support": None, "missing": ["captured"]}
    return {"support": support, "missing": [], "npv_without": contract.npv()}
