"""The document model: what a report says, apart from how it is printed. Frozen, JSON-ready for printers."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from string import Formatter
from typing import Any, Final

# Controls but tab and line feed, surrogates, and the two last places of every plane.
_UNPRINTABLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


@dataclass(frozen=True)
class Number:
    """A value of the answer, as it is printed.

    Attributes:
        place: its JSON pointer in the answer.
        href: where it can be looked up; "" where the question is too long to be held in an address.
    """

    text: str
    place: str
    href: str


@dataclass(frozen=True)
class Words:
    """Text of the answer, printed as it stands: names, notes and statuses of the registry or the caller."""

    text: str
    place: str


@dataclass(frozen=True)
class Link:
    """A source."""

    text: str
    href: str


Part = str | Number | Words | Link
Cell = tuple[Part, ...]


@dataclass(frozen=True)
class Heading:
    """The head of a section (level 1) or of a part of it (2)."""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    """Sentences. ``kind`` is "plain", "note" for what must not be overlooked, or "source"
    for what a table stands on."""

    parts: Cell
    kind: str = "plain"


@dataclass(frozen=True)
class KeyFigure:
    """One figure of the first page: what it is, its value, and how sure it is."""

    label: str
    value: Cell
    note: Cell


@dataclass(frozen=True)
class KeyFigures:
    """The figures of the first page, side by side."""

    items: tuple[KeyFigure, ...]


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        align: one sign a column: "l" or "r".
        widths: relative widths of the columns; 0 for as wide as needed.
        small: in small print.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    align: str
    widths: tuple[float, ...]
    small: bool = False


@dataclass(frozen=True)
class Chart:
    """A drawing. ``alt`` says in words what it shows; ``caption`` leads to its numbers."""

    svg: str
    alt: str
    caption: Cell


Block = Heading | Paragraph | KeyFigures | Table | Chart


@dataclass(frozen=True)
class Document:
    """A whole report.

    Attributes:
        lines: below the title: what of, made from what.
        date: ISO date that the document bears: that of the figures, so that the same question has the same
            bytes.
        foot: on every page.
    """

    title: str
    subtitle: str
    lines: tuple[Cell, ...]
    date: str
    foot: str
    blocks: tuple[Block, ...]
    language: str = "en"

    def as_record(self) -> dict[str, Any]:
        """JSON-ready; every block and part says what it is in ``is``."""
        return {
            "title": printable(self.title),
            "subtitle": printable(self.subtitle),
            "lines": [_parts(line) for line in self.lines],
            "date": self.date,
            "foot": printable(self.foot),
            "language": self.language,
            "blocks": [_block(block) for block in self.blocks],
        }


def say(template: str, **values: Part | Cell) -> Cell:
    """A sentence with values in it: ``say("It emitted {mt} in {year}.", mt=..., year=...)``."""
    out: list[Part] = []
    for literal, name, _, _ in Formatter().parse(template):
        if literal:
            out.append(literal)
        if name is not None:
            value = values[name]
            out.extend(value if isinstance(value, tuple) else (value,))
    return tuple(out)


def printable(text: str) -> str:
    """Text without what no printer can print: halves of pairs, controls and signs that are none."""
    return _UNPRINTABLE.sub("\ufffd", text)


def plain(cell: Cell) -> str:
    """The text of a cell."""
    return "".join(part if isinstance(part, str) else part.text for part in cell)


def _parts(cell: Cell) -> list[dict[str, str]]:
    return [_part(part) for part in cell]


def _part(part: Part) -> dict[str, str]:
    if isinstance(part, str):
        return {"is": "text", "text": printable(part)}
    told = {name: printable(text) for name, text in asdict(part).items()}
    return {"is": type(part).__name__.lower(), **told}


def _block(block: Block) -> dict[str, Any]:
    told: dict[str, Any] = {"is": type(block).__name__.lower()}
    for name, value in vars(block).items():
        told[name] = _shaped(value)
    return told


def _shaped(value: Any) -> Any:
    if isinstance(value, KeyFigure):
        return {"label": printable(value.label), "value": _parts(value.value), "note": _parts(value.note)}
    if (
        isinstance(value, tuple)
        and value
        and all(isinstance(item, str | Number | Words | Link) for item in value)
    ):
        # A row of plain texts (the head of a table) and a cell look alike: both print as parts.
        return _parts(value)
    if isinstance(value, tuple):
        return [_shaped(item) for item in value]
    return printable(value) if isinstance(value, str) else value
