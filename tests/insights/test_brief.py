from __future__ import annotations

import re
import tomllib
from string import Formatter

import pytest

from features.errors import AskError
from insights.assess import Scales, assessed
from insights.brief import FORMS, TEXTS, at, formed, languages, of_goal, written
from insights.goals import gathered
from serving.printed_progress import past_words
from tests.insights.grounds import goal, port
from tests.insights.test_measures import FACTORS

SCALES = Scales({**FACTORS, "sbti_aca_1p5": (4.2, float("nan"), float("nan"))}, None, "cluster")


def test_every_sentence_is_made_of_values_of_the_answer() -> None:
    goals = [
        goal(base_year=1990, base_mt=20.6, scope_id="co2", target_id="a"),
        goal("net-zero", 0.0, 2040, target_id="b"),
        goal("net-zero", 0.0, 2080, target_id="c"),
        goal(value=30.0, year=2035, target_id="d"),
    ]
    answer = {"targets": [assessed(each, port(), SCALES) for each in gathered(goals)]}
    said = [s for k, told in enumerate(answer["targets"]) for s in of_goal(told, f"/targets/{k}")]
    told = written(said, answer)
    assert len(told) > 12
    for sentence in told:
        assert sentence["values"], sentence["text"]
        for value in sentence["values"]:
            assert at(answer, value["place"]) == value["value"]
        assert not re.search(r"[{}]|nan|None", sentence["text"])


@pytest.mark.parametrize(
    ("year", "level", "outcome", "said"),
    [
        (2020, 20.0, (22.5e6, False), "past: 22.5 Mt were emitted against 20.0 Mt, so it was missed."),
        (2020, 22.5, (22.5e6, True), "past: 22.5 Mt were emitted against 22.5 Mt, so it was met."),
        (2021, 20.0, (None, None), "is past, and no figure of it is held."),
    ],
)
def test_a_target_whose_year_is_past_has_an_outcome_and_no_chance(
    year: int, level: float, outcome: tuple[float | None, bool | None], said: str
) -> None:
    told = assessed(gathered([goal("level", level, year, scope_id="co2")])[0], port(), SCALES)
    assert (told["chance"]["status"], told["chance"]["p"]) == ("past", None)
    assert told["chance"]["outcome"] == dict(zip(("value", "met"), outcome, strict=True))
    answer = {"targets": [told]}
    text = " ".join(each["text"] for each in written(of_goal(told, "/targets/0"), answer))
    assert f"The target year {year} {'' if said.startswith('is') else 'is '}{said}" in text
    assert "chance" not in text
    assert past_words(told["chance"]).startswith(f"target year {year} is past: ")


def test_a_catalogue_has_every_sentence_with_known_forms() -> None:
    english = tomllib.loads((TEXTS / "en.toml").read_text("utf-8"))
    for language in languages():
        told = tomllib.loads((TEXTS / f"{language}.toml").read_text("utf-8"))
        assert set(told["sentences"]) == set(english["sentences"])
        for text in told["sentences"].values():
            fields = [(name, form) for _, name, form, _ in Formatter().parse(text) if name]
            assert fields, f"a sentence without a number behind it: {text}"
            assert all(form in FORMS for _, form in fields), text


def test_numbers_are_printed_plainly() -> None:
    forms = {"below-1-percent": "less than 1%", "above-99-percent": "more than 99%"}
    shown = [("mt", 9.27e6, "9.27"), ("mt", 18.33e6, "18.3"), ("mt", 104.2e6, "104"), ("mt", 412e3, "0.412"),
             ("chance", 0.004, "less than 1%"), ("chance", 0.234, "23%"), ("chance", 0.999, "more than 99%"),
             ("years", 26.0, "26"), ("years", -1.25, "1.2"), ("count", [1, 2], "2")]  # fmt: skip
    for form, value, text in shown:
        assert formed(value, form, forms) == text


def test_an_unknown_language_or_place() -> None:
    with pytest.raises(AskError, match="language-unknown"):
        written([], {}, "xx")
    with pytest.raises(KeyError):
        at({"a": [1]}, "/a/7")
