"""A funding pack as a document: what is avoided, what it costs, how sure it is, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serving.report.document import (
    Block,
    Cell,
    Document,
    Heading,
    Paragraph,
    Table,
    say,
)
from serving.report.funding_sections import avoidance_blocks, cost_blocks
from serving.report.funding_sensitivity import sensitivity_blocks
from serving.report.funding_summary import measured, summary_blocks
from serving.report.ledger import Ledger, Origin, sources_of
from serving.report.sections import (
    MODEL,
    confidence_blocks,
    indicators_table,
    of_target,
    origins_of,
    projects_table,
    provenance_blocks,
    quality_blocks,
)

KIND: Final = "Funding pack"
_SKIPPED: Final = {
    "project-size-unknown": "the registry holds no size of its own",
    "project-start-unknown": "the registry holds no start",
    "project-kind-unknown": "it is no single lever",
    "project-running": "it runs already, so that the figures hold it",
    "project-ended": "it was dropped or not selected",
    "project-twice": "a capacity told as a total holds it",
}
_KINDS: Final = {"ccus": "capture and storage"}


def funding_document(answer: Mapping[str, Any], answer_id: str | None, address: str = "") -> Document:
    """The pack of an answer of ``funding_view``.

    Args:
        address: what stands before /v1/… in links; "" for links within the service.
    """
    ledger = Ledger(answer, answer_id, address, _origins(answer))
    blocks: list[Block] = [
        *summary_blocks(ledger, answer),
        *_applicant(ledger, answer),
        *avoidance_blocks(ledger, answer),
        *cost_blocks(ledger, answer),
        *_confidence(ledger, answer),
        *sensitivity_blocks(ledger, answer),
        *_quality(ledger, answer),
    ]
    return Document(
        title=f"{KIND}: {answer['name']}",
        subtitle=str(answer["plan"]["name"]),
        lines=_lines(ledger, answer),
        date=str(answer["as_of"])[:10],
        foot=f"Forecarbon · {KIND.lower()} · {answer['name']} · model {answer['model_version']}",
        blocks=(*blocks, *provenance_blocks(ledger, answer)),
    )


def _origins(answer: Mapping[str, Any]) -> list[Origin]:
    told = origins_of(answer)
    for k, each in enumerate(answer["outlook"]["targets"]):
        told.append(of_target(each["target"], f"/outlook/targets/{k}/target/"))
        told.append(of_target(each["target"], f"/outlook/targets/{k}/level"))
    asked = ("the applicant",)
    plan = ("the plan as it was asked",)
    as_of = str(answer["as_of"])[:10]
    told += [
        Origin("/costs", ("computed from what the applicant told",), "told, not checked", as_of),
        Origin("/terms", asked, "told, not checked", as_of),
        Origin("/window", plan, "assumption", as_of),
        Origin("/window/last_forecast_year", (f"{MODEL}: {answer['made_by']}",), "forecast", as_of),
        Origin(
            "/outlook/priors", ("registered projects (features/reference/projects.csv)",), "weak prior", as_of
        ),
    ]
    if answer["promise"]["told_by"] == "the applicant":
        told.append(Origin("/promise/tonnes", asked, "told, not checked", as_of))
    told += [
        Origin(f"/outlook/measures/{k}/planned_start", plan, "assumption", as_of)
        for k in range(len(answer["outlook"]["measures"]))
    ]
    told += [Origin(f"/tornado/{k}/years", plan, "assumption", as_of) for k in range(len(answer["tornado"]))]
    return told


def _lines(ledger: Ledger, answer: Mapping[str, Any]) -> tuple[Cell, ...]:
    window = answer["window"]
    what = "Years counted"
    years = say(
        "Ten years from {first} to {last}. All tonnes are CO2e, in the scope {scope}.",
        first=ledger.number("/window/first_year", "year", what),
        last=ledger.number("/window/last_year", "year", what),
        scope=ledger.words("/outlook/scope"),
    )
    late = say(
        "The plan begins in {start}; its years before these are not counted.",
        start=ledger.number("/window/planned_start", "year", "Planned start"),
    )
    made = say(
        "Figures as known at {as_of}; model {model}.",
        as_of=ledger.words("/as_of"),
        model=ledger.words("/model_version"),
    )
    return (years, *((late,) if window["first_year"] > window["planned_start"] else ()), made)


def _applicant(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    cluster = answer["cluster"]
    facts = [str(cluster[name]) for name in ("type", "country") if cluster.get(name)]
    told = f" ({', '.join(facts)})" if facts else ""
    sectors = str(cluster.get("main_sectors") or "").replace(";", ", ")
    out: list[Block] = [
        Heading(1, "The applicant and its projects"),
        Paragraph(
            say(
                "{name}" + told + ". Main sectors: {sectors}. Registry: {source}.",
                name=ledger.words("/name"),
                sectors=sectors or "not known",
                source=sources_of(cluster.get("source")),
            )
        ),
    ]
    if answer["maturity"]:
        out.append(projects_table(ledger, answer))
    out += _measures(ledger, answer)
    for k, row in enumerate(answer["plan"]["skipped"]):
        at = f"/plan/skipped/{k}"
        why = _SKIPPED.get(row["code"], row["code"])
        out.append(
            Paragraph(say("Not in this pack: {name}: {why}.", name=ledger.words(f"{at}/name"), why=why))
        )
    return out


def _measures(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """What the plan has, with the risk it is drawn with."""
    rows = []
    for k, row in enumerate(answer["outlook"]["measures"]):
        at = f"/outlook/measures/{k}"
        start = ledger.number(f"{at}/planned_start", "year", f"Planned start of {row['name']}")
        risk = row.get("risk")
        drawn: Cell = ("no risk: a lever",)
        if risk is not None:
            drawn = say(
                "{late} years late on average, {lost} not built",
                late=ledger.number(
                    f"{at}/risk/mean_years_late", "years", f"Mean years that {row['name']} is drawn late"
                ),
                lost=ledger.number(
                    f"{at}/risk/chance_not_built", "share", f"Chance that {row['name']} is drawn as not built"
                ),
            )
        told = ", ".join(sorted(set((risk or {}).get("from", {}).values()))).replace("-", " ")
        rows.append(
            (
                (ledger.words(f"{at}/name"),),
                (_KINDS.get(row["kind"], row["kind"]),),
                (start,),
                drawn,
                (told or "none",),
            )
        )
    return [
        Table(
            caption="The plan as it is drawn, path by path",
            head=("Lever or project", "Kind", "Start", "Risk as drawn", "Risk from"),
            rows=tuple(rows),
            align="llrll",
            widths=(1.8, 1.0, 0.8, 2.6, 2.4),
            small=True,
        )
    ]


def _confidence(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    rows = []
    for k in measured(answer):
        at = f"/outlook/targets/{k}"
        name = say(
            "{level} Mt in {year}, {scope}",
            level=ledger.number(f"{at}/level", "mt", "Level of the target"),
            year=ledger.number(f"{at}/target/target_year", "year", "Year of the target"),
            scope=ledger.words(f"{at}/scope"),
        )
        goal = str(answer["outlook"]["targets"][k]["target"]["target_id"])
        sides = (_chance(ledger, at, side, goal) for side in ("baseline", "scenario"))
        rows.append((name, *sides, _change(ledger, at, goal)))
    table = Table(
        caption=(
            "Chance of meeting the target as it came true of past targets, with a central 90% "
            "interval; change in points"
        ),
        head=("Target", "Without the plan", "With the plan", "Change"),
        rows=tuple(rows),
        align="llll",
        widths=(2.2, 2.0, 2.0, 1.8),
    )
    told: list[Block] = (
        [table] if rows else [Paragraph(("No target could be measured: no chance is told.",), "note")]
    )
    refused = [
        Paragraph(
            say(
                "Not measured: {id} ({found}).",
                id=ledger.words(f"/outlook/targets/{k}/target/target_id"),
                found=ledger.words(f"/outlook/targets/{k}/refusal/found"),
            ),
            "note",
        )
        for k, each in enumerate(answer["outlook"]["targets"])
        if each["status"] == "refused"
    ]
    return [Heading(1, "Confidence"), *told, *refused, *confidence_blocks(ledger, answer)]


def _chance(ledger: Ledger, at: str, side: str, goal: str) -> Cell:
    word = "without" if side == "baseline" else "with"
    what = f"Chance of {goal}, {word} the plan, with its interval"
    p = ledger.number(f"{at}/{side}/p", "chance", what)
    if not ledger.held(f"{at}/{side}/p_low"):
        return (p,)
    low, high = (ledger.number(f"{at}/{side}/{name}", "chance", what) for name in ("p_low", "p_high"))
    return say("{p} ({low} to {high})", p=p, low=low, high=high)


def _change(ledger: Ledger, at: str, goal: str) -> Cell:
    low, p, high = (
        ledger.number(
            f"{at}/change/{name}", "points", f"Change of the chance of {goal} by the plan, with its interval"
        )
        for name in ("p_low", "p", "p_high")
    )
    return say("{p} ({low} to {high})", p=p, low=low, high=high)


def _quality(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    rows = tuple(
        ((ledger.words(f"/missing/{k}/found"),), (ledger.words(f"/missing/{k}/remedy"),))
        for k in range(len(answer["missing"]))
    )
    table = Table(
        caption="What is missing, and what would make this pack better",
        head=("Missing", "What would mend it"),
        rows=rows,
        align="ll",
        widths=(1.0, 1.0),
    )
    return [
        Heading(1, "Data quality, and what is missing"),
        *quality_blocks(ledger, answer),
        *([table] if rows else []),
        indicators_table(ledger, answer),
    ]
