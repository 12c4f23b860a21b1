"""The commands that answer: which clusters there are, how far one is on its way, what if, and what was known.

Part of the command line, like ``forecarbon.py``, which takes them in: each command is one call.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

AT_HOME = Path(__file__).resolve().parent / "store"

app = typer.Typer()
lake_app = typer.Typer(help="What was known when: snapshots of the sources.", no_args_is_help=True)
app.add_typer(lake_app, name="lake")
Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
LakePlace = Annotated[
    str | None,
    typer.Option("--lake", envvar="FORECARBON_LAKE", help="A folder or fsspec URL, if not STORE/lake."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def clusters(store: Store = AT_HOME) -> None:
    """List the clusters: latest total, outlook, or why there is none."""
    from serving.printed import print_clusters

    print_clusters(store=store)


@app.command()
def progress(
    cluster: Annotated[
        str | None, typer.Argument(help="Cluster, sector, plant or initiative; every cluster when left out.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="Measure this target alone.")] = None,
    targets: Annotated[Path | None, typer.Option(help="A TOML file of your own targets.")] = None,
    base_year: Annotated[int | None, typer.Option(help="Of targets that name none.")] = None,
    scope: Annotated[
        str, typer.Option(help="Scope to read targets of unstated or unlike scope in, such as eu-ets.")
    ] = "",
    language: Annotated[str, typer.Option(help="Of the sentences.")] = "en",
    as_json: AsJson = False,
    store: Store = AT_HOME,
) -> None:
    """Shall we meet the target? What is left to do, the chance, and what is missing for an answer."""
    from serving.printed_progress import print_all, print_progress

    if cluster is None:
        print_all(store)
        return
    print_progress(
        cluster, store=store, target_id=target, targets=targets, base_year=base_year, scope=scope,
        language=language, as_json=as_json,
    )  # fmt: skip


@app.command()
def why(
    cluster: Annotated[str, typer.Argument(help="Cluster, sector or initiative.")],
    start: Annotated[int | None, typer.Option(help="First year; five before the last when left out.")] = None,
    end: Annotated[int | None, typer.Option(help="Last year; the newest when left out.")] = None,
    language: Annotated[str, typer.Option(help="Of the sentences.")] = "en",
    as_json: AsJson = False,
    store: Store = AT_HOME,
) -> None:
    """Why did emissions move? Part by part, with unusual years and shocks that all shared."""
    from serving.printed_progress import print_why

    print_why(cluster, store=store, start=start, end=end, language=language, as_json=as_json)


@app.command()
def scenario(
    files: Annotated[list[Path], typer.Argument(help="A scenario in TOML or JSON; up to four are compared.")],
    as_json: AsJson = False,
    store: Store = AT_HOME,
) -> None:
    """What if? Levers and projects laid over the forecast, and what they do to the chance of a target."""
    from serving.printed_scenario import print_scenarios

    print_scenarios(files, store=store, as_json=as_json)


@app.command()
def portfolio(
    file: Annotated[
        Path | None, typer.Argument(help="Your scenarios, in TOML or JSON; without: the registry's projects.")
    ] = None,
    year: Annotated[int | None, typer.Option(help="That parts are told of; 2035 when left out.")] = None,
    as_json: AsJson = False,
    store: Store = AT_HOME,
) -> None:
    """All plans of all clusters together: what they avoid a year, as a share of what is claimed."""
    from serving.printed_portfolio import print_portfolio

    print_portfolio(file, store=store, year=year, as_json=as_json)


@app.command()
def report(
    cluster: Annotated[str, typer.Argument(help="Cluster of the registry.")],
    out: Annotated[Path, typer.Option(help="Where to write it.")],
    funding: Annotated[bool, typer.Option("--funding", help="The funding pack.")] = False,
    scenario: Annotated[Path | None, typer.Option(help="The pack of this scenario (TOML, JSON).")] = None,
    terms: Annotated[Path | None, typer.Option(help="TOML: grant, capex, opex, rate, promised …")] = None,
    form: Annotated[
        str, typer.Option("--format", help="pdf, html, or png of page one; else by the file's name.")
    ] = "",
    address: Annotated[
        str, typer.Option(help="Of the service that numbers lead to.")
    ] = "http://127.0.0.1:3000",
    store: Store = AT_HOME,
) -> None:
    """Write the report of a cluster, or its funding pack, as PDF or HTML."""
    from serving.printed_report import write_report

    write_report(
        cluster, store=store, out=out, funding=funding, scenario=scenario, terms=terms, form=form,
        address=address,
    )  # fmt: skip


@lake_app.command("list")
def lake_list(store: Store = AT_HOME, lake: LakePlace = None) -> None:
    """List the snapshots of the lake."""
    from features.series.lake_report import print_list

    print_list(lake or store / "lake")


@lake_app.command("diff")
def lake_diff(
    a: Annotated[str, typer.Argument(help="A snapshot, or a day: what was known then.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    out: Annotated[Path | None, typer.Option(help="Where to write all rows (csv, parquet).")] = None,
    rows: Annotated[int, typer.Option(help="Rows to print.")] = 20,
    store: Store = AT_HOME, lake: LakePlace = None,
) -> None:  # fmt: skip
    """Show what was restated from A to B."""
    from features.series.lake_report import print_diff

    print_diff(lake or store / "lake", a, b, out=out, rows=rows)
