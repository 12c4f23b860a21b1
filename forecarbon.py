"""Forecarbon's command line: each command is one call; heavy imports wait until they are needed."""

from __future__ import annotations

import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import operations
import questions
import upkeep
from features.errors import AskError, DataError, ForecarbonError, of_system
from features.logins import without_logins

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPE = "champion-recipe"
HERE = Path(__file__).resolve().parent
CALLERS_FAULT, OUR_FAULT = 2, 1

app = typer.Typer(
    name="forecarbon",
    help="Emissions forecasts for industrial clusters: calibrated, compared and traceable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(operations.app)
app.add_typer(questions.app)
app.add_typer(upkeep.app)

Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
LakePlace = Annotated[
    str | None,
    typer.Option("--lake", envvar="FORECARBON_LAKE", help="A folder or fsspec URL, if not STORE/lake."),
]
Unit = Annotated[str | None, typer.Option(help="Of your figures: kg, t, kt, Mt, or ktCO2e …")]
Gas = Annotated[str | None, typer.Option(help="Of your figures: CO2, CO2e, CH4, CH4-fossil, N2O, SF6, NF3.")]
Gwp = Annotated[str | None, typer.Option(help="Set of warming potentials for your file: AR5 or AR6.")]
Decimal = Annotated[str | None, typer.Option(help='Decimal mark of your figures: "." or ",".')]
Encoding = Annotated[str | None, typer.Option(help="Of your CSV, if not UTF-8: latin-1, cp1252, utf-16.")]
Sheet = Annotated[str | None, typer.Option(help="Of your workbook, if several hold figures.")]
EmptyIsZero = Annotated[
    bool, typer.Option("--empty-gas-is-zero", help="An empty gas beside others: none was emitted.")
]
KeepGood = Annotated[
    bool, typer.Option("--keep-good-rows", help="Leave bad rows out instead of refusing the file.")
]
Complaints = Annotated[Path | None, typer.Option(help="Where to write every complaint (csv).")]
CadenceWord = Annotated[str | None, typer.Option(help="year, quarter, month, week, day or hour.")]
Named = Annotated[str | None, typer.Option(help="Of your inventory, part of its sites' ids.")]
PlanFile = Annotated[Path, typer.Option("--plan", help="The job's TOML file.")]
Engine = Annotated[str | None, typer.Option(help="Who does the work: local (this machine), or dask.")]
Scheduler = Annotated[str | None, typer.Option(help="Dask's, tcp://host:8786; none: workers here.")]
Workers = Annotated[int | None, typer.Option(help="Processes, where no scheduler is named.")]
AT_HOME = HERE / "store"
ANNUAL = HERE / "training" / "plans" / "annual.toml"


@app.command()
def retrain(
    plan: PlanFile = ANNUAL, store: Store = AT_HOME, lake: LakePlace = None,
    engine: Engine = None, scheduler: Scheduler = None, workers: Workers = None,
) -> None:  # fmt: skip
    """Backtest the plan's recipe, judge it, and let it serve if the gate says so."""
    from serving.pack import build_and_publish
    from serving.printed import print_outlook
    from training.report import print_retrain, run_retrain

    now = datetime.now(UTC)
    done = run_retrain(plan_file=plan, store=store, lake=lake or store / "lake", now=now, root=HERE,
                       engine=(engine, scheduler, workers))  # fmt: skip
    print_retrain(done)
    build_and_publish(store=store, now=now)
    print_outlook(None, store=store, until=2030)


@app.command()
def backtest(
    plan: PlanFile = ANNUAL, store: Store = AT_HOME, lake: LakePlace = None,
    engine: Engine = None, scheduler: Scheduler = None, workers: Workers = None,
) -> None:  # fmt: skip
    """Score every forecaster on the plan's folds; nothing is saved."""
    from training.report import print_scores, run_backtest

    told, now = (engine, scheduler, workers), datetime.now(UTC)
    print_scores(run_backtest(plan_file=plan, lake=lake or store / "lake", now=now, engine=told))


@app.command()
def forecast(
    cluster: Annotated[str | None, typer.Argument(help="Cluster or series of the registry.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="Your own panel or inventory (csv, parquet, xlsx; parquet folder).")
    ] = None,
    steps: Annotated[int, typer.Option(help="Periods ahead.")] = 8,
    levels: Annotated[str, typer.Option(help="Central bands in percent.")] = "80,95",
    model: Annotated[str, typer.Option(help="A forecaster, or champion-recipe.")] = RECIPE,
    out: Annotated[Path | None, typer.Option(help="Where to write (csv, parquet).")] = None,
    cadence: CadenceWord = None,
    unit: Unit = None, gas: Gas = None, gwp: Gwp = None, decimal: Decimal = None,
    encoding: Encoding = None, sheet: Sheet = None, empty_gas_is_zero: EmptyIsZero = False,
    keep_good_rows: KeepGood = False, complaints: Complaints = None,
    scope: Annotated[str | None, typer.Option(help="Boundary, such as rotterdam-co2-registered.")] = None,
    engine: Engine = None, scheduler: Scheduler = None, workers: Workers = None, store: Store = AT_HOME,
) -> None:  # fmt: skip
    """Forecast a cluster of the registry, or anyone's panel with --history."""
    _one_of_both(cluster, history)
    from features.sources.inventory_figures import Declared

    told = Declared(unit, gas, gwp, decimal, cadence, sheet, encoding, empty_gas_is_zero)
    if history is not None:
        from serving.bulk import forecast_any
        from training.fanout import Asked, asked, opened

        with opened(asked(engine, scheduler, workers, Asked())) as spread:
            forecast_any(
                history, steps=steps, levels=levels, model=model, out=out, declared=told, spread=spread,
                keep_good=keep_good_rows, complaints=complaints,
                in_parts=(engine, scheduler, workers) != (None, None, None),
            )  # fmt: skip
    else:
        from serving.entries import stamp_of
        from serving.printed import print_outlook

        if any((told != Declared(), keep_good_rows, complaints, model != RECIPE, engine, scheduler, workers)):
            raise AskError(
                "option-without-history",
                found="options that describe a file of your own",
                expected="a cluster without them",
                remedy="leave them out, or give --history FILE",
            )
        print_outlook(
            str(cluster), store=store, steps=steps, levels=levels, out=out, scope=scope,
            issued_at=stamp_of(datetime.now(UTC)),
        )  # fmt: skip


def _one_of_both(cluster: str | None, history: Path | None) -> None:
    if (cluster is None) == (history is None):
        raise AskError(
            "forecast-of-what",
            found="both a cluster and --history" if cluster else "neither a cluster nor --history",
            expected="one of them",
            remedy="name a cluster (see forecarbon clusters), or give --history FILE",
        )


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1,
    keys: Annotated[bool, typer.Option("--keys", help="Ask for a key on this machine too.")] = False,
    no_keys: Annotated[bool, typer.Option("--no-keys", help="Ask nobody for a key, whoever it is.")] = False,
    store: Store = AT_HOME,
) -> None:
    """Answer forecast requests over HTTP; beyond this machine only to callers with a key."""
    from serving.keys_report import usable_keys
    from serving.launch import LOOPBACK, auth_mode, become, serve_command

    held = usable_keys(store, datetime.now(UTC)) if host not in LOOPBACK or keys else 0
    auth = auth_mode(host=host, no_keys=no_keys, with_keys=keys, keys=held)
    argv, environment = serve_command(host=host, port=port, workers=workers, store=store, auth=auth)
    typer.echo(f"Forecarbon serves on http://{host}:{port}/ (stop with Ctrl-C)")
    become(argv, environment)


@app.command()
def mlflow(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000, store: Store = AT_HOME
) -> None:
    """Open the MLflow pages over the store's runs."""
    from serving.launch import become
    from training.ui import compare_url, ui_command, ui_environment

    argv = ui_command(store, port)
    typer.echo("MLflow opens in about half a minute (stop with Ctrl-C); runs side by side:")
    typer.echo(compare_url(port, "1"))
    become(argv, ui_environment())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="Your own inventory (csv, parquet, xlsx).")],
    unit: Unit = None, gas: Gas = None, gwp: Gwp = None, decimal: Decimal = None,
    cadence: CadenceWord = None,
    encoding: Encoding = None, sheet: Sheet = None, empty_gas_is_zero: EmptyIsZero = False,
    name: Named = None, complaints: Complaints = None,
) -> None:  # fmt: skip
    """Show what your inventory would give, and every row that is at fault; nothing is kept."""
    from features.sources.inventory_figures import Declared
    from features.sources.inventory_report import check as check_file

    told = Declared(unit, gas, gwp, decimal, cadence, sheet, encoding, empty_gas_is_zero)
    check_file(file, declared=told, name=name, complaints=complaints)


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="eutl, uk-ets, ghgrp, climate-trace, upload (your own), …")],
    file: Annotated[list[Path] | None, typer.Option(help="A file or folder; may be repeated.")] = None,
    url: Annotated[list[str] | None, typer.Option(help="An http(s) address; may be repeated.")] = None,
    known_at: Annotated[str | None, typer.Option(help="When it was published; default: now.")] = None,
    allow_local: Annotated[bool, typer.Option("--allow-local", help="Fetch from private addresses.")] = False,
    unit: Unit = None, gas: Gas = None, gwp: Gwp = None, decimal: Decimal = None,
    cadence: CadenceWord = None,
    encoding: Encoding = None, sheet: Sheet = None, empty_gas_is_zero: EmptyIsZero = False,
    name: Named = None,
    keep_good_rows: KeepGood = False, complaints: Complaints = None,
    store: Store = AT_HOME, lake: LakePlace = None,
) -> None:  # fmt: skip
    """Read a source, or your own inventory (upload), into the lake: whole or not at all, only once."""
    from features.sources.ingest_report import run_ingest
    from features.sources.inventory_figures import Declared

    told = Declared(unit, gas, gwp, decimal, cadence, sheet, encoding, empty_gas_is_zero)
    said = {"declared": told, "name": name, "keep_good": keep_good_rows}
    run_ingest(
        source, lake=lake or store / "lake", downloads=store / "downloads", now=datetime.now(UTC),
        files=file or [], urls=url or [], known_at=known_at, allow_local=allow_local,
        options={key: value for key, value in said.items() if value not in (None, False, Declared())},
        complaints=complaints,
    )  # fmt: skip


@app.command()
def inventory(
    cluster: Annotated[str | None, typer.Argument(help="List the plants of this cluster.")] = None,
    as_of: Annotated[str | None, typer.Option(help="What was known on that day; default: now.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Repeat it; else: eutl, uk-ets, ghgrp.")] = None,
    boundaries: Annotated[Path | None, typer.Option(help="Your clusters (toml, geojson).")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Hold it against the embedded figures.")] = False,
    out: Annotated[Path | None, typer.Option(help="Where to write all rows (csv, parquet).")] = None,
    store: Store = AT_HOME, lake: LakePlace = None,
) -> None:  # fmt: skip
    """Show what the facilities of the lake add up to, cluster by cluster."""
    from features.series.inventory_report import print_inventory
    from features.sources.ingest_report import instant

    t = instant(as_of) if as_of else instant(datetime.now(UTC).isoformat())
    print_inventory(
        lake or store / "lake", cluster=cluster, t=t, sources=source, boundaries=boundaries, out=out,
        compare=compare,
    )  # fmt: skip


def guarded(run: Callable[[], object]) -> int:
    """Run a command; what goes wrong becomes a message and an exit status, never a traceback."""
    try:
        run()
    except ForecarbonError as fault:
        from serving.at_terminal import worded

        typer.echo(f"forecarbon: {worded(fault.message)}", err=True)
        return CALLERS_FAULT if isinstance(fault, AskError | DataError) else OUR_FAULT
    except OSError as fault:
        typer.echo(f"forecarbon: {of_system(fault).message}", err=True)
        return OUR_FAULT
    except Exception as fault:  # noqa: BLE001 - whatever it is, no login in it may be printed
        if os.environ.get("FORECARBON_DEBUG"):
            typer.echo(without_logins(traceback.format_exc()), err=True)
        text = without_logins(f"{type(fault).__name__}: {fault}")
        typer.echo(f"forecarbon: a bug of ours: {text} (FORECARBON_DEBUG=1 shows where)", err=True)
        return OUR_FAULT
    return 0


def main() -> None:
    """Entry point of the ``forecarbon`` command."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
