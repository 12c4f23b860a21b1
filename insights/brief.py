"""The brief: short plain sentences, each made of values of an answer and tied to their places in it.

Texts stand in ``insights/texts``, one file a language; here is only which sentence is said when. No sentence
is said without a value behind it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any, Final

from features.errors import AskError

TEXTS: Final = Path(__file__).parent / "texts"
LANGUAGE: Final = "en"
# Chances beyond it are told as "less than" and "more than": no past is long enough to tell them apart.
RAREST: Final = 0.01


@dataclass(frozen=True)
class Said:
    """One sentence.

    Attributes:
        key: of the catalogue.
        places: field -> JSON pointer into the answer.
    """

    key: str
    places: Mapping[str, str]


def languages() -> tuple[str, ...]:
    """Those that have a catalogue."""
    return tuple(sorted(path.stem for path in TEXTS.glob("*.toml")))


def written(
    said: Sequence[Said], answer: Mapping[str, Any], language: str = LANGUAGE
) -> list[dict[str, Any]]:
    """Sentences with the values they are made of: key, text and values by JSON pointer.

    Raises:
        AskError: no catalogue of that language.
        KeyError: a place that the answer does not have: a bug of whoever chose the sentence.
    """
    catalogue = _catalogue(language)
    out = []
    for each in said:
        values = {name: at(answer, place) for name, place in each.places.items()}
        text = _filled(catalogue["sentences"][each.key], values, catalogue["forms"])
        out.append(
            {
                "key": each.key,
                "text": text,
                "values": [{"place": each.places[name], "value": value} for name, value in values.items()],
            }
        )
    return out


def at(answer: Any, pointer: str) -> Any:
    """The value at a JSON pointer (RFC 6901).

    Raises:
        KeyError: there is none.
    """
    value = answer
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            value = value[int(name)] if isinstance(value, list) else value[name]
        except (IndexError, TypeError, ValueError) as fault:
            raise KeyError(pointer) from fault
    return value


@cache
def _catalogue(language: str) -> dict[str, dict[str, str]]:
    if language not in languages():
        raise AskError(
            "language-unknown",
            found=f"language {language!r}",
            expected="one of " + ", ".join(languages()),
            remedy="ask for a language from the list",
        )
    told: dict[str, dict[str, str]] = tomllib.loads((TEXTS / f"{language}.toml").read_text("utf-8"))
    return told


def _filled(template: str, values: Mapping[str, Any], forms: Mapping[str, str]) -> str:
    out = []
    for literal, name, form, _ in Formatter().parse(template):
        out.append(literal)
        if name is not None:
            out.append(formed(values[name], form or "text", forms))
    text = "".join(out)
    return text[:1].upper() + text[1:]


def formed(value: Any, form: str, forms: Mapping[str, str]) -> str:
    """A value as it is printed in a sentence."""
    return FORMS[form](value, forms)


def _chance(value: float, forms: Mapping[str, str]) -> str:
    if value < RAREST:
        return forms["below-1-percent"]
    return forms["above-99-percent"] if value > 1 - RAREST else f"{100 * value:.0f}%"


def _significant(value: float) -> str:
    """Three digits, and none invented: 9.27, 18.3, 0.412, 104."""
    size = abs(value)
    digits = 2 if size >= 1 else 3
    return f"{size:.0f}" if size >= 100 else f"{size:.1f}" if size >= 10 else f"{size:.{digits}f}"


FORMS: Final[Mapping[str, Callable[[Any, Mapping[str, str]], str]]] = {
    "text": lambda value, _: str(value),
    "year": lambda value, _: str(int(value)),
    "count": lambda value, _: str(len(value) if isinstance(value, list) else int(value)),
    "list": lambda value, _: ", ".join(map(str, value)),
    "mt": lambda value, _: _significant(value / 1e6),
    "signed-mt": lambda value, _: f"{'+' if value > 0 else '-'}{_significant(abs(value) / 1e6)}",
    "signed-percent": lambda value, _: f"{value:+.1f}%",
    "mt-size": lambda value, _: _significant(abs(value) / 1e6),
    "percent": lambda value, _: f"{value:.1f}%",
    "percent-of": lambda value, _: f"{value:.0f}%",
    "years": lambda value, _: f"{abs(value):.0f}" if abs(value) >= 2 else f"{abs(value):.1f}",
    "intensity": lambda value, _: f"{value:.3g}",
    "times": lambda value, _: f"{value:.1f}",
    "degrees": lambda value, _: f"{value:.1f}",
    "chance": _chance,
}


def of_goal(told: Mapping[str, Any], place: str) -> list[Said]:
    """What is said of one goal; ``place`` is its pointer in the answer, ``told`` its value there."""
    if told["status"] == "refused":
        return [
            Said("refused", {"target_year": f"{place}/target/target_year", "found": f"{place}/refusal/found"})
        ]
    return [
        *_of_target(told, place),
        *_of_track(told, place),
        *_of_need(told, place),
        *_of_chance(told, place),
        *_of_crossing(told, place),
        *_of_science(told, place),
    ]


def _of_target(told: Mapping[str, Any], place: str) -> list[Said]:
    year = f"{place}/target/target_year"
    zero = told["level"] == 0
    said = [
        Said(
            "target-zero" if zero else "target", {"target_year": year} | _if(not zero, level=f"{place}/level")
        )
    ]
    if told["also_told_as"]:
        said.append(Said("target-twice", {"times": f"{place}/tellings"}))
    if told["conflicts"]:
        said.append(Said("conflict", {"times": f"{place}/conflicts", "target_year": year}))
    if "scope-assumed" in told["notes"]:
        said.append(Said("assumed", {"scope": f"{place}/scope"}))
    if "base-over-a-bridge" in told["notes"]:
        said.append(Said("base-bridged", {"base_year": f"{place}/base_year"}))
    return said


def _if(held: bool, **places: str) -> dict[str, str]:
    return places if held else {}


def _of_track(told: Mapping[str, Any], place: str) -> list[Said]:
    track = told["on_track"]
    if track is None:
        return []
    gap = f"{place}/on_track/gap"
    if track["gap"] <= 0:
        return [Said("ahead", {"gap": gap})]
    if track["gap_percent"] is None:
        said = [Said("behind-zero", {"gap": gap})]
    else:
        said = [Said("behind", {"gap": gap, "gap_percent": f"{place}/on_track/gap_percent"})]
    delay = f"{place}/on_track/delay_years"
    if track["delay_bound"] == "at-least":
        said.append(Said("not-begun", {"base_year": f"{place}/base_year", "delay": delay}))
    elif track["delay_years"] is not None:
        said.append(Said("delay", {"delay": delay}))
    return said


def _of_need(told: Mapping[str, Any], place: str) -> list[Said]:
    need, at_ = told["needed"], f"{place}/needed"
    if told["chance"]["status"] == "past":
        return [_of_outcome(told["chance"]["outcome"], place)]
    if need["linear"] <= 0:
        return []
    said = [Said("need", {"linear": f"{at_}/linear"})]
    if need["compound"] is not None:
        said.append(Said("need-compound", {"compound": f"{at_}/compound"}))
    pace = {"achieved": f"{at_}/achieved", "achieved_from": f"{at_}/achieved_from"}
    if need["ratio"] is not None:
        said.append(Said("need-ratio", {**pace, "ratio": f"{at_}/ratio"}))
    elif need["achieved"] is not None and need["achieved"] < 0:
        said.append(Said("need-growth", pace))
    return said


def _of_outcome(outcome: Mapping[str, Any], place: str) -> Said:
    year = {"target_year": f"{place}/target/target_year"}
    if outcome["value"] is None:
        return Said("past", year)
    told = {**year, "mt": f"{place}/chance/outcome/value", "level": f"{place}/level"}
    return Said("past-met" if outcome["met"] else "past-missed", told)


def _of_chance(told: Mapping[str, Any], place: str) -> list[Said]:
    chance, at_ = told["chance"], f"{place}/chance"
    if chance["p"] is None:
        return []
    if chance["status"] == "beyond-horizon":
        said = [Said("chance-horizon", {"year": f"{at_}/year", "p": f"{at_}/p"})]
    elif chance["calibrated"] and (chance["p_high"] < RAREST or chance["p_low"] > 1 - RAREST):
        said = [Said("chance-sure", {"p": f"{at_}/p"})]
    elif chance["calibrated"]:
        said = [Said("chance", {name: f"{at_}/{name}" for name in ("p", "p_low", "p_high")})]
    else:
        said = [Said("chance-raw", {"p": f"{at_}/p"})]
    if told["informed_by"]:
        said.append(Said("informed", {"informed_by": f"{place}/informed_by"}))
    return said


def _of_crossing(told: Mapping[str, Any], place: str) -> list[Said]:
    crossing, at_ = told["crossing"], f"{place}/crossing"
    said = []
    if crossing["median_lasting_year"] is not None:
        said.append(Said("crossing", {"median": f"{at_}/median_lasting_year"}))
    else:
        places = {"share": f"{at_}/not_lasting_by_horizon", "horizon": f"{at_}/horizon"}
        said.append(Said("no-crossing", places))
    if told["budget"] is not None:
        over = told["budget"]["overshoot"]["q0.5"]
        places = {"to_year": f"{place}/budget/to_year", "overshoot": f"{place}/budget/overshoot/q0.5"}
        said.append(Said("budget" if over > 0 else "budget-under", places))
    return said


def _of_science(told: Mapping[str, Any], place: str) -> list[Said]:
    if told["science"] is None:
        return []
    if "intensity_asked" in told["science"]:
        places = {name: f"{place}/science/{name}" for name in ("intensity", "intensity_asked")}
        return [Said("sda-pass" if told["science"]["passes"] else "sda-fail", places)]
    places = {name: f"{place}/science/{name}" for name in ("rate", "asked")}
    return [Said("science-pass" if told["science"]["passes"] else "science-fail", places)]
