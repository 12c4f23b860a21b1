"""The record of retrains: one appended line each, so that nothing is judged twice on the same ground."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

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


_NAMES: Final = {field.name for field in fields(Entry)}


def append(store: Path, entry: Entry) -> None:
    """Add a line and flush it to disk; the caller holds the retrain lock."""
    append_record(store / FILE, asdict(entry))


def read(store: Path) -> list[Entry]:
    """All whole lines that this version understands, oldest first."""
    return [Entry(**record) for record in read_records(store / FILE) if set(record) == _NAMES]


def standing(store: Path, ground: str) -> Entry | None:
    """The newest judgement, if it was made on this very ground and nothing was left open; else None."""
    judged = [entry for entry in read(store) if entry.action == JUDGED]
    same = [entry for entry in judged if entry.ground == ground and entry.whole]
    return same[-1] if same else None


def needed(store: Path, models: Set[str], before: str) -> frozenset[Entry]:
    """Lines from before an instant that are still gone by.

    The newest judgement of each plan, since it is the one that may stand; that on whose ground a later line
    found nothing changed; and those that let in one of ``models``.
    """
    lines = read(store)
    judged = [line for line in lines if line.action == JUDGED]
    whole = {line.ground: line for line in judged if line.whole}
    newest = {line.plan: line for line in judged if line.whole}
    later = {line.ground for line in lines if line.at >= before}
    let_in = {line for line in judged if line.decision == "promote" and line.model_version in models}
    return frozenset({*newest.values(), *(whole[ground] for ground in later & set(whole)), *let_in})


def goes(record: Mapping[str, Any], stays: Set[Entry], before: str) -> bool:
    """Whether a line is of before an instant, and not among those that stay; a strange line stays."""
    if set(record) != _NAMES or str(record["at"]) >= before:
        return False
    return Entry(**record) not in stays


def ground_of(*parts: object) -> str:
    """Digest of the parts a retrain's outcome depends on."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()
