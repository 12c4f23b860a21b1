"""A contract's cash flows: the break-even support against root finding, and who pays for late volumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from features.errors import AskError, DataError
from insights.contract import Contract

YEARS = np.arange(2026, 2046)


def contract(**more: Any) -> Contract:
    years = len(YEARS)
    volumes = np.full(years, 1e6)
    volumes[:2] = 0
    told: dict[str, Any] = {
        "years": YEARS,
        "capex": np.array([3e8, *[0.0] * (years - 1)]),
        "opex": np.full(years, 2e7),
        "volumes": volumes,
        "booked": volumes,
        "fee": np.full(years, 30.0),
        "price": np.linspace(70, 120, years),
        "support": 0.0,
        "rate": 0.08,
    }
    return Contract(**{**told, **more})


@pytest.mark.parametrize("seed", range(10))
def test_the_break_even_support_is_the_root_of_the_npv(seed: int) -> None:
    dice = np.random.default_rng(seed)
    years = len(YEARS)
    booked = dice.uniform(0, 2e6, years)
    asked = contract(
        capex=dice.uniform(0, 5e8, years), volumes=booked * dice.uniform(0, 1, years), booked=booked,
        rate=float(dice.uniform(-0.02, 0.15)), avoided=float(dice.uniform(0.7, 1)), take=float(dice.random()),
    )  # fmt: skip
    root = brentq(lambda s: replace(asked, support=s).npv(), -1e5, 1e5, xtol=1e-9)
    assert asked.break_even() == pytest.approx(root, abs=1e-6)
    assert replace(asked, support=asked.break_even()).npv() == pytest.approx(0, abs=1.0)


def test_flows_by_hand() -> None:
    asked = Contract(
        np.array([2030, 2031]), np.array([100.0, 0.0]), np.array([10.0, 10.0]), np.array([0.0, 5.0]),
        np.array([2.0, 2.0]), np.array([30.0, 30.0]), 4.0, 0.1, np.array([5.0, 5.0]), avoided=0.8, take=0.6,
    )  # fmt: skip
    told = asked.flows()
    assert told["fee_for_unused"].tolist() == [-6, 0]
    assert told["net"].tolist() == pytest.approx([-116, -10 - 10 + 30 * 0.8 * 5 + 20])
    assert asked.npv() == pytest.approx(-116 + 120 / 1.1)


def test_more_support_is_worth_more_and_late_volumes_need_more() -> None:
    asked = contract()
    assert replace(asked, support=50.0).npv() > asked.npv()
    assert asked.late(2).break_even() > asked.break_even()
    assert asked.late(0).npv() == asked.npv()
    assert asked.late(99).volumes.sum() == 0


def test_who_pays_for_late_volumes_adds_up_to_what_is_missing() -> None:
    asked = contract(take=0.7, backed=0.5).late(3)
    told = asked.shortfall()
    assert told.missing.sum() == pytest.approx(30 * 3e6)
    assert told.emitter.sum() == pytest.approx(0.7 * 30 * 3e6)
    assert told.state.sum() == pytest.approx(0.15 * 30 * 3e6)
    assert (told.emitter + told.state + told.operator).tolist() == pytest.approx(told.missing.tolist())
    assert contract(take=1.0).late(3).shortfall().operator.sum() == pytest.approx(0)
    assert contract().shortfall().missing.sum() == 0
    assert told.rows()[2]["year"] == 2028


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("opex", np.array([1.0])), ("fee", np.full(20, -1.0)), ("price", np.full(20, np.nan)), ("take", 1.5),
        ("rate", -1.0), ("volumes", np.full(20, 2e6)),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(field: str, value: Any) -> None:
    with pytest.raises(AskError) as refusal:
        contract(**{field: value})
    assert refusal.value.code == "contract-implausible"
    assert refusal.value.facts == {"field": field}


def test_no_support_pays_for_no_tonnes() -> None:
    with pytest.raises(DataError, match="contract-without-volumes"):
        contract(volumes=np.zeros(20)).break_even()
    with pytest.raises(AskError, match="late_years"):
        contract().late(-1)
