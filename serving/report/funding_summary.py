"""The first page of a funding pack: its figures in short."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from serving.fund_words import REASONS, held_words
from serving.report.document import Block, Cell, Heading, KeyFigure, KeyFigures, Paragraph, say
from serving.report.ledger import Ledger


def summary_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """Six figures, and what avoided means here."""
    items = [*_tonnes_keys(ledger, answer), *_target_keys(ledger, answer), *_money_keys(ledger, answer)]
    note = Paragraph(
        say(
            "Avoided is what the plan takes off the emissions that are forecast without it, less what "
            "its energy brings back on the site "
            "and elsewhere. It is drawn on joint paths with the risk that a project comes late or not at "
            "all; the years are counted from " + _counted_from(answer) + ".",
        )
    )
    return [Heading(1, "In short"), KeyFigures(tuple(items)), note]


def _counted_from(answer: Mapping[str, Any]) -> str:
    """Where the ten years begin, and what a late start does to them."""
    window, told = answer["window"], answer["terms"]["first_year"]
    starts = {row["planned_start"] for row in answer["outlook"]["measures"]}
    if window["first_year"] != (told or window["planned_start"]):
        begin = "the first forecast year"
    elif told is not None:
        begin = "the year that the applicant tells"
    elif len(starts) > 1:
        begin = "the earliest planned start"
    else:
        return "the planned start, so that a late start costs its tonnes"
    return f"{begin}, and do not move with a late start"


def _tonnes_keys(ledger: Ledger, answer: Mapping[str, Any]) -> list[KeyFigure]:
    if answer["avoidance"]["absolute"] is None:
        unknown: Cell = ("not known",)
        return [KeyFigure("Avoided in ten years", unknown, ("the grid's intensity is missing",))]
    absolute, relative = "/avoidance/absolute", "/avoidance/relative"
    what = "Avoided: the absolute avoidance: ten-year mean, median, 80% band"
    return [
        KeyFigure(
            "Avoided in ten years, median",
            say("{mt} Mt", mt=ledger.number(f"{absolute}/q0.5", "mt", what)),
            say("80% band {band} Mt", band=ledger.band(absolute, "mt", what)),
        ),
        KeyFigure(
            "Of the emissions without the plan",
            (ledger.number(f"{relative}/q0.5", "share", "Relative avoidance: median, 80% band"),),
            say(
                "80% band {band}", band=ledger.band(relative, "share", "Relative avoidance: median, 80% band")
            ),
        ),
        KeyFigure(
            "Chance of what is promised",
            (ledger.number("/promise/chance", "chance", "Chance of at least the promised tonnes"),),
            say(
                "{mt} Mt: {by}",
                mt=ledger.number("/promise/tonnes", "mt", "Promised tonnes over ten years"),
                by=ledger.words("/promise/told_by"),
            ),
        ),
    ]


def measured(answer: Mapping[str, Any]) -> list[int]:
    """Which targets of the answer have a chance without and with the plan."""
    return [
        k
        for k, each in enumerate(answer["outlook"]["targets"])
        if each["status"] == "measured" and each["change"] is not None
    ]


def _target_keys(ledger: Ledger, answer: Mapping[str, Any]) -> list[KeyFigure]:
    for k in measured(answer)[:1]:
        at, name = f"/outlook/targets/{k}", answer["outlook"]["targets"][k]["target"]["target_id"]
        before, after = (
            ledger.number(
                f"{at}/{side}/p", "short-chance", f"Chance of {name}, {word} the plan, with its interval"
            )
            for side, word in (("baseline", "without"), ("scenario", "with"))
        )
        year = ledger.number(f"{at}/target/target_year", "year", "Year of the target")
        level = ledger.number(f"{at}/level", "mt", "Level of the target")
        return [
            KeyFigure(
                "Chance of the target, without and with",
                say("{before} → {after}", before=before, after=after),
                say("{level} Mt in {year}", level=level, year=year),
            )
        ]
    return [KeyFigure("Chance of the target", ("not known",), ("no target could be measured",))]


def _money_keys(ledger: Ledger, answer: Mapping[str, Any]) -> list[KeyFigure]:
    costs = answer["costs"]
    cost, grant = "/costs/per_tonne", costs["grant_per_tonne"]
    if costs["reason"] is None:
        value = ledger.number(cost, "per-tonne", "Cost of a tonne avoided, not discounted")
        per = KeyFigure(
            "Cost of a tonne avoided",
            say("{value} {money}", value=value, money=ledger.words("/costs/currency")),
            (held_words(costs),),
        )
    else:
        short, behind = REASONS[costs["reason"]]
        per = KeyFigure("Cost of a tonne avoided", (short,), (behind,))
    asked = KeyFigure("Grant a tonne avoided", ("no grant told",), ("tell it to have it here",))
    if costs["grant"] is not None:
        asked = KeyFigure("Grant a tonne avoided", ("not known",), ("the tonnes are not known, or none",))
    if grant is not None and grant["mean"] is not None:
        value = ledger.number(
            "/costs/grant_per_tonne/mean", "per-tonne", "Grant a tonne avoided, expected tonnes"
        )
        total = ledger.number("/costs/grant", "money", "Grant asked for")
        asked = KeyFigure(
            "Grant a tonne avoided",
            say("{value} {money}", value=value, money=ledger.words("/costs/currency")),
            say("grant of {total} over the expected tonnes", total=total),
        )
    return [per, asked]
