"""Sentences of a brief with each of their numbers linked to the value it was made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from insights.brief import FORMS, at
from serving.report.document import Block, Cell, Number, Paragraph, Part
from serving.report.ledger import Ledger, Origin

# Numbers that stand alone: not those of CO2 or of a name such as rotterdam-co2.
_DIGITS: Final = r"[+-]?\d+(?:,\d{3})*(?:\.\d+)?%?"
_NUMBER: Final = re.compile(rf"(?<![\w-]){_DIGITS}(?![\w-])")


_WHAT: Final = "Numbers in sentences, in their order"
_OF_EACH: Final = Origin("", ("as of the value that each leads to",), "of each", "of each")
# Sentences with which a paragraph begins; a target that is measured in another scope begins with that.
_BEGINS: Final = frozenset({"measured", "target", "target-zero", "refused", "warming"})


def paragraphs(ledger: Ledger, under: str) -> list[Block]:
    """The brief below ``under``, a paragraph a target."""
    out: list[list[Part]] = []
    before = "measured"
    for k, told in enumerate(at(ledger.answer, f"{under}/brief")):
        begins = told["key"] in _BEGINS and before != "measured"
        if not out or begins:
            out.append([])
        out[-1] += [*([" "] if out[-1] else []), *linked(ledger, under, k)]
        before = told["key"]
    return [Paragraph(tuple(parts)) for parts in out]


def linked(ledger: Ledger, under: str, k: int) -> Cell:
    """Sentence ``k`` of the brief below ``under``: its numbers lead to their values, in the same answer."""
    place = f"{under}/brief/{k}"
    told = at(ledger.answer, place)
    text, out, done = str(told["text"]), list[Part](), 0
    for found in _NUMBER.finditer(text):
        if found.start() > done:
            out.append(text[done : found.start()])
        number = Number(found.group(), *_led(ledger, under, place, told["values"], found.group()))
        out.append(ledger.noted(number, _WHAT, "in-words", _OF_EACH))
        done = found.end()
    return (*out, text[done:]) if done < len(text) else tuple(out)


def _led(
    ledger: Ledger, under: str, place: str, values: Sequence[Mapping[str, Any]], text: str
) -> tuple[str, str]:
    """Place and address of the value that prints like this; the sentence itself where none does."""
    for each in values:
        if text in _printed(each["value"]):
            own = under + each["place"]
            return own, ledger.href(own)
    return f"{place}/text", ledger.href(f"{place}/text")


def _printed(value: Any) -> set[str]:
    """Every way in which a sentence may print a value."""
    out = set()
    for form, how in FORMS.items():
        if form in ("text", "list", "chance") and not isinstance(value, list | float):
            continue
        with suppress(TypeError, ValueError, KeyError, OverflowError):
            out |= set(re.findall(_DIGITS, how(value, _WORDS)))
    return out


_WORDS: Final = {"below-1-percent": "less than 1%", "above-99-percent": "more than 99%"}
