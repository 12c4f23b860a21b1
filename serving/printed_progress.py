"""Progress at the terminal: the same answer the API gives, as a brief, a table and what is missing."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from features.errors import AskError, ForecarbonError
from serving.at_terminal import worded
from serving.errors import of_validation
from serving.insight_ask import ProgressAsk, goals_of_ask
from serving.printed import MEGATONNE, opened_shelf
from serving.progress import goals_of, name_of, progress_view
from serving.shelf import Standing
from serving.why import why_view
from serving.why_brief import with_brief

WIDE: Final = 110
NAMED: Final = 20


def print_progress(
    name: str,
    *,
    store: Path,
    target_id: str | None = None,
    targets: Path | None = None,
    base_year: int | None = None,
    scope: str = "",
    language: str = "en",
    as_json: bool = False,
) -> None:
    """Print where a cluster, a sector or the initiative stands against its targets.

    Args:
        targets: a TOML file of own targets ([[targets]], fields as in POST /v1/insights/progress), measured
            instead of the registry's.

    Raises:
        AskError, DataError: as ``progress_view``; or a file that holds no targets.
    """
    standing = opened_shelf(store)
    own = [] if targets is None else goals_of_ask(_read(name, targets), goals_of(name, standing))
    told = progress_view(
        name,
        standing,
        target_id=target_id,
        base_year=base_year,
        scope=scope,
        own=own,
        language=language,
    )
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
        return
    _print(told)


def print_why(
    name: str,
    *,
    store: Path,
    start: int | None = None,
    end: int | None = None,
    language: str = "en",
    as_json: bool = False,
) -> None:
    """Print what moved a series from one year to another.

    Raises:
        AskError, DataError: as ``why_view``.
    """
    standing = opened_shelf(store)
    told = with_brief(why_view(name, standing, start, end), name_of(name, standing), language)
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
        return
    console = Console(width=WIDE, highlight=False)
    for said in told["brief"]:
        console.print(f"- {said['text']}", markup=False)
    table = Table("part", f"{told['start_year']}, Mt", f"{told['end_year']}, Mt", "change, Mt")
    for part in told["contributions"]:
        table.add_row(part["unique_id"], *(_mt(part[key]) for key in ("start", "end", "change")))
    console.print(table)


def print_all(store: Path) -> None:
    """A line a cluster of the registry: its chance, or what is missing."""
    standing = opened_shelf(store)
    table = Table("cluster", "latest, Mt", "target", "chance", "what is missing")
    for name in standing.pack.clusters:
        table.add_row(*_line(name, standing))
    console = Console(width=WIDE, highlight=False)
    console.print(table)
    console.print("`forecarbon progress CLUSTER` says of each what was found, and what would mend it")


def _read(name: str, path: Path) -> ProgressAsk:
    try:
        loaded = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise AskError(
            "targets-unreadable",
            found=f"{path.name}: {type(fault).__name__}: {fault}",
            expected="TOML with [[targets]]",
            remedy="see docs/api.md for the fields of a target",
        ) from None
    try:
        return ProgressAsk.model_validate({"series": name, **loaded})
    except ValidationError as fault:
        raise of_validation(fault) from None


def _line(name: str, standing: Standing) -> list[str]:
    try:
        told = progress_view(name, standing)
    except ForecarbonError as why:
        return [name, "", "", "", worded(f"{why.code}: {why.remedy}")]
    latest = told["figures"][0]["latest"]
    measured = [each for each in told["targets"] if each["status"] == "measured"]
    gaps = "; ".join(dict.fromkeys(gap["code"] for gap in told["missing"]))
    if not measured:
        return [name, _mt(latest["value"]), "", "", gaps]
    first = next((each for each in measured if each["chance"]["status"] != "past"), measured[0])
    goal = f"{_mt(first['level'])} Mt in {first['target']['target_year']}"
    return [name, _mt(first["latest"]["value"]), goal, _chance(first["chance"]), gaps]


def _print(told: dict[str, Any]) -> None:
    console = Console(width=WIDE, highlight=False)
    console.print(f"[bold]{told['name']}[/bold] ({told['unique_id']})")
    for said in told["brief"]:
        console.print(f"- {said['text']}", markup=False)
    measured = [each for each in told["targets"] if each["status"] == "measured"]
    if measured:
        table = Table(
            "target", "scope", "level, Mt", "latest, Mt", "needed, Mt/yr", "%/yr", "done, Mt/yr", "chance"
        )
        for each in measured:
            need = each["needed"]
            table.add_row(
                each["target"]["target_id"],
                each["scope"],
                _mt(each["level"]),
                f"{_mt(each['latest']['value'])} ({each['latest']['year']})",
                _mt(need["linear"]),
                "-" if need["compound"] is None else f"{need['compound']:.1f}",
                _mt(need["achieved"]),
                _chance(each["chance"]),
            )
        console.print(table)
    for gap in told["missing"]:
        line = f"missing: {gap['code']}: found {gap['found']}; {gap['remedy']}"
        console.print(worded(line), markup=False)
    quality = told["quality"] or {}
    grade = quality.get("source_grade", "not known")
    console.print(f"figures {grade}; model {told['model_version']}, as of {told['as_of']}", markup=False)


def _mt(tonnes: float | None) -> str:
    return "-" if tonnes is None else f"{tonnes / MEGATONNE:.3g}"


def _chance(told: dict[str, Any]) -> str:
    if told["status"] == "past":
        return past_words(told)
    if told["p"] is None:
        return str(told["status"])
    p, low, high = (_percent(told[name]) for name in ("p", "p_low", "p_high"))
    text = f"{p} ({low} to {high})"
    return f"{text} of its path in {told['year']}" if told["status"] == "beyond-horizon" else text


def past_words(told: dict[str, Any]) -> str:
    """What came of a target whose year is past."""
    value, met = told["outcome"]["value"], told["outcome"]["met"]
    if value is None:
        return f"target year {told['year']} is past: no figure of it is held"
    return f"target year {told['year']} is past: {_mt(value)} Mt, {'met' if met else 'missed'}"


def _percent(share: float) -> str:
    return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{share:.0%}"
