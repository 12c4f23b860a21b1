"""Forecasts at the terminal: the same rows the API answers, from the same shelf."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pandas as pd
from rich.console import Console
from rich.table import Table

from features.series.words import MAX_STEPS
from features.table_files import write_frame
from serving.answer import answer
from serving.entries import entry_of, forecast_id_of, rendered
from serving.journal import keep
from serving.levels import parse_levels
from serving.shelf import Shelf, Standing
from serving.views import clusters_view
from serving.wire import read_ask

FIRST: Final = "nl-rotterdam"
MEGATONNE: Final = 1e6
FRESH: Final = 20
HERE: Final = "command-line"


def opened_shelf(store: Path) -> Standing:
    """What the store serves now.

    Raises:
        ModelError: nothing published, or nothing readable.
    """
    shelf = Shelf(store)
    shelf.refresh()
    return shelf.standing


def print_outlook(
    name: str | None,
    *,
    store: Path,
    steps: int | None = None,
    until: int | None = None,
    levels: str = "80,95",
    out: Path | None = None,
    scope: str | None = None,
    issued_at: str = "",
) -> None:
    """Print (or write to ``out``) the forecast of a cluster, series or the initiative.

    With ``issued_at`` (ISO text, UTC) it counts as issued: it gets a forecast_id and is journalled.

    Args:
        name: what to forecast; the cluster shown first when left out.
        scope: the boundary to read it in; a published total's is reached over a bridge.
        steps: periods ahead; or ``until``: last year shown.
        levels: central bands in percent, comma-separated.
    """
    standing = opened_shelf(store)
    bands = parse_levels(levels)
    asked = [name or shown_first(standing)]
    question = {"series": asked, "steps": steps or MAX_STEPS, "levels": bands, "scope": scope}
    ask = read_ask(json.dumps(question).encode())
    forecast_id = forecast_id_of(issued_at, uuid4().hex[:FRESH]) if issued_at else ""
    told = answer(ask, standing, issued_at=issued_at, request_id=HERE, forecast_id=forecast_id)
    note = ""
    if issued_at:
        note = _journalled(store, entry_of(ask, told, standing))
    spoken = told["forecasts"][0]
    rows = [row for row in spoken["rows"] if until is None or int(row["ds"][:4]) <= until]
    if out is not None:
        write_frame(_flat(spoken, rows).assign(forecast_id=forecast_id), out)
        Console().print(f"Wrote {len(rows)} rows to {out}", highlight=False)
        return
    _print_rows(spoken, rows, standing, bands)
    if forecast_id:
        Console(width=110).print(f"forecast_id {forecast_id}{note}", highlight=False)


def _journalled(store: Path, entry: dict[str, Any]) -> str:
    """Keep the entry; what to say if that failed, which is no reason to withhold a forecast."""
    try:
        keep(store, rendered(entry))
    except OSError as fault:
        return f" (not in the journal: {fault.strerror})"
    return ""


def _flat(spoken: dict[str, Any], rows: list[dict[str, Any]]) -> pd.DataFrame:
    quality = {f"quality_{key}": value for key, value in (spoken["quality"] or {}).items()}
    return pd.DataFrame(
        {
            "unique_id": spoken["unique_id"],
            "ds": row["ds"],
            "step": row["step"],
            "mean": row["mean"],
            **{f"q{key}": value for key, value in row["quantiles"].items()},
            "made_by": spoken["made_by"],
            "scope": spoken["scope"],
            "bridge_ratio": (spoken["bridge"] or {}).get("ratio"),
            "informed_by": " ".join(map(str, (spoken["bridge"] or {}).get("informed_by", ()))),
            **quality,
        }
        for row in rows
    )


def _print_rows(
    spoken: dict[str, Any], rows: list[dict[str, Any]], standing: Standing, bands: list[float]
) -> None:
    console = Console(width=110)
    facts = standing.pack.clusters.get(spoken["unique_id"], {}).get("facts", {})
    title = facts.get("name") or spoken["unique_id"]
    table = Table(title=f"{title} ({spoken['unique_id']}): Mt CO2e a year, cutoff {spoken['cutoff'][:4]}")
    table.title_justify = "left"
    table.add_column("year")
    table.add_column("mean", justify="right")
    table.add_column("median", justify="right")
    for band in bands:
        table.add_column(f"{band:g}% band", justify="right")
    for row in rows:
        quantiles = {float(key): value / MEGATONNE for key, value in row["quantiles"].items()}
        cells = [f"{row['mean'] / MEGATONNE:.2f}", f"{quantiles[0.5]:.2f}"]
        for band in bands:
            tail = round((100 - band) / 200, 6)
            cells.append(f"{quantiles[tail]:.2f} to {quantiles[round(1 - tail, 6)]:.2f}")
        table.add_row(row["ds"][:4], *cells)
    console.print(table)
    made = f"made by {spoken['made_by']}, model {standing.pack.model_version}, scope {spoken['scope']}"
    console.print(made, highlight=False)
    for line in (bridge_line(spoken["bridge"]), quality_line(spoken["quality"])):
        if line:
            console.print(line, highlight=False)


def shown_first(standing: Standing) -> str:
    """The cluster to show when none is named: Rotterdam, or else the first that is served."""
    served = [name for name in standing.pack.clusters if name in standing.rungs]
    return FIRST if FIRST in served or not served else served[0]


def bridge_line(bridge: dict[str, Any] | None) -> str:
    """The bridge a forecast crossed, in a sentence; "" without one."""
    if bridge is None:
        return ""
    told = (
        f"read in {bridge['to_scope']} ({bridge['gas_scope']}) over a bridge from {bridge['from_scope']}: "
        f"x {bridge['ratio']:.3f}, {bridge['level']:g}% {bridge['ratio_low']:.3f} to "
        f"{bridge['ratio_high']:.3f}, from {', '.join(map(str, bridge['years']))}"
    )
    since = " and ".join(map(str, bridge["informed_by"]))
    seen = f"; published totals of {since} are in it: futures that missed them count less"
    return told + (seen if since else "")


def quality_line(card: dict[str, Any] | None) -> str:
    """The score card in a sentence; "" without one."""
    if card is None:
        return ""
    parts = [f"figures {card['source_grade']} ({card['source']})", f"{card['periods']} periods"]
    parts.append(f"{100 * card['completeness']:.0f}% complete")
    if card["age_days"] is not None:
        parts.append(f"newest ended {card['age_days']:,} days before")
    if card["breaks"]:
        parts.append(f"{card['breaks']} scope breaks")
    if card["share_imputed"]:
        parts.append(f"{100 * card['share_imputed']:.0f}% estimated or repaired")
    if card["contributors"] is not None:
        parts.append(f"{card['contributors']} contributors")
    if card["agreement"] is not None:
        parts.append(f"{100 * card['agreement']:.0f}% apart from {card['agreement_with']}")
    return "quality: " + ", ".join(parts)


def print_clusters(*, store: Path) -> None:
    """Print every cluster of the registry: latest total and outlook, or why there is none."""
    view = clusters_view(opened_shelf(store))
    table = Table(title="Clusters: Mt CO2e a year", title_justify="left")
    for column in ("cluster", "name", "latest", "2030: 80% band", "note"):
        table.add_column(column, overflow="fold")
    for line in view["clusters"]:
        table.add_row(line["cluster_id"], str(line["name"]), *_standing_cells(line))
    Console(width=130).print(table)


def _standing_cells(line: dict[str, Any]) -> tuple[str, str, str]:
    if line["status"] == "absent":
        return "", "", str(line["reason"])
    latest, band = line.get("latest"), line.get("outlook")
    shown = f"{latest['y'] / MEGATONNE:.2f} ({latest['ds'][:4]})" if latest else "not known"
    if not band:
        return shown, "beyond the horizon", ""
    low, high = band["low"] / MEGATONNE, band["high"] / MEGATONNE
    return shown, f"{low:.2f} to {high:.2f}", ""
