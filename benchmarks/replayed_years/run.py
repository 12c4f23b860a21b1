"""Two years replayed month by month: the scheduler under a clock of its own, on the embedded figures.

Usage: python benchmarks/replayed_years/run.py [STORE]   (default: a folder that is thrown away)
Writes result.md beside this file. Each month the figures published by then are judged and served, every
cluster is asked for, and what was issued is watched.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

import operations  # noqa: E402
from benchmarks.figures import stamp  # noqa: E402
from features.findings import read_findings  # noqa: E402
from serving.answer import answer  # noqa: E402
from serving.entries import entry_of, forecast_id_of, rendered, stamp_of  # noqa: E402
from serving.issued import issued  # noqa: E402
from serving.journal import keep  # noqa: E402
from serving.printed import opened_shelf  # noqa: E402
from serving.wire import read_ask  # noqa: E402
from training import promotions  # noqa: E402
from training.judging import stand  # noqa: E402
from training.plan import WatchPlan  # noqa: E402
from training.schedule import Scheduler  # noqa: E402
from training.schedule_file import JobPlan, SchedulePlan  # noqa: E402
from training.timetable import Timetable, default_database  # noqa: E402
from training.watch import Watched, watch  # noqa: E402

BEGIN, END = datetime(2022, 2, 1, tzinfo=UTC), datetime(2024, 2, 1, tzinfo=UTC)
STEPS = 8
FACTORS = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5, 1.1, 1.3)
ANNUAL = (ROOT / "training" / "plans" / "annual.toml").read_text()
# What the store begins with: a smaller recipe, let in without a contest, for the plan of record to meet.
OLD = ANNUAL.replace('["naive", "trend", "arima", "boosted"]', '["naive", "drift"]')
OLD = OLD.replace("tolerance = 0.0", "tolerance = 1.0")
WATCHED = ANNUAL + "\n[watch]\nretrain_on_drift = true\n"


@dataclass
class Clock:
    """A clock that is told the time."""

    now: datetime

    def __call__(self) -> datetime:
        """The time."""
        return self.now


@dataclass
class Replayed:
    """What happened: lines (when, job, state, what it said, seconds), and how many forecasts were issued."""

    lines: list[tuple[str, str, str, str, float]] = field(default_factory=list)
    issued: int = 0


def replay(
    store: Path,
    plans: Path,
    *,
    old: str,
    new: str,
    begin: datetime,
    end: datetime,
    months: str = "*",
    told: Callable[[str], None] = lambda line: None,
) -> Replayed:
    """Step a scheduler from ``begin`` to ``end``; the ``old`` plan is trained once, at the beginning.

    ``months`` is the cron field of both jobs: a watch on the 1st, when figures come out, a retrain on
    the 2nd.
    """
    plans.mkdir(parents=True, exist_ok=True)
    (plans / "old.toml").write_text(old)
    (plans / "new.toml").write_text(new)
    clock, seen = Clock(begin), Replayed()
    jobs = [
        JobPlan(name="retrain", run="retrain", plan="new.toml", cron=f"0 3 2 {months} *", since=begin),
        JobPlan(name="watch", run="watch", plan="new.toml", cron=f"0 4 1 {months} *", since=begin),
    ]

    def run(job: JobPlan, now: datetime) -> str:
        return operations.do(job, folder=plans, store=store, lake=store / "lake", now=now, webhook="")

    said = operations.train(
        plans / "old.toml", store=store, lake=store / "lake", now=begin, who="begin of the replay"
    )
    seen.lines.append((f"{begin:%Y-%m-%d}", "begin", "done", said, 0.0))
    seen.issued += issue_all(store, begin + timedelta(hours=1))
    scheduler = Scheduler(SchedulePlan(job=jobs), Timetable(default_database(store)), run, clock)
    while (due := scheduler.next_due()) < end:
        clock.now, begun = due, time.perf_counter()
        for ran in scheduler.run_due():
            line = (f"{due:%Y-%m-%d}", ran.job, ran.state, ran.told, time.perf_counter() - begun)
            seen.lines.append(line)
            told(" | ".join(map(str, line)))
            if ran.job == "retrain":
                seen.issued += issue_all(store, due + timedelta(hours=1))
    return seen


def issue_all(store: Path, now: datetime) -> int:
    """Ask for every served cluster, as a customer would; how many were answered."""
    standing = opened_shelf(store)
    names = [name for name in standing.pack.clusters if name in standing.rungs]
    ask = read_ask(json.dumps({"clusters": names, "steps": STEPS}).encode())
    issued_at = stamp_of(now)
    name = forecast_id_of(issued_at, f"{now:%H%M%S}")
    told = answer(ask, standing, issued_at=issued_at, request_id="replay", forecast_id=name)
    keep(store, rendered(entry_of(ask, told, standing)))
    return len(told["forecasts"])


def main(store: Path) -> None:
    """Replay, then look at everything once more."""
    begun = time.perf_counter()
    seen = replay(
        store,
        store / "plans",
        old=OLD,
        new=WATCHED,
        begin=BEGIN,
        end=END,
        told=lambda line: print(line, flush=True),
    )
    last, _ = operations.look(
        store / "plans" / "new.toml", store=store, lake=store / "lake", now=END, webhook=""
    )
    write(store, seen, last, time.perf_counter() - begun)


def write(store: Path, seen: Replayed, last: Watched, seconds: float) -> None:
    """The dated result."""
    record = promotions.read(store)
    retrains = [line for line in seen.lines if line[1] == "retrain"]
    text = f"""# Two years, month by month

{stamp(record[-1].data_hash[:12], f"{len(retrains)} retrains, {seen.issued} forecasts issued")}

`python benchmarks/replayed_years/run.py`: the scheduler steps from {BEGIN:%d %B %Y} to {END:%d %B %Y}
under a clock of its own. At each step it knows the embedded figures published by then, retrains by
`training/plans/annual.toml` (with `retrain_on_drift`), publishes the champion, answers a request for
every cluster, and watches what was issued. The store begins with an older recipe (naive and drift), let
in without a contest. It took {seconds / 60:.0f} minutes on one core.

## Champions

| from | what | model version | figures | why |
|---|---|---|---|---|
{_table((p.at[:10], p.decision, p.to_version, p.data_hash[:12], p.sentence) for p in record)}

## Every job

| day | job | state | seconds | what it said |
|---|---|---|---|---|
{_table((day, job, state, f"{took:.0f}", told) for day, job, state, told, took in seen.lines)}

## Findings

{_findings(store)}

## Planted drift

What the last watch would have found, had every actual since 2021 come out differently by a factor:

| actuals times | findings | models |
|---|---|---|
{_table(planted(store))}

## The last watch

{len(last.rows)} issued forecasts had met their actual by {END:%d %B %Y}.

| model | series | what | found | promised | p | n | counts as |
|---|---|---|---|---|---|---|---|
{
        _table(
            (
                t.model_version,
                t.series_kind,
                t.kind,
                f"{t.value:.3f}",
                f"{t.expected:.3f}",
                f"{t.p_value:.2g}",
                t.n,
                f"{t.effective:.0f}",
            )
            for t in last.tests
        )
    }
"""
    (HERE / "result.md").write_text(text)


def planted(store: Path) -> list[tuple[str, str, str]]:
    """What the last watch would have found, had every actual come out differently by a factor.

    Returns (factor, kinds of findings, how many of the models they are about).
    """
    figures = stand(END).history
    serving = promotions.read(store)[-1].to_version
    told, out = issued(store, END), []
    late = figures.cadence.ordinal(np.array(["2021-01-01"], dtype="datetime64[ns]"))[0]
    from_then = figures.starts[:, None] + np.arange(figures.shape[1]) >= late
    for factor in FACTORS:
        moved = replace(figures, y=np.where(from_then, figures.y * factor, figures.y))
        seen = watch(told, moved, WatchPlan(), plan="planted", serving=serving, now=END)
        kinds = sorted({finding.kind for finding in seen.findings})
        models = {finding.model_version for finding in seen.findings}
        tested = {test.model_version for test in seen.tests}
        out.append(
            (
                f"{factor:g}",
                ", ".join(kinds) or "nothing",
                f"{len(models)} of {len(tested)}",
            )
        )
    return out


def _findings(store: Path) -> str:
    found = read_findings(store)
    if not found:
        return "None."
    return "| day | what | model | sentence |\n|---|---|---|---|\n" + _table(
        (item["at"][:10], item["kind"], item["model_version"], item["sentence"]) for item in found
    )


def _table(rows: Any) -> str:
    return "\n".join("| " + " | ".join(str(cell).replace("|", "/") for cell in row) + " |" for row in rows)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(Path(scratch) / "store")
