"""The commands of an operator: hand service over, look back, make a forecast again, schedule, watch.

Part of the command line, like ``forecarbon.py``, which takes them in: each command is one call.
"""

from __future__ import annotations

import getpass
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from features.findings import Finding
    from training.schedule_file import JobPlan
    from training.watch import Watched

HERE = Path(__file__).resolve().parent
AT_HOME = HERE / "store"
ANNUAL = HERE / "training" / "plans" / "annual.toml"
TIMES = HERE / "training" / "plans" / "schedule.toml"
FAILED, DIFFERS = 1, 3
_LOG = logging.getLogger("forecarbon.watch")

app = typer.Typer()
keys_app = typer.Typer(help="API keys: made, listed, revoked.", no_args_is_help=True)
app.add_typer(keys_app, name="keys")
Store = Annotated[
    Path,
    typer.Option("--store", envvar="FORECARBON_STORE", help="Where models, runs and forecasts are kept."),
]
Who = Annotated[str | None, typer.Option(help="Who decides; default: your login name.")]
Why = Annotated[str, typer.Option(help="The reason, kept in the record.")]
LakePlace = Annotated[
    str | None,
    typer.Option("--lake", envvar="FORECARBON_LAKE", help="A folder or fsspec URL, if not STORE/lake."),
]
PlanFile = Annotated[Path, typer.Option("--plan", help="The job's TOML file.")]
KeyId = Annotated[str, typer.Argument(help="See forecarbon keys list.")]
WithFeedback = Annotated[bool, typer.Option("--with-feedback", help="Then also against callers' claims.")]
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


@keys_app.command("add")
def keys_add(
    name: Annotated[str, typer.Argument(help="Whose key it is.")],
    scope: Annotated[
        list[str], typer.Option(help="read, forecast, own-history, feedback, operate; may be repeated.")
    ],
    days: Annotated[int, typer.Option(help="Days until it ends.")] = 365,
    per_second: Annotated[float | None, typer.Option(help="Requests a second it may make.")] = None,
    who: Who = None,
    store: Store = AT_HOME,
) -> None:
    """Make a key and show it, this once."""
    from serving.keys_report import add_key
    from training.schedule import utc_now

    by = who or getpass.getuser()
    add_key(store, name, scopes=scope, days=days, rate=per_second, at=utc_now(), who=by)


@keys_app.command("list")
def keys_list(as_json: AsJson = False, store: Store = AT_HOME) -> None:
    """List every key, without its secret."""
    from serving.keys_report import print_keys
    from training.schedule import utc_now

    print_keys(store, now=utc_now(), as_json=as_json)


@keys_app.command("revoke")
def keys_revoke(key_id: KeyId, who: Who = None, store: Store = AT_HOME) -> None:
    """End a key for good; its lines in the audit stay."""
    from serving.keys_report import revoke_key
    from training.schedule import utc_now

    revoke_key(store, key_id, at=utc_now(), who=who or getpass.getuser())


@app.command()
def watch(
    plan: PlanFile = ANNUAL,
    webhook: Annotated[
        str, typer.Option(envvar="FORECARBON_WEBHOOK", help="Address that findings are posted to.")
    ] = "",
    with_feedback: WithFeedback = False,
    store: Store = AT_HOME,
    lake: LakePlace = None,
) -> None:
    """Score the forecasts that were issued against the figures that came since."""
    from training.schedule import utc_now
    from training.watch_report import print_watch

    now = utc_now()
    seen, new = look(plan, store=store, lake=lake or store / "lake", now=now, webhook=webhook)
    print_watch(seen, new)
    if with_feedback:
        typer.echo("\nAgainst callers' claims, which are no public records; no finding of these is recorded:")
        print_watch(*look(plan, store=store, lake="", now=now, webhook="", claimed=True))
    if wants_retrain(plan, new):
        typer.echo(train(plan, store=store, lake=lake or store / "lake", now=now, who="forecarbon watch"))


@app.command()
def schedule(
    file: Annotated[Path, typer.Option(help="The schedule's TOML file.")] = TIMES,
    once: Annotated[bool, typer.Option("--once", help="Run what is due, then end.")] = False,
    database: Annotated[
        str | None,
        typer.Option(envvar="FORECARBON_SCHEDULE_DB", help="SQLAlchemy URL; default: STORE/schedule.db."),
    ] = None,
    store: Store = AT_HOME,
    lake: LakePlace = None,
) -> None:
    """Run retrains and watches when they are due, one at a time over all schedulers of a database.

    With --once the status is 1 if one of them failed.
    """
    from features.stores import expect_store
    from training.schedule import Scheduler, run_forever
    from training.schedule_file import read_schedule
    from training.timetable import Timetable, default_database, text_of

    logging.basicConfig(format="%(asctime)s %(message)s", level=logging.WARNING)
    logging.getLogger("forecarbon").setLevel(logging.INFO)
    expect_store(store, "to keep", new=True)
    plan = read_schedule(file)

    def run(job: JobPlan, now: datetime) -> str:
        return do(job, folder=file.parent, store=store, lake=lake or store / "lake", now=now,
                  webhook=plan.webhook)  # fmt: skip

    scheduler = Scheduler(plan, Timetable(database or default_database(store)), run)
    if once:
        done = scheduler.run_due()
        for ran in done:
            typer.echo(f"{ran.job}: {ran.state}. {ran.told}")
        typer.echo(f"Next: {text_of(scheduler.next_due())}")
        if any(ran.state != "done" for ran in done):
            sys.exit(FAILED)
    else:
        run_forever(scheduler)


def do(job: JobPlan, *, folder: Path, store: Path, lake: str | Path, now: datetime, webhook: str) -> str:
    """Do a job of a schedule at ``now``; what came of it in a sentence."""
    plan, who = folder / job.plan, f"forecarbon schedule ({job.name})"
    if job.run == "retrain":
        return train(plan, store=store, lake=lake, now=now, who=who)
    from training.watch_report import summary

    seen, new = look(plan, store=store, lake=lake, now=now, webhook=webhook)
    told = summary(seen, new)
    if wants_retrain(plan, new):
        told += " Retrained: " + train(plan, store=store, lake=lake, now=now, who=who)
    return told


def train(plan_file: Path, *, store: Path, lake: str | Path, now: datetime, who: str) -> str:
    """Retrain by a plan and publish what serves after it; the verdict's sentence."""
    from serving.pack import build_and_publish
    from training.plan import read_plan
    from training.registry import champion
    from training.report import commit_of, own_boundaries
    from training.retrain import retrain

    plan = read_plan(plan_file)
    own = own_boundaries(plan, plan_file)
    done = retrain(plan=plan, store=store, lake=lake, own=own, now=now, commit=commit_of(HERE), who=who)
    if champion(store) is not None:
        build_and_publish(store=store, now=now)
    return f"{done.verdict.decision}: {done.verdict.sentence}"


def look(
    plan_file: Path, *, store: Path, lake: str | Path, now: datetime, webhook: str, claimed: bool = False
) -> tuple[Watched, list[Finding]]:
    """Watch by a plan: what was seen, and the findings that are new; these are recorded, logged, posted.

    Against what callers ``claimed`` nothing is: a claim must not be able to start a retrain.
    """
    from features.findings import append_new
    from features.series.cadence import YEAR
    from serving.actuals import claims
    from serving.issued import issued
    from training.alarm import post_findings
    from training.judging import stand
    from training.plan import read_plan
    from training.registry import champion
    from training.report import own_boundaries
    from training.watch import watch as watched

    plan = read_plan(plan_file)
    own = own_boundaries(plan, plan_file)
    actuals = claims(store, YEAR) if claimed else stand(now, plan.figures, lake, own).history
    serving = champion(store)
    seen = watched(
        issued(store, now), actuals, plan.watch, plan=plan.name, now=now,
        serving=serving.to_version if serving else "",
    )  # fmt: skip
    if claimed:
        return seen, list(seen.findings)
    new = append_new(store, seen.findings)
    for finding in new:
        _LOG.warning(json.dumps({"event": "finding", **finding.as_record()}))
    if new and webhook:
        post_findings(webhook, new)
    return seen, new


def wants_retrain(plan_file: Path, new: list[Finding]) -> bool:
    """Whether the plan has a retrain follow these new findings: one of them is of the model that serves."""
    from training.plan import read_plan

    return read_plan(plan_file).watch.retrain_on_drift and any(finding.serving for finding in new)


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
