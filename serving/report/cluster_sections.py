"""Sections of the report of a cluster: why it moved, its projects, others beside it, what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serving.report.charts import Bar, bars
from serving.report.document import Block, Cell, Chart, Heading, Paragraph, Table, say
from serving.report.ledger import Ledger
from serving.report.sections import projects_table
from serving.report.sentences import paragraphs

_MEGA: Final = 1e6


def why_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """What each part did, with what cannot be told of it."""
    told = answer["why"]
    out: list[Block] = [Heading(1, "Why it moved")]
    if told["refusal"] is not None:
        return [*out, Paragraph(say("Not told: {found}.", found=ledger.words("/why/refusal/found")), "note")]
    out += paragraphs(ledger, "/why")
    rows, drawn = [], []
    for k, row in enumerate(told["contributions"]):
        at, part = f"/why/contributions/{k}", row["unique_id"].rpartition("/")[2]
        values = [
            ledger.number(f"{at}/{name}", form, f"{part}: {words}")
            for name, form, words in (
                ("start", "mt", "first year"),
                ("end", "mt", "last year"),
                ("change", "signed-mt", "change"),
            )
        ]
        rows.append(((part,), *((value,) for value in values)))
        drawn.append(Bar(part, row["change"] / _MEGA))
    first, last = told["start_year"], told["end_year"]
    title = f"Change of each part from {first} to {last}"
    out.append(Chart(bars(title, "change, Mt", drawn), f"{title}, as bars.", ()))
    out.append(
        Table(
            f"{title}, Mt", ("Part", "First year", "Last year", "Change"), tuple(rows), "lrrr", (2.4, 1, 1, 1)
        )
    )
    if not told["split"]["possible"]:
        out.append(
            Paragraph(
                (
                    "Emissions alone do not tell a real cut from lost output: the activity of these "
                    "parts is in no public "
                    "figure held here.",
                ),
                "note",
            )
        )
    return out


def project_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """The registered projects."""
    out: list[Block] = [Heading(1, "Projects")]
    if not answer["maturity"]:
        return [*out, Paragraph(("The registry holds no named project of this cluster.",))]
    return [*out, projects_table(ledger, answer)]


def compare_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """Clusters of the same scope, ranked with intervals."""
    told = answer["compare"]
    out: list[Block] = [Heading(1, "Beside other clusters")]
    if told["refusal"] is not None:
        return [
            *out,
            Paragraph(say("Not compared: {found}.", found=ledger.words("/compare/refusal/found")), "note"),
        ]
    rows = []
    for k, row in enumerate(told["ranks"]):
        at = f"/compare/ranks/{k}"
        rank, low, high = (
            ledger.number(f"{at}/{name}", "count", "Ranks, with their intervals")
            for name in ("rank", "rank_low", "rank_high")
        )
        value, under, over = (
            ledger.number(f"{at}/{name}", "signed-percent", "Mean yearly change to the year compared")
            for name in ("value", "low", "high")
        )
        mine: Cell = (" ◂ this report",) if row["name"] == answer["unique_id"] else ()
        rows.append(
            (
                say("{rank} ({low} to {high})", rank=rank, low=low, high=high),
                (ledger.words(f"{at}/cluster"), *mine),
                (value,),
                say("{under} to {over}", under=under, over=over),
            )
        )
    year = ledger.number("/compare/year", "year", "Year compared")
    text = say(
        "Clusters of one scope ({scope}), by their mean yearly change to {year} in percent of the newest "
        "figure; the lowest first. "
        "Wide intervals mean that most ranks cannot be told apart.",
        scope=ledger.words("/compare/scope"),
        year=year,
    )
    table = Table(
        "Rank and rate, each with its 80% interval",
        ("Rank", "Cluster", "Rate", "Interval"),
        tuple(rows),
        "llrr",
        (1.2, 3, 0.8, 1.6),
    )
    return [*out, Paragraph(text), table]


def missing_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """What stands between the questions and full answers."""
    rows = tuple(
        tuple((ledger.words(f"/progress/missing/{k}/{name}"),) for name in ("found", "remedy"))
        for k in range(len(answer["progress"]["missing"]))
    )
    if not rows:
        return []
    return [Table("What is missing", ("Missing", "What would mend it"), rows, "ll", (1, 1))]
