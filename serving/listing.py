"""Lists told in pages: the served series, and who became champion when."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, get_args

from features.errors import AskError
from features.files import read_records
from serving.batch_ask import Kind
from serving.cursors import cursor_of, place_of_cursor, place_of_line
from serving.errors import shown
from serving.opened import OpenedPack
from serving.shelf import Standing

MOST: Final = 500
USUAL: Final = 100
# Written by training.promotions, one line a decision, never changed.
PROMOTIONS: Final = "promotions.jsonl"
PROMOTED: Final = (
    *("at", "who", "decision", "from_version", "to_version", "verdict_id", "data_hash"),
    *("plan_fingerprint", "recipe_fingerprint", "run_id", "registry_version", "sentence"),
)
_KINDS: Final = get_args(Kind)
_AGAIN: Final = "leave the cursor out and begin at the first page"


def series_page(
    standing: Standing,
    *,
    kind: str | None = None,
    cluster_id: str | None = None,
    limit: int = USUAL,
    cursor: str | None = None,
) -> dict[str, Any]:
    """Served series in the order of the pack, ``limit`` at a time; ``next`` leads on, null at the end.

    Raises:
        AskError: a limit, kind or cluster that is none, or a cursor of another pack or other filters.
    """
    pack = standing.pack
    check_limit(limit)
    _check_filters(kind, cluster_id, pack)
    question = f"{kind or ''}\n{cluster_id or ''}"
    place = place_of_cursor(cursor, whole=pack.digest, question=question, remedy=_AGAIN)
    names = [
        name
        for name, entry in pack.series.items()
        if (kind is None or entry.kind == kind) and (cluster_id is None or entry.cluster_id == cluster_id)
    ]
    after = place + limit
    return {
        "series": [
            {**rung.labels(), "name": rung.entry.name}
            for rung in (standing.rungs[name] for name in names[place:after])
        ],
        "count": len(names),
        "next": cursor_of(after, whole=pack.digest, question=question) if after < len(names) else None,
        "model_version": pack.model_version,
        "as_of": pack.card["as_of"],
        "degraded": standing.degraded,
    }


def promotions_page(store: Path, *, limit: int = USUAL, cursor: str | None = None) -> dict[str, Any]:
    """Decisions on the champion, newest first; fields that a line lacks are null.

    A cursor stays good when lines are added.

    Raises:
        AskError: a limit out of range, or a cursor that is none.
    """
    lines, paged = newest_lines(store, PROMOTIONS, limit=limit, cursor=cursor)
    return {"promotions": [{name: line.get(name) for name in PROMOTED} for line in lines], **paged}


def newest_lines(
    store: Path, file: str, *, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Lines of a record, newest first, and ``count`` and ``next`` of the page.

    A cursor names the last line of its page, and so stays good when lines are added or older ones go.

    Raises:
        AskError: a limit out of range, or a cursor that is none.
    """
    check_limit(limit)
    records = read_records(store / file)

    def line(at: int) -> str:
        return json.dumps(records[at], sort_keys=True)

    end = place_of_line(cursor, whole=file, count=len(records), line=line, remedy=_AGAIN)
    start = max(0, end - limit)
    after = cursor_of(start, whole=file, question=line(start)) if start else None
    return records[start:end][::-1], {"count": len(records), "next": after}


def check_limit(limit: int) -> None:
    """Raises AskError: a page of no length, or too long a one."""
    if not 1 <= limit <= MOST:
        raise AskError(
            "limit-out-of-range",
            found=f"limit {limit}",
            expected=f"1 to {MOST}",
            remedy="ask for smaller pages and follow next",
        )


def _check_filters(kind: str | None, cluster_id: str | None, pack: OpenedPack) -> None:
    if kind is not None and kind not in _KINDS:
        raise AskError(
            "kind-unknown",
            found=f"kind {shown(kind)!r}",
            expected="one of " + ", ".join(_KINDS),
            remedy="ask for one of these kinds, or leave kind out",
        )
    if cluster_id is not None and cluster_id not in pack.clusters:
        raise AskError(
            "unknown-cluster",
            found=f"cluster {shown(cluster_id)!r}",
            expected="a cluster of the registry",
            remedy="see GET /v1/clusters for every cluster",
        )
