"""Making an issued forecast again, bit for bit, from what the journal says of it."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from features.errors import AskError, ModelError
from serving.answer import answer
from serving.desk import own_answer
from serving.entries import digest_of, find, rows_digest
from serving.layout import CARD, PACKS, Pointer, sha256_of
from serving.opened import OpenedPack, open_pack
from serving.own_history import Engine, own_forecasts
from serving.pack import rebuild
from serving.shelf import Standing, climb
from serving.wire import ForecastAsk, read_ask


@dataclass(frozen=True)
class Reproduced:
    """An answer made again.

    Attributes:
        entry: the journal's line.
        answer: the answer as it comes out now.
        source: "kept pack", or "saved model" where the pack was made again.
    """

    entry: Mapping[str, Any]
    answer: Mapping[str, Any]
    source: str

    @property
    def identical(self) -> bool:
        """Whether it is the answer that was issued, bit for bit."""
        return bool(self.digest == self.entry["digest"])

    @property
    def digest(self) -> str:
        """Of the answer as it comes out now, taken as the issued one's was."""
        # Entries of before digests said what they leave out left out one field.
        return digest_of(self.answer, self.entry.get("digest_without", ("journal",)))

    def as_record(self) -> dict[str, Any]:
        """JSON-ready: the finding, both digests and the answer as it comes out now."""
        names = ("forecast_id", "issued_at", "model_version", "as_of", "release")
        return {
            "identical": self.identical,
            "made_from": self.source,
            **{name: self.entry[name] for name in names},
            "digest_issued": self.entry["digest"],
            "digest_now": self.digest,
            "answer": dict(self.answer),
        }


def reproduce(
    store: Path,
    forecast_id: str,
    *,
    engine: Engine,
    history: Path | None = None,
    from_model: bool = False,
) -> Reproduced:
    """Make the answer of ``forecast_id`` again.

    Args:
        engine: fits own rows (``models.engine.forecast_panel``).
        history: the caller's rows, for a forecast of them: the JSON that was sent, or its rows.
        from_model: pass over kept packs and build from the saved model.

    Raises:
        AskError: unknown forecast; rows missing, needless, or not those that were sent.
        ModelError: neither pack nor saved model is left.
    """
    entry = find(store, forecast_id)
    ask = _asked(entry, history)
    marks = {name: str(entry[name]) for name in ("issued_at", "request_id", "forecast_id")}
    with tempfile.TemporaryDirectory() as scratch:
        standing, kept = _stand_again(store, entry, Path(scratch), from_model=from_model)
        if ask.history:
            told = own_answer(own_forecasts(ask, engine), standing, **marks)
        else:
            told = answer(ask, standing, **marks)
    return Reproduced(entry, told, "kept pack" if kept else "saved model")


def _asked(entry: Mapping[str, Any], history: Path | None) -> ForecastAsk:
    request = {name: value for name, value in entry["request"].items() if value is not None}
    if not entry["own_rows"]:
        if history is not None:
            raise AskError(
                "history-not-asked",
                found="--history beside a forecast of registry series",
                expected="the forecast_id alone",
                remedy="leave --history out",
            )
        return read_ask(json.dumps(request).encode())
    if history is None:
        raise AskError(
            "history-needed",
            found="a forecast of the caller's own rows, which are not kept",
            expected=f"the {entry['own_rows']} rows that were sent",
            remedy="give --history FILE: the JSON that was sent, or its list of rows",
        )
    ask = read_ask(json.dumps({**request, "history": _rows(history)}).encode())
    if rows_digest(ask) != entry["own_digest"]:
        raise AskError(
            "other-history",
            found=f"{len(ask.history or ())} rows with another digest",
            expected=f"the {entry['own_rows']} rows that were sent, in their order",
            remedy="give the rows exactly as they were sent",
        )
    return ask


def _rows(path: Path) -> Any:
    try:
        told = json.loads(path.read_bytes())
    except ValueError as fault:
        raise AskError(
            "malformed-json",
            found=f"{path.name}: {fault}",
            expected="the JSON that was sent, or its list of rows",
            remedy="write the request's body into a file and name that",
        ) from None
    return told.get("history") if isinstance(told, dict) else told


def _stand_again(
    store: Path, entry: Mapping[str, Any], scratch: Path, *, from_model: bool
) -> tuple[Standing, bool]:
    """What stood on the shelf, and whether all of it was still there as packs."""
    marks = [mark for mark in (entry["pack"], entry["older_pack"]) if mark is not None]
    packs, kept = [], True
    for mark in marks:
        pack = None if from_model else _kept(store, mark)
        kept = kept and pack is not None
        packs.append(pack or _rebuilt(store, mark, scratch))
    older = packs[1] if len(packs) > 1 else None
    degraded = str(entry["degraded"])
    return Standing(packs[0], climb(packs[0], older, degraded), degraded, older), kept


def _kept(store: Path, mark: Mapping[str, str]) -> OpenedPack | None:
    try:
        return open_pack(store, Pointer(mark["model_version"], f"{PACKS}/{mark['name']}", mark["digest"]))
    except ModelError:
        return None


def _rebuilt(store: Path, mark: Mapping[str, str], scratch: Path) -> OpenedPack:
    as_of = datetime.fromisoformat(mark["as_of"])
    folder = rebuild(store, mark["model_version"], scratch=scratch, now=as_of)
    pointer = Pointer(mark["model_version"], f"{PACKS}/{folder.name}", sha256_of(folder / CARD))
    return open_pack(scratch, pointer)
