"""What is missing for a better pack, and what would mend it: a sentence and a remedy each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from insights.fund_costs import ELSEWHERE_UNKNOWN, TOLD_ONCE
from insights.outlook import PRIORS_WEAK, TAKEN_FROM_REFERENCE
from serving.fund_words import left_words

OLD_DAYS: Final = 730
# An 80% band that held fewer of the past figures is told as too narrow.
NARROW: Final = 0.70
_NETWORK: Final = "transport and storage"


def gaps(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of the answer of ``funding_view``: code, what is missing, and what would mend it."""
    told = [
        *_of_costs(answer),
        *_of_plan(answer),
        *_of_factors(answer),
        *_of_target(answer),
        *_of_bands(answer),
        *_of_figures(answer),
    ]
    return [dict(zip(("code", "found", "remedy"), row, strict=True)) for row in told]


def _of_costs(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    costs, rows = answer["costs"], []
    if not costs["known"]:
        rows.append(
            (
                "cost-not-told",
                "No cost of the plan was told, and none is published in the registry.",
                "Send capex, opex and the fee for transport and storage with the question.",
            )
        )
    elif costs["reason"] == TOLD_ONCE:
        rows.append(
            (
                "cost-told-twice",
                "Costs a tonne of the plan hold an unknown part of the capex, opex or fee told beside them: "
                "they are not added up.",
                "Tell costs a tonne in the plan, or capex, opex and fee with the question, not both.",
            )
        )
    elif costs["left_out"]:
        parts = left_words(costs)
        rows.append(("cost-in-parts", f"The cost leaves out: {parts}.", "Send these parts as well."))
    if costs["grant"] is None:
        rows.append(("grant-not-told", "No grant was told.", "Send the grant that is asked for."))
    return rows


def _of_plan(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    notes, rows = answer["outlook"]["notes"], []
    if PRIORS_WEAK in notes:
        rows.append(
            (
                "weak-priors",
                "Slips and cancellations are taken from a handful of registered projects.",
                "Tell the chances of each project as its owners and lenders see them.",
            )
        )
    if any(
        row.get("risk", {}).get("from", {}).get("delivery", "").startswith("no-record")
        for row in answer["outlook"]["measures"]
    ):
        rows.append(
            (
                "delivery-unrecorded",
                "No project has a record of what it delivered: taken as in full.",
                "Tell the lowest, likeliest and highest share of the capacity that is delivered.",
            )
        )
    if any(_NETWORK in str(row["technology"] or "") for row in answer["maturity"]):
        rows.append(
            (
                "size-of-a-network",
                "The size of a network for transport and storage is taken as caught in this cluster, as far "
                "as its emissions allow: who else fills it is not known.",
                "Tell the volume that this cluster's emitters have booked (capacity).",
            )
        )
    return rows


def _of_factors(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    notes, rows = answer["outlook"]["notes"], []
    if TAKEN_FROM_REFERENCE in notes:
        rows.append(
            (
                "factors-stand-in",
                "Energy of capture and the fuel burnt for it are reference factors.",
                "Tell heat, power, fuel and capture rate of the plants themselves.",
            )
        )
    if answer["plan"]["grid_from"]:
        rows.append(
            (
                "grid-stands-in",
                "The intensity of the grid is a path of the world, not of the country.",
                "Send a scenario with the grid's own intensity.",
            )
        )
    if ELSEWHERE_UNKNOWN in answer["notes"]:
        rows.append(
            (
                "grid-missing",
                "Emissions elsewhere are not known, so that nothing avoided can be told.",
                "Tell the grid's intensity (grid) of the scenario.",
            )
        )
    return rows


def _of_target(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    targets = answer["outlook"]["targets"]
    if not any(each["status"] == "measured" for each in targets):
        rows.append(
            (
                "no-measured-target",
                "No target could be measured, so that no chance is told.",
                "Send a target, or name the scope to read it in.",
            )
        )
    if answer["confidence"]["calibration"] is None:
        rows.append(
            (
                "calibration-unknown",
                "The served model keeps no record of how past chances came true.",
                "Retrain: chances are shares of paths until then.",
            )
        )
    return rows


def _of_bands(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    rows = []
    scores = (answer["confidence"]["bands"] or {}).get("scores")
    if scores is None:
        rows.append(
            (
                "bands-not-judged",
                "The bands of this series were not judged on its own past.",
                "Retrain with more years of figures.",
            )
        )
    elif scores["coverage_80"] is None:
        rows.append(
            (
                "bands-not-held-against",
                "No past figure of this series could be held against its bands.",
                "Ingest the years that its past forecasts were for, and retrain.",
            )
        )
    elif scores["coverage_80"] < NARROW:
        rows.append(
            (
                "bands-narrow",
                "The bands of this series held less of its past than they say: read them wider.",
                "Add newer figures, and activity of the plants, which explains their jumps.",
            )
        )
    return rows


def _of_figures(answer: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    quality, rows = answer["quality"] or {}, []
    if (quality.get("age_days") or 0) > OLD_DAYS:
        rows.append(
            (
                "figures-old",
                "The newest registered figure is more than two years old.",
                "Ingest newer records of the registry (forecarbon ingest).",
            )
        )
    if quality and quality.get("agreement") is None:
        rows.append(
            (
                "one-source",
                "No second source was held against the registered figures.",
                "Ingest asset-level estimates of the same sites.",
            )
        )
    if answer["indicators"]["jobs"] is None or answer["indicators"]["gdp_low"] is None:
        rows.append(
            (
                "indicators-missing",
                "Of the initiative's three indicators not all are published here.",
                "Publish jobs and contribution to GDP, and say what they count.",
            )
        )
    return rows
