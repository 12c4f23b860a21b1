"""The record of retrains: one appended line each, so that nothing is judged twice on the same ground."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Final

from features.files import append_record, read_records

FILE: Final = "retrains.jsonl"
JUDGED: Final = "judged"
UNCHANGED: Final = "unchanged"


@dataclass(frozen=True)
class Entry:
    """One line of the record.

    Attributes:
        at: UTC instant, ISO 8601.
        who: the person or job that asked.
        plan: name of the plan.
        ground: digest of all that decides the outcome: figures, plan, folds, code, and the champion that
            serves after it (see ``ground_of``).
        action: "judged", or "unchanged" if nothing had to be done.
        verdict_id, decision: of the gate; for "unchanged" those that stand.
        model_version: what serves after it, "" for nothing.
        data_hash, commit: the figures and the code.
        whole: False if a member failed or the registry lagged behind: then equal ground is judged again.
    """

    at: str
    who: str
    plan: str
    ground: str
    action: str
    verdict_id: str
    decision: str
    model_version: str
    data_hash: str
    commit: str
    whole: bool


def append(store: Path, entry: Entry) -> None:
    """Add a line and flush it to disk; the caller holds the retrain lock."""
    append_record(store / FILE, asdict(entry))


def read(store: Path) -> list[Entry]:
    """All whole lines that this version understands, oldest first."""
    names = {f.name for f in fields(Entry)}
    return [Entry(**record) for record in read_records(store / FILE) if set(record) == names]


def standing(store: Path, ground: str) -> Entry | None:
    """The newest judgement, if it was made on this very ground and nothing was left open; else None."""
    judged = [entry for entry in read(store) if entry.action == JUDGED]
    same = [entry for entry in judged if entry.ground == ground and entry.whole]
    return same[-1] if same else None


def ground_of(*parts: object) -> str:
    """Digest of the parts a retrain's outcome depends on."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
