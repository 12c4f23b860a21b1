"""The inventory at the terminal: which facility counts where, and what the clusters add up to."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.table import Table

from features.errors import AskError
from features.instants import naive_utc
from features.reference.tables import Reference, load
from features.series.basis import SOURCES, Stock, stock_of
from features.series.boundary_files import read_boundaries
from features.series.facilities import SUMS, one_family, sums, tagged, totals
from features.series.lake import Lake
from features.series.membership import HOW
from features.series.scope_jumps import found
from features.series.states import tally, told_apart
from features.series.words import CLUSTER_ID, DS, SOURCE, Y
from features.sources.records import FACILITY_ID, STATE
from features.table_files import write_frame

MEGATONNE: Final = 1e6
KEY: Final = ("area", "kind", "sector", "year", SOURCE)


def print_inventory(
    lake: str | Path,
    *,
    cluster: str | None,
    t: pd.Timestamp,
    sources: list[str] | None = None,
    boundaries: Path | None = None,
    out: Path | None = None,
    compare: bool = False,
) -> None:
    """Print the clusters built from the lake's facilities as known at ``t``, or the plants of one.

    Args:
        cluster: whose plants to list.
        boundaries: a user's TOML or GeoJSON file of clusters.
        out: where to write all rows (csv, parquet): the sums, or the plants of ``cluster``.
        compare: hold the sums against the embedded figures.

    Raises:
        AskError: no such cluster, nothing in the lake, or ``out`` is of no known kind.
        DataError: boundaries that cannot be used.
    """
    reference, console, t = load(), Console(width=110, highlight=False), naive_utc(t)
    own = read_boundaries(boundaries) if boundaries else ()
    stock = stock_of(Lake(lake), reference, t, sources=sources or SOURCES, own=own)
    summed = sums(stock.inventory, stock.members, t)
    told = summed if cluster is None else plants_of(cluster, stock, t)
    _print_counts(stock, t, console)
    if cluster is None:
        _print_clusters(summed, console)
    else:
        _print_plants(cluster, told, console)
    _print_breaks(stock, reference, t, console)
    if compare:
        _print_comparison(compared_with(summed, reference), console)
    if out is not None:
        write_frame(told, out)
        console.print(f"Wrote {len(told):,} rows to {out}", markup=False)


def plants_of(cluster: str, stock: Stock, t: pd.Timestamp) -> pd.DataFrame:
    """facility_id, name, sector, how, year, y (tCO2e), state: the newest year of each plant of a cluster.

    year and y are of the newest figure above zero, state that of the newest year its scheme published.

    Raises:
        AskError: no such cluster.
    """
    if cluster not in {b.cluster_id for b in stock.boundaries}:
        raise AskError(
            "unknown-cluster",
            found=f"cluster {cluster!r}",
            expected="one with a boundary: " + ", ".join(b.cluster_id for b in stock.boundaries),
            remedy="draw it in a file and give it with --boundaries",
        )
    members = stock.members.frame
    mine = members.loc[members[CLUSTER_ID] == cluster, [FACILITY_ID, HOW]]
    sites = mine.merge(stock.inventory.facilities[[FACILITY_ID, "name", "sector"]], on=FACILITY_ID)
    known = stock.inventory.at(t).records
    emits = known[known[Y] > 0].drop_duplicates(FACILITY_ID, keep="last").set_index(FACILITY_ID)
    newest = told_apart(stock.inventory, t).drop_duplicates(FACILITY_ID, keep="last").set_index(FACILITY_ID)
    told = sites.assign(
        year=sites[FACILITY_ID].map(emits[DS].dt.year).astype("Int64"),
        y=sites[FACILITY_ID].map(emits[Y]),
        state=sites[FACILITY_ID].map(newest[STATE]).fillna("never above zero"),
    )
    order = told.sort_values([Y, FACILITY_ID], ascending=[False, True], ignore_index=True)
    return order.loc[:, [FACILITY_ID, "name", "sector", HOW, "year", Y, STATE]]


def compared_with(summed: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """Rows of the embedded figures and of ``summed`` side by side, with ``verdict``: same, differs,
    embedded-only or rebuilt-only."""
    mine = summed.loc[:, list(SUMS)]
    both = reference.sector_emissions.loc[:, list(SUMS)].merge(
        mine, on=list(KEY), how="outer", suffixes=("_embedded", "_rebuilt"), indicator=True
    )
    same = both["tco2e_embedded"] == both["tco2e_rebuilt"]
    verdict = both["_merge"].map({"left_only": "embedded-only", "right_only": "rebuilt-only"}).astype("str")
    verdict = verdict.where(both["_merge"] != "both", same.map({True: "same", False: "differs"}))
    return both.drop(columns="_merge").assign(verdict=verdict)


def _print_counts(stock: Stock, t: pd.Timestamp, console: Console) -> None:
    points, members = stock.inventory.counts, stock.members.counts
    console.print(f"Known at {t:%Y-%m-%d %H:%M} UTC, from {', '.join(stock.snapshots)}", markup=False)
    named = ", ".join(f"{n:,} {name}" for name, n in points.items() if n)
    console.print(f"Facilities and their points: {named}")
    console.print(
        f"In clusters: {members['members']:,} ({members['by_boundary']:,} by boundary, "
        f"{members['by_name']:,} by name, {members['excluded']:,} excluded by name)"
    )
    if stock.members.unmatched:
        listed = ", ".join(stock.members.unmatched[:3])
        console.print(f"Listed, but in no source: {len(stock.members.unmatched)} ({listed})", markup=False)
    states = ", ".join(f"{n:,} {name}" for name, n in tally(told_apart(stock.inventory, t)).items())
    console.print(f"Years of facilities: {states}")


def _print_clusters(summed: pd.DataFrame, console: Console) -> None:
    table = Table("cluster", "newest year", title="Clusters, Mt CO2e", title_justify="left", box=None)
    for heading in ("total", "sectors", "contributors", "scope"):
        table.add_column(heading, justify="right")
    whole = totals(summed).sort_values("year").drop_duplicates(CLUSTER_ID, keep="last")
    for row in whole.sort_values(CLUSTER_ID).to_dict("records"):
        rows = summed[(summed["area"] == row[CLUSTER_ID]) & (summed["year"] == row["year"])]
        table.add_row(
            str(row[CLUSTER_ID]), str(row["year"]), f"{row['tco2e'] / MEGATONNE:.3f}", str(len(rows)),
            str(row["installations"]), str(row["scope_id"]),
        )  # fmt: skip
    console.print(table)


def _print_plants(cluster: str, told: pd.DataFrame, console: Console) -> None:
    title = f"{cluster}: {len(told)} facilities"
    table = Table("facility", "name", "sector", "how", "newest", title=title, title_justify="left", box=None)
    table.add_column("tCO2e", justify="right")
    table.add_column("state")
    for row in told.to_dict("records"):
        year, y = row["year"], row[Y]
        shown = ("", "") if pd.isna(y) else (str(year), f"{y:,.0f}")
        words = (str(row[FACILITY_ID]), str(row["name"]), str(row["sector"]), str(row[HOW]))
        table.add_row(*words, *shown, str(row[STATE]))
    console.print(table)


def _print_breaks(stock: Stock, reference: Reference, t: pd.Timestamp, console: Console) -> None:
    rows, _ = one_family(tagged(stock.inventory.at(t), stock.members))
    jumps = found(rows[rows["kind"] != "cluster"], reference.scope_breaks)
    for row in jumps.to_dict("records"):
        word = "declared" if row["declared"] else "found, not declared: growth is read across it"
        console.print(
            f"Scope break {row['scheme']} {row['from_year']}: contributors jump in {row['areas_jumping']} of "
            f"{row['areas']} countries or states ({word})"
        )


def _print_comparison(both: pd.DataFrame, console: Console) -> None:
    counts = both["verdict"].value_counts()
    told = ", ".join(f"{counts.get(name, 0):,} {name}" for name in (
        "same", "differs", "embedded-only", "rebuilt-only"
    ))  # fmt: skip
    console.print(f"Against the embedded figures, to the tonne: {told}")
    odd = both[both["verdict"] != "same"]
    groups = odd.groupby(["verdict", SOURCE, "kind", "year"]).size()
    for key, n in list(groups.items())[:12]:
        verdict, source, kind, year = key if isinstance(key, tuple) else (key, "", "", "")
        console.print(f"  {verdict}: {n} {kind} rows of {source} in {year}")
