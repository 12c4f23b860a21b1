"""Scenarios at the terminal: the same answers the API gives, as tables."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from features.errors import AskError
from serving.printed import MEGATONNE, opened_shelf
from serving.printed_progress import past_words
from serving.scenario_view import compare_scenarios, read_scenario, scenario_view

WIDE: Final = 110


def print_scenarios(files: Sequence[Path], *, store: Path, as_json: bool = False) -> None:
    """Print one scenario, or up to four side by side.

    Raises:
        AskError, DataError: as ``scenario_view``; or a file that holds no scenario.
    """
    standing = opened_shelf(store)
    read = [read_scenario(loaded(path)) for path in files]
    many = len(read) > 1
    told = compare_scenarios(read, standing) if many else scenario_view(read[0], standing)
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
        return
    console = Console(width=WIDE, highlight=False)
    for each in told["scenarios"] if many else [told]:
        _print(each, console)
    for step in told["differences"] if many else ():
        console.print(f"{step['from']} -> {step['to']}:", markup=False)
        for place in step["places"]:
            console.print(f"- {place['place']}: {place['one']} -> {place['other']}", markup=False)


def loaded(path: Path, what: str = "scenario") -> Any:
    """A TOML or JSON file; ``what`` it is called in refusals.

    Raises:
        AskError: it is neither (``scenario-unreadable``), or is not there (``scenario-missing``).
    """
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise AskError(
            f"{what}-missing",
            found=f"no file {path}",
            expected=f"a {what} in TOML or JSON",
            remedy="name a file that is there; docs/examples has some that work",
        ) from None
    except (OSError, ValueError, RecursionError) as fault:
        raise AskError(
            f"{what}-unreadable",
            found=f"{path.name}: {type(fault).__name__}: {fault}",
            expected=f"a {what} in TOML or JSON",
            remedy="see docs/insights.md for its fields, docs/examples for one that works",
        ) from None


def _print(told: dict[str, Any], console: Console) -> None:
    console.print(
        f"{told['name']}: {told['series_name']} ({told['unique_id']}), {told['scope']}", markup=False
    )
    _print_emissions(told, console)
    for each in told["targets"]:
        _print_target(each, console)
    _print_measures(told, console)
    _print_sensitivity(told, console)
    for row in told["assumed"]:
        value = "" if row["value"] is None else f" = {row['value']:g}"
        console.print(f"assumed: {row['of']}: {row['field']}{value} ({row['taken_from']})", markup=False)
    if "weak-priors" in told["notes"]:
        seen = told["priors"]
        console.print(
            f"weak priors: {seen['dated_twice']} projects with two dates, {seen['ended']} of "
            f"{seen['projects']} ended; {seen['delivery']}",
            markup=False,
        )
    console.print(f"fingerprint {told['fingerprint'][:16]}; model {told['model_version']}", markup=False)


def _print_emissions(told: dict[str, Any], console: Console) -> None:
    table = Table("Mt", "baseline", "10% to 90%", "scenario", "10% to 90%")
    rows = told["emissions"]
    shown = [row for row in rows if row is rows[0] or row["year"] % 5 == 0 or row["year"] == told["year"]]
    for row in shown:
        table.add_row(str(row["year"]), *_band(row["baseline"]), *_band(row["scenario"]))
    console.print(table)


def _band(told: dict[str, float]) -> tuple[str, str]:
    low, middle, high = (_mt(told[name]) for name in ("q0.1", "q0.5", "q0.9"))
    return middle, f"{low} to {high}"


def _print_target(told: dict[str, Any], console: Console) -> None:
    goal = told["target"]
    if told["status"] == "refused":
        console.print(
            f"{goal['target_id']}: {told['refusal']['code']}: {told['refusal']['remedy']}", markup=False
        )
        return
    before, after, change = told["baseline"], told["scenario"], told["change"]
    if change is None:
        told_as = past_words(before) if before["status"] == "past" else str(before["status"])
        console.print(f"{goal['target_id']}: {told_as}", markup=False)
        return
    console.print(
        f"{goal['target_id']}, {_mt(told['level'])} Mt in {goal['target_year']}: chance {_chance(before)} -> "
        f"{_chance(after)}, {_moved(change)}",
        markup=False,
    )


def _print_measures(told: dict[str, Any], console: Console) -> None:
    if not told["measures"]:
        return
    table = Table(
        f"Mt in {told['year']}", "kind", "start", "captured", "off the path", "elsewhere", "avoided", ""
    )
    for row in told["measures"]:
        tonnes = [_mt(row["in_year"][name]) for name in ("captured", "direct", "elsewhere", "avoided")]
        table.add_row(row["name"], row["kind"], str(row["planned_start"]), *tonnes, ", ".join(row["flags"]))
    console.print(table)
    total = told["totals"]["in_year"]
    console.print(
        f"together {_mt(total['direct'])} Mt off the path; alone {_mt(total['alone'])}, "
        f"interaction {_mt(total['interaction'])}",
        markup=False,
    )
    for row in told["measures"]:
        if row["break_even_grid"] is not None and "raises-emissions" in row["flags"]:
            console.print(
                f"{row['name']} raises emissions on a grid of {row['grid']:g} t/MWh; "
                f"it cuts below {row['break_even_grid']:.3f}",
                markup=False,
            )
    cost = told["totals"]["cost"]
    if cost["up_to_year"] is not None:
        console.print(
            f"cost up to {told['year']}: {cost['up_to_year']:,.0f} {told['currency']}, not discounted; "
            f"{cost['present_value']:,.0f} in {told['discount']['year']} at "
            f"{100 * told['discount']['rate']:g}% a year",
            markup=False,
        )


def _print_sensitivity(told: dict[str, Any], console: Console) -> None:
    if not told["sensitivity"]:
        return
    table = Table("project", "adds, points", "if lost", "if late", "shortfall, Mt: with", "late", "lost")
    for row in told["sensitivity"]:
        late, lost = row["if_late"], row["if_lost"]
        shortfalls = [_mt(each["shortfall"]) for each in (row, late, lost)]
        adds = f"{100 * row['adds']['p']:+.1f}"
        late_by = f"{_percent(late['chance']['p'])} ({late['years']} years)"
        table.add_row(row["name"], adds, _percent(lost["chance"]["p"]), late_by, *shortfalls)
    console.print(table)
    for row in told["sensitivity"]:
        if row["delay"] is not None:
            delay, change = row["delay"], _moved(row["delay"]["change"])
            console.print(
                f"{row['name']} {delay['years']} years late: chance {_chance(delay['before'])} -> "
                f"{_chance(delay['after'])}, {change}",
                markup=False,
            )


def _moved(change: dict[str, float]) -> str:
    low, middle, high = (f"{100 * change[name]:+.1f}" for name in ("p_low", "p", "p_high"))
    return f"{middle} points ({low} to {high})"


def _mt(tonnes: float | None) -> str:
    return "not known" if tonnes is None else f"{tonnes / MEGATONNE:.3g}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _chance(told: dict[str, Any]) -> str:
    return f"{_percent(told['p'])} ({_percent(told['p_low'])} to {_percent(told['p_high'])})"
