"""What the journal keeps of an issued forecast: all that is needed to make it again, and no caller's rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from features.errors import AskError
from features.files import read_records
from serving.errors import shown
from serving.journal import FOLDER
from serving.opened import OpenedPack
from serving.shelf import Standing
from serving.wire import ForecastAsk

_ID: Final = re.compile(r"(\d{4})(\d\d)(\d\d)-[0-9A-Za-z]{1,64}")


def stamp_of(moment: datetime) -> str:
    """A time of issue as answers tell it: UTC, ISO 8601, milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def forecast_id_of(issued_at: str, fresh: str) -> str:
    """Name of one issued forecast; it begins with the day, which names the journal's file.

    ``fresh`` is text that no other forecast of the day has.
    """
    return f"{issued_at[:10].replace('-', '')}-{fresh}"


def digest_of(answer: Mapping[str, Any]) -> str:
    """SHA-256 of a whole answer as hexadecimal; its field ``journal``, known only later, left out."""
    plain = {name: value for name, value in answer.items() if name != "journal"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True, allow_nan=False).encode()).hexdigest()


def rows_digest(ask: ForecastAsk) -> str:
    """SHA-256 of the caller's own rows as hexadecimal; "" without any."""
    if not ask.history:
        return ""
    rows = [[row.unique_id, row.ds, row.y] for row in ask.history]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def entry_of(ask: ForecastAsk, answer: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    """The line kept of an issued answer.

    Own rows are never kept (docs/adr/0012): their digest and number are, so that whoever has them can
    have the answer made again.
    """
    marks = ("forecast_id", "request_id", "issued_at", "as_of", "model_version", "degraded")
    return {
        **{name: answer[name] for name in marks},
        "release": _release(),
        "request": ask.model_dump(exclude={"history"}),
        "own_rows": len(ask.history or ()),
        "own_digest": rows_digest(ask),
        "pack": _mark(standing.pack),
        "older_pack": None if standing.older is None else _mark(standing.older),
        "answered": len(answer["forecasts"]),
        "refused": len(answer["refusals"]),
        "digest": digest_of(answer),
    }


def find(store: Path, forecast_id: str) -> dict[str, Any]:
    """The journal's line of a forecast.

    Raises:
        AskError: no such forecast was issued from this store (``unknown-forecast``).
    """
    matched = _ID.fullmatch(forecast_id)
    for entry in read_records(_file(store, *matched.groups())) if matched else ():
        if entry.get("forecast_id") == forecast_id:
            return entry
    raise AskError(
        "unknown-forecast",
        found=f"forecast {shown(forecast_id)!r}",
        expected="the forecast_id of an answer from this store, such as 20261128-4b1f09c2",
        remedy="copy the forecast_id of the answer; name its store with --store",
    )


def _file(store: Path, year: str, month: str, day: str) -> Path:
    return store / FOLDER / f"{year}-{month}-{day}.jsonl"


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
    return version("forecarbon")
