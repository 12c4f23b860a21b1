"""What a retrain writes down: one run for itself and, nested in it, one a forecaster, alike in every retrain,
so that runs compare."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from features.files import write_json
from features.series.panel import Dense, long_frame
from models.dated import DatedRecord
from models.recipe import Recipe
from training.album import Album, by_cutoff, of_all, of_dated, of_one
from training.backtest import Backtest
from training.drawn import Pens
from training.facts import DatasetFacts, RunFacts
from training.folds import Folds
from training.gate import Verdict
from training.judging import CHAMPION
from training.kept import Kept
from training.pieces import Cache
from training.plan import Plan
from training.tracking import Tracker, log_run, open_run
from training.tuning import Trial


@dataclass(frozen=True)
class Book:
    """All that a retrain knows when it writes itself down."""

    plan: Plan
    tests: Mapping[str, Backtest]
    scores: pd.DataFrame
    verdict: Verdict
    folds: Folds
    history: Dense
    exits: pd.DataFrame
    origin: str
    model_version: str
    now: datetime
    commit: str
    data_hash: str
    recipe: Recipe
    standing: Recipe | None = None
    trials: Sequence[Trial] = ()
    refused: Sequence[str] = ()
    cache: Cache = field(default_factory=Cache)
    kept: Kept = field(default_factory=Kept)
    dated: DatedRecord | None = None

    @property
    def album(self) -> Album:
        """What its pictures are drawn from."""
        pens = Pens(self.cache)
        return Album(self.plan, self.tests, self.scores, self.folds, self.history, pens, self.kept)

    @property
    def retrain_id(self) -> str:
        """Groups the runs of one retrain."""
        return f"{self.now.astimezone(UTC):%Y-%m-%dT%H%M%SZ}"


def track(tracker: Tracker, book: Book) -> dict[str, str]:
    """Log one run a retrain, and nested in it one a forecaster and one a trial of the tuning.

    Returns: forecaster -> run id.
    """
    data = _dataset(book)
    with (
        tempfile.TemporaryDirectory(dir=tracker.store, prefix=".pictures-") as scratch,
        open_run(tracker, _whole(book, data, Path(scratch))) as parent,
    ):
        runs = {
            name: log_run(tracker, _facts(book, name, test, data, Path(scratch)), parent=parent)
            for name, test in book.tests.items()
        }
        for number, trial in enumerate(book.trials, start=1):
            log_run(tracker, _trial_facts(book, number, trial), parent=parent)
    return runs


def _whole(book: Book, data: DatasetFacts, scratch: Path) -> RunFacts:
    """The retrain itself: who was compared with whom, and what the gate found."""
    verdict, album = book.verdict, book.album
    rules = pd.DataFrame([asdict(rule) for rule in verdict.rules])
    marks = {f"gate_{rule.name}": rule for rule in verdict.rules if rule.value is not None}
    own = book.scores[book.scores["forecaster"] == verdict.challenger]
    return RunFacts(
        name=f"{book.plan.name} {book.retrain_id} {verdict.decision}",
        forecaster=verdict.challenger,
        params=_params(book, verdict.challenger),
        tags={
            **_shared_tags(book),
            "role": "retrain",
            **_verdict_tags(book),
            "mlflow.note.content": _note(verdict),
        },
        metrics={
            **_metrics(own),
            **{name: float(rule.value or 0.0) for name, rule in marks.items()},
            **{f"{name}_threshold": rule.threshold for name, rule in marks.items()},
        },
        tables={
            "scores": book.scores,
            "rules": rules,
            "by_cutoff": by_cutoff(album, verdict.challenger, verdict.against),
        },
        datasets=[data],
        pictures=of_all(album, verdict.challenger, verdict.against, scratch),
        files={"plan.json": _plan_file(book, scratch)},
    )


def _note(verdict: Verdict) -> str:
    """What a person reads at the top of the run's page."""
    rows = [
        f"| {'passed' if rule.passed else '**failed**'} | {rule.name} | {rule.why} |"
        for rule in verdict.rules
    ]
    return "\n".join([verdict.sentence, "", "| | rule | found |", "|---|---|---|", *rows])


def _trial_facts(book: Book, number: int, trial: Trial) -> RunFacts:
    return RunFacts(
        name=f"tuning {number:03d} {book.retrain_id}",
        forecaster=book.verdict.challenger,
        params={name: str(value) for name, value in trial.settings.items()},
        tags={**_shared_tags(book), "role": "tuning"},
        metrics={f"inner_{book.plan.gate.primary}": trial.score},
    )


def _shared_tags(book: Book) -> dict[str, str]:
    return {
        "retrain": book.retrain_id,
        "plan": book.plan.name,
        "as_of": f"{book.now:%Y-%m-%d}",
        "git_commit": book.commit,
        "data_hash": book.data_hash,
    }


def _verdict_tags(book: Book) -> dict[str, str]:
    tags = {
        "verdict": book.verdict.decision,
        "verdict_sentence": book.verdict.sentence,
        "model_version": book.model_version,
        "refused_members": "; ".join(book.refused),
    }
    return {key: value for key, value in tags.items() if value}


def _dataset(book: Book) -> DatasetFacts:
    return DatasetFacts(
        name="-".join(sorted(set(book.history.traits["kind"]))) + "-series",
        frame=long_frame(book.history),
        source=book.origin,
        digest=book.data_hash[:32],
        context="training",
    )


def _facts(book: Book, name: str, test: Backtest, data: DatasetFacts, scratch: Path) -> RunFacts:
    own = book.scores[book.scores["forecaster"] == name]
    role = {book.verdict.challenger: "challenger", CHAMPION: "champion", book.plan.gate.baseline: "baseline"}
    challenger = name == book.verdict.challenger
    tags = {**_shared_tags(book), "role": role.get(name, "beside it")}
    dated, folder = book.dated if challenger else None, scratch / name.replace(" ", "-")
    pictures = of_one(book.album, name, test, folder)
    return RunFacts(
        name=f"{name} {book.retrain_id}",
        forecaster=name,
        params=_params(book, name),
        tags=tags | (_verdict_tags(book) if challenger else {}),
        metrics=_metrics(own) | _dated_metrics(dated),
        step_metrics=_step_metrics(own),
        tables={
            "per_series": book.kept.series_table(name, test),
            "scores": own,
            "reliability": book.kept.reliability_report(name, test, book.folds),
            **({"exits": book.exits} if challenger and len(book.exits) else {}),
            **({} if dated is None else {"dated_targets": _dated_table(dated)}),
        },
        datasets=[data],
        pictures=pictures if dated is None else pictures | of_dated(book.album, dated, folder),
        files={"plan.json": _plan_file(book, scratch)},
    )


def _params(book: Book, name: str) -> dict[str, str]:
    """What tells runs apart at a glance; the whole plan is a file of the run."""
    recipe = book.standing if name == CHAMPION and book.standing is not None else book.recipe
    members = [name] if name in recipe.members else recipe.members
    return {
        "members": ", ".join(members),
        **{name: str(value) for name, value in recipe.as_record().items() if name not in ("name", "members")},
        "folds": f"{len(book.folds.issued)} issued, {int(book.folds.scored.sum())} scored",
        "plan": f"{book.plan.name} {book.plan.fingerprint()}",
    }


def _plan_file(book: Book, scratch: Path) -> Path:
    path = scratch / "plan.json"
    write_json(path, book.plan.as_record())
    return path


def _name_of(row: pd.Series[Any]) -> str:
    kind = "" if row["kind"] == "all" else f"_{row['kind']}"
    return f"{row['metric']}{row['param']}{kind}"


def _metrics(own: pd.DataFrame) -> dict[str, float]:
    whole = own[own["step"] == 0]
    return {_name_of(row): float(row["value"]) for _, row in whole.iterrows()}


def _step_metrics(own: pd.DataFrame) -> dict[str, dict[int, float]]:
    out: dict[str, dict[int, float]] = {}
    chosen = own[(own["step"] > 0) & own["kind"].isin(["all", "cluster"])]
    for _, row in chosen.iterrows():
        out.setdefault(f"{_name_of(row)}_by_step", {})[int(row["step"])] = float(row["value"])
    return out


def _dated_metrics(dated: DatedRecord | None) -> dict[str, float]:
    """Scores of the chances of dated targets, by kind of series; none over nothing."""
    names = {
        "brier": "brier",
        "brier_skill": "skill",
        "brier_skill_over_naive": "skill_over_naive",
        "reliability_slope": "reliability_slope",
        "calibration_slope": "calibration_slope",
        "n": "n",
    }
    rows = [] if dated is None else dated.facts["scores"]
    return {
        f"dated_{metric}{'' if row['kind'] == 'all' else '_' + row['kind']}": float(row[name])
        for row in rows
        for metric, name in names.items()
        if row[name] is not None
    }


def _dated_table(dated: DatedRecord) -> pd.DataFrame:
    """The same as a table, all scores of it, over all pseudo-targets and over the undecided ones."""
    rows = [{"over": over, **row} for over in ("scores", "undecided") for row in dated.facts[over]]
    return pd.DataFrame(rows).drop(columns=["bins", "intervals"], errors="ignore")
