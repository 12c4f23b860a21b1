"""The judge of what a reader makes of a spoilt file (spoilt_csv, spoilt_xlsx and spoilt_json make them).

A reader passes if it refuses by name, or if each figure that it hands out is the file's own and none that
the file's damage cost is lost in silence. Only damage that can be noticed is done: a digit exchanged for
another is nobody's to find.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import pandas as pd

from features.errors import ForecarbonError
from features.sources.records import Batch

# Seconds after which a reader hangs.
SLOWEST: Final = 20.0
REFUSED, IN_FULL, IN_PART = "refused", "in full", "in part"
# What a reader owes a mutant: every figure; a refusal or a word for each figure lost; or, where the damage
# leaves a shorter file in which nothing can tell, no more than true figures.
WHOLE, TOLD, SHORTER = "whole", "told", "shorter"

Truth = Mapping[tuple[str, pd.Timestamp], float]
Read = Callable[[Path], Batch]
Way = tuple[str, str, Callable[[Random], bytes]]
Remarks = frozenset[tuple[str, str]]


@dataclass(frozen=True)
class Subject:
    """One kind of file and its reader.

    Attributes:
        read: the reader, given the path of the file.
        path: where each mutant is written; readers go by the name.
        truth: figures by (facility_id, ds), counted from the unspoilt file with nothing of the reader's.
        ways: how the file is spoilt.
    """

    read: Read
    path: Path
    truth: Truth
    ways: Sequence[Way]

    def remarks(self) -> Remarks:
        """What the reader remarks on the unspoilt file, which every set of ways makes first."""
        self.path.write_bytes(self.ways[0][2](Random(0)))
        return remarks_of(self.read(self.path))


@dataclass(frozen=True)
class Mutant:
    """A spoilt file: what was done to it, its bytes, and what a reader owes it."""

    name: str
    payload: bytes
    owed: str


@dataclass
class Verdicts:
    """How many mutants came to what end, and the longest reading in seconds."""

    ends: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def made(ways: Sequence[Way], *, count: int, seed: int) -> Iterator[Mutant]:
    """``count`` mutants, the ways taken in turn."""
    rng = Random(seed)
    for number in range(count):
        name, owed, way = ways[number % len(ways)]
        yield Mutant(f"{name} #{number} of seed {seed}", way(rng), owed)


def judge_all(subject: Subject, mutants: Iterable[Mutant]) -> Verdicts:
    """What the subject's reader made of the mutants."""
    verdicts, usual = Verdicts(), subject.remarks()
    for mutant in mutants:
        judge(subject, mutant, usual, verdicts)
    return verdicts


def judge(subject: Subject, mutant: Mutant, usual: Remarks, verdicts: Verdicts) -> None:
    """Read one mutant and note how it ended.

    Raises:
        AssertionError: a wrong number, a figure lost in silence, a mutant owed every figure refused or
            short of one, or more than SLOWEST seconds. What is no ForecarbonError passes through.
    """
    subject.path.write_bytes(mutant.payload)
    began = time.monotonic()
    batch, code = _reading(subject)
    took = time.monotonic() - began
    assert took < SLOWEST, f"{mutant.name} took {took:.1f} s"
    if batch is None:
        assert mutant.owed != WHOLE, f"{mutant.name}: refused as {code}"
        assert code.startswith("source-"), f"{mutant.name}: {code}"
    verdicts.ends[REFUSED if batch is None else _compared(batch, mutant, subject.truth, usual)] += 1
    verdicts.codes += Counter([code] if code else [])
    verdicts.slowest = max(verdicts.slowest, took)


def _reading(subject: Subject) -> tuple[Batch | None, str]:
    """The batch, or None and the code of the refusal."""
    try:
        return subject.read(subject.path), ""
    except ForecarbonError as refusal:
        return None, refusal.code


def figures(batch: Batch) -> dict[tuple[str, pd.Timestamp], float]:
    """Figures of a batch by (facility_id, ds)."""
    told = batch.records[batch.records["y"].notna()]
    return dict(zip(zip(told["facility_id"], told["ds"], strict=True), told["y"], strict=True))


def remarks_of(batch: Batch) -> Remarks:
    """Code and text of each complaint."""
    return frozenset(zip(batch.complaints["code"], batch.complaints["text"], strict=True))


def _compared(batch: Batch, mutant: Mutant, truth: Truth, usual: Remarks) -> str:
    found = figures(batch)
    wrong = {key: (y, truth.get(key)) for key, y in found.items() if truth.get(key) != y}
    assert not wrong, f"{mutant.name}: found and true {list(wrong.items())[:3]}"
    lost = [key for key, y in truth.items() if y > 0 and key not in found]
    assert not (mutant.owed == WHOLE and lost), f"{mutant.name} lost {lost[:3]}"
    silent = bool(lost) and mutant.owed != SHORTER and not remarks_of(batch) - usual
    assert not silent, f"{mutant.name} lost {lost[:3]} in silence"
    return IN_PART if lost else IN_FULL
