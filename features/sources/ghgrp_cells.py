"""What one cell of an EPA workbook means: a figure, a facility's number, a state, a sector."""

from __future__ import annotations

import math
import re
from typing import Any, Final

from features.sources.records import EXCLUDED, NOT_REPORTED, OPERATING
from features.sources.us_states import CODES

# A tonnage no single site reaches (the largest US plant emits about 0.02 of it): a slipped decimal mark.
IMPLAUSIBLE: Final = 1e9
SECTORS: Final = frozenset(
    {
        *("chemicals", "metals", "minerals", "other", "power-plants", "pulp-and-paper", "refineries"),
        *("waste", "petroleum-and-natural-gas-systems", "petroleum-product-suppliers", "suppliers-of-co2"),
        *("natural-gas-and-natural-gas-liquids-suppliers", "injection-of-co2", "industrial-gas-suppliers"),
        "import-and-export-of-equipment-containing-fluorintaed-ghgs",
    }
)
# The publisher's slip of the pen is the house word; a mended one is read as the same.
_MENDED: Final = {
    "import-and-export-of-equipment-containing-fluorinated-ghgs": (
        "import-and-export-of-equipment-containing-fluorintaed-ghgs"
    )
}
_WITHHELD: Final = frozenset({"confidential", "cbi", "withheld", "excluded"})
_UNTOLD: Final = frozenset({"", "-", "--", "---", "n/a", "na", "not reported", "none"})
_NUMBER: Final = re.compile(r"\d+(\.\d+)?")
_AMBIGUOUS: Final = re.compile(r"[1-9]\d{0,2}\.\d{3}")


def figure(cell: Any) -> tuple[float, str, str]:
    """Tonnes (NaN where there are none), the state of the record, and a complaint's code or "".

    Text is taken only where it can mean one number: 288.301 might be 288301 in another country.
    """
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _UNTOLD):
        return math.nan, NOT_REPORTED, ""
    if isinstance(cell, str):
        text = cell.strip()
        if text.lower() in _WITHHELD:
            return math.nan, EXCLUDED, "figure-withheld"
        if not _NUMBER.fullmatch(text) or _AMBIGUOUS.fullmatch(text):
            return math.nan, NOT_REPORTED, "figure-unreadable"
        cell = float(text)
    if isinstance(cell, bool) or not isinstance(cell, int | float) or not math.isfinite(cell):
        return math.nan, NOT_REPORTED, "figure-unreadable"
    if cell < 0:
        return math.nan, NOT_REPORTED, "figure-negative"
    if cell >= IMPLAUSIBLE:
        return math.nan, NOT_REPORTED, "figure-implausible"
    return float(cell), OPERATING, ""


def identity(cell: Any) -> str | None:
    """The facility's number as text, or None where the cell holds no whole number above 0."""
    if isinstance(cell, bool) or not isinstance(cell, int | float | str):
        return None
    if isinstance(cell, float):
        return str(int(cell)) if math.isfinite(cell) and cell.is_integer() and cell > 0 else None
    text = str(cell).strip()
    return text if re.fullmatch(r"[1-9]\d{0,11}", text, re.ASCII) else None


def state_of(cell: Any) -> tuple[str, str]:
    """The US state or territory (two letters, from these or the name) or "", and a complaint's code or "".

    Sites at sea have no state: an empty cell is no fault.
    """
    text = "" if cell is None else str(cell).strip().upper()
    code = CODES.get(text, "")
    return code, "" if code or not text else "state-unknown"


def house_sector(cell: Any) -> tuple[str, str]:
    """The house word of the first industry type named, and a complaint's code or "".

    A type that is new keeps its own word and a complaint; an empty cell is "other".
    """
    first = "" if cell is None else str(cell).split(",")[0].strip()
    word = re.sub(r"[^a-z0-9]+", "-", first.lower()).strip("-")
    word = _MENDED.get(word, word)
    if not word:
        return "other", "sector-untold"
    return word, "" if word in SECTORS else "sector-new"
