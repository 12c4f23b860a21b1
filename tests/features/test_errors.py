from __future__ import annotations

import json

import pytest

from features.errors import AskError, DataError, ForecarbonError, LawBroken, ModelError, of_system


@pytest.mark.parametrize("kind", [AskError, DataError, ModelError, LawBroken])
def test_the_message_keeps_the_house_order(kind: type[ForecarbonError]) -> None:
    error = kind("a-code", found="X", expected="Y", offenders=["1", "2"], remedy="do Z")
    assert str(error) == "a-code: found X · expected Y · first: 1, 2 · do Z"


def test_three_offenders_are_shown_and_the_rest_counted() -> None:
    error = DataError("c", found="f", expected="e", offenders=[1, 2, 3, 4, 5], remedy="r")
    assert error.offenders == ("1", "2", "3")
    assert error.more == 2
    assert "1, 2, 3 and 2 more" in error.message


def test_without_offenders_none_are_told() -> None:
    assert "first:" not in DataError("c", found="f", expected="e", remedy="r").message


def test_the_record_is_json_and_complete() -> None:
    error = AskError("c", found="f", expected="e", offenders=["o"], remedy="r", facts={"rows": 3})
    assert json.loads(json.dumps(error.as_record())) == {
        "code": "c", "found": "f", "expected": "e", "offenders": ["o"], "more": 0, "remedy": "r",
        "facts": {"rows": 3},
    }  # fmt: skip


def test_facts_are_not_shared_with_the_caller() -> None:
    facts = {"a": 1}
    error = AskError("c", found="f", expected="e", remedy="r", facts=facts)
    facts["a"] = 2
    assert error.facts == {"a": 1}


@pytest.mark.parametrize(
    ("number", "code"),
    [(28, "disk-full"), (27, "disk-full"), (30, "read-only"), (13, "no-permission"), (5, "system-refused")],
)
def test_what_the_system_refuses_says_what_to_do(number: int, code: str) -> None:
    fault = of_system(OSError(number, "words of the system", "/some/place"))
    assert fault.code == code
    assert "words of the system at /some/place" in fault.message
    assert "run it again" in fault.remedy or "run it as the user" in fault.remedy
