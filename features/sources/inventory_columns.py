"""Which column of an inventory is which: read from its header, the units, gases and years in it too."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from features.errors import AskError
from features.series.units import CO2E, gas_of, unit_of

LINE, ID, WHEN, FIGURE, UNIT, GAS, GWP = "line", "id", "ds", "y", "unit", "gas", "gwp"
TRAITS: Final = ("name", "country", "region", "sector", "activity", "cluster", "lat", "lon")
ROLES: Final = {
    ID: ("unique_id", "facility_id", "site_id", "installation_id", "plant_id", "id", "facility", "site",
         "installation", "plant"),
    WHEN: ("ds", "year", "date", "period", "month", "quarter", "reporting_year", "calendar_year"),
    UNIT: ("unit", "units"),
    GAS: ("gas", "ghg", "pollutant"),
    GWP: ("gwp", "gwp_set"),
    "name": ("name", "facility_name", "site_name", "installation_name", "plant_name"),
    "country": ("country",), "region": ("region", "state"), "sector": ("sector",), "activity": ("activity",),
    "cluster": ("cluster", "cluster_id"), "lat": ("lat", "latitude"), "lon": ("lon", "lng", "longitude"),
}  # fmt: skip
_FIGURE_WORDS: Final = ("y", "value", "emissions", "emission", "amount", "quantity")
_FILLERS: Final = re.compile(r"(?i)\b(?:scope 1|total|verified|reported|ghg|direct|annual|in|of)\b")
_PERSONAL: Final = re.compile(
    r"(?i)contact|e[\s_-]?mail|phone|\btel\b|mobile|address|person|\bowner|holder|responsible|manager|author"
    r"|prepared|submitted|signed|reporter|first[\s_-]?name|last[\s_-]?name|surname"
)
_PERIOD: Final = re.compile(r"(?<![\w.])([12]\d{3}(?:-(?:Q[1-4]|\d{2}(?:-\d{2})?))?)(?![\w.-])", re.ASCII)
_FISCAL: Final = re.compile(r"(?i)\b(?:fy|financial|fiscal)\b|\bfy[\s'_-]?\d{2}|\d{4}[/-]\d{2}(?:\d{2})?\b")
_YEARLIKE: Final = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_SET: Final = re.compile(r"(?i)\bAR[4-9]\b")
_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]*)[)\]]")


@dataclass(frozen=True)
class Figures:
    """A column of figures: where it is, and the period, unit, gas and GWP set its name tells ("" = none)."""

    place: int
    label: str
    when: str = ""
    unit: str = ""
    gas: str = ""
    gwp: str = ""


@dataclass(frozen=True)
class Columns:
    """The header of an inventory.

    Attributes:
        places: role -> column.
        figures: the columns of figures.
        ignored, personal: names of columns that nobody reads; those that look like personal data.
        width: cells up to the last name.
        unnamed: columns without a name.
    """

    places: dict[str, int]
    figures: tuple[Figures, ...]
    ignored: tuple[str, ...]
    personal: tuple[str, ...]
    width: int
    unnamed: tuple[int, ...]


def columns_of(cells: Sequence[str]) -> Columns | None:
    """The columns of the header ``cells``, or None where the row is no header of an inventory.

    Raises:
        AskError: ``column-ambiguous``, ``column-unclear``, ``financial-year-unclear``, ``unit-unknown``.
    """
    names = [_role_name(cell) for cell in cells]
    fits = {role: [n for n in known if n in names] for role, known in ROLES.items()}
    if not fits[ID]:
        fits[ID], fits["name"] = fits["name"], []
    if not fits[ID]:
        return None
    taken = {names.index(word) for words in fits.values() for word in words}
    figures = [told for i, cell in enumerate(cells) if i not in taken and (told := _figures(i, cell))]
    used = taken | {one.place for one in figures}
    rest = [cell for i, cell in enumerate(cells) if i not in used and cell]
    wide = any(one.when for one in figures)
    if not wide and not (fits[WHEN] and figures):
        _refuse_unclear([cell for cell in rest if not _PERSONAL.search(cell)])
        return None
    _refuse_ambiguous(fits, names, figures)
    if wide:
        _refuse_unclear(rest)
    width = max(i for i, cell in enumerate(cells) if cell) + 1
    return Columns(
        places={role: names.index(words[0]) for role, words in fits.items() if words},
        figures=tuple(figures),
        ignored=tuple(cell for cell in rest if not _PERSONAL.search(cell)),
        personal=tuple(cell for cell in rest if _PERSONAL.search(cell)),
        width=width,
        unnamed=tuple(i for i, cell in enumerate(cells[:width]) if not cell),
    )


def _role_name(cell: str) -> str:
    return re.sub(r"[\s_-]+", "_", _BRACKETS.sub("", cell).strip().lower())


def _figures(place: int, cell: str) -> Figures | None:
    """What the name of a column of figures tells, or None where it names none."""
    if not cell or _PERSONAL.search(cell) or _FISCAL.search(_BRACKETS.sub("", _iso(cell))):
        return None
    sets = {name.upper() for name in _SET.findall(cell)}
    inner = [_SET.sub("", told).strip(" ,;:") for told in _BRACKETS.findall(cell)]
    base = _SET.sub("", _BRACKETS.sub("", cell))
    when = _PERIOD.search(base)
    words = base.replace(when[0], " ") if when else base
    words = " ".join(re.sub(r"[_,:;]", " ", words).split())
    plain = " ".join(_FILLERS.sub(" ", words.lower()).split())
    figure_word = next((w for w in _FIGURE_WORDS if re.search(rf"\b{w}\b", plain)), "")
    bare = " ".join(w for w in _FILLERS.sub(" ", words).split() if w.lower() not in _FIGURE_WORDS)
    unit, gas = _measure(bare)
    if bare and not (unit or gas):
        return None
    if not (when or figure_word or gas or (unit and unit_of(unit).gas)):
        return None
    for told in filter(None, inner):
        of_inner = _measure(told)
        if of_inner == ("", ""):
            unit_of(told)  # raises, naming what is written there
        unit, gas = of_inner[0] or unit, of_inner[1] or gas
    if len(sets) > 1:
        raise _ambiguous([cell])
    return Figures(place, cell, when[0] if when else "", unit, gas, next(iter(sets), ""))


def _iso(cell: str) -> str:
    """The name without periods that are dates, which are no financial years such as 2015-16 or 2015/16."""
    return re.sub(r"[12]\d{3}-(?:0\d|1[0-2])(?:-\d{2})?(?!\d)", "", cell)


def _measure(text: str) -> tuple[str, str]:
    """(unit, gas) that ``text`` writes, each "" where it writes none."""
    try:
        return ("", gas_of(text)) if text else ("", "")
    except AskError:
        try:
            unit_of(text)
        except AskError:
            return "", ""
        return text, ""


def _refuse_unclear(rest: Sequence[str]) -> None:
    fiscal = [cell for cell in rest if _FISCAL.search(_iso(cell))]
    if fiscal:
        raise AskError(
            "financial-year-unclear",
            found="columns of financial years, which begin in any month",
            expected="calendar years such as 2015",
            offenders=fiscal,
            remedy="name the column 2015 if its figures are of that calendar year",
        )
    unclear = [cell for cell in rest if _YEARLIKE.search(cell)]
    if unclear:
        raise AskError(
            "column-unclear",
            found="columns with a year in their name that cannot be told to hold figures or not",
            expected="a period, and with it no more than a gas and a unit, such as 2015 (kt CO2e)",
            offenders=unclear,
            remedy="rename or take away these columns",
        )


def _refuse_ambiguous(fits: dict[str, list[str]], names: list[str], figures: list[Figures]) -> None:
    wrong = [name for words in fits.values() for name in words if names.count(name) > 1]
    single = {role: words for role, words in fits.items() if role not in (ID, "name")}
    wrong += [" and ".join(words) for words in single.values() if len(words) > 1]
    keys = [(one.when, one.gas or (unit_of(one.unit).gas if one.unit else "")) for one in figures]
    wrong += [one.label for one, key in zip(figures, keys, strict=True) if keys.count(key) > 1]
    if len({bool(one.when) for one in figures}) > 1 or (fits[WHEN] and any(one.when for one in figures)):
        wrong.append("columns of years beside " + " and ".join(fits[WHEN] or [figures[0].label]))
    gases = {gas for _, gas in keys}
    if len(gases) > 1 and gases & {"", CO2E}:
        wrong += [
            o.label + " beside its parts" for o, k in zip(figures, keys, strict=True) if k[1] in ("", CO2E)
        ]
    if fits[UNIT] and any(one.unit for one in figures):
        wrong.append("units in a column and in names")
    if fits[GAS] and gases != {""}:
        wrong.append("gases in a column and in names")
    if wrong:
        raise _ambiguous(wrong)


def _ambiguous(offenders: Sequence[str]) -> AskError:
    return AskError(
        "column-ambiguous",
        found="columns that could each be meant",
        expected="one column a meaning, and one layout: a row a figure, a column a gas, or a column a year",
        offenders=offenders,
        remedy="rename or take away the columns that are not meant",
    )
