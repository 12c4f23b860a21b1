"""What the journal keeps of an issued forecast: all that is needed to make it again, and no caller's rows."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from features.errors import AskError
from features.instants import to_milli
from serving import journal
from serving.errors import shown
from serving.journal import Entry
from serving.opened import OpenedPack
from serving.shelf import Standing
from serving.wire import ForecastAsk

# What tells one answer from another to the same question; the figures rest on none of it.
PASSING: Final = ("forecast_id", "issued_at", "journal", "request_id")
_ID: Final = re.compile(r"\d{8}-[0-9A-Za-z]{1,64}")


@dataclass(frozen=True)
class Sheet:
    """What the entries of equal questions to one standing have in common, rendered once.

    Attributes:
        model_version: of the pack that answered.
        text: JSON of all fields that stay, without the opening brace.
    """

    model_version: str
    text: str


def stamp_of(moment: datetime) -> str:
    """A time of issue as answers tell it: UTC, ISO 8601, milliseconds."""
    return to_milli(moment)


def forecast_id_of(issued_at: str, fresh: str) -> str:
    """Name of one issued forecast; it begins with the day.

    ``fresh`` is text that no other forecast of the day has.
    """
    return f"{issued_at[:10].replace('-', '')}-{fresh}"


def digest_of(answer: Mapping[str, Any], without: Collection[str] = PASSING) -> str:
    """SHA-256 of an answer as hexadecimal, equal for equal questions to one standing.

    Args:
        without: fields left out; an entry names those that its own digest leaves out.
    """
    plain = {name: value for name, value in answer.items() if name not in without}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, allow_nan=False).encode()).hexdigest()


def rows_digest(ask: ForecastAsk) -> str:
    """SHA-256 of the caller's own rows as hexadecimal; "" without any."""
    if not ask.history:
        return ""
    rows = [[row.unique_id, row.ds, row.y] for row in ask.history]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def entry_of(
    ask: ForecastAsk, answer: Mapping[str, Any], standing: Standing, key_id: str = ""
) -> dict[str, Any]:
    """What is kept of an issued answer; ``key_id`` of the key that asked, "" without keys.

    Own rows are never kept (docs/adr/0012): their digest and number are, so that whoever has them can
    have the answer made again.
    """
    passing = {name: answer[name] for name in ("forecast_id", "request_id", "issued_at")}
    return {**passing, "key_id": key_id, **_staying(ask, answer, standing)}


def sheet_of(ask: ForecastAsk, answer: Mapping[str, Any], standing: Standing) -> Sheet:
    """What the entry of this answer shares with those of equal questions to the same standing.

    Own rows make no sheet worth keeping: their ``as_of`` is the time of issue.
    """
    told = _staying(ask, answer, standing)
    return Sheet(str(told["model_version"]), json.dumps(told, sort_keys=True, allow_nan=False)[1:])


def entry_from(sheet: Sheet, *, forecast_id: str, request_id: str, issued_at: str, key_id: str = "") -> Entry:
    """The journal's entry of one more answer to a question whose sheet is at hand."""
    passing = json.dumps(
        {"forecast_id": forecast_id, "issued_at": issued_at, "key_id": key_id, "request_id": request_id}
    )
    return Entry(forecast_id, issued_at, key_id, sheet.model_version, f"{passing[:-1]}, {sheet.text}")


def rendered(record: Mapping[str, Any]) -> Entry:
    """The journal's entry of what ``entry_of`` gave."""
    names = ("forecast_id", "issued_at", "key_id", "model_version")
    forecast_id, issued_at, key_id, model_version = (str(record[name]) for name in names)
    body = json.dumps(record, sort_keys=True, allow_nan=False)
    return Entry(forecast_id, issued_at, key_id, model_version, body)


def find(store: Path, forecast_id: str, url: str | None = None) -> dict[str, Any]:
    """The journal's entry of a forecast.

    Raises:
        AskError: no such forecast was issued from this store (``unknown-forecast``), or the journal
            does not answer (``state-database``).
    """
    entry = journal.find(store, forecast_id, url) if _ID.fullmatch(forecast_id) else None
    if entry is not None:
        return entry
    raise AskError(
        "unknown-forecast",
        found=f"forecast {shown(forecast_id)!r}",
        expected="the forecast_id of an answer from this store, such as 20261128-4b1f09c2",
        remedy="copy the forecast_id of the answer; name its store with --store",
    )


def _staying(ask: ForecastAsk, answer: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return {
        **{name: answer[name] for name in ("as_of", "model_version", "degraded")},
        "release": _release(),
        "request": ask.model_dump(exclude={"history"}),
        "own_rows": len(ask.history or ()),
        "own_digest": rows_digest(ask),
        "pack": _mark(standing.pack),
        "older_pack": None if standing.older is None else _mark(standing.older),
        "answered": len(answer["forecasts"]),
        "refused": len(answer["refusals"]),
        "digest": digest_of(answer),
        "digest_without": list(PASSING),
    }


def _mark(pack: OpenedPack) -> dict[str, str]:
    """What finds a pack again, or makes it again once it is gone."""
    return {
        "name": pack.name,
        "digest": pack.digest,
        "model_version": pack.model_version,
        "as_of": str(pack.card["as_of"]),
    }


@cache
def _release() -> str:
    try:
        return version("forecarbon")
    except PackageNotFoundError:
        # Code that was unpacked and not installed, as in a bento, lies beside its own description.
        told = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text())
        return str(told["project"]["version"])
