"""Answers that are ready: all of an answer but its time and names is rendered once, and sent many times.

What is kept belongs to one standing and is dropped with it, so that no answer mixes two champions.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from serving.entries import Sheet
from serving.reply import Header
from serving.shelf import Standing

MOST_BYTES: Final = 64_000_000
MOST_PLATES: Final = 20_000
LARGEST: Final = 1_000_000
_OVERHEAD: Final = 1_000


@dataclass(frozen=True, slots=True)
class Plate:
    """One answer.

    Attributes:
        head: the answer without time and names: JSON up to where these follow, or the whole of a CSV.
        sheet: what the journal's entries of it have in common; None for views, which are not noted.
        kind: content type.
        extra: headers of its own.
        extra: headers.
        etag: of the answer.
    """

    head: bytes
    sheet: Sheet | None
    kind: bytes
    extra: tuple[Header, ...] = ()
    etag: bytes = b""


class Ready:
    """Plates by question, the oldest dropped when there are too many. Used on the event loop alone."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._standing: Standing | None = None
        self._plates: OrderedDict[tuple[str, bytes], Plate] = OrderedDict()
        self._held = 0

    def find(self, form: str, question: bytes, standing: Standing) -> Plate | None:
        """The plate of a question in a form, if it was made for this very standing."""
        if standing is not self._standing:
            return None
        return self._plates.get((form, question))

    def keep(self, form: str, question: bytes, standing: Standing, plate: Plate) -> None:
        """Keep a plate, unless it is very large or of a standing that is no more."""
        size = _OVERHEAD + len(question) + len(plate.head)
        if size > LARGEST:
            return
        if standing is not self._standing:
            self._plates.clear()
            self._standing, self._held = standing, 0
        old = self._plates.pop((form, question), None)
        if old is not None:
            self._held -= _OVERHEAD + len(question) + len(old.head)
        self._plates[form, question] = plate
        self._held += size
        while self._held > self._most or len(self._plates) > MOST_PLATES:
            (_, gone), dropped = self._plates.popitem(last=False)
            self._held -= _OVERHEAD + len(gone) + len(dropped.head)
