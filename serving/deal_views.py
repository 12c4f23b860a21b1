"""Corridors between clusters and a contract to capture, as a caller told them: pure views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from insights.contract import Contract
from insights.corridors import Map, Place, Route, Trade, trade
from insights.cost_split import Scale, proportional, shapley
from serving.network_view import members, out_of_time
from serving.plan_ask import ContractAsk, CorridorsAsk, TogetherAsk, yearly
from serving.shelf import Standing
from serving.views import told_of

SECONDS: Final = 8.0
EUR: Final = "EUR"


def corridors_view(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """Who supplies whom, and what that saves against no corridor.

    Raises:
        AskError: ``corridor-implausible``, ``years-unlike``.
        DataError: ``out-of-time``, or numbers too far apart.
    """
    ask = CorridorsAsk.model_validate(dict(question))
    told = trade(map_of(ask), SECONDS)
    if told is None:
        raise out_of_time(SECONDS)
    return {"commodity": ask.commodity, "unit": EUR, **_trade(told), **told_of(standing)}


def map_of(ask: CorridorsAsk) -> Map:
    """Places and routes of a question."""
    count = ask.years
    places = tuple(
        Place(
            each.name,
            *(
                yearly(getattr(each, name), count, f"{each.name}.{name}")
                for name in ("supply", "demand", "cost", "short", "rest")
            ),
        )
        for each in ask.places
    )
    routes = tuple(
        Route(
            each.start, each.end, each.mode, each.distance_km,
            yearly(each.capacity, count, f"routes[{k}].capacity"), each.cost_per_km, each.fixed, each.loss,
        )
        for k, each in enumerate(ask.routes)
    )  # fmt: skip
    return Map(ask.start_year + np.arange(count), places, routes)


def _trade(told: Trade) -> dict[str, Any]:
    asked = told.map
    return {
        "years": [int(year) for year in asked.years],
        "cost": told.cost,
        "alone": told.alone,
        "saved": told.saved,
        "routes": [
            {
                "start": route.start, "end": route.end, "mode": route.mode, "distance_km": route.distance,
                "cost_per_unit": route.cost, "sent": told.sent[k].tolist(),
                "arrived": told.arrived[k].tolist(),
                "utilisation": [
                    float(flow / most) if most > 0 else None
                    for flow, most in zip(told.sent[k], route.capacity, strict=True)
                ],
            }
            for k, route in enumerate(asked.routes)
        ],
        "places": [
            {
                "name": place.name, "own": told.own[k].tolist(), "short": told.short[k].tolist(),
                "rest": told.rest[k].tolist(),
            }
            for k, place in enumerate(asked.places)
        ],
    }  # fmt: skip


def contract_view(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    """A contract's cash flows, what support makes it pay, and who pays where its volumes are late.

    Raises:
        AskError: ``contract-implausible``, ``split-implausible``, ``years-unlike``.
        DataError: ``contract-without-volumes``.
    """
    ask = ContractAsk.model_validate(dict(question))
    contract = contract_of(ask)
    late = contract.late(ask.late_years)
    return {
        "unit": EUR,
        "years": [int(year) for year in contract.years],
        **_flows(contract),
        "late": {"years": ask.late_years, **_flows(late), "who_pays": late.shortfall().rows()},
        "together": None if ask.together is None else _together(ask.together),
        **told_of(standing),
    }


def contract_of(ask: ContractAsk) -> Contract:
    """The contract of a question; what is booked is what is handed over where nothing else is told."""
    count = ask.years
    rows = {
        name: yearly(getattr(ask, name), count, name) for name in ("capex", "opex", "volumes", "fee", "price")
    }
    booked = rows["volumes"] if ask.booked is None else yearly(ask.booked, count, "booked")
    return Contract(
        years=ask.start_year + np.arange(count),
        **rows,
        support=ask.support,
        rate=ask.discount_rate,
        booked=booked,
        avoided=ask.avoided,
        take=ask.take_or_pay,
        backed=ask.backed,
    )


def _flows(contract: Contract) -> dict[str, Any]:
    return {
        "npv": contract.npv(),
        "break_even_support": contract.break_even(),
        "volumes": contract.volumes.tolist(),
        "flows": {name: row.tolist() for name, row in contract.flows().items()},
    }


def _together(ask: TogetherAsk) -> dict[str, Any]:
    """What a demand put together costs, a unit and in all, and who pays what of it."""
    volumes = np.array([each.volume for each in ask.members])
    names = [each.name for each in ask.members]
    scale = Scale(ask.scale.cost, ask.scale.volume, ask.scale.exponent)
    shares = proportional(scale.of(float(volumes.sum())), volumes)
    fair = shapley(scale.of_coalition(volumes), len(volumes))
    return {
        "total": fair.total,
        "saved": fair.saved,
        "per_unit": scale.per_unit(float(volumes.sum())),
        "method": fair.method,
        # One year is told, so the peak is the volume.
        "members": members(names, fair, shares, shares),
    }
