"""Forecarbon's command line: each command is one call; heavy imports wait until they are needed."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from features.errors import AskError, DataError, ForecarbonError

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
CALLERS_FAULT, OUR_FAULT = 2, 1

app = typer.Typer(
    name="forecarbon",
    help="Emissions forecasts for industrial clusters: calibrated, compared and traceable.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
PlanFile = Annotated[Path, typer.Option("--plan", help="The job's TOML file.")]
AT_HOME = HERE / "store"
ANNUAL = HERE / "training" / "plans" / "annual.toml"


@app.command()
def retrain(plan: PlanFile = ANNUAL, store: Store = AT_HOME) -> None:
    """Backtest the plan's recipe, judge it, and let it serve if the gate says so."""
    from serving.pack import build_and_publish
    from serving.printed import print_outlook
    from training.report import print_retrain, run_retrain

    now = datetime.now(UTC)
    print_retrain(run_retrain(plan_file=plan, store=store, now=now, root=HERE))
    build_and_publish(store=store, now=now)
    print_outlook("nl-rotterdam", store=store, until=2030)


@app.command()
def backtest(plan: PlanFile = ANNUAL) -> None:
    """Score every forecaster on the plan's folds; nothing is saved."""
    from training.report import print_scores, run_backtest

    print_scores(run_backtest(plan_file=plan, now=datetime.now(UTC)))


@app.command()
def forecast(
    cluster: Annotated[str | None, typer.Argument(help="Cluster or series of the registry.")] = None,
    history: Annotated[
        Path | None, typer.Option(help="Your own panel: unique_id, ds, y (csv, parquet).")
    ] = None,
    steps: Annotated[int, typer.Option(help="Periods ahead.")] = 8,
    levels: Annotated[str, typer.Option(help="Central bands in percent.")] = "80,95",
    model: Annotated[str, typer.Option(help="A forecaster, or champion-recipe.")] = "champion-recipe",
    out: Annotated[Path | None, typer.Option(help="Where to write (csv, parquet).")] = None,
    cadence: Annotated[str | None, typer.Option(help="year, quarter, month, week, day or hour.")] = None,
    store: Store = AT_HOME,
) -> None:
    """Forecast a cluster of the registry, or anyone's panel with --history."""
    if (cluster is None) == (history is None):
        raise AskError(
            "forecast-of-what",
            found="both a cluster and --history" if cluster else "neither a cluster nor --history",
            expected="one of them",
            remedy="name a cluster (see forecarbon clusters), or give --history FILE",
        )
    if history is not None:
        from serving.batch import forecast_file

        forecast_file(history, steps=steps, levels=levels, model=model, out=out, cadence=cadence)
    else:
        from serving.printed import print_outlook

        print_outlook(str(cluster), store=store, steps=steps, levels=levels, out=out)


@app.command()
def clusters(store: Store = AT_HOME) -> None:
    """List the clusters: latest total, outlook, or why there is none."""
    from serving.printed import print_clusters

    print_clusters(store=store)


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1,
    store: Store = AT_HOME,
) -> None:
    """Answer forecast requests over HTTP."""
    from serving.launch import serve_command

    argv, environment = serve_command(host=host, port=port, workers=workers, store=store)
    typer.echo(f"Forecarbon serves on http://{host}:{port}/ (stop with Ctrl-C)")
    become(argv, environment)


@app.command()
def mlflow(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 5000, store: Store = AT_HOME
) -> None:
    """Open the MLflow pages over the store's runs."""
    from training.ui import compare_url, ui_command, ui_environment

    argv = ui_command(store, port)
    typer.echo("MLflow opens in about half a minute (stop with Ctrl-C); runs side by side:")
    typer.echo(compare_url(port, "1"))
    become(argv, ui_environment())


def become(argv: list[str], environment: dict[str, str]) -> NoReturn:
    """Turn this process into ``argv``, so that signals reach it directly."""
    sys.stdout.flush()
    os.execve(argv[0], argv, environment)  # noqa: S606  # our own argument list, no shell


def guarded(run: Callable[[], object]) -> int:
    """Run a command; what goes wrong becomes a message and an exit status, never a traceback."""
    try:
        run()
    except ForecarbonError as fault:
        typer.echo(f"forecarbon: {fault.message}", err=True)
        return CALLERS_FAULT if isinstance(fault, AskError | DataError) else OUR_FAULT
    except OSError as fault:
        typer.echo(f"forecarbon: {type(fault).__name__}: {fault}", err=True)
        return OUR_FAULT
    except Exception as fault:
        if os.environ.get("FORECARBON_DEBUG"):
            raise
        text = f"{type(fault).__name__}: {fault}"
        typer.echo(f"forecarbon: a bug of ours: {text} (FORECARBON_DEBUG=1 shows where)", err=True)
        return OUR_FAULT
    return 0


def main() -> None:
    """Entry point of the ``forecarbon`` command."""
    sys.exit(guarded(app))


if __name__ == "__main__":
    main()
