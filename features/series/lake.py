"""The lake: every public record as it was known at every moment. Snapshots are added, never changed.

Laws: the same bytes are one snapshot; the order of ingests changes nothing; what is added as known later
never changes what was known earlier; a figure is never known before its period is over.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

import pandas as pd

from features.errors import DataError, LawBroken
from features.instants import naive_utc
from features.series.ground import Ground, ground_at
from features.series.replay import (
    FACILITY_COLUMNS,
    VINTAGE_COLUMNS,
    Known,
    Sighting,
    facilities_of,
    newest,
    stacked,
    vintages_of,
)
from features.series.snapshots import (
    MARK,
    PERIOD_END,
    SEEN,
    Snapshot,
    damaged,
    filed,
    folder_of,
    mark_of,
    snapshot_of,
    stamp_name,
    tables_of,
    unpacked,
)
from features.series.words import DS, KNOWN_AT
from features.sources.records import FACILITY, FACILITY_ID, RECORD, Batch, Y

_WORD: Final = re.compile(r"[a-z][a-z0-9-]{0,40}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")


class Added(NamedTuple):
    """What adding a batch did.

    ``new``: the snapshot was not there; ``seen_anew``: it was, and is now also known at this instant;
    ``early``: records left out because their period was not over at ``known_at``.
    """

    snapshot: Snapshot
    new: bool
    seen_anew: bool
    early: int


@dataclass(frozen=True)
class Lake:
    """The lake at ``root``: a folder, or any fsspec URL."""

    root: str | Path
    _read: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def ground(self) -> Ground:
        """Where it lies."""
        return ground_at(self.root)

    def add(
        self, batch: Batch, *, known_at: pd.Timestamp, content_hash: str, files: Sequence[dict[str, Any]] = ()
    ) -> Added:
        """Keep ``batch`` as known at ``known_at``; bytes that are there already only gain this instant.

        Args:
            known_at: when its publisher showed it; without a zone it is UTC.
            content_hash: sha256 of what was read, hexadecimal (features.sources.canonical).
            files: for each file its name and whatever is known of it, JSON-ready.

        Raises:
            DataError: no record's period was over at ``known_at``.
        """
        at = naive_utc(known_at).as_unit("ns")
        if not _WORD.fullmatch(batch.source) or not _HASH.fullmatch(content_hash):
            raise LawBroken(
                "lake-key-malformed",
                found=f"source {batch.source!r}, content hash {content_hash!r}",
                expected="a plain word, and 64 hexadecimal digits",
                remedy="report it: the ingest passed something else",
            )
        tables = tables_of(batch)
        records = tables["records"]
        early = int((records[PERIOD_END] > at).sum())
        if len(records) and early == len(records):
            raise _too_early(batch, records, at)
        folder = folder_of(batch.source, content_hash, batch.reader)
        if self._find(folder) is None:
            snapshot, parts = filed(batch, tables, self.ground.place, (at, content_hash, files))
            if self.ground.commit(folder, parts, (MARK, mark_of(snapshot))):
                return Added(snapshot, new=True, seen_anew=False, early=early)
        return Added(*self.see(folder, at), early=early)

    def see(self, folder: str, known_at: pd.Timestamp) -> tuple[Snapshot, bool, bool]:
        """Note that a snapshot was shown at ``known_at`` too; (it, False, whether that is news)."""
        at = naive_utc(known_at).as_unit("ns")
        news = at not in self._needed(folder).seen
        if news:
            self.ground.put(f"{folder}/{SEEN}/{stamp_name(at)}", b"")
        return self._needed(folder), False, news

    def says_so(self, snapshot: Snapshot, t: pd.Timestamp) -> bool:
        """True where what is known at ``t`` already holds all that ``snapshot``, shown then, would tell."""
        known = self.as_of(t, [snapshot.source])
        records = self.table(snapshot, "records")
        due = records[records[PERIOD_END] <= naive_utc(t)]
        facilities = self.table(snapshot, "facilities")
        return _all_in(due, known.records, RECORD) and _all_in(facilities, known.facilities, FACILITY)

    def snapshots(self, source: str | None = None) -> list[Snapshot]:
        """All snapshots (of one source), by first known_at, source and rank."""
        seen: dict[str, list[str]] = defaultdict(list)
        marked = []
        for name in self.ground.names():
            parts = name.split("/")
            if len(parts) < 3 or (source is not None and parts[0] != source):
                continue
            folder, rest = f"{parts[0]}/{parts[1]}", parts[2:]
            if rest == [MARK]:
                marked.append(folder)
            elif rest[0] == SEEN and len(rest) == 2:
                seen[folder].append(rest[1])
        found = [snapshot_of(name, self.ground.read(f"{name}/{MARK}"), seen[name]) for name in marked]
        return sorted((s for s in found if s), key=lambda s: (s.known_at, s.source, s.rank))

    def table(self, snapshot: Snapshot, part: str) -> pd.DataFrame:
        """One part of a snapshot ("records", "facilities" or "complaints"); do not change it.

        Raises:
            DataError: the file is gone or not as it was written.
        """
        key = snapshot.folder, part
        if key not in self._read:
            told = snapshot.parts[part]
            name = f"{snapshot.folder}/{told['file']}"
            try:
                payload = self.ground.read(name)
            except FileNotFoundError:
                raise damaged(name, "nothing") from None
            self._read[key] = unpacked(payload, told, name)
        return self._read[key]

    def as_of(self, t: pd.Timestamp, sources: Iterable[str] | None = None) -> Known:
        """What was known at ``t`` of ``sources`` (all when left out): of each key the newest row."""
        told = self.sightings(t, sources)
        records = [newest(vintages_of(source, seen, self.table)) for source, seen in told.items()]
        facilities = [facilities_of(source, seen, self.table) for source, seen in told.items()]
        return Known(stacked(records, VINTAGE_COLUMNS), stacked(facilities, FACILITY_COLUMNS))

    def vintages(self, t: pd.Timestamp, sources: Iterable[str] | None = None) -> pd.DataFrame:
        """Every row and restatement known at ``t``, with the columns of ``Known.records``.

        A row that a later snapshot repeats unchanged is not repeated: its known_at is that of the first.
        """
        told = self.sightings(t, sources)
        found = [vintages_of(source, seen, self.table) for source, seen in told.items()]
        return stacked(found, VINTAGE_COLUMNS)

    def sightings(self, t: pd.Timestamp, sources: Iterable[str] | None) -> dict[str, list[Sighting]]:
        """By source, the instants up to ``t`` at which its snapshots were shown, in the order that holds."""
        until = naive_utc(t)
        wanted = None if sources is None else set(sources)
        told: dict[str, list[Sighting]] = defaultdict(list)
        for snapshot in sorted(self.snapshots(), key=lambda s: s.source):
            if wanted is None or snapshot.source in wanted:
                known = [Sighting(at, snapshot) for at in snapshot.seen if at <= until]
                told[snapshot.source].extend(known)
        return {source: sorted(seen, key=lambda s: (s.at, s.snapshot.rank)) for source, seen in told.items()}

    def _find(self, folder: str) -> Snapshot | None:
        return next((s for s in self.snapshots(folder.split("/")[0]) if s.folder == folder), None)

    def _needed(self, folder: str) -> Snapshot:
        found = self._find(folder)
        if found is None:
            raise damaged(f"{folder}/{MARK}", "no finished snapshot")
        return found


def _all_in(rows: pd.DataFrame, known: pd.DataFrame, columns: Sequence[str]) -> bool:
    """True where every row is among the known ones; nothing equals nothing."""
    if rows.empty or known.empty:
        return rows.empty
    names = list(columns)
    found = rows[names].merge(known[names], how="left", on=names, indicator="side")["side"]
    return bool((found == "both").all())


def _too_early(batch: Batch, records: pd.DataFrame, at: pd.Timestamp) -> DataError:
    figures = records[records[Y].notna()]
    return DataError(
        "known-too-early",
        found=f"{len(records)} records of {batch.source} said to be known at {at:%Y-%m-%d}",
        expected=f"{KNOWN_AT} not before a period's end; the first ends {records[PERIOD_END].min():%Y-%m-%d}",
        offenders=[
            f"{r[0]} {r[1]:%Y-%m-%d}" for r in figures[[FACILITY_ID, DS]].head(9).itertuples(index=False)
        ],
        remedy="give --known-at the day on which the publisher showed these figures",
    )
