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
from insights.figures import Float, Int
from insights.lever_kinds import LEVERS
from insights.refusals import refused
from insights.scenario import Scenario

_PARTS: Final = ("capex", "opex", "transport_storage")
_MONEY: Final = (*_PARTS, "carbon_price", "grant")
# Of a plan's own cost a gross tonne: the part is named by this and the name of the lever or project.
PER_TONNE: Final = "per_tonne:"
# Why a figure of money is not told.
NOT_TOLD: Final = "cost-not-told"
TOLD_ONCE: Final = "costs-told-once"
ELSEWHERE_UNKNOWN: Final = "elsewhere-not-known"
NONE_AVOIDED: Final = "nothing-avoided"
CAPTURE_ALONE: Final = "capture-alone"
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
        opex: a year in which something of the plan is planned to run.
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

    def spent(self, window: Window) -> int:
        """The year of the capex."""
        return window.first - 1 if self.capex_year is None else self.capex_year


def costs_of(
    terms: Terms, scenario: Scenario, tonnes: Tonnes, window: Window, weights: Float
) -> dict[str, Any]:
    """Cost, grant and break-even support of a tonne, JSON-ready.

    per_tonne = expected cost / expected tonnes avoided (a mean of ratios has no meaning where a path avoids
    nothing); discounted: both to ``money_of``. Grant a tonne likewise, with the band of the tonnes. Where
    ``per_tonne`` is null, ``reason`` says why.

    Raises:
        AskError: amounts in another currency than the plan's costs (``currency-mixed``), or a capex after
            the years that are counted (``capex-after-window``).
    """
    _check(terms, scenario, window)
    spent = terms.spent(window)
    begin = min(spent, window.first)
    avoided = tonnes.avoided
    mean = None if avoided is None else avoided @ weights
    known, left_out, once = _parts(terms, scenario)
    summed = bool(known) and once
    yearly = _yearly(terms, scenario, tonnes, window, weights)
    capex, ones = terms.capex or 0.0, np.ones(len(yearly))
    total = capex + float(yearly.sum())
    per_tonne = _each(total, mean, ones) if summed else None
    discounted = None
    if summed and terms.rate is not None:
        worth = (1.0 + terms.rate) ** -(window.years - begin).astype(np.float64)
        now = capex * (1.0 + terms.rate) ** -(spent - begin) + float(yearly @ worth)
        discounted = _each(now, mean, worth)
    return {
        "currency": scenario.currency or terms.currency,
        "known": known,
        "left_out": left_out,
        "reason": _reason(known, mean, per_tonne, once=once),
        "money_of": begin if known else None,
        "rate": terms.rate,
        "total": total if summed else None,
        "per_tonne": per_tonne,
        "per_tonne_discounted": discounted,
        "grant": terms.grant,
        "grant_per_tonne": _grant(terms.grant, avoided, weights),
        "break_even": _break_even(terms, scenario, tonnes, window, weights),
    }


def _check(terms: Terms, scenario: Scenario, window: Window) -> None:
    """Refuses what cannot be summed, or would not be counted."""
    own = scenario.currency
    told = [name for name in _MONEY if getattr(terms, name) is not None]
    if told and own and own != terms.currency:
        raise refused(
            "currency-mixed",
            "currency",
            f"{terms.currency} for {', '.join(told)}",
            f"{own}, in which the plan's costs are told",
            f"tell every amount in {own}, with currency {own}",
        )
    if terms.capex_year is not None and terms.capex_year > window.last:
        raise refused(
            "capex-after-window",
            "capex_year",
            terms.capex_year,
            f"at most {window.last}, the last year counted",
        )


def _parts(terms: Terms, scenario: Scenario) -> tuple[list[str], list[str], bool]:
    """Which parts of the cost are told, which are left out, and whether they are told once.

    A cost a tonne of a plan may hold capex, opex and fee, nobody knows how much of them: beside it none of
    these is missed, and none can be added.
    """
    own = [plan.name for plan in scenario.plans if plan.cost is not None]
    other = [plan.name for plan in scenario.plans if plan.cost is None]
    told = [part for part in _PARTS if getattr(terms, part) is not None]
    known = [*told, *(PER_TONNE + name for name in own)]
    if not own:
        return known, [part for part in _PARTS if part not in told], True
    return known, [] if told else [PER_TONNE + name for name in other], not told


def _reason(known: list[str], mean: Float | None, per_tonne: float | None, *, once: bool) -> str | None:
    """Why there is no cost of a tonne; None where there is one."""
    if per_tonne is not None:
        return None
    if not known:
        return NOT_TOLD
    if not once:
        return TOLD_ONCE
    return ELSEWHERE_UNKNOWN if mean is None else NONE_AVOIDED


def _running(scenario: Scenario, years: Int) -> Float:
    """(Y,) 1 in years in which something of the plan is planned to run, from its start to its end; else 0."""
    planned = [
        (years >= plan.start + plan.delay_years) & (years <= (years[-1] if plan.end is None else plan.end))
        for plan in scenario.plans
    ]
    return np.asarray(np.any(planned, axis=0), dtype=np.float64)


def _yearly(terms: Terms, scenario: Scenario, tonnes: Tonnes, window: Window, weights: Float) -> Float:
    """(Y,) expected cost a year without capex."""
    rows = _running(scenario, window.years) * (terms.opex or 0.0)
    rows = rows + (terms.transport_storage or 0.0) * (tonnes.captured @ weights)
    for plan in scenario.plans:
        if plan.cost is not None:
            rows = rows + plan.cost * (tonnes.gross_by[plan.name] @ weights)
    return np.asarray(rows)


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
    terms: Terms, scenario: Scenario, tonnes: Tonnes, window: Window, weights: Float
) -> dict[str, Any]:
    """The support a tonne captured at which the contract pays, or what is missing for it."""
    missing = _missing(terms, scenario)
    if missing or tonnes.avoided is None:
        return {"support": None, "missing": missing or [ELSEWHERE_UNKNOWN]}
    caught = float((tonnes.captured @ weights).sum())
    if caught < _NO_TONNES:
        return {"support": None, "missing": ["captured"]}
    share = float((tonnes.avoided @ weights).sum()) / caught
    if share < 0:
        return {"support": None, "missing": [NONE_AVOIDED]}
    contract = _contract(terms, scenario, tonnes.captured @ weights, window, share)
    try:
        support = contract.break_even()
    except DataError:
        return {"support": None, "missing": ["captured"]}
    return {"support": support, "missing": [], "npv_without": contract.npv()}


def _missing(terms: Terms, scenario: Scenario) -> list[str]:
    """What stands against a contract, but for tonnes that are not known."""
    names = ("capex", "opex", "transport_storage", "carbon_price", "rate")
    missing = [name for name in names if getattr(terms, name) is None]
    if missing:
        return missing
    # A cost a tonne of a plan holds an unknown part of the same money: it is not counted twice.
    told = [TOLD_ONCE] if any(plan.cost is not None for plan in scenario.plans) else []
    # The money is the whole plan's: a contract on the tonnes captured cannot bear that of other levers.
    alone = all(LEVERS[plan.kind].captures for plan in scenario.plans)
    return told if alone else [*told, CAPTURE_ALONE]


def _contract(terms: Terms, scenario: Scenario, captured: Float, window: Window, share: float) -> Contract:
    """The plan as one contract, from the year of the capex or the first counted one on.

    Args:
        captured: (Y,) expected tonnes.
        share: of them that is avoided.
    """
    spent = terms.spent(window)
    begin = min(spent, window.first)
    years = np.arange(begin, window.last + 1)
    pad, ones = np.zeros(window.first - begin), np.ones(len(years))
    volumes = np.concatenate([pad, captured])
    return Contract(
        years=years,
        capex=np.where(years == spent, terms.capex or 0.0, 0.0),
        volumes=volumes,
        booked=volumes,
        support=0.0,
        rate=terms.rate or 0.0,
        opex=np.concatenate([pad, _running(scenario, window.years) * (terms.opex or 0.0)]),
        fee=ones * (terms.transport_storage or 0.0),
        price=ones * (terms.carbon_price or 0.0),
        # Above 1 by the noise of adding up alone.
        avoided=min(share, 1.0),
    )
