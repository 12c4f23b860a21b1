"""What a funding pack says of its money, its years and its bands is true of the question that was asked."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from serving.fund_gaps import gaps
from serving.provenance import with_id
from serving.report.document import Document, plain
from serving.report.printing import FUNDING, VIEWS, document_of
from serving.shelf import Standing
from tests.serving.test_report import cells_of

CATCH: dict[str, Any] = {
    "name": "catch", "kind": "ccus", "capacity": "0.1 Mt/year", "start": 2031, "grid": "0.1 t/MWh",
}  # fmt: skip
SAVE: dict[str, Any] = {"name": "save", "kind": "efficiency", "share": 0.1, "start": 2033}
MONEY: dict[str, Any] = {
    "capex": 1e8, "opex": 1e6, "transport_storage": 40.0, "carbon_price": 90.0, "rate": 0.05,
}  # fmt: skip


def pack(
    standing: Standing, project: dict[str, Any], lever: dict[str, Any] | None = None, **terms: Any
) -> tuple[dict[str, Any], str]:
    """The answer, and every text of its document."""
    plan = {"version": 1, "name": "n", "series": "aa-north", "projects": [project]}
    question = {"scenario": plan | ({} if lever is None else {"levers": [lever]}), **terms}
    answer = with_id(FUNDING, question, VIEWS[FUNDING](standing, question), standing)
    return answer, text_of(document_of(FUNDING, answer, ""))


def text_of(document: Document) -> str:
    return "\n".join(plain(cell) for cell in cells_of(document))


def codes(answer: dict[str, Any]) -> list[str]:
    return [row["code"] for row in answer["missing"]]


def test_costs_that_are_told_twice_are_not_added_and_that_is_said(whole: Standing) -> None:
    answer, text = pack(whole, {**CATCH, "cost": "79 EUR/t"}, **MONEY)
    assert "cost-told-twice" in codes(answer)
    assert "not added up\n" in text
    assert "It is not added up: told twice: a tonne in the plan, and beside it." in text
    assert "not known: the plan tells costs a tonne" in text
    # Also where no other figure of money is there to be listed.
    assert "No cost and no grant were told" not in pack(whole, {**CATCH, "cost": "79 EUR/t"}, opex=1e6)[1]


def test_a_cost_says_what_it_is_without(whole: Standing) -> None:
    answer, text = pack(whole, CATCH, capex=1e8, opex=1e6)
    assert answer["costs"]["left_out"] == ["transport_storage"]
    assert "\nwithout transport and storage\n" in text
    assert "\ncapex, opex, transport and storage\n" in pack(whole, CATCH, **MONEY)[1]
    # Nobody knows whether a cost a tonne of the plan holds transport and storage.
    text = pack(whole, {**CATCH, "cost": "79 EUR/t"})[1]
    assert "\nas told a tonne in the plan\n" in text
    assert "without transport and storage" not in text
    text = pack(whole, {**CATCH, "cost": "79 EUR/t"}, SAVE)[1]
    assert "\nas told a tonne in the plan, without levers and projects that tell no cost a tonne\n" in text


def test_what_is_not_known_for_the_grid_says_so(whole: Standing) -> None:
    blind = {name: value for name, value in CATCH.items() if name != "grid"}
    answer, text = pack(whole, blind, grant=5e7, **MONEY)
    assert answer["costs"]["reason"] == "elsewhere-not-known"
    assert "The break-even support is not known: the grid's intensity is missing." in text
    assert "no grant told" not in text
    assert "no figure told, none made up" not in text
    text = pack(whole, CATCH, SAVE, **MONEY)[1]
    assert "The break-even support is not known: the plan holds levers that capture nothing" in text


@pytest.mark.parametrize(
    ("lever", "terms", "said"),
    [
        (None, {}, "the planned start, so that a late start costs its tonnes."),
        (SAVE, {}, "the earliest planned start, and do not move"),
        ({**SAVE, "start": 2031}, {}, "the planned start, so that a late start costs its tonnes."),
        (None, {"first_year": 2033}, "the year that the applicant tells, and do not move"),
        (None, {"first_year": 2000}, "the first forecast year, and do not move"),
        ({**SAVE, "start": 2000}, {}, "the first forecast year, and do not move"),
    ],
)
def test_years_are_counted_from_where_it_says(
    whole: Standing, lever: dict[str, Any] | None, terms: dict[str, Any], said: str
) -> None:
    assert f"the years are counted from {said}" in pack(whole, CATCH, lever, **terms)[1]


@pytest.mark.parametrize(
    ("coverage", "told"), [(None, "bands-not-held-against"), (0.0, "bands-narrow"), (0.5, "bands-narrow")]
)
def test_bands_that_held_nothing_are_not_bands_without_a_record(
    whole: Standing, coverage: float | None, told: str
) -> None:
    answer = copy.deepcopy(pack(whole, CATCH)[0])
    scores = {"n": 12, "coverage_80": coverage}
    answer["confidence"]["bands"] = {"scores": scores, "kind_scores": None}
    found = {row["code"] for row in gaps(answer)} & {"bands-not-held-against", "bands-narrow"}
    assert found == {told}
    text = text_of(document_of(FUNDING, {**answer, "missing": gaps(answer)}, ""))
    assert ("were not judged on its own past" in text) is (coverage is None)
