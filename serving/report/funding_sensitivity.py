"""What hangs on what: how tonnes and chances move if one thing comes otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from serving.report.charts import Bar, bars
from serving.report.document import Block, Cell, Chart, Heading, Paragraph, Table, say
from serving.report.ledger import Ledger

_CASES: Final = {
    "lost": "{name} is never built",
    "late": "{name} comes {years} years later",
    "in-full-and-on-time": "{name} in full and on time",
    "low-reference": "Lowest fifth of emissions",
    "high-reference": "Highest fifth of emissions",
}
_MEGA: Final = 1e6
# Of a name beside a bar, signs.
_LONGEST: Final = 30


def sensitivity_blocks(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    """The tornado, and what each case does to tonnes and chances."""
    out: list[Block] = [Heading(1, "Sensitivity")]
    rows = answer["tornado"]
    if not rows:
        return [
            *out,
            Paragraph(
                ("The tonnes avoided are not known, so that nothing can be held against them.",), "note"
            ),
        ]
    svg = bars(
        "What moves the ten-year tonnes",
        "change of the expected tonnes, Mt",
        [Bar(_label(row), row["change"] / _MEGA) for row in rows],
    )
    out.append(
        Chart(
            svg,
            "Bars: how each case changes the tonnes avoided in ten years, the widest first.",
            ("How each case changes the expected tonnes of ten years; all else as drawn.",),
        )
    )
    out.append(_cases(ledger, answer))
    return [*out, *_chances(ledger, answer)]


def _label(row: Mapping[str, Any]) -> str:
    name = row["name"] if len(row["name"]) <= _LONGEST else row["name"][: _LONGEST - 1] + "…"
    return _CASES[row["case"]].format(name=name, years=row["years"])


def _cases(ledger: Ledger, answer: Mapping[str, Any]) -> Table:
    rows = []
    for k, row in enumerate(answer["tornado"]):
        at, label = f"/tornado/{k}", _label(row).replace(f" {row['years']} years", "")
        kept = ledger.held(f"{at}/chance_of_promise")
        rows.append(
            (
                _case(ledger, row, at),
                (ledger.number(f"{at}/tonnes", "mt", f"{label}: expected tonnes"),),
                (ledger.number(f"{at}/change", "signed-mt", f"{label}: change of the expected tonnes"),),
                (
                    ledger.number(
                        f"{at}/chance_of_promise", "chance", f"{label}: chance of the promised tonnes"
                    ),
                )
                if kept
                else ("not known",),
            )
        )
    return Table(
        caption="Expected tonnes avoided in ten years, Mt, if one thing comes otherwise",
        head=("Case", "Expected", "Change", "Chance of the promised tonnes"),
        rows=tuple(rows),
        align="lrrr",
        widths=(3.2, 1.0, 1.0, 1.6),
    )


def _case(ledger: Ledger, row: Mapping[str, Any], at: str) -> Cell:
    if row["case"] in ("low-reference", "high-reference"):
        return (_CASES[row["case"]] + " without the plan",)
    values: dict[str, Any] = {"name": ledger.words(f"{at}/name")}
    if row["years"] is not None:
        values["years"] = ledger.number(f"{at}/years", "count", "Years late that are held against the plan")
    return say(_CASES[row["case"]], **values)


def _chances(ledger: Ledger, answer: Mapping[str, Any]) -> list[Block]:
    rows = []
    for k, row in enumerate(answer["outlook"]["sensitivity"]):
        at = f"/outlook/sensitivity/{k}"
        lost, late = (
            ledger.number(
                f"{at}/{name}/chance/p", "chance", f"Chance of the target if {row['name']} is lost, or late"
            )
            for name in ("if_lost", "if_late")
        )
        adds = ledger.number(f"{at}/adds/p", "points", f"What {row['name']} adds to the chance, points")
        ends = (
            ledger.number(f"{at}/shortfall", "mt", f"Expected shortfall with {row['name']}, and without"),
            ledger.number(
                f"{at}/if_lost/shortfall", "mt", f"Expected shortfall with {row['name']}, and without"
            ),
        )
        rows.append(
            ((ledger.words(f"{at}/name"),), (adds,), (late,), (lost,), say("{a}, {b}", a=ends[0], b=ends[1]))
        )
    if not rows:
        return []
    year = ledger.number("/outlook/year", "year", "Year that the target is measured in")
    return [
        Paragraph(say("What hangs on each project in the target year {year}:", year=year)),
        Table(
            caption=(
                "Chance of the target with each project, late and lost; shortfall in Mt with it and without"
            ),
            head=("Project", "Adds, points", "If late", "If lost", "Shortfall, Mt"),
            rows=tuple(rows),
            align="lrrrr",
            widths=(2.2, 1, 1.2, 1.2, 1.4),
        ),
    ]
