"""Sections of a funding pack alone: tonnes over ten years, money, and what hangs on what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from insights.fund_costs import NOT_TOLD
from serving.fund_words import REASONS, against_words, left_words
from serving.report.charts import Band, Line, fan
from serving.report.document import Block, Cell, Chart, Heading, Paragraph, Table, say
from serving.report.ledger import Ledger

_PARTS: Final = (
    ("reference", "Emissions without the plan"),
    ("captured", "Captured"),
    ("gross", "Captured or replaced (gross)"),
    ("energy_penalty", "Less: brought back on the site by the plan's energy"),
    ("direct", "Off the cluster's own emissions"),
    ("elsewhere", "Less: brought back elsewhere (grid, leaks, upstream)"),
    ("absolute", "Avoided: the absolute avoidance"),
)
_MEGA: Final = 1e6


def avoidance_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """Formula, parts, chart and years."""
    formula = Paragraph(
        say(
            "Absolute avoidance is the sum over ten years of (reference − project); relative avoidance "
            "is that sum ÷ the sum of the "
            "reference, both path by path. The reference is the forecast of the whole cluster without "
            "the plan. The form is that of the "
            "EU Innovation Fund, recalled and not opened here: check the call's own rules for its "
            "reference, which for capture is what "
            "would be emitted uncaptured."
        )
    )
    return [
        Heading(1, "Avoidance over ten years"),
        formula,
        *_parts_table(ledger, answer),
        *_of_gross(ledger, answer),
        _chart(answer),
        *_years(ledger, answer),
        *_held(ledger, answer),
    ]


def _parts_table(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    rows: list[tuple[Cell, ...]] = []
    for name, what in _PARTS:
        at = f"/avoidance/{name}"
        if name == "gross" and answer["avoidance"]["gross"] == answer["avoidance"]["captured"]:
            continue  # captured is all there is
        if answer["avoidance"][name] is None:
            rows.append(((what,), ("not known",), ("not known",), ("not known",)))
            continue
        bare = what.removeprefix("Less: ")
        label = f"{bare[:1].upper()}{bare[1:]}: ten-year mean, median, 80% band"
        mean = ledger.number(f"{at}/mean", "mt", label)
        middle = ledger.number(f"{at}/q0.5", "mt", label)
        rows.append(((what,), (mean,), (middle,), ledger.band(at, "mt", label)))
    return [
        Table(
            caption=(
                "Captured is not avoided: ten-year sums, Mt. Means add up down the column, medians "
                "and bands do not"
            ),
            head=("Sum over ten years, Mt", "Mean", "Median", "80% band"),
            rows=tuple(rows),
            align="lrrr",
            widths=(3.6, 1.0, 1.0, 1.6),
        )
    ]


def _of_gross(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    if answer["avoidance"]["of_gross"] is None:
        return []
    share = ledger.number("/avoidance/of_gross", "share", "Avoided of what the plan captures or replaces")
    return [
        Paragraph(say("Of every tonne that the plan captures or replaces, {share} is avoided.", share=share))
    ]


def _chart(answer: Mapping[str, Any]) -> Chart:
    rows = answer["outlook"]["emissions"]
    last = max(answer["window"]["last_year"], rows[0]["year"] + 1)
    shown = [row for row in rows if row["year"] <= last]
    own = next((each for each in answer["figures"] if each["scope"] == answer["outlook"]["scope"]), None)
    past = [] if own is None else [row for row in own["rows"] if row["year"] >= shown[0]["year"] - 15]
    years = tuple(row["year"] for row in shown)

    def mt(side: str, level: str) -> tuple[float, ...]:
        return tuple(row[side][level] / _MEGA for row in shown)

    lines = [
        Line(
            "reported",
            tuple(r["year"] for r in past),
            tuple(r["value"] / _MEGA for r in past),
            "past",
            dots=True,
        ),
        Line("without the plan", years, mt("baseline", "q0.5"), "one", dashed=True),
        Line("with the plan", years, mt("scenario", "q0.5"), "other"),
    ]
    bands = [Band("80% band without", years, mt("baseline", "q0.1"), mt("baseline", "q0.9"), "one")]
    svg = fan(
        "Emissions without and with the plan", "Mt a year", [line for line in lines if line.years], bands
    )
    return Chart(
        svg,
        "Emissions by year: reported, forecast without the plan with its 80% band, and with the plan.",
        ("Emissions without and with the plan: medians, and the 80% band of the forecast without it.",),
    )


def _years(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    rows = []
    for k, row in enumerate(answer["by_year"]):
        at = f"/by_year/{k}"
        told: list[Cell] = [
            (ledger.number(f"{at}/year", "year", "Years counted"), *((" *",) if row["held"] else ()))
        ]
        told.append(
            (ledger.number(f"{at}/reference/mean", "mt", "Emissions without the plan by year, mean"),)
        )
        told.append((ledger.number(f"{at}/project/mean", "mt", "Emissions with the plan by year, mean"),))
        told.append((ledger.number(f"{at}/captured", "mt", "Captured by year, mean"),))
        if row["avoided"] is None:
            told += [("not known",), ("not known",)]
        else:
            told.append((ledger.number(f"{at}/avoided/mean", "mt", "Avoided by year, mean"),))
            told.append(ledger.band(f"{at}/avoided", "mt", "Avoided by year"))
        rows.append(tuple(told))
    return [
        Table(
            caption="Year by year, Mt: means; * is held at the level of the last forecast year",
            head=("Year", "Without", "With", "Captured", "Avoided", "80% band"),
            rows=tuple(rows),
            align="lrrrrr",
            widths=(1, 1, 1, 1, 1, 1.5),
        )
    ]


def _held(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    window = answer["window"]
    last = ledger.number("/window/last_forecast_year", "year", "Last forecast year")
    if not window["held_years"]:
        return [
            Paragraph(
                say("All ten years are forecast (up to {last}): none is held at an earlier level.", last=last)
            )
        ]
    return [
        Paragraph(
            say(
                "The forecast ends in {last}: {held} of the ten years are held at its level, path by "
                "path, with the plan's own ramps "
                "and ends. They hold {share} of the sum.",
                last=last,
                held=ledger.number("/window/held_years", "count", "Years held at the last forecast level"),
                share=ledger.number(
                    "/window/held_share", "share", "Share of the sum that stands in held years"
                ),
            ),
            "note",
        )
    ]


def cost_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """What is known of money, and that the rest is not."""
    costs, rows = answer["costs"], []
    told = (
        ("total", "money", "Cost over the ten years, not discounted"),
        ("per_tonne", "per-tonne", "Cost of a tonne avoided, not discounted"),
        ("per_tonne_discounted", "per-tonne", "Cost of a tonne avoided, discounted"),
        ("grant", "money", "Grant asked for"),
        ("grant_per_tonne/low", "per-tonne", "Grant a tonne, upper end of the tonnes"),
        ("grant_per_tonne/mean", "per-tonne", "Grant a tonne avoided, expected tonnes"),
        ("grant_per_tonne/high", "per-tonne", "Grant a tonne, lower end of the tonnes"),
        ("break_even/support", "per-tonne", "Support a tonne captured at which the contract pays"),
    )
    for name, form, what in told:
        place = f"/costs/{name}"
        if ledger.held(place):
            rows.append(((what,), (ledger.number(place, form, what),), (ledger.words("/costs/currency"),)))
    out: list[Block] = [Heading(1, "Cost of a tonne")]
    if not rows and costs["reason"] == NOT_TOLD:
        text = (
            "No cost and no grant were told, and the registry holds no published cost of these projects: "
            "the cost of a tonne is not "
            "known. None is made up. What is missing: "
        )
        return [*out, Paragraph((text, left_words(costs), "."), "note")]
    out.append(Paragraph((_how(costs),)))
    if rows:
        head = ("", "Value", "Currency")
        out.append(Table("Money, as the applicant told it", head, tuple(rows), "lrl", (3.4, 1.2, 0.8)))
    if costs["break_even"]["support"] is None:
        against = against_words(costs["break_even"]["missing"])
        out.append(Paragraph((f"The break-even support is not known: {against}.",)))
    return out


def _how(costs: Mapping[str, Any]) -> str:
    text = (
        "Cost a tonne is expected cost ÷ expected tonnes avoided; discounted, both to the first year of "
        "either."
    )
    if costs["reason"] is not None:
        text += " It is {}: {}.".format(*REASONS[costs["reason"]])
    if left := left_words(costs):
        text += f" Left out, for no figure was told: {left}."
    return text + " Amounts are the applicant's and were not checked."
