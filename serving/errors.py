"""The one place where a refusal becomes an HTTP status and a body.

Who must act decides: the caller's question 400 (404 for an unknown name, the protocol's own codes for
protocol faults), the caller's figures 422, our model 503, our bug 500.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from features.errors import AskError, DataError, ForecarbonError, ModelError
from insights import refusals

STATUS_OF_CODE: Final[Mapping[str, int]] = {
    "key-missing": 401,
    "key-unknown": 401,
    "key-expired": 401,
    "key-revoked": 401,
    "key-unscoped": 403,
    "origin-refused": 403,
    "unknown-path": 404,
    "unknown-period": 404,
    "unknown-forecast": 404,
    "unknown-model": 404,
    "scope-unknown": 404,
    "nothing-found": 404,
    "cursor-unreadable": 404,
    "cursor-of-another-list": 404,
    "cursor-of-another-question": 404,
    "unknown-cluster": 404,
    "unknown-series": 404,
    "unknown-target": 404,
    "unknown-project": 404,
    "unknown-answer": 404,
    "unknown-scenario": 404,
    "unknown-inventory": 404,
    "method-not-allowed": 405,
    "not-acceptable": 406,
    "body-too-slow": 408,
    "scenario-moved-on": 409,
    "body-too-large": 413,
    "wrong-content-type": 415,
    "series-absent": 422,
    # The question fits the document; what it is about allows no such answer.
    **dict.fromkeys(
        (
            *("activity-missing", "base-year-missing", "base-year-outside-series", "cadence-not-yearly"),
            *("cadence-not-annual", "drivers-unknown", "field-unreadable", "group-too-small", "no-paths"),
            *("no-measured-target", "paths-unknown", "scope-break-inside", "scope-unlike", "span-empty"),
            *("target-contradicts", "target-implausible", "target-slip", "too-few-years"),
            *("network-implausible", "plan-implausible", "corridor-implausible", "contract-implausible"),
            *("split-implausible", "years-unlike", "emissions-counted-twice"),
            *("year-not-forecast", "year-without-figure", "bridge-too-thin"),
            *(
                "capacity-over-project",
                "capacity-over-store",
                "currency-mixed",
                "field-foreign",
                "name-twice",
            ),
            *("order-incomplete", "project-ended", "project-incomplete", "project-kind-unknown"),
            *("project-running", "project-size-unknown", "project-start-unknown", "project-twice"),
            *("quantity-out-of-range", "ramp-impossible", "risk-impossible", "size-missing"),
            *("start-after-end", "start-after-forecast", "start-missing", "store-unknown", "unit-mismatch"),
            *("builds-on-missing", "scenario-too-large", "too-many-saved", "portfolio-implausible"),
            *("inventory-too-large", "inventory-name-empty"),
            *("plan-empty", "report-of-another-cluster", "capex-after-window"),
        ),
        422,
    ),
    "cadence-finer-than-ds": 422,
    "answer-too-large": 422,
    "batch-too-large": 422,
    "too-many-requests": 429,
    "headers-too-large": 431,
    "too-busy": 429,
    "keys-unread": 503,
    "state-database": 503,
    "state-newer": 503,
}
# Seconds after which it is worth trying again.
WAITS: Final[Mapping[int, int]] = {429: 1, 503: 5}
SHOWN_CHARACTERS: Final = 60
_CODE_OF_FIELD: Final[Mapping[str, str]] = {
    "steps": "steps-out-of-range",
    "levels": "level-out-of-range",
    "quantiles": "quantile-out-of-range",
}
_RANGE_FAULTS: Final = frozenset(
    {
        *("greater_than", "greater_than_equal", "less_than", "less_than_equal"),
        *("too_short", "too_long", "string_too_short", "string_too_long"),
    }
)
_EXPECTED_OF_FIELD: Final[Mapping[str, str]] = {
    "steps": "a whole number from 1 to 30",
    "levels": "central coverage in percent, above 0 and at most 99.9",
    "quantiles": "quantiles from 0.0005 to 0.9995",
}
# How pydantic names the arms of ``str | int`` in a place; they are no fields of ours.
_UNION_ARMS: Final = frozenset({"constrained-str", "str", "int"})
_REMEDY_OF_FIELD: Final[Mapping[str, str]] = {
    "steps": "ask for 1 to 30 steps",
    "levels": "ask for central coverage in percent, such as 80 and 95",
    "quantiles": "ask for quantiles such as 0.1, 0.5 and 0.9",
}


def status_of(error: ForecarbonError) -> int:
    """The HTTP status of a refusal."""
    if error.code == "too-busy" and isinstance(error, ModelError):
        return 503  # no free place of ours, whoever asks; the guard's own is the caller's doing
    if error.code in STATUS_OF_CODE:
        return STATUS_OF_CODE[error.code]
    if isinstance(error, AskError):
        return 400
    if isinstance(error, DataError):
        return 422
    return 503 if isinstance(error, ModelError) else 500


def body_of(error: ForecarbonError, request_id: str) -> dict[str, Any]:
    """The error form: what was found, what was expected, who is guilty, what to do."""
    return {"error": error.as_record(), "request_id": request_id}


def title_of(code: str) -> str:
    """A code in words: "unknown-cluster" is "Unknown cluster"."""
    return code.replace("-", " ").capitalize()


def retry_after(error: ForecarbonError, status: int) -> int:
    """Whole seconds after which the caller may try again; 0 where trying again is no use."""
    return int(error.facts.get("retry_after", WAITS.get(status, 0)))


def of_bug() -> ForecarbonError:
    """What a caller is told about a bug of ours: nothing of its inside."""
    return ForecarbonError(
        "internal-error",
        found="a fault of ours",
        expected="an answer",
        remedy="try again; if it stays, report it with the request_id",
    )


def unknown_path(method: str, path: str) -> AskError:
    """Nothing is there."""
    return AskError(
        "unknown-path",
        found=f"{shown(method)} {shown(path)}",
        expected="a path of the API",
        remedy="see /openapi.json for every path",
    )


def wrong_method(method: str, path: str, allowed: str) -> AskError:
    """Something is there, for other methods."""
    return AskError(
        "method-not-allowed",
        found=f"{shown(method)} {shown(path)}",
        expected=f"one of {allowed}",
        remedy=f"use {allowed} on this path",
        facts={"allow": allowed},
    )


def of_validation(fault: ValidationError) -> AskError:
    """The first fault of a question, with the place of every other one among the offenders."""
    faults = fault.errors(include_url=False, include_context=True)
    first = faults[0]
    place = place_of(first["loc"])
    field = str(first["loc"][0]) if first["loc"] else ""
    code = "invalid-value"
    if first["type"] == "extra_forbidden":
        code = "unknown-field"
    elif first["type"] == "missing":
        code = "field-missing"
    elif first["type"] in _RANGE_FAULTS:
        code = _CODE_OF_FIELD.get(field, "out-of-range")
    elif isinstance(inner := first.get("ctx", {}).get("error"), AskError):
        return inner
    return AskError(
        code,
        found=_found(code, place, first["input"]),
        expected=_expected(code, field, first["msg"]),
        offenders=list(dict.fromkeys(place_of(item["loc"]) for item in faults)),
        remedy=_remedy(code, field, place),
        facts={"field": place},
    )


def place_of(loc: tuple[int | str, ...]) -> str:
    """Where in the body: ``levels[0]``, ``history[3].y``; "body" for the whole of it."""
    text = ""
    for part in loc:
        if len(loc) > 1 and part in _UNION_ARMS:
            continue
        text += f"[{part}]" if isinstance(part, int) else f".{shown(part)}"
    return text.lstrip(".") or "body"


def shown(value: object) -> str:
    """A foreign value, safe and short enough to be repeated back."""
    return refusals.shown(value, SHOWN_CHARACTERS)


def _found(code: str, place: str, value: object) -> str:
    if code == "field-missing":
        return f"no {place}"
    return f"a field {place}" if code == "unknown-field" else f"{place} = {shown(repr(value))}"


def _expected(code: str, field: str, said: str) -> str:
    if code == "unknown-field":
        return "only the fields of the API"
    if code == "field-missing":
        return "the field to be there"
    if field in _EXPECTED_OF_FIELD:
        return _EXPECTED_OF_FIELD[field]
    return said[:1].lower() + said[1:]


def _remedy(code: str, field: str, place: str) -> str:
    if code == "unknown-field":
        return f"leave {place} out; see /openapi.json for every field"
    return _REMEDY_OF_FIELD.get(field, f"mend {place}; see /openapi.json for every field")
