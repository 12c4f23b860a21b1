"""The packs a store keeps: which of them is a version, or what was known at a date."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from features.errors import AskError
from features.files import read_json
from features.instants import to_second
from serving.errors import shown
from serving.layout import CARD, PACKS, Pointer, sha256_of

_A_DAY = len("2026-11-28")
_LAST_YEAR = 9999


# By store, what the cards there said when they were last read: a process has one store, tests have many.
_READ: Final[dict[Path, dict[tuple[str, int, int], KeptPack]]] = {}
_STORES: Final = 8


@dataclass(frozen=True)
class KeptPack:
    """A pack in the store: its folder, what its card says, and the digest of that card."""

    name: str
    model_version: str
    as_of: str
    digest: str

    @property
    def pointer(self) -> Pointer:
        """What opens it."""
        return Pointer(self.model_version, f"{PACKS}/{self.name}", self.digest)


def kept_pack(store: Path, model_version: str | None, as_of: str | None) -> KeptPack | None:
    """The newest kept pack of that version, made with what was known at that date; None where neither is
    asked for.

    Raises:
        AskError: there is none (``unknown-model``), or the date cannot be read (``as-of-unreadable``).
    """
    if model_version is None and as_of is None:
        return None
    until = None if as_of is None else _until(as_of)
    kept = sorted(packs_in(store), key=lambda pack: (pack.as_of, pack.name))
    fits = [
        pack
        for pack in kept
        if model_version in (None, pack.model_version) and (until is None or pack.as_of <= until)
    ]
    if fits:
        return fits[-1]
    told = [f"version {shown(model_version)!r}"] if model_version else []
    told += [f"figures as of {shown(as_of)!r}"] if as_of else []
    known = sorted({pack.model_version for pack in kept})
    raise AskError(
        "unknown-model",
        found=" with ".join(told),
        expected=f"one of the {len(known)} versions kept, of {kept[0].as_of} or later" if kept else "a pack",
        offenders=known,
        remedy="see GET /v1/promotions for every version, or leave as_of and model_version out",
    )


def _until(text: str) -> str:
    """The last instant that a date or instant means, as cards write instants."""
    try:
        moment = datetime.fromisoformat(text.upper())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if len(text) == _A_DAY and moment.year < _LAST_YEAR:
            moment += timedelta(days=1, seconds=-1)
        return to_second(moment)
    except (ValueError, OverflowError):
        raise AskError(
            "as-of-unreadable",
            found=f"as_of {shown(text)!r}",
            expected="a date or an instant of ISO 8601",
            remedy="write it like 2026-06-30 or 2026-06-30T12:00:00Z",
        ) from None


def packs_in(store: Path) -> list[KeptPack]:
    """Every pack in the store that can be read; a card is read again only when it was written again."""
    before, found = _READ.get(store, {}), {}
    for card in (store / PACKS).glob(f"*/{CARD}"):
        try:
            facts = card.stat()
            key = (card.parent.name, facts.st_mtime_ns, facts.st_size)
            found[key] = before.get(key) or _read(card)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being written, or damaged: it cannot be asked for
    if store not in _READ and len(_READ) >= _STORES:
        _READ.clear()
    # Replaced whole, for threads ask at once; what is no longer there is no longer held.
    _READ[store] = found
    return list(found.values())


def _read(card: Path) -> KeptPack:
    """What a card says."""
    told = read_json(card)
    return KeptPack(card.parent.name, str(told["model_version"]), str(told["as_of"]), sha256_of(card))
