"""Findings: what was seen to have gone wrong with issued forecasts. Append-only, read by every floor."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from features.files import append_record, one_after_another, read_records

FILE: Final = "findings.jsonl"


@dataclass(frozen=True)
class Finding:
    """One line of the record.

    Attributes:
        finding_id: digest of what was found in which figures: the same finding has the same name.
        at: UTC instant, ISO 8601.
        plan: by which it was watched.
        kind: "bias", "error", "coverage-80" or "coverage-95".
        model_version: whose forecasts.
        series_kind: of which kind of series.
        value: measured; ``expected``: what the forecasts promised.
        p_value: chance of so much by accident; ``threshold``: below which it counts.
        n: forecasts with an actual; ``years``: the years they are of.
        serving: whether that model served when it was found.
        sentence: all of it in words.
    """

    finding_id: str
    at: str
    plan: str
    kind: str
    model_version: str
    series_kind: str
    value: float
    expected: float
    p_value: float
    threshold: float
    n: int
    years: tuple[int, ...]
    serving: bool
    sentence: str

    def as_record(self) -> dict[str, Any]:
        """JSON-ready fields."""
        return {**asdict(self), "years": list(self.years)}


def finding_id(*parts: object) -> str:
    """First 16 hex digits of a digest over the parts."""
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:16]


def append_new(store: Path, findings: Sequence[Finding]) -> list[Finding]:
    """Append those that are not on record yet; they are given back. Two at once do not take the same one."""
    if not _unknown(store, findings):
        return []
    store.mkdir(parents=True, exist_ok=True)
    with one_after_another(store):
        new = _unknown(store, findings)
        for finding in new:
            append_record(store / FILE, finding.as_record())
    return new


def _unknown(store: Path, findings: Sequence[Finding]) -> list[Finding]:
    known = {record.get("finding_id") for record in read_findings(store)}
    return [finding for finding in findings if finding.finding_id not in known]


def read_findings(store: Path) -> list[dict[str, Any]]:
    """All whole lines, oldest first."""
    return read_records(store / FILE)
