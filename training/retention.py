"""How long models and runs are kept, and what goes: never the champion, the one before it, or what is new."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from features.removal import Sweep, left_over, thin, weigh
from training import ledger, orphans, promotions
from training.database import known
from training.pieces import FOLDER, Cache
from training.registry import NAME, VERSION_TAG, collect
from training.tracked_at import address_of, database_uri
from training.tracking import Tracker, answering, client_of

KEPT_MODELS: Final = 10
KEPT_DAYS: Final = 400  # a yearly retrain still finds what the one of the year before left
_RUN_FOLDER: Final = re.compile(r"[0-9a-f]{32}")
_ALL: Final = 3  # MLflow's number for runs that are deleted and runs that are not
_PAGE: Final = 1000
_ROWS: Final = "rows of MLflow that lead to no run"


@dataclass(frozen=True)
class Retention:
    """How much is kept: the newest ``models``, and all that was of use within ``days``."""

    models: int = KEPT_MODELS
    days: int = KEPT_DAYS

    def since(self, now: datetime) -> str:
        """The instant from which on everything is kept, as records write it."""
        return f"{(now - timedelta(days=self.days)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def kept_versions(store: Path, retention: Retention, now: datetime, used: Iterable[str]) -> frozenset[str]:
    """Model versions that stay.

    The champion, the one before it, the one a roll-back returns to, whatever a promotion within the days
    names, the newest ones, those that were saved within the days and have not served, which are left for a
    person to promote, and those ``used``: pointed to, or that answered within the days.
    """
    lines = promotions.read(store)
    standing, since = promotions.current(store), retention.since(now)
    kept = {promotions.before_present(store), *used}
    kept |= {standing.to_version, standing.from_version} if standing else set()
    kept |= {name for line in lines if line.at >= since for name in (line.from_version, line.to_version)}
    saved = saved_versions(store)
    kept |= set(saved[-retention.models :] if retention.models else ())
    # Their names tell the clock they were made under, which may have been years behind.
    served, edge = {line.to_version for line in lines}, _edge(retention, now).timestamp()
    kept |= {name for name in saved if name not in served and _saved_at(store, name) >= edge}
    return frozenset(kept - {""})


def saved_versions(store: Path) -> list[str]:
    """Versions with a saved folder, oldest first: their names begin with the time they were made at."""
    return sorted(path.name for path in (store / "models").glob("[!.]*") if path.is_dir())


def _saved_at(store: Path, version: str) -> float:
    return (store / "models" / version).stat().st_mtime


def sweep_models(store: Path, kept: Set[str], sweep: Sweep, now: datetime) -> None:
    """Remove saved models that do not stay, scratch that was left over, and pieces not used for long."""
    for version in saved_versions(store):
        if version not in kept:
            sweep.remove("saved models", store / "models" / version)
    for folder in (store / "models", store / FOLDER, store / "artifacts"):
        for path in left_over(folder, now.timestamp()):
            sweep.remove("left-overs of killed jobs", path)


def sweep_pieces(store: Path, sweep: Sweep, retention: Retention, now: datetime) -> None:
    """Remove pieces of retrains that were not used within the days."""
    cache = Cache(store / FOLDER)
    if sweep.dry:
        edge = _edge(retention, now).timestamp()
        held = [path for path in (store / FOLDER).glob("*") if path.is_file()]
        old = [path for path in held if path.stat().st_mtime < edge]
        sweep.count("pieces of retrains", len(old), sum(map(weigh, old)))
        return
    before = weigh(store / FOLDER)
    gone = cache.prune(now, days=retention.days)
    sweep.count("pieces of retrains", gone, before - weigh(store / FOLDER))


def sweep_runs(store: Path, kept: Set[str], sweep: Sweep, retention: Retention, now: datetime) -> None:
    """Remove the runs of retrains before the days that made no model that stays, and files of no run.

    Of a database elsewhere only rows go that lead to no run, which its own `mlflow gc` leaves.

    Raises:
        ModelError: the tracker's database does not answer; run it again.
    """
    address = address_of(store)
    if address != database_uri(store):
        sweep.told.append("Runs are kept by a tracking server, with its own `mlflow gc`: none was removed.")
        if orphans.is_database(address):
            with answering(address):
                sweep.count(_ROWS, orphans.clear(address, dry=sweep.dry))
        return
    if not (store / "mlflow.db").exists():
        return
    tracker = Tracker(store.resolve(), database_uri(store), "", "")
    with answering(tracker.uri):
        doomed = _doomed(client_of(tracker), kept, int(_edge(retention, now).timestamp() * 1000))
        if not sweep.dry and doomed.any:
            _forget(tracker, doomed)
        ahead = (doomed.runs, doomed.versions) if sweep.dry else ((), ())
        rows = orphans.clear(tracker.uri, gone=ahead[0], dropped=ahead[1], dry=sweep.dry)
        artifacts = store / "artifacts"
        runs, models = known(store / "mlflow.db")
        size = sum(weigh(artifacts / run) for run in doomed.runs & runs) if sweep.dry else 0
        sweep.count("runs of MLflow", len(doomed.runs), size)
        sweep.count(_ROWS, rows)
    for path in sorted(artifacts.glob("*")) if artifacts.is_dir() else ():
        if _RUN_FOLDER.fullmatch(path.name) and path.name not in runs:
            sweep.remove("files of runs that are gone", path)
    for path in sorted((artifacts / "models").glob("m-*")):
        if path.name not in models:
            sweep.remove("files of runs that are gone", path)


def sweep_retrains(store: Path, kept: Set[str], sweep: Sweep, before: str) -> None:
    """Remove lines of the record of retrains from before an instant; promotions are never thinned.

    What a later retrain or a page goes by stays: the newest judgement of each plan, the judgement that a line
    after the instant rests on, and the one that let in a model that stays. Hold the lock of retrains.
    """
    stays = ledger.needed(store, kept, before)
    number = thin(
        store / ledger.FILE, lambda line: ledger.goes(line, stays, before), sweep, "retrains on record"
    )
    if number:
        sweep.told.append(
            f"{number:,} retrains before {before[:10]} are no longer on record; judgements that stand, and "
            "those that made a model that is kept, are."
        )


@dataclass(frozen=True)
class _Doomed:
    """What goes; of the ``runs`` those that are still ``active`` are to be deleted first."""

    runs: frozenset[str]
    active: frozenset[str]
    models: frozenset[str]
    versions: frozenset[str]

    @property
    def any(self) -> bool:
        return bool(self.runs or self.models or self.versions)


def _edge(retention: Retention, now: datetime) -> datetime:
    return now - timedelta(days=retention.days)


def _doomed(client: Any, kept: Set[str], before: int) -> _Doomed:
    """What goes: runs begun before ``before`` (Unix milliseconds) of retrains without a model that stays."""
    experiments = [str(item.experiment_id) for item in client.search_experiments(view_type=_ALL)]
    runs = _pages(lambda token: client.search_runs(
        experiments, run_view_type=_ALL, max_results=_PAGE, page_token=token))  # fmt: skip
    staying = {run.data.tags.get("retrain", run.info.run_id) for run in runs
               if run.data.tags.get(VERSION_TAG) in kept}  # fmt: skip
    gone = frozenset(
        str(run.info.run_id)
        for run in runs
        if run.info.start_time < before
        and run.info.status != "RUNNING"
        and run.data.tags.get("retrain", run.info.run_id) not in staying
    )
    versions = _pages(lambda token: client.search_model_versions(f"name = '{NAME}'", page_token=token))
    dropped = [item for item in versions if item.run_id in gone and item.tags.get(VERSION_TAG) not in kept]
    # A registered version holds its run: what stays in the registry stays whole.
    held = {item.run_id for item in versions} - {item.run_id for item in dropped}
    logged = frozenset(
        str(item.model_id)
        for item in _pages(lambda token: client.search_logged_models(experiments, page_token=token))
        if item.source_run_id in gone - held
    )
    active = {str(run.info.run_id) for run in runs if run.info.lifecycle_stage == "active"}
    return _Doomed(
        gone - held, (gone - held) & active, logged, frozenset(str(item.version) for item in dropped)
    )


def _pages(ask: Any) -> list[Any]:
    found: list[Any] = []
    token: str | None = None
    while True:
        page = ask(token)
        found += page
        token = page.token
        if not token:
            return found


def _forget(tracker: Tracker, doomed: _Doomed) -> None:
    client = client_of(tracker)
    for number in sorted(doomed.versions):
        client.delete_model_version(NAME, number)
    for model in sorted(doomed.models):
        client.delete_logged_model(model)
    for run in sorted(doomed.active):
        client.delete_run(run)
    collect(tracker)
