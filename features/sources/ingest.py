"""A source's files, given or fetched, read into the lake: whole or not at all, the same bytes only once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import pandas as pd

from features.errors import AskError
from features.instants import naive_utc
from features.series.lake import Lake
from features.series.snapshots import Snapshot
from features.sources.canonical import content_hash
from features.sources.fetch import Fetched, fetch
from features.sources.one_scope import read_with, refuse_other_scope
from features.sources.partial import Told, digest_of
from features.sources.readers import Reader, reader_of
from features.sources.records import complaint_frame
from features.sources.reply import Bounds, Progress

DEFAULT: Final = Bounds()
NO_OPTIONS: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Line:
    """How to fetch: where unfinished downloads wait, within which bounds, and who is told of progress."""

    downloads: Path
    bounds: Bounds = DEFAULT
    allow_local: bool = False
    told: Progress | None = None


@dataclass(frozen=True)
class Ingested:
    """What an ingest did.

    Attributes:
        snapshot: where the content lies now.
        outcome: "new" snapshot; "seen-again" (there already, now known at this instant too);
            "nothing-new" (the lake is as it was).
        early: records left out because their period was not over at known_at.
        complaints: row, code, text of what the reader left out or repaired; empty where nothing was read.
    """

    snapshot: Snapshot
    outcome: str
    early: int = 0
    complaints: pd.DataFrame = field(default_factory=lambda: complaint_frame(()))


def ingest(
    source: str,
    *,
    lake: Lake,
    now: pd.Timestamp,
    files: Sequence[Path] = (),
    urls: Sequence[str] = (),
    known_at: pd.Timestamp | None = None,
    line: Line | None = None,
    options: Mapping[str, Any] = NO_OPTIONS,
) -> Ingested:
    """Read ``files`` (or folders of them) and ``urls`` together, as one publication of ``source``.

    Args:
        known_at: when the publisher showed them; left out, they are taken as seen ``now``, and an ingest that
            would tell the lake nothing leaves it as it is.
        line: how to fetch; needed with ``urls``.
        options: what the user says of an upload; the same bytes read with others are other figures.

    Raises:
        AskError: an unknown source, nothing to read, or a known_at after ``now``.
        DataError: the files could not be had or read; the lake is as it was.
    """
    reader = reader_of(source)
    at = _instant(known_at, now)
    paths = expanded(files)
    if not paths and not urls:
        raise AskError(
            "nothing-to-ingest",
            found="no file and no address",
            expected=f"files of {source}",
            remedy="give --file PATH (a file or a folder) or --url ADDRESS",
        )
    fetched: list[Fetched] = []
    try:
        # Read with other options, bytes that have not changed since may say something else.
        alone = len(urls) == 1 and not paths and not options
        known = _last_fetched(lake, reader, urls[0]) if alone else None
        fetched.extend(_fetched(url, line, known[1] if known else None) for url in urls)
        if known is not None and fetched[0].path is None:
            return _again(lake, known[0], at, stated=known_at is not None)
        return _read(lake, reader, paths, fetched, (at, known_at is not None), options)
    finally:
        for one in fetched:
            if one.path is not None:
                one.path.unlink(missing_ok=True)


def expanded(files: Sequence[Path]) -> list[Path]:
    """The files, and those directly in the folders among them, by name; hidden ones are not meant.

    Raises:
        AskError: one is not there.
    """
    found: list[Path] = []
    for path in files:
        if path.is_dir():
            found.extend(inner for inner in path.iterdir() if inner.is_file() and inner.name[0] != ".")
        else:
            found.append(path)
    absent = [path for path in found if not path.is_file()]
    if absent:
        raise AskError(
            "file-not-there",
            found=f"{len(absent)} paths that are no file",
            expected="files of the source, or a folder of them",
            offenders=absent,
            remedy="correct the path",
        )
    return sorted(dict.fromkeys(found), key=lambda path: (path.name, str(path)))


def _read(
    lake: Lake,
    reader: Reader,
    paths: list[Path],
    fetched: list[Fetched],
    when: tuple[pd.Timestamp, bool],
    options: Mapping[str, Any],
) -> Ingested:
    at, stated = when
    every = sorted([*paths, *(f.path for f in fetched if f.path is not None)], key=lambda path: path.name)
    digest = read_with(content_hash(every), options)
    for snapshot in lake.snapshots(reader.source):
        if snapshot.content_hash == digest and snapshot.reader == reader.name:
            return _again(lake, snapshot, at, stated=stated)
    batch = reader.read(every, known_at=at, options=options)
    if reader.entry.told:
        refuse_other_scope(lake, batch)
    added = lake.add(batch, known_at=at, content_hash=digest, files=_notes(paths, fetched))
    outcome = "new" if added.new else "seen-again" if added.seen_anew else "nothing-new"
    return Ingested(added.snapshot, outcome, added.early, batch.complaints)


def _again(lake: Lake, snapshot: Snapshot, at: pd.Timestamp, *, stated: bool) -> Ingested:
    """Content that is there already: noted as seen at ``at`` too where that is stated, or is news."""
    if not stated and lake.says_so(snapshot, at):
        return Ingested(snapshot, "nothing-new")
    noted, _, news = lake.see(snapshot.folder, at)
    return Ingested(noted, "seen-again" if news else "nothing-new")


def _instant(known_at: pd.Timestamp | None, now: pd.Timestamp) -> pd.Timestamp:
    present = naive_utc(now)
    at = present if known_at is None else naive_utc(known_at)
    if pd.isna(at) or at > present:
        raise AskError(
            "known-at-unlawful",
            found=f"known_at {at}",
            expected=f"an instant not after now ({present:%Y-%m-%d %H:%M} UTC)",
            remedy="give --known-at the day on which the publisher showed these files",
        )
    return at.as_unit("ns")


def _fetched(url: str, line: Line | None, known: Told | None) -> Fetched:
    if line is None:
        raise AskError(
            "nowhere-to-fetch",
            found=f"an address ({url}) and no place for downloads",
            expected="a line with a folder for downloads",
            remedy="pass line=Line(downloads=…)",
        )
    return fetch(
        url,
        line.downloads,
        known=known,
        bounds=line.bounds,
        allow_local=line.allow_local,
        told=line.told,
    )


def _last_fetched(lake: Lake, reader: Reader, url: str) -> tuple[Snapshot, Told] | None:
    """The snapshot last seen at ``url`` and read by this reader alone, and what the server said of it."""
    mine = [
        (snapshot, snapshot.files[0])
        for snapshot in lake.snapshots(reader.source)
        if snapshot.reader == reader.name
        and len(snapshot.files) == 1
        and snapshot.files[0].get("address") == _key(url)
    ]
    if not mine:
        return None
    snapshot, note = max(mine, key=lambda pair: (pair[0].seen[-1], pair[0].rank))
    return snapshot, Told(str(note.get("etag", "")), str(note.get("last_modified", "")))


def _notes(paths: list[Path], fetched: list[Fetched]) -> list[dict[str, Any]]:
    """What the snapshot remembers of each file: no folder, and no query of an address (it may hold a key)."""
    given = [{"name": path.name, "bytes": path.stat().st_size, "sha256": digest_of(path)} for path in paths]
    came = [
        {
            "name": one.path.name,
            "bytes": one.size,
            "sha256": one.sha256,
            "url": one.url.partition("?")[0],
            "address": _key(one.url),
            "etag": one.told.etag,
            "last_modified": one.told.last_modified,
        }
        for one in fetched
        if one.path is not None
    ]
    return [*given, *came]


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]
