"""An accelerated soak: ingest, retrain, promote, serve under load, watch and clear up, cycle after cycle.

Usage: python benchmarks/soak/run.py [CYCLES] [MINUTES]    (default 48 cycles; none begins after MINUTES)
Writes result.md beside this file. A cycle is what a production that ingests and retrains every ten minutes
does in ten minutes; the clock that jobs are told moves a month a cycle, so that retention bites.
"""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import psutil

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT))

import operations  # noqa: E402
import upkeep  # noqa: E402
from benchmarks.api.standing import Server, serving  # noqa: E402
from benchmarks.figures import stamp  # noqa: E402
from features.removal import weigh  # noqa: E402
from features.sources.ingest_report import run_ingest  # noqa: E402
from tests.journeys.test_facilities import OWN, PLAN, write_extracts  # noqa: E402
from training import promotions  # noqa: E402
from training.retention import Retention  # noqa: E402

CYCLES, MINUTES = 48, 40.0
CYCLE_STANDS_FOR = timedelta(minutes=10)
STEP = timedelta(days=30)
KEPT = Retention(models=3, days=120)
RATE = 40.0  # requests a second, over all callers
PARTS = (
    *("models", "packs", "artifacts", "mlflow.db", "state.db", "cache", "lake"),
    *("retrains.jsonl", "promotions.jsonl"),
)


@dataclass
class Soak:
    """A store being used.

    Attributes:
        place: folder of plans, records and store.
        begun: the instant its clock starts at.
        kept: how much of it is.
        rows: a row of measures a cycle.
        said: what each job said.
    """

    place: Path
    begun: datetime
    kept: Retention = KEPT
    rows: list[dict[str, float]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    @property
    def store(self) -> Path:
        """Its store."""
        return self.place / "store"

    def prepare(self) -> None:
        """Records of made-up plants, read in; a first champion."""
        write_extracts(self.place / "eutl")
        (self.place / "clusters.toml").write_text(OWN)
        self.ingest(self.begun)
        self.retrain(0, self.begun)

    def ingest(self, now: datetime) -> None:
        """Restate one figure of one plant, and read the whole register in again."""
        path = self.place / "eutl" / "operators_yearly_activity_daily.csv"
        with path.open(newline="") as stream:
            head, *rows = csv.reader(stream)
        row = random.Random(int(now.timestamp())).choice(rows)
        row[3] = str(int(int(row[3]) * 1.01) + 1)
        with path.open("w", newline="") as stream:
            csv.writer(stream).writerows([head, *rows])
        run_ingest(
            "eutl", lake=self.store / "lake", downloads=self.store / "downloads", now=now,
            files=[self.place / "eutl"], urls=[], known_at=None, allow_local=False, options={},
            complaints=None,
        )  # fmt: skip

    def retrain(self, number: int, now: datetime) -> None:
        """A recipe that was never judged, on figures that are new; it is let in, packed and served."""
        plan = self.place / "plan.toml"
        plan.write_text(PLAN.replace('arima_final = "grid"', f'arima_final = "grid"\nseed = {number + 1}'))
        self.said.append(
            operations.train(plan, store=self.store, lake=self.store / "lake", now=now, who="soak")
        )

    def cycle(self, number: int) -> None:
        """One cycle; ``number`` begins at 1."""
        now = self.begun + number * STEP
        self.ingest(now)
        self.retrain(number, now)
        if number % 4 == 0:
            operations.rollback(who="soak", why="a drill", store=self.store)
            operations.promote(
                promotions.read(self.store)[-1].from_version, who="soak", why="", store=self.store
            )
        operations.look(
            self.place / "plan.toml", store=self.store, lake=self.store / "lake", now=now, webhook=""
        )
        done = upkeep.clear_up(
            self.store, self.kept, now=now, journal_days=self.kept.days, record_days=self.kept.days
        )
        self.said += done.told

    def measure(self, workers: list[psutil.Process], seconds: float, computing: float) -> None:
        """Note what every process and every part of the store takes."""
        row = {"seconds": seconds, "jobs seconds of computing": computing}
        for name, one in [
            ("jobs", psutil.Process()),
            *((f"worker {k}", w) for k, w in enumerate(workers, 1)),
        ]:
            held = one.memory_full_info()
            row |= {f"{name} RSS, MB": held.rss / 1e6, f"{name} own memory, MB": held.uss / 1e6}
            row |= {f"{name} handles": one.num_fds(), f"{name} threads": one.num_threads()}
        row |= {f"{part}, MB": weigh(self.store / part) / 1e6 for part in PARTS}
        row["store without the lake, MB"] = (weigh(self.store) - weigh(self.store / "lake")) / 1e6
        self.rows.append(row)


def soak(
    place: Path,
    cycles: int,
    *,
    kept: Retention = KEPT,
    workers: int = 2,
    rate: float = RATE,
    minutes: float = 60.0,
    told: Callable[[str], None] = lambda line: None,
) -> tuple[Soak, Mapping[str, object], int]:
    """Run it. Returns the soak, what the callers counted, and the warnings and errors of the server's log."""
    made = Soak(place, datetime.now(UTC).replace(microsecond=0), kept)
    made.prepare()
    log, out = place / "server.log", place / "load.json"
    with serving(made.store, workers=workers, log=log) as server:
        load = _load(server, out, rate)
        try:
            deadline = time.monotonic() + 60 * minutes
            for number in range(1, cycles + 1):
                if time.monotonic() > deadline:
                    break
                begun, computed = time.monotonic(), _computed()
                made.cycle(number)
                made.measure(server.workers(), time.monotonic() - begun, _computed() - computed)
                told(f"{number}: {made.rows[-1]}")
        finally:
            load.send_signal(signal.SIGTERM)
            load.wait(timeout=90)
    bad = sum(b"ERROR" in line or b"Traceback" in line for line in log.read_bytes().splitlines())
    return made, json.loads(out.read_text()), bad


def _computed() -> float:
    """Seconds that this process and those it waited for have computed, however busy the machine is."""
    return float(sum(psutil.Process().cpu_times()[:4]))


def _load(server: Server, out: Path, rate: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(HERE / "load.py"), server.url, str(out), str(rate)])


def growth(rows: list[dict[str, float]], name: str) -> tuple[float, float, float]:
    """Over the last half of the cycles: level, growth a cycle by least squares, and its standard error."""
    y = np.array([row[name] for row in rows[len(rows) // 2 :]])
    x = np.arange(len(y)) - (len(y) - 1) / 2
    slope = float((x * y).sum() / (x**2).sum())
    left = y - y.mean() - slope * x
    return float(y.mean()), slope, float(np.sqrt((left**2).sum() / max(len(y) - 2, 1) / (x**2).sum()))


def main(cycles: int, minutes: float) -> None:
    """The soak of record."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        made, load, bad = soak(
            Path(scratch), cycles, minutes=minutes, told=lambda line: print(line, flush=True)
        )
    (HERE / "result.md").write_text(result(made, load, bad, time.monotonic() - begun, cycles))


def result(made: Soak, load: Mapping[str, object], bad: int, seconds: float, cycles: int) -> str:
    """The dated result."""
    done, rows = len(made.rows), []
    for name in made.rows[0]:
        level, slope, error = growth(made.rows, name)
        grows = slope > 2 * error and slope > 0.001 * max(level, 1e-9)
        found = f"{100 * slope / level:+.2f}% a cycle" if grows and level else "below the threshold"
        rows.append(
            f"| {name} | {made.rows[0][name]:.4g} | {level:.4g} | {slope:+.4f} ± {error:.4f} | {found} |"
        )
    statuses = "\n".join(f"- {name}: {number:,}" for name, number in sorted(load["statuses"].items()))  # type: ignore[attr-defined]
    promoted = sum(said.startswith("promote") for said in made.said)
    hours, spent = (done * CYCLE_STANDS_FOR).total_seconds() / 3600, seconds / 60
    text = f"""# An accelerated soak

{stamp("made-up plants of tests/journeys/test_facilities.py", f"{done} cycles")}

`python benchmarks/soak/run.py`: {done} of {cycles} cycles in {spent:.1f} minutes of machine time. A cycle is
what a production that ingests and retrains every ten minutes does in ten minutes, so these stand for
{hours:.1f} hours of it.

Accelerated: the pauses between jobs are left out, and the clock that jobs are told moves {STEP.days} days a
cycle, so that a retention of {KEPT.days} days and {KEPT.models} models removes from the fifth cycle on. Not
accelerated: the server's own clock, its load of {RATE:g} requests a second throughout, and its sweeps and
polls, which happened as often as they do in {spent:.0f} minutes. A leak by the hour, and not by the request
or the job, would show only in a real day.

Each cycle: one figure of one plant restated and the register of 40 plants ingested again; a retrain of a
recipe never judged before; its promotion, pack and swap under load; every fourth cycle a roll-back and a
promotion by hand; a watch; `vacuum`. Retrains let in: {promoted}. Answers: {load["n"]:,}, the slowest 1%
beyond {1000 * float(str(load["p99"])):.0f} ms; lines of error in the server's log: {bad}.

{statuses}

Growth is told where the slope over the last half of the cycles is above twice its standard error and above
0.1% of the level a cycle; any other slope is "below the threshold", which is not the same as none.
The lake and the record of promotions are appended to by design: every restatement is a vintage that stays,
and every decision a line. Retrains and findings are thinned to the days of retention. Seconds a cycle are
those of a machine that others used too; seconds of computing are not.

Memory of a worker is what its allocators hold, and moves with them. What it holds itself is counted in
tests/serving/test_growth.py: after twelve swaps not one object of ours, array or mapped file more than after
six. What was found to add up is bounded: pandas notes every view of a table that is kept, up to 500 a table,
before it drops what has gone, and Python keeps the newest 128 addresses it took apart. A slope of a worker's
own memory that is above twice its error but below the threshold was not traced further than to these and to
the allocators. mlflow.db has rows of as many retrains as are kept, no more; its data sets name the snapshots
of the lake that they were made from, and so each is 25 characters longer than the one before.

| measure | first cycle | level, last half | slope a cycle | found |
|---|---|---|---|---|
"""
    return text + "\n".join(rows) + "\n"


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else CYCLES,
        float(sys.argv[2]) if len(sys.argv) > 2 else MINUTES,
    )
