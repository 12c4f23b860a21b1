"""The commands of an operator: hand service over, look back, make a forecast again.

Part of the command line, like ``forecarbon.py``, which takes them in: each command is one call.
"""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).resolve().parent
AT_HOME = HERE / "store"
ANNUAL = HERE / "training" / "plans" / "annual.toml"
DIFFERS = 3

app = typer.Typer()
Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
Who = Annotated[str | None, typer.Option(help="Who decides; default: your login name.")]
Why = Annotated[str, typer.Option(help="The reason, kept in the record.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="A saved model version, see forecarbon history.")],
    who: Who = None,
    why: Why = "",
    store: Store = AT_HOME,
) -> None:
    """Let a saved model serve, by hand; the record says who did it."""
    _hand_over(store, version, "promote", who, why)


@app.command()
def rollback(
    to: Annotated[str, typer.Option(help="A saved version; default: the champion before.")] = "",
    who: Who = None,
    why: Why = "",
    store: Store = AT_HOME,
) -> None:
    """Let the champion before serve again."""
    _hand_over(store, to, "roll-back", who, why)


@app.command()
def history(as_json: AsJson = False, store: Store = AT_HOME) -> None:
    """Show who became champion, when and why."""
    from training.history_report import print_history

    print_history(store, as_json=as_json)


@app.command()
def reproduce(
    forecast_id: Annotated[str, typer.Argument(help="The forecast_id of an answer.")],
    history: Annotated[
        Path | None, typer.Option(help="For a forecast of your own rows: the JSON that was sent.")
    ] = None,
    from_model: Annotated[
        bool, typer.Option("--from-model", help="Build from the saved model, not the kept pack.")
    ] = False,
    store: Store = AT_HOME,
) -> None:
    """Make an issued forecast again; status 0 if it is identical, 3 if it differs."""
    from models.engine import forecast_panel
    from serving.reproduce import reproduce as made_again
    from training.history_report import print_json

    told = made_again(store, forecast_id, engine=forecast_panel, history=history, from_model=from_model)
    print_json(told.as_record())
    if not told.identical:
        typer.echo("forecarbon: the answer made now differs from the one that was issued", err=True)
        sys.exit(DIFFERS)


def _hand_over(
    store: Path, version: str, decision: Literal["promote", "roll-back"], who: str | None, why: str
) -> None:
    from training.handover import hand_over
    from training.plan import read_plan
    from training.schedule import utc_now

    now = utc_now()

    def serve(folder: Path) -> Callable[[], object]:
        from serving.pack import build, publish

        pack = build(folder, store=store, now=now)
        return lambda: publish(store, pack)

    done = hand_over(
        store=store, version=version, decision=decision, who=who or getpass.getuser(), now=now, serve=serve,
        experiment=read_plan(ANNUAL).experiment, why=why,
    )  # fmt: skip
    typer.echo(done.line.sentence if done.changed else f"{done.line.to_version} serves already.")
    typer.echo(f"Serving: {done.line.to_version}. Registry: {done.registry}.")
