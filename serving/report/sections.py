"""Sections that a funding pack and the report of a cluster share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serving.fund_gaps import NARROW
from serving.report.charts import reliability
from serving.report.document import (
    Block,
    Cell,
    Chart,
    Heading,
    Paragraph,
    Table,
    say,
)
from serving.report.ledger import Ledger, Origin, sources_of

MODEL: Final = "computed by the served model"
_SLIPPED: Final = "later than first told"
_OF_PROJECTS: Final = "Registered projects: status, dates and where they are read"


def origins_of(answer: Mapping[str, Any]) -> list[Origin]:
    """On what the numbers of a pack or a report stand, by their places."""
    as_of = str(answer["as_of"])[:10]
    model = f"{MODEL}: {answer['made_by']}"
    told = [
        Origin("", (model,), "forecast", as_of),
        Origin("/confidence", ("backtest and replay kept with the served model",), "computed", as_of),
        Origin("/evidence", ("backtest kept with the served model",), "computed", as_of),
        Origin("/quality", ("counted over the registered figures",), "computed", as_of),
        Origin("/indicators", sources_of(answer["indicators"]["source"]), "published", "see source"),
    ]
    for k, row in enumerate(answer["maturity"]):
        grade = str(row["evidence"] or "told by the applicant")
        seen = "not dated" if row["latest_as_of"] is None else str(int(row["latest_as_of"]))
        told.append(Origin(f"/maturity/{k}/", sources_of(row["source"]) or ("the applicant",), grade, seen))
    for k, each in enumerate(answer["figures"]):
        told += _of_figures(answer, f"/figures/{k}", each, as_of)
    return told


def _of_figures(answer: Mapping[str, Any], place: str, each: Mapping[str, Any], as_of: str) -> list[Origin]:
    """Published totals by their own pages; registered figures by their registry."""
    latest = each["latest"]
    if not each["published"]:
        return [Origin(place, (", ".join(answer["sources"]),), str(latest["evidence"]), as_of)]
    rows = [row for row in answer["published"] if row["scope_id"] == each["scope"]]
    newest = max(rows, key=lambda row: row["year"], default=None)
    source = sources_of(None if newest is None else newest["source"])
    return [Origin(place, source, str(latest["evidence"]), f"for {latest['year']}")]


def of_target(target: Mapping[str, Any], place: str) -> Origin:
    """A target by the page that tells it."""
    return Origin(place, sources_of(target["source"]), str(target["evidence"]), "see source")


def projects_table(ledger: Ledger, answer: Mapping[str, Any]) -> Table:
    """Status, dates as told first and last, and evidence of each project."""
    rows = []
    for k, row in enumerate(answer["maturity"]):
        at = f"/maturity/{k}"
        rows.append(
            (
                (ledger.words(f"{at}/project"),),
                _size(ledger, row, at),
                (ledger.words(f"{at}/status") if row["status"] else "told by the applicant",),
                _dates(ledger, row, at),
                sources_of(row["source"]) or ("none: told by the applicant",),
                (str(row["evidence"] or "not checked"),),
            )
        )
    return Table(
        caption=_OF_PROJECTS,
        head=("Project", "Size", "Status", "Start: first told, last told", "Source", "Evidence"),
        rows=tuple(rows),
        align="llllll",
        widths=(2.0, 1.5, 1.4, 2.2, 2.4, 0.9),
        small=True,
    )


def _size(ledger: Ledger, row: Mapping[str, Any], at: str) -> Cell:
    if row["capacity"] is None:
        return ("not known",)
    what = f"Size of {row['project']}, {row['unit']}"
    return say(
        "{size} {unit}", size=ledger.number(f"{at}/capacity", "size", what), unit=ledger.words(f"{at}/unit")
    )


def _dates(ledger: Ledger, row: Mapping[str, Any], at: str) -> Cell:
    what = f"Start of {row['project']}, as told first and last"
    first, last = row["first_announced_start"], row["latest_start"]
    names = [
        name
        for name, year in (("first_announced_start", first), ("latest_start", last))
        if year is not None and not (name == "latest_start" and first == last)
    ]
    if not names:
        return ("not known",)
    years = [ledger.number(f"{at}/{name}", "year", what) for name in names]
    told: Cell = (years[0],) if len(years) == 1 else (years[0], ", ", years[1])
    if row["slip_years"]:
        slip = ledger.number(f"{at}/slip_years", "years", f"Years by which {row['project']} slipped so far")
        told = (*told, *say(" ({slip} years " + _SLIPPED + ")", slip=slip))
    return told


def confidence_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """How past chances came true, and how many past figures lay inside their bands."""
    out: list[Block] = []
    told = answer["confidence"]["calibration"]
    at = "/confidence/calibration"
    if told is None:
        out.append(
            Paragraph(("No record is kept of how past chances came true: they are shares of paths.",), "note")
        )
    else:
        n, cutoffs = (
            ledger.number(f"{at}/{name}", "count", what)
            for name, what in (
                ("n", "Replayed targets that have since been decided"),
                ("cutoffs", "Past years from which they were replayed"),
            )
        )
        out.append(
            Paragraph(
                say(
                    "How past chances came true: {n} made-up dated targets, replayed from {cutoffs} past "
                    "years as they would have been told "
                    "then, have since been met or missed. Their Brier score was {brier} (0 is perfect); "
                    "telling everyone the usual share "
                    "would have scored {base}, and chances from a forecast of no change {naive}.",
                    n=n,
                    cutoffs=cutoffs,
                    brier=ledger.number(f"{at}/brier", "score", "Brier score of replayed chances"),
                    base=ledger.number(f"{at}/brier_base_rate", "score", "Brier score of the usual share"),
                    naive=ledger.number(
                        f"{at}/brier_naive", "score", "Brier score of the naive forecaster's chances"
                    ),
                )
            )
        )
        out += _bins(ledger, told, at)
    return [*out, *_bands(ledger, answer)]


def _bins(ledger: Ledger, told: Mapping[str, Any], at: str) -> list[Block]:
    points = [(row["p"], row["observed"]) for row in told["bins"]]
    if not points:
        return []
    first, last = (
        say(
            "of the targets told {p}, {observed} were met",
            p=ledger.number(
                f"{at}/bins/{k}/p", "share", "Chance told, lowest and highest group of replayed targets"
            ),
            observed=ledger.number(
                f"{at}/bins/{k}/observed", "share", "Share that came true, lowest and highest group"
            ),
        )
        for k in (0, len(points) - 1)
    )
    svg = reliability("Chances told against how often they came true", points)
    alt = "Chances told in past years against the share that came true; on the diagonal both agree."
    return [Chart(svg, alt, ("In the lowest group ", *first, "; in the highest, ", *last, "."))]


def _bands(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    told, at = answer["confidence"]["bands"], "/confidence/bands"
    if told is None or told["scores"] is None or told["scores"]["coverage_80"] is None:
        return [Paragraph(("The bands of this series were not judged on its own past.",), "note")]
    held, of = told["scores"]["coverage_80"], "Share of past figures inside their 80% band"
    parts = say(
        "Of {n} past forecasts of this cluster {held} lay inside their 80% band",
        n=ledger.number(f"{at}/scores/n", "count", "Past forecasts of this series that were judged"),
        held=ledger.number(f"{at}/scores/coverage_80", "whole-share", f"{of}, this series"),
    )
    if told["kind_scores"] is not None:
        parts += say(
            "; over all series of its kind it was {all}",
            all=ledger.number(
                f"{at}/kind_scores/coverage_80", "whole-share", f"{of}, all series of its kind"
            ),
        )
    narrow = held < NARROW
    more = ". Read the bands here as narrower than they should be." if narrow else "."
    return [Paragraph((*parts, more), "note" if narrow else "plain")]


def quality_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """Of what the figures are, how old and how whole."""
    quality = answer["quality"]
    if quality is None:
        return [Paragraph(("Nothing is known of the quality of these figures.",), "note")]
    at = "/quality"
    told = say(
        "The registered figures ({source}) are {grade}: {periods} years, {whole} complete, {imputed} "
        "filled in, {breaks} declared "
        "changes of scope. The newest is {age} days old.",
        source=ledger.words(f"{at}/source"),
        grade=ledger.words(f"{at}/source_grade"),
        periods=ledger.number(f"{at}/periods", "count", "Years of registered figures"),
        whole=ledger.number(f"{at}/completeness", "whole-share", "Completeness of the registered figures"),
        imputed=ledger.number(
            f"{at}/share_imputed", "whole-share", "Share of the registered figures that was filled in"
        ),
        breaks=ledger.number(f"{at}/breaks", "count", "Declared changes of scope"),
        age=ledger.number(f"{at}/age_days", "days", "Age of the newest registered figure, days"),
    )
    return [Paragraph(told)]


def indicators_table(ledger: Ledger, answer: Mapping[str, Any]) -> Table:
    """Emissions, jobs and GDP where published, each with what it counts; never divided by one another."""
    rows: list[tuple[Cell, ...]] = []
    for k, each in enumerate(answer["figures"]):
        at = f"/figures/{k}/latest"
        what = f"Emissions, {each['scope']}, newest figure"
        value = say(
            "{mt} Mt in {year}",
            mt=ledger.number(f"{at}/value", "mt", what),
            year=ledger.number(f"{at}/year", "year", f"Year of it, {each['scope']}"),
        )
        rows.append((("Emissions",), value, (ledger.words(f"/figures/{k}/scope"),)))
    jobs = answer["indicators"]["jobs"]
    rows.append(
        (
            ("Jobs",),
            ("not published here",)
            if jobs is None
            else (ledger.number("/indicators/jobs", "count", "Jobs"),),
            (ledger.words("/indicators/jobs_count"),) if answer["indicators"]["jobs_count"] else ("",),
        )
    )
    rows.append((("Contribution to GDP",), _gdp(ledger, answer), (ledger.words("/indicators/gdp_unit"),)))
    return Table(
        caption="The initiative's three indicators, side by side and never divided by one another",
        head=("Indicator", "Newest", "What it counts"),
        rows=tuple(rows),
        align="lll",
        widths=(1.2, 1.6, 3.0),
    )


def _gdp(ledger: Ledger, answer: Mapping[str, Any]) -> Cell:
    told = answer["indicators"]
    if told["gdp_low"] is None:
        return ("not published here",)
    low = ledger.number("/indicators/gdp_low", "score", "Contribution to GDP")
    if told["gdp_high"] in (None, told["gdp_low"]):
        return (low,)
    return (low, " to ", ledger.number("/indicators/gdp_high", "score", "Contribution to GDP"))


def provenance_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """The evidence table, and how anyone can check a number."""
    link = ledger.href("")
    if link:
        how: Cell = (
            "Every number of this document is a link: it leads to the answer it is from, which the "
            "service makes again from the same "
            "model and figures, and says whether the same came out. The text after # is the number's "
            "place in it.",
        )
    else:
        how = (
            "The question is too long to be held in an address, so that the numbers of this document "
            "lead nowhere. Ask it again with "
            "POST /v1/insights/funding to look them up.",
        )
    served = say(
        "Served model: {model}; figures as known at {as_of}.",
        model=ledger.words("/model_version"),
        as_of=ledger.words("/as_of"),
    )
    degraded = [Paragraph((ledger.words("/degraded"),), "note")] if answer["degraded"] else []
    return [Heading(1, "Evidence"), Paragraph(how), Paragraph(served), *degraded, *ledger.evidence()]
