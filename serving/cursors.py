"""Places in a list that is told in pages: opaque text that says of which list it is."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Final

from features.errors import AskError
from serving.errors import shown
from serving.layout import text_digest

LONGEST: Final = 200
_MARK: Final = 16


def cursor_of(place: int, *, whole: str, question: str) -> str:
    """Text for ``place`` in the list of ``whole`` (what it is a list of) under a ``question`` (filters)."""
    record = [_short(whole), _short(question), place]
    return base64.urlsafe_b64encode(json.dumps(record).encode()).decode().rstrip("=")


def place_of_cursor(cursor: str | None, *, whole: str, question: str, remedy: str) -> int:
    """The place a cursor names; 0 without one.

    Raises:
        AskError: no cursor of ours (``cursor-unreadable``), one of another list such as that of a model
            served before (``cursor-of-another-list``), or of other filters (``cursor-of-another-question``).
    """
    if cursor is None or cursor == "":
        return 0
    told, filters, place = _read(cursor)
    if told != _short(whole):
        raise _replaced(remedy)
    if filters != _short(question):
        raise AskError(
            "cursor-of-another-question",
            found="a cursor of a list with other filters",
            expected="the filters the cursor was given out for",
            remedy=remedy,
        )
    return place


def place_of_line(
    cursor: str | None, *, whole: str, count: int, line: Callable[[int], str], remedy: str
) -> int:
    """The place in a record of the line that a cursor names as its ``question``; the end without one.

    Older lines may have been thinned out since: the line then stands further down than it did.

    Raises:
        AskError: as ``place_of_cursor``; ``cursor-of-another-list`` too where the line itself has gone.
    """
    if cursor is None or cursor == "":
        return count
    told, named, place = _read(cursor)
    if told == _short(whole):
        for at in range(min(place, count - 1), -1, -1):
            if _short(line(at)) == named:
                return at
    raise _replaced(remedy)


def _replaced(remedy: str) -> AskError:
    return AskError(
        "cursor-of-another-list",
        found="a cursor of a list that has since been replaced",
        expected="a cursor of the present list",
        remedy=remedy,
    )


def _read(cursor: str) -> tuple[str, str, int]:
    try:
        if len(cursor) > LONGEST or not cursor.isascii():
            raise ValueError("not one of ours")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        whole, question, place = json.loads(raw)
        if not (isinstance(whole, str) and isinstance(question, str) and type(place) is int and place >= 0):
            raise ValueError("not one of ours")
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise AskError(
            "cursor-unreadable",
            found=f"cursor {shown(cursor)!r}",
            expected='the text of "next" in the page before',
            remedy="send the cursor as it came, or leave it out to begin at the first page",
        ) from None
    return whole, question, place


def _short(text: str) -> str:
    return text_digest(text)[:_MARK]
