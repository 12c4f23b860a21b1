"""Answers that can be made again: an answer_id holds the question and which pack answered it.

Nothing is stored for it. ``GET /v1/provenance/{answer_id}`` reads the question out of the id, asks it of the
same pack, and tells whether the same numbers came out, with the figures, bridges and factors they rest on.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from features.errors import AskError, ForecarbonError
from features.reference.tables import load
from features.series.words import UNIQUE_ID
from serving.errors import shown
from serving.facts import records
from serving.lineage import lineage_view
from serving.shelf import Standing

ANSWER_ID: Final = "answer_id"
LONGEST: Final = 4_000
LARGEST: Final = 100_000
_PACK: Final = 16
_NUMBERS: Final = 16
# Factors that insights read, by what they are for.
FACTORS: Final = ("tcre_ar6", "rcb_1.5C_p50_from2025", "co2_fossil_world_2024", "sbti_aca_1p5")
Look = Callable[[Standing, Mapping[str, Any]], dict[str, Any]]


@dataclass(frozen=True)
class Named:
    """What an answer_id says: which view, of which pack (start of its digest), with which numbers (start of
    their digest), and the question."""

    view: str
    pack: str
    numbers: str
    question: Mapping[str, Any]


def with_id(
    view: str, question: Mapping[str, Any], answer: dict[str, Any], standing: Standing
) -> dict[str, Any]:
    """``answer`` with its answer_id; null where the question is too long to be held in one."""
    packed = base64.urlsafe_b64encode(zlib.compress(_plain(question), 9)).rstrip(b"=").decode()
    name = ".".join([view, standing.pack.digest[:_PACK], digest_of(answer), packed])
    return {**answer, ANSWER_ID: name if len(name) <= LONGEST else None}


def digest_of(answer: Mapping[str, Any]) -> str:
    """Start of the SHA-256 of an answer without its id."""
    bare = {key: value for key, value in answer.items() if key != ANSWER_ID}
    return hashlib.sha256(_plain(bare)).hexdigest()[:_NUMBERS]


def _plain(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def named(answer_id: str) -> Named:
    """What an answer_id says.

    Raises:
        AskError: it is none (``unknown-answer``).
    """
    parts = answer_id.split(".")
    try:
        view, pack, numbers, packed = parts
        raw = base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        opener = zlib.decompressobj()
        text = opener.decompress(raw, LARGEST)
        question = json.loads(text)
        if opener.unconsumed_tail or not opener.eof or not isinstance(question, dict):
            raise ValueError("no question")
        return Named(view, pack, numbers, question)
    except (ValueError, binascii.Error, zlib.error, RecursionError):
        raise _unknown(answer_id) from None


def _unknown(answer_id: str) -> AskError:
    return AskError(
        "unknown-answer",
        found=f"answer {shown(answer_id)!r}",
        expected="the answer_id of an insight",
        remedy="send it as the answer printed it",
    )


def provenance_view(
    answer_id: str, views: Mapping[str, Look], find: Callable[[str], Standing]
) -> dict[str, Any]:
    """The answer made again, whether it is the same, and what it rests on.

    Args:
        views: name -> what makes its answer of a question.
        find: the standing of the pack whose digest starts with a text; raises where it is kept no more.

    Raises:
        AskError: no such answer, or its pack is kept no more.
    """
    told = named(answer_id)
    look = views.get(told.view)
    if look is None or len(told.pack) != _PACK:
        raise _unknown(answer_id)
    standing = find(told.pack)
    try:
        answer = look(standing, told.question)
    except (KeyError, TypeError, ValueError) as fault:
        if isinstance(fault, ForecarbonError):
            raise
        raise _unknown(answer_id) from None
    card = standing.pack.card
    return {
        ANSWER_ID: answer_id,
        "view": told.view,
        "question": dict(told.question),
        "same": digest_of(answer) == told.numbers,
        "answer": answer,
        "figures": _figures(answer, standing),
        "factors": _factors(),
        "bridges": _bridges(answer, standing),
        "pack": standing.pack.name,
        "pack_digest": standing.pack.digest,
        "data_hash": card["data_hash"],
        "git_commit": card["git_commit"],
        "model_version": standing.pack.model_version,
        "as_of": card["as_of"],
        "degraded": standing.degraded,
    }


def _figures(answer: Mapping[str, Any], standing: Standing) -> list[dict[str, Any]]:
    """Where the newest and the base figures of an answer about one series are from."""
    name = answer.get(UNIQUE_ID)
    if not isinstance(name, str):
        return []
    own = [each for each in answer.get("figures", []) if isinstance(each, dict) and not each.get("published")]
    years = {each["latest"]["year"] for each in own}
    years |= {t["base_year"] for t in answer.get("targets", []) if t.get("base_year") is not None}
    told = []
    for year in sorted(years):
        try:
            told.append(lineage_view(name, f"{year}-01-01", standing))
        except AskError:
            continue  # a base year the series does not reach: its figure is a published one, told beside it
    return told + _published(name)


def _published(name: str) -> list[dict[str, Any]]:
    return [
        {**row, UNIQUE_ID: name, "what": "published"}
        for row in records(load().published_history)
        if row["cluster_id"] == name
    ]


def _factors() -> list[dict[str, Any]]:
    return [row for row in records(load().factors) if row["key"] in FACTORS]


def _bridges(answer: Mapping[str, Any], standing: Standing) -> list[dict[str, Any]]:
    name = answer.get(UNIQUE_ID)
    return [dict(told) for (cluster, _), told in standing.pack.bridges.items() if cluster == name]
