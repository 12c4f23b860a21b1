"""The report of a cluster as a document: where it stands, where it is heading, why, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from serving.report.charts import Band, Line, Mark, fan
from serving.report.cluster_sections import compare_blocks, missing_blocks, project_blocks, why_blocks
from serving.report.document import Block, Cell, Chart, Document, Heading, Paragraph, Table, say
from serving.report.ledger import Ledger, Origin
from serving.report.sections import (
    confidence_blocks,
    indicators_table,
    of_target,
    origins_of,
    provenance_blocks,
    quality_blocks,
)
from serving.report.sentences import paragraphs

KIND: Final = "Emissions report"
# Years of the forecast that the table shows beside the first.
_EVERY: Final = 5
_MEGA: Final = 1e6


def report_document(answer: Mapping[str, Any], answer_id: str | None, address: str = "") -> Document:
    """The report of an answer of ``report_view``.

    Args:
        address: what stands before /v1/… in links; "" for links within the service.
    """
    ledger = Ledger(answer, answer_id, address, _origins(answer))
    blocks: list[Block] = [
        Heading(1, "In short"),
        *paragraphs(ledger, "/progress"),
        Heading(1, "Past and forecast"),
        *_fans(ledger, answer),
        *_targets(ledger, answer),
        *why_blocks(ledger, answer),
        *project_blocks(ledger, answer),
        *compare_blocks(ledger, answer),
        Heading(1, "How good were past forecasts"),
        *confidence_blocks(ledger, answer),
        Heading(1, "Data quality"),
        *quality_blocks(ledger, answer),
        *missing_blocks(ledger, answer),
        indicators_table(ledger, answer),
    ]
    made = say(
        "Figures as known at {as_of}; model {model}.",
        as_of=ledger.words("/as_of"),
        model=ledger.words("/model_version"),
    )
    return Document(
        title=f"{KIND}: {answer['name']}",
        subtitle="History, forecast, target and evidence",
        lines=(made,),
        date=str(answer["as_of"])[:10],
        foot=f"Forecarbon · {KIND.lower()} · {answer['name']} · model {answer['model_version']}",
        blocks=(*blocks, *provenance_blocks(ledger, answer)),
    )


def _origins(answer: Mapping[str, Any]) -> list[Origin]:
    told = origins_of(answer)
    progress = answer["progress"]
    told += [
        Origin(f"/progress{each.under}", each.source, each.grade, each.vintage)
        for each in told
        if each.under.startswith("/figures/")
    ]
    for k, each in enumerate(progress["targets"]):
        told += [of_target(each["target"], f"/progress/targets/{k}/{part}") for part in ("target/", "level")]
        told += _of_past(answer, each, f"/progress/targets/{k}", told)
    figures = (", ".join(answer["sources"]),)
    return [*told, Origin("/why", figures, "computed from figures", str(answer["as_of"])[:10])]


def _of_past(
    answer: Mapping[str, Any], each: Mapping[str, Any], place: str, told: Sequence[Origin]
) -> list[Origin]:
    """What is told of a target from figures alone: the newest one, the gap, and the pace."""
    as_of = str(answer["as_of"])[:10]
    made = ("computed from the figures of its scope and the target",)
    out = [Origin(f"{place}/{part}", made, "computed from figures", as_of) for part in ("on_track", "needed")]
    own = [k for k, figures in enumerate(answer["figures"]) if figures["scope"] == each.get("scope")]
    held = [one for k in own for one in told if one.under == f"/figures/{k}"]
    return [*out, *(Origin(f"{place}/latest", one.source, one.grade, one.vintage) for one in held)]


def _fans(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    out: list[Block] = []
    for k, told in enumerate(answer["forecast"]):
        own = next((n for n, each in enumerate(answer["figures"]) if each["scope"] == told["scope"]), None)
        out.append(_fan(answer, told, own))
        out.append(_fan_table(ledger, told, k))
    return out


def _fan(answer: Mapping[str, Any], told: Mapping[str, Any], own: int | None) -> Chart:
    past = [] if own is None else answer["figures"][own]["rows"]
    rows = told["rows"]
    years = tuple(row["year"] for row in rows)
    lines = [
        Line(
            "reported",
            tuple(r["year"] for r in past),
            tuple(r["value"] / _MEGA for r in past),
            "past",
            dots=True,
        ),
        Line("forecast, median", years, tuple(row["q0.5"] / _MEGA for row in rows), "one", dashed=True),
    ]
    low, high = (tuple(row[name] / _MEGA for row in rows) for name in ("q0.1", "q0.9"))
    marks = [
        Mark("target", each["target"]["target_year"], each["level"] / _MEGA)
        for each in answer["progress"]["targets"]
        if each["status"] == "measured"
        and each["scope"] == told["scope"]
        and each["target"]["target_year"] <= max(years, default=0)
    ]
    title = f"Emissions reported and forecast, {told['scope']}"
    svg = fan(
        title,
        "Mt a year",
        [each for each in lines if each.years],
        [Band("80% band", years, low, high, "one")],
        marks,
    )
    return Chart(svg, f"{title}, by year, with the 80% band of the forecast.", (f"{title}.",))


def _fan_table(ledger: Ledger, told: Mapping[str, Any], k: int) -> Table:
    rows = []
    for n, row in enumerate(told["rows"]):
        if n and row["year"] % _EVERY:
            continue
        at, what = f"/forecast/{k}/rows/{n}", f"Forecast, {told['scope']}"
        year = ledger.number(f"{at}/year", "year", f"Years of the forecast, {told['scope']}")
        rows.append(
            ((year,), (ledger.number(f"{at}/q0.5", "mt", f"{what}, median"),), ledger.band(at, "mt", what))
        )
    return Table(
        f"Forecast, {told['scope']}, Mt", ("Year", "Median", "80% band"), tuple(rows), "lrr", (1, 1, 1.4)
    )


def _targets(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    out: list[Block] = [Heading(1, "Targets")]
    if not answer["progress"]["targets"]:
        return [*out, Paragraph(("The registry holds no target of this cluster.",), "note")]
    rows, refused = [], []
    for k, each in enumerate(answer["progress"]["targets"]):
        at = f"/progress/targets/{k}"
        if each["status"] == "refused":
            name, found = (ledger.words(f"{at}/{place}") for place in ("target/target_id", "refusal/found"))
            refused.append(Paragraph(say("Not measured: {name} ({found}).", name=name, found=found), "note"))
            continue
        rows.append(_target(ledger, each, at))
    table = Table(
        caption=(
            "Targets in force, each in its own scope; Mt, Mt a year, and the chance with a central "
            "90% interval"
        ),
        head=("Target", "Scope", "Newest", "Gap to path", "Needed a year", "Achieved a year", "Chance"),
        rows=tuple(rows),
        align="llrrrrl",
        widths=(1.3, 1.7, 1.3, 0.9, 1.0, 1.1, 2.0),
        small=True,
    )
    return [*out, *([table] if rows else []), *refused]


def _target(ledger: Ledger, each: Mapping[str, Any], at: str) -> tuple[Cell, ...]:
    name = each["target"]["target_id"]

    def mt(place: str, what: str) -> Cell:
        return (
            (ledger.number(f"{at}/{place}", "mt", f"{what}, {name}"),)
            if ledger.held(f"{at}/{place}")
            else ("not known",)
        )

    year = ledger.number(f"{at}/target/target_year", "year", f"Year of {name}")
    newest = say(
        "{mt} in {year}",
        mt=mt("latest/value", "Newest figure"),
        year=ledger.number(f"{at}/latest/year", "year", f"Year of the newest figure, {name}"),
    )
    chance: Cell = (
        _outcome(ledger, each["chance"], at) if each["chance"]["status"] == "past" else ("not known",)
    )
    if ledger.held(f"{at}/chance/p"):
        p = ledger.number(f"{at}/chance/p", "chance", f"Chance of {name}")
        chance = (p,)
        if ledger.held(f"{at}/chance/p_low"):
            low, high = (
                ledger.number(f"{at}/chance/{end}", "chance", f"Interval of the chance of {name}")
                for end in ("p_low", "p_high")
            )
            chance = say("{p} ({low} to {high})", p=p, low=low, high=high)
    level = say("{mt} in {year}", mt=mt("level", "Level"), year=year)
    return (
        level,
        (ledger.words(f"{at}/scope"),),
        newest,
        mt("on_track/gap", "Gap to the straight path"),
        mt("needed/linear", "Needed a year"),
        mt("needed/achieved", "Achieved a year"),
        chance,
    )


def _outcome(ledger: Ledger, chance: Mapping[str, Any], at: str) -> Cell:
    """What came of a target whose year is past."""
    if chance["outcome"]["value"] is None:
        return ("its year is past, and no figure of it is held",)
    mt = ledger.number(f"{at}/chance/outcome/value", "mt", "Emitted in the year of a target that is past")
    return say("its year is past: {mt}, " + ("met" if chance["outcome"]["met"] else "missed"), mt=mt)
