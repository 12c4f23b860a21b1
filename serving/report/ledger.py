"""The ledger of a document: every number it prints, from where in the answer, and on what evidence.

A number can only be printed by its place in the answer, so that it is the answer's and leads back to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlsplit

from insights.brief import at
from serving.report.document import Block, Cell, Link, Number, Paragraph, Table, Words
from serving.report.forms import formed, unit_of

PROVENANCE: Final = "/v1/provenance/"
# As many numbers of one line of the evidence are shown; of more, the first and the last.
_ALL: Final = 5


@dataclass(frozen=True)
class Origin:
    """On what the numbers below a place stand.

    Attributes:
        under: JSON pointer; the longest that fits is taken.
        grade: of the evidence.
        vintage: when it was known.
    """

    under: str
    source: Cell
    grade: str
    vintage: str


@dataclass
class Ledger:
    """Numbers of one answer, as they are printed.

    Attributes:
        answer: as the API gives it.
        answer_id: of it; None where the question is too long for one.
        address: what stands before /v1/…; "" for links within the service.
    """

    answer: Mapping[str, Any]
    answer_id: str | None
    address: str
    origins: Sequence[Origin]
    _given: dict[tuple[str, str], Origin] = field(default_factory=dict)
    _rows: dict[tuple[str, str], list[Number]] = field(default_factory=dict)

    def number(self, place: str, form: str, what: str) -> Number:
        """The value at ``place``, printed in ``form``.

        Args:
            what: what it counts; numbers that count the same are one line of the evidence.

        Raises:
            KeyError: there is no such place.
        """
        return self.noted(Number(formed(at(self.answer, place), form), place, self.href(place)), what, form)

    def noted(self, number: Number, what: str, form: str, origin: Origin | None = None) -> Number:
        """``number``, printed already, in the evidence too; ``origin`` where its place tells none."""
        if origin is not None:
            self._given[(what, unit_of(form))] = origin
        kept = self._rows.setdefault((what, unit_of(form)), [])
        if number.place not in {each.place for each in kept}:
            kept.append(number)
        return number

    def held(self, place: str) -> bool:
        """Whether there is a value at a place."""
        try:
            return at(self.answer, place) is not None
        except KeyError:
            return False

    def words(self, place: str) -> Words:
        """The text at a place, as it stands there; "" for none."""
        value = at(self.answer, place)
        return Words("" if value is None else str(value), place)

    def band(self, place: str, form: str, what: str) -> Cell:
        """The 80% band below a place: "12.9 to 26.3"."""
        low, high = (self.number(f"{place}/{name}", form, what) for name in ("q0.1", "q0.9"))
        return (low, " to ", high)

    def href(self, place: str) -> str:
        """Where the value of a place can be looked up (RFC 6901, section 6); "" without an answer_id."""
        if self.answer_id is None:
            return ""
        return f"{self.address}{PROVENANCE}{self.answer_id}#{quote('/answer' + place, safe='/~.')}"

    def evidence(self) -> list[Block]:
        """Every number printed so far, by what it stands on: what it counts, its values, their unit."""
        groups: dict[tuple[Cell, str, str], list[tuple[Cell, ...]]] = {}
        for (what, unit), numbers in self._rows.items():
            origin = self._given.get((what, unit)) or self._origin(numbers[0].place)
            row = ((what,), _shown(numbers), (unit,))
            groups.setdefault((origin.source, origin.grade, origin.vintage), []).append(row)
        out: list[Block] = []
        for (source, grade, vintage), rows in groups.items():
            out.append(Paragraph(("Source: ", *source, f". Evidence: {grade}. As of: {vintage}."), "source"))
            out.append(
                Table(
                    "", ("What it counts", "Value", "Unit"), tuple(rows), "lll", (3.6, 2.6, 0.8), small=True
                )
            )
        return out

    def _origin(self, place: str) -> Origin:
        fit = [each for each in self.origins if place.startswith(each.under)]
        return max(fit, key=lambda each: len(each.under))


def _shown(numbers: Sequence[Number]) -> Cell:
    """Up to five numbers, or the first and the last of many."""
    if len(numbers) <= _ALL:
        return tuple(part for number in numbers for part in (number, "; "))[:-1]
    return (numbers[0], " … ", numbers[-1], f" ({len(numbers)})")


def sources_of(text: str | None) -> Cell:
    """Sources as links, named by their hosts; what is no address stands as it is."""
    out: list[Any] = []
    for each in (text or "").split(" | "):
        if not each:
            continue
        host = urlsplit(each).hostname if each.startswith(("https://", "http://")) else None
        out += [", "] if out else []
        out.append(Link(host.removeprefix("www."), each) if host else each)
    return tuple(out)
