"""The error family: four kinds, told apart by who must act.

Every message reads in one order: what was found, what was expected, the first three offenders and
how many more, what to do.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Any

from features.logins import without_logins

SHOWN_OFFENDERS = 3
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_CLOSED = {errno.EACCES, errno.EPERM}


class ForecarbonError(Exception):
    """A refusal that names itself. Logins and queries of addresses in what was found are never told.

    Attributes:
        code: stable kebab-case name, for programs.
        found: what was there.
        expected: what should have been there.
        offenders: the first few guilty items, as text.
        more: how many offenders are not shown.
        remedy: what the reader can do.
        facts: further plain values for programs.
    """

    def __init__(
        self,
        code: str,
        *,
        found: str,
        expected: str,
        remedy: str,
        offenders: Sequence[object] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.found = without_logins(found)
        self.expected = expected
        self.remedy = remedy
        self.offenders = tuple(without_logins(str(item)) for item in offenders[:SHOWN_OFFENDERS])
        self.more = max(0, len(offenders) - SHOWN_OFFENDERS)
        self.facts: dict[str, Any] = {
            name: without_logins(value) if isinstance(value, str) else value
            for name, value in (facts or {}).items()
        }
        super().__init__(self.message)

    def __reduce__(self) -> tuple[Any, ...]:
        """Errors travel between processes as what they hold."""
        return _again, (type(self), dict(self.__dict__))

    @property
    def message(self) -> str:
        """The whole refusal in one line, in the house order."""
        parts = [f"found {self.found}", f"expected {self.expected}"]
        if self.offenders:
            tail = f" and {self.more} more" if self.more else ""
            parts.append(f"first: {', '.join(self.offenders)}{tail}")
        parts.append(self.remedy)
        return f"{self.code}: " + " · ".join(parts)

    def as_record(self) -> dict[str, Any]:
        """The refusal as JSON-ready fields (code, found, expected, offenders, more, remedy, facts)."""
        return {
            "code": self.code,
            "found": self.found,
            "expected": self.expected,
            "offenders": list(self.offenders),
            "more": self.more,
            "remedy": self.remedy,
            "facts": self.facts,
        }


def _again(kind: type[ForecarbonError], held: dict[str, Any]) -> ForecarbonError:
    fault = kind.__new__(kind)
    fault.__dict__.update(held)
    fault.args = (fault.message,)
    return fault


class AskError(ForecarbonError):
    """The caller asked for something that cannot be answered; the caller mends the question."""


class DataError(ForecarbonError):
    """The figures are not what they claim to be; whoever supplies them mends them."""


class ModelError(ForecarbonError):
    """No usable model; we mend it by retraining."""


class LawBroken(ForecarbonError):
    """One of our own laws does not hold: a bug of ours."""


def of_system(fault: OSError) -> ModelError:
    """What the system refused, in our own form: disk full, read-only, no permission, or its own words."""
    place = f" at {fault.filename}" if fault.filename else ""
    if fault.errno in _FULL:
        code, expected, remedy = "disk-full", "room to write", "make room and run it again"
    elif fault.errno == errno.EROFS:
        code, expected = "read-only", "a place that can be written to"
        remedy = "mount it for writing, or name another place, and run it again"
    elif fault.errno in _CLOSED:
        code, expected = "no-permission", "leave to read and write there"
        remedy = "run it as the user whom the store belongs to, or give that user the folder"
    else:
        code, expected = "system-refused", "the system to do what was asked"
        remedy = "mend what it says and run it again"
    said = f"{type(fault).__name__}: {fault.strerror or fault}{place}"
    return ModelError(code, found=said, expected=expected, remedy=remedy)
