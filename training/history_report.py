"""The promotion record as a person or a program reads it: ``forecarbon history``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from training import promotions, registry


def history_records(store: Path) -> list[dict[str, Any]]:
    """Every line of the record, oldest first, with whether it stands and whether its model is saved."""
    lines = promotions.read(store)
    present = promotions.current(store)
    return [
        {
            **asdict(line),
            "serving": line == present,
            "saved": registry.model_folder(store, line.to_version).is_dir(),
        }
        for line in lines
    ]


def print_history(store: Path, *, as_json: bool) -> None:
    """Print the record: a table, or JSON with all its fields."""
    records = history_records(store)
    if as_json:
        print_json(records)
        return
    console = Console(width=150)
    if not records:
        console.print("Nothing was promoted here yet: run `forecarbon retrain`.")
        return
    table = Table(title="Promotions, oldest first", title_justify="left")
    for column in ("when", "what", "from", "to", "by", "verdict", "figures"):
        table.add_column(column, overflow="fold")
    for item in records:
        mark = " (serves)" if item["serving"] else "" if item["saved"] else " (not saved any more)"
        table.add_row(
            *(item["at"], item["decision"], item["from_version"] or "nothing", item["to_version"] + mark),
            *(item["who"], item["verdict_id"], item["data_hash"][:12]),
        )
    console.print(table)
    for item in records:
        console.print(f"{item['at']}  {item['sentence']}", highlight=False, markup=False)


def print_json(record: Any) -> None:
    """Print a record as JSON, as it is: no wrapping, no colours."""
    Console().file.write(json.dumps(record, indent=1, allow_nan=False) + "\n")
