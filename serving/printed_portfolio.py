"""The portfolio at the terminal: all plans of all clusters, as a share of what is claimed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from features.errors import AskError
from serving.coalition_handlers import read_portfolio
from serving.coalition_view import coalition_view
from serving.printed import MEGATONNE, opened_shelf
from serving.printed_scenario import loaded

WIDE: Final = 110
_EVERY: Final = 5


def print_portfolio(
    file: Path | None, *, store: Path, year: int | None = None, as_json: bool = False
) -> None:
    """Print what the plans of all clusters avoid by year, and which projects are not in.

    Args:
        file: what ``POST /v1/insights/portfolio`` takes, in TOML or JSON; a text in ``scenarios`` names a
            scenario file beside it. The registry's projects alone without it.

    Raises:
        AskError, DataError: as ``coalition_view``; or a file that holds no portfolio.
    """
    standing = opened_shelf(store)
    asked = {} if file is None else _read(file)
    told = coalition_view(standing, asked if year is None else {**asked, "year": year})
    if as_json:
        print(json.dumps(told, indent=2, ensure_ascii=False))  # noqa: T201
        return
    _print(told, Console(width=WIDE, highlight=False))


def _read(file: Path) -> dict[str, Any]:
    table = loaded(file, "portfolio")
    if not isinstance(table, dict):
        raise _no_portfolio(file, f"a {type(table).__name__}", "write a table with scenarios")
    if "series" in table:
        raise _no_portfolio(
            file, "a scenario", f'name it in a portfolio: scenarios = ["{file.name}"]; or forecarbon scenario'
        )
    tables = table.get("scenarios", [])
    if isinstance(tables, list):
        table = {**table, "scenarios": [_scenario(each, file) for each in tables]}
    ask = read_portfolio(json.dumps(table, default=str).encode())
    return {name: value for name, value in ask.model_dump(exclude_unset=True).items() if value is not None}


def _scenario(told: Any, file: Path) -> Any:
    if isinstance(told, Mapping) and "saved" in told:
        raise _no_portfolio(
            file, f"the saved scenario {told['saved']!r}", "ask over HTTP, or write its table into a file"
        )
    return loaded(file.parent / told) if isinstance(told, str) else told


def _no_portfolio(file: Path, found: str, remedy: str) -> AskError:
    return AskError(
        "portfolio-unreadable",
        found=f"{file.name}: {found}",
        expected="a portfolio: scenarios (tables, or names of files), correlation, seed, year, registered",
        remedy=f"{remedy}; see docs/examples/portfolio.toml",
    )


def _print(told: dict[str, Any], console: Console) -> None:
    claim = told["claim"]["reduction_potential_mt"]
    console.print(
        f"[bold]The plans of {len(told['clusters'])} clusters[/bold], "
        f"{_mt(told['now'])} Mt in their newest figures"
    )
    table = Table(
        "year", "avoided, Mt", "80% band", f"of {claim:g} Mt claimed", "80% band", "left, Mt", "80% band"
    )
    years = told["years"]
    for row in years:
        if row in (years[0], years[-1]) or row["year"] % _EVERY == 0 or row["year"] == told["year"]:
            table.add_row(str(row["year"]), *_tonnes(row["abated"]), *_shares(row["share_of_claim"]),
                          *_tonnes(row["planned"]))  # fmt: skip
    console.print(table)
    for each in told["claim"]["passes"]:
        at = next(row for row in each["by_year"] if row["year"] == told["year"])
        console.print(
            f"chance that plans avoid {each['share']:.0%} of it ({_mt(each['tonnes'])} Mt) in "
            f"{told['year']}: {_chance(at['plans'])}",
            markup=False,
        )
    _print_measures(told, console)
    _print_left_out(told, console)
    if told["correlation"]["from"] == "weak-default":
        console.print(
            f"luck of projects of one kind goes together by {told['correlation']['value']:g}: "
            "a weak default of ours"
        )
    console.print(f"{told['claim']['counts']}; nothing is added to it", markup=False)
    console.print(f"model {told['model_version']}, as of {told['as_of']}", markup=False)


def _print_measures(told: dict[str, Any], console: Console) -> None:
    if not told["measures"]:
        console.print("no project or lever is laid")
        return
    table = Table(f"in it, Mt in {told['year']}", "cluster", "kind", "start", "off the path", "80% band")
    for row in told["measures"]:
        table.add_row(row["name"], row["cluster_id"], row["kind"], str(row["planned_start"]),
                      *_tonnes(row["direct"]))  # fmt: skip
    console.print(table)


def _print_left_out(told: dict[str, Any], console: Console) -> None:
    if not told["left_out"]:
        return
    by_reason: dict[str, list[str]] = {}
    for row in told["left_out"]:
        size = row["abatement_mt_per_yr"]
        about = row["cluster_id"] if size is None else f"{row['cluster_id']}, {size:g} Mt a year"
        by_reason.setdefault(str(row["reason"]), []).append(f"{row['project']} ({about})")
    table = Table(f"not in it: {len(told['left_out'])} projects", "because")
    for reason, names in sorted(by_reason.items(), key=lambda each: -len(each[1])):
        table.add_row("; ".join(names), reason, end_section=True)
    console.print(table)


def _tonnes(told: dict[str, float]) -> tuple[str, str]:
    return _mt(told["q0.5"]), f"{_mt(told['q0.1'])} to {_mt(told['q0.9'])}"


def _shares(told: dict[str, float]) -> tuple[str, str]:
    return f"{told['q0.5']:.2%}", f"{told['q0.1']:.2%} to {told['q0.9']:.2%}"


def _mt(tonnes: float) -> str:
    return f"{tonnes / MEGATONNE:.3g}"


def _chance(share: float) -> str:
    return "<1%" if share < 0.01 else ">99%" if share > 0.99 else f"{share:.0%}"
