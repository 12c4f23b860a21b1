"""A retrain, top to bottom: figures, folds, backtest, verdict, saved model, tracker, promotion.

Killed at any point it leaves the champion as it was: the saved folder appears whole or not at all, the
promotion record is one appended line, and everything before it can be thrown away and done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.errors import ModelError
from features.files import one_at_a_time
from features.instants import naive_utc, to_second
from features.series.basis_files import write_basis
from features.series.membership import Boundary
from models import saved
from models.dated import DatedRecord
from training import footing, ledger, registry, stood
from training.dated import dated_record
from training.fanout import Asked, opened
from training.gate import Verdict
from training.job import Job, Retrained, outcome_of
from training.judged import past_fans, track_record
from training.judging import Ground, Heard, Told, champion_recipe, decide, folds_of, heard, stand
from training.older import left_to_a_person, not_older
from training.pieces import FOLDER, Cache
from training.plan import Plan
from training.promotions import Promotion
from training.rails import Rule
from training.reliability import exits_report, no_exits
from training.resume import refitted
from training.scores import scores_frame
from training.tracked_at import address_of
from training.tracking import Tracker, answering, close_orphans, open_tracker


def retrain(
    *,
    plan: Plan,
    store: Path,
    now: datetime,
    lake: str | Path = "",
    own: Sequence[Boundary] = (),
    commit: str = "",
    who: str = "forecarbon retrain",
    told: Told = lambda stage, done, total: None,
    engine: Asked | None = None,
) -> Retrained:
    """Judge the plan's recipe on the figures known at ``now``; promote it if the gate says so.

    Args:
        now: aware instant; nothing published after it is read.
        lake: where facility records are kept, for plans that read them; ``store/lake`` when left out.
        own: clusters that a user added or redrew.
        told: progress, called with (stage, done, total).
        engine: who reads stretches of the lake and does the work of members and folds, if not who the plan
            names.

    Raises:
        AskError: another retrain holds the store, or the engine cannot be reached.
        ForecarbonError: figures, store or tracker cannot be used; what serves was not changed, and what was
            replayed is kept.
    """
    with one_at_a_time(store / "retrain.lock", "retrain"), ExitStack() as engines:
        cache, place, moment = Cache(store / FOLDER), lake or store / "lake", naive_utc(pd.Timestamp(now))
        key = footing.key_of(plan, place, own, moment)
        known = footing.read(cache, key, plan, moment)
        judged = ledger.standing(store, known.digest(store, plan)) if known else None
        if known is not None and judged is not None:
            return _unchanged(plan, known, store, judged, (now, commit, who))
        spread = engines.enter_context(opened(engine or plan.engine.asked()))
        ground = stood.read(cache, key, known, moment)
        if ground is None:
            ground = stand(now, plan.figures, place, own, spread)
            stood.keep(cache, key, ground)
        job = Job(plan, ground, folds_of(ground, plan, now), now, commit, who)
        footing.keep(cache, key, job.footing, moment)
        judged = ledger.standing(store, job.digest(store))
        if judged is not None:
            return _unchanged(plan, job.footing, store, judged, (now, commit, who))
        told("tracking", 0, 3)
        tracker = _opened(job, store)
        told("tracking", 1, 3)
        case = heard(ground, plan, champion_recipe(store), job.folds, told, cache, spread)
        engines.close()
        scores = case.kept.scores(case.tests)
        verdict = not_older(decide(plan, case, ground, store), ground, moment, registry.champion(store))
        told("dated targets", 0, 1)
        dated = dated_record(job, case, verdict, cache)
        told("dated targets", 1, 1)
        won = verdict.decision == "promote"
        saving = won or left_to_a_person(verdict)
        version = _saved(job, store, case, verdict, scores, dated, cache) if saving else ""
        with answering(tracker.uri):
            runs = _tracked(job, tracker, case, scores, verdict, version, cache, dated)
            told("tracking", 2, 3)
            agreed = not won or _promote(job, tracker, runs[case.challenger.name], version, verdict, case)
        ledger.append(store, job.entry(store, verdict, whole=agreed and not case.conduct.refused))
        told("tracking", 3, 3)
        cache.prune(now)
    return job.outcome(store, scores, verdict, promoted=won, refused=case.conduct.refused, saved_as=version)


def _opened(job: Job, store: Path) -> Tracker:
    """The tracker, with what an earlier retrain left open put right.

    Asked before the long work: a tracker that is down is then told at once.
    """
    told = job.plan.tracking
    with answering(address_of(store, planned=told.uri)):
        tracker = open_tracker(
            store=store,
            experiment=job.plan.experiment,
            artifact_root=told.artifact_root or None,
            planned=told.uri,
        )
        close_orphans(tracker, older_than=job.now)
        registry.settle(tracker)
    return tracker


def _tracked(
    job: Job,
    tracker: Tracker,
    case: Heard,
    scores: pd.DataFrame,
    verdict: Verdict,
    version: str,
    cache: Cache,
    dated: DatedRecord | None,
) -> dict[str, str]:
    """Write everything down. Returns forecaster -> run id."""
    from training.book import Book, track  # brings the drawing library, which a no-op does without

    history, recipe = job.ground.history, case.challenger
    exits = no_exits()
    if recipe.exits:
        exits = case.kept.table(
            "exits",
            [recipe.name],
            lambda: exits_report(history, job.folds, recipe.reach),
            [str(moment) for moment in job.folds.issued],
        )
    book = Book(
        plan=job.plan,
        tests=case.tests,
        scores=scores,
        verdict=verdict,
        folds=job.folds,
        history=history,
        exits=exits,
        origin=job.origin,
        model_version=version,
        now=job.now,
        commit=job.commit,
        data_hash=job.ground.data_hash,
        recipe=recipe,
        standing=case.standing,
        trials=case.trials,
        refused=case.conduct.refused,
        cache=cache,
        kept=case.kept,
        dated=dated,
    )
    return track(tracker, book)


def _unchanged(
    plan: Plan, known: footing.Footing, store: Path, judged: ledger.Entry, asked: tuple[datetime, str, str]
) -> Retrained:
    """Nothing that decides has changed: a line in the record, and what was found before.

    Args:
        asked: when, from which code and by whom.
    """
    now, commit, who = asked
    ledger.append(store, replace(judged, at=to_second(now), who=who, action=ledger.UNCHANGED, commit=commit))
    why = f"figures, plan, code and champion are those judged at {judged.at}"
    serving = judged.model_version or "nothing"
    verdict = Verdict(
        verdict_id=judged.verdict_id,
        decision="keep",
        challenger=plan.recipe.name,
        against=serving,
        rules=(Rule("new-ground", 0.0, 1.0, False, why),),
        sentence=f"{serving} stays: {why}.",
    )
    return replace(outcome_of(known, store, scores_frame({}), verdict, promoted=False), unchanged=True)


def _saved(
    job: Job,
    store: Path,
    case: Heard,
    verdict: Verdict,
    scores: pd.DataFrame,
    dated: DatedRecord | None,
    cache: Cache,
) -> str:
    """Fit on everything and write the folder. Returns the model version."""
    version = job.version(case.challenger, verdict)
    left = job.left_saved(store, version)
    if left:
        return left
    history, basis = job.ground.history, job.ground.basis
    try:
        fitted = refitted(
            history, case.past, case.challenger, cache, case.kept.prints.get(case.challenger.name, "")
        )
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as fault:
        raise ModelError(
            "final-fit-failed",
            found=f"{type(fault).__name__}: {fault}",
            expected="the recipe that passed the gate to be fitted on all figures",
            remedy="leave the member that fails out of the plan; what serves is untouched",
        ) from fault
    evidence = {"scores": headline(scores), "verdict": verdict.as_record(), "git_commit": job.commit}
    folder = registry.model_folder(store, version)
    record, fans = track_record(job, case, verdict, scores), past_fans(job, case)

    def beside(room: Path) -> None:
        write_basis(basis, room)
        record.write(room)
        fans.write(room)
        if dated is not None:
            dated.write(room)

    try:
        saved.write(fitted, history, folder, evidence=evidence, beside=beside)
    except OSError as fault:
        raise ModelError(
            "model-unwritten",
            found=f"{type(fault).__name__}: {fault}",
            expected="room for the saved model in the store",
            remedy="make room and run again: what was replayed is kept, and what serves is untouched",
        ) from fault
    return version


def headline(scores: pd.DataFrame) -> list[dict[str, object]]:
    """The scores over all steps, as records a model card can carry; a missing value is None."""
    whole = scores[scores["step"] == 0]
    columns = ["forecaster", "kind", "metric", "param", "value", "n", "n_missing"]
    records: list[dict[str, object]] = []
    for row in whole[columns].to_dict("records"):
        value = float(row["value"])
        told = {str(key): item for key, item in row.items()}
        records.append({**told, "value": value if np.isfinite(value) else None})
    return records


def example_of(ground: Ground) -> pd.DataFrame:
    """How the model is asked: for series of the first clusters, or for any where nothing lies in one."""
    members, clusters = ground.hierarchy.members, ground.hierarchy.clusters
    names = [members[cluster][0] for cluster in clusters[:2]] or list(ground.history.ids[:2])
    return pd.DataFrame({"unique_id": names}).assign(steps=8)


def _promote(job: Job, tracker: Tracker, run: str, version: str, verdict: Verdict, case: Heard) -> bool:
    """Log, register and promote the saved model. Returns whether the registry agrees with the record."""
    data_hash = job.ground.data_hash
    folder = registry.model_folder(tracker.store, version)
    uri = registry.log_model(tracker, run, folder, example=example_of(job.ground))
    number = registry.register(
        tracker,
        model_uri=uri,
        run_id=run,
        model_version=version,
        sentence=verdict.sentence,
        tags={"plan": job.plan.name, "verdict_id": verdict.verdict_id, "data_hash": data_hash},
    )
    standing = registry.champion(tracker.store)
    return registry.promote(
        tracker,
        Promotion(
            at=job.at,
            who=job.who,
            from_version=standing.to_version if standing else "",
            to_version=version,
            verdict_id=verdict.verdict_id,
            decision=verdict.decision,
            data_hash=data_hash,
            plan_fingerprint=job.plan.fingerprint(),
            recipe_fingerprint=case.challenger.fingerprint(),
            run_id=run,
            registry_version=number,
            sentence=verdict.sentence,
        ),
    )
