"""What docs/faults.md promises, cell by cell, as the tests hold it; a law holds page and table side by side.

Every cell: no traceback, no bug of ours, the store is whole. A job without a code ends well and does what it
is for; one with codes is refused with one of them, and nothing changes but what is named.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from tests.faults.jobs import JOBS, Place, Told
from tests.faults.seen import Seen, did, whole


@dataclass(frozen=True)
class Promise:
    """Of one boundary and job.

    Attributes:
        codes: of the refusal; none where the job ends well.
        says: words in what is printed.
        hides: words that are not in it.
        changes: what a refused job may have changed, by the names of ``Seen``.
    """

    codes: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    hides: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()


DONE: Final = Promise()
# A journal that is away is told; the entry itself is looked for by the tests.
UNNOTED: Final = Promise(says=("(not in the journal: ",))
DEGRADED: Final = Promise(says=("journal degraded", '"journal": "degraded"'))
NO_KEY: Final = Promise(("state-database",), hides=("fc_",))
NO_STATE: Final = Promise(("state-database",))
NO_SCHEDULE: Final = Promise(("schedule-database",), hides=("schedule.db",))
FULL: Final = Promise(("disk-full",), says=("make room",))
CLOSED: Final = Promise(("read-only",), says=("mount it for writing",))
STRANGE: Final = Promise(("no-permission",))
RUNNING: Final = Promise(("job-already-running",))
PROMISED: Final[dict[str, dict[str, Promise]]] = {
    "Network": dict.fromkeys(JOBS, DONE),
    "Disk full": {
        **dict.fromkeys(("ingest", "retrain", "promote", "backup", "restore"), FULL),
        "forecast": UNNOTED, "serve": DEGRADED, "keys": NO_KEY, "schedule": NO_SCHEDULE,
        **dict.fromkeys(("watch", "reproduce"), NO_STATE),
        "vacuum": Promise(("state-database",), changes=("downloads",)),
    },
    "Read-only": {
        **dict.fromkeys(("ingest", "retrain", "promote", "restore", "vacuum"), CLOSED),
        "forecast": UNNOTED, "serve": DEGRADED, "keys": NO_KEY, "schedule": NO_SCHEDULE,
        "watch": Promise(("read-only", "state-database")), "reproduce": NO_STATE, "backup": DONE,
    },
    "Wrong permissions": {
        **dict.fromkeys(JOBS, STRANGE),
        "schedule": Promise(("no-permission",), says=("look: failed. ",), changes=("runs",)),
        "keys": NO_KEY,
        "reproduce": NO_STATE,
    },
    "Clock jump": {
        "ingest": Promise(("known-at-unlawful",)), "backup": Promise(("backup-exists",)),
        **dict.fromkeys(("retrain", "forecast", "serve", "schedule", "watch", "promote", "keys"), DONE),
        **dict.fromkeys(("reproduce", "restore", "vacuum"), DONE),
    },
    "DST": {job: DONE for job in JOBS if job not in ("reproduce", "restore")},
    "Killed process": dict.fromkeys(JOBS, DONE),
    "Corrupt file": {
        "ingest": Promise(("source-changed-shape",)), "forecast": Promise(("pack-corrupt",)),
        "serve": Promise(says=("previous champion answers, because pointer-unreadable",)),
        "schedule": Promise(("schedule-unreadable",)), "watch": NO_STATE, "keys": NO_KEY,
        "promote": Promise(("model-unreadable",)), "reproduce": Promise(says=('"made_from": "saved model"',)),
        "backup": Promise(("database-unreadable",)), "restore": Promise(("backup-damaged",)),
        "vacuum": Promise(("pointer-unreadable",), changes=("downloads",)),
    },
    "Locked or lost database": {
        "forecast": DONE, "serve": DEGRADED, "schedule": NO_SCHEDULE, "watch": NO_STATE, "keys": NO_KEY,
        "promote": Promise(says=("Registry: not followed (",)), "reproduce": NO_STATE,
        "backup": Promise(("database-unreadable",)),
        "vacuum": Promise(("state-database",), changes=("downloads",)),
    },
    "Two writers": {
        **dict.fromkeys(JOBS, DONE),
        **dict.fromkeys(("retrain", "promote", "backup", "restore", "vacuum"), RUNNING),
    },
}  # fmt: skip


def kept(promise: Promise, job: str, place: Place, before: Seen, told: Told) -> Seen:
    """The job did what is promised; what is seen then."""
    assert told.plain, told
    for words in promise.says:
        assert words in told.out + told.err, told
    for words in promise.hides:
        assert words not in told.out + told.err, told
    if not promise.codes:
        assert told.status == 0, told
        return whole(place, before)
    assert told.refused, told
    assert told.code in promise.codes, told
    now = whole(place, before)
    assert now.unlike(before) <= set(promise.changes), (now, before)
    return now


def held(boundary: str, job: str, place: Place, before: Seen, told: Told) -> Seen:
    """The job ended as is ``PROMISED``; where that is well and no more, it did what it is for."""
    promise = PROMISED[boundary][job]
    if promise == CLOSED and os.geteuid() != 0:  # permissions stand in for a mount
        promise = STRANGE
    if promise == DONE:
        return did(job, place, before, told)
    return kept(promise, job, place, before, told)
