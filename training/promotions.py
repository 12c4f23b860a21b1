"""The promotion record: who became champion, when, from which figures, and why. Append-only.

It is the source of truth; aliases and pointers elsewhere are made to agree with it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from features.errors import DataError, LawBroken
from features.files import append_record, read_records

FILE: Final = "promotions.jsonl"
CHANGING: Final = ("promote", "roll-back")


@dataclass(frozen=True)
class Promotion:
    """One line of the record.

    Attributes:
        at: UTC instant, ISO 8601.
        who: the person or job that decided.
        from_version: champion before, "" for the first.
        to_version: champion after (for a decision other than promote and roll-back: the one kept).
        verdict_id: the gate's verdict it rests on.
        decision: "promote" and "roll-back" change the champion; others are kept for the reader.
        data_hash, plan_fingerprint, recipe_fingerprint: what it was made from.
        run_id: MLflow run that holds the model.
        registry_version: number in MLflow's model registry.
        sentence: why, in words.
    """

    at: str
    who: str
    from_version: str
    to_version: str
    verdict_id: str
    decision: str
    data_hash: str
    plan_fingerprint: str
    recipe_fingerprint: str
    run_id: str
    registry_version: str
    sentence: str

    @property
    def changes(self) -> bool:
        """Whether this line names a new champion."""
        return self.decision in CHANGING


def read(store: Path) -> list[Promotion]:
    """All whole lines, oldest first; a line torn by a killed writer is passed over.

    Raises:
        DataError: a whole line lacks a field.
    """
    return [_promotion(record) for record in read_records(store / FILE)]


def current(store: Path) -> Promotion | None:
    """The line that made the present champion, None before the first."""
    return _newest(read(store))


def before_present(store: Path) -> str:
    """The version a roll-back without a name returns to, "" if there is none.

    A roll-back takes back what came after its target, so the next one goes further back and never
    returns to what was rolled back from.
    """
    stack: list[str] = []
    for line in read(store):
        if not line.changes:
            continue
        if line.decision == "roll-back" and line.to_version in stack:
            del stack[stack.index(line.to_version) + 1 :]
        else:
            stack = [version for version in stack if version != line.to_version] + [line.to_version]
    return stack[-2] if len(stack) > 1 else ""


def append(store: Path, promotion: Promotion) -> bool:
    """Add a line and flush it to disk; the caller holds the retrain lock.

    Returns: False if this very decision was recorded before (a job run again after a kill).

    Raises:
        LawBroken: it claims another champion before it than the record does.
    """
    now = current(store)
    if now is not None and (now.verdict_id, now.to_version) == (promotion.verdict_id, promotion.to_version):
        return False
    before = now.to_version if now else ""
    if promotion.changes and promotion.from_version != before:
        raise LawBroken(
            "promotion-out-of-order",
            found=f"a promotion from {promotion.from_version or 'nothing'}",
            expected=f"one from {before or 'nothing'}, the champion on record",
            remedy="judge again against the present champion",
        )
    append_record(store / FILE, asdict(promotion))
    return True


def _newest(lines: list[Promotion]) -> Promotion | None:
    return next((line for line in reversed(lines) if line.changes), None)


def _promotion(record: dict[str, Any]) -> Promotion:
    names = [f.name for f in fields(Promotion)]
    absent = [name for name in names if name not in record]
    if absent:
        raise DataError(
            "promotion-record-unreadable",
            found="a line of the promotion record without some fields",
            expected="every field of a promotion",
            offenders=absent,
            remedy=f"restore {FILE} from a copy; lines are only ever appended",
        )
    return Promotion(**{name: str(record[name]) for name in names})
