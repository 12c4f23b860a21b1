"""Refusals of plans, in one form: which field, what was found, what is allowed, what to do."""

from __future__ import annotations

from typing import Any, Final

from features.errors import AskError

SHOWN: Final = 80


def refused(code: str, field: str, found: Any, allowed: str, remedy: str = "") -> AskError:
    """The refusal of one field of a plan.

    Args:
        field: its place, as ``projects[0].capacity``.
        found: what stood there; shown cut to ``SHOWN`` signs.
        allowed: what may stand there.
        remedy: what to do; without one, to mend the field.
    """
    text = shown(found)
    return AskError(
        code,
        found=f"{field}: {text}",
        expected=allowed,
        remedy=remedy or f"mend {field}",
        facts={"field": field, "found": text, "allowed": allowed},
    )


def shown(value: Any, most: int = SHOWN) -> str:
    """A foreign value, safe and short enough to be repeated back: ``most`` signs."""
    text = value if isinstance(value, str) else repr(value)
    safe = "".join(sign if sign.isprintable() else "?" for sign in text[: most + 1])
    return safe if len(safe) <= most else safe[:most] + "…"
