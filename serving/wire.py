"""The wire: bytes to a checked question, and an answer to bytes. NaN never goes out."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from features.errors import AskError
from features.series.words import MAX_STEPS
from models.forecast import quantiles_of_levels
from serving.errors import of_validation, shown

MAX_BODY_BYTES: Final = 2_000_000
MAX_ROWS: Final = 20_000
MAX_OWN_SERIES: Final = 200
MAX_IDS: Final = 500
MAX_QUANTILES: Final = 99
MAX_PATHS: Final = 200
# Numbers in one answer; beyond it a portfolio is asked for in a stream.
MAX_NUMBERS: Final = 600_000
DEFAULT_LEVELS: Final = (80.0, 95.0)
# A thousand sample paths cannot show anything rarer than one in two thousand.
RAREST: Final = 0.0005
HIGHEST_LEVEL: Final = 99.9


def _whole(value: object) -> object:
    """JSON knows one kind of number: 8.0 is the whole number 8."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE: Final = BeforeValidator(_whole)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Level = Annotated[float, Field(gt=0, le=HIGHEST_LEVEL)]
Quantile = Annotated[float, Field(ge=RAREST, le=1 - RAREST)]


class HistoryRow(BaseModel):
    """One row of the caller's own series: tonnes of CO2e in the period that starts at ``ds``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    unique_id: Name
    ds: Annotated[str, Field(min_length=1, max_length=40)] | Annotated[int, WHOLE]
    y: float | None


class ForecastAsk(BaseModel):
    """A question to ``POST /v1/forecast``: registry clusters and series, or the caller's own history."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    clusters: Annotated[list[Name], Field(max_length=MAX_IDS)] = []
    series: Annotated[list[Name], Field(max_length=MAX_IDS)] = []
    history: Annotated[list[HistoryRow], Field(max_length=MAX_ROWS)] | None = None
    cadence: Literal["year", "quarter", "month", "week", "day", "hour"] | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS), WHOLE] = 8
    levels: Annotated[list[Level], Field(min_length=1, max_length=MAX_QUANTILES // 2)] | None = None
    quantiles: Annotated[list[Quantile], Field(min_length=1, max_length=MAX_QUANTILES)] | None = None
    include_sectors: bool = False
    scope: Name | None = None
    paths: Annotated[int, Field(ge=0, le=MAX_PATHS), WHOLE] = 0
    as_of: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    model_version: Name | None = None

    @model_validator(mode="after")
    def _one_question(self) -> ForecastAsk:
        registry = bool(self.clusters or self.series)
        if not registry and not self.history:
            raise _Odd(
                "nothing-asked",
                "neither clusters, series nor history",
                "at least one cluster, series or row of history",
                'name what to forecast, as in {"clusters": ["nl-rotterdam"]}',
            )
        if registry and self.history:
            raise _Odd(
                "two-questions",
                "registry names and own history in one request",
                "one or the other",
                "send two requests",
            )
        if self.scope and self.history:
            raise _Odd(
                "two-questions",
                "a scope beside own history",
                "scope only beside registry names",
                "leave scope out: no bridge leads from your own boundary",
            )
        if self.history and (self.paths or self.as_of or self.model_version):
            raise _Odd(
                "two-questions",
                "paths, as_of or model_version beside own history",
                "these only beside registry names",
                "leave them out: your rows are fitted as they are, when you send them",
            )
        if self.cadence and not self.history:
            raise _Odd(
                "two-questions",
                "a cadence without own history",
                "cadence only beside history",
                "leave cadence out: registry series have their own",
            )
        return self

    @property
    def wanted(self) -> tuple[float, ...]:
        """The quantiles asked for, increasing; 0.5 is always there."""
        return quantiles_wanted(self.levels, self.quantiles)


def quantiles_wanted(levels: list[float] | None, quantiles: list[float] | None) -> tuple[float, ...]:
    """The quantiles that bands (in percent) and single quantiles ask for, increasing, with 0.5."""
    asked = set() if quantiles is None else {round(q, 6) for q in quantiles} | {0.5}
    if levels or not quantiles:
        asked |= set(quantiles_of_levels(list(levels or DEFAULT_LEVELS)))
    return tuple(sorted(asked))


class _Odd(ValueError, AskError):
    """An AskError that pydantic lets a validator raise."""

    def __init__(self, code: str, found: str, expected: str, remedy: str) -> None:
        AskError.__init__(self, code, found=found, expected=expected, remedy=remedy)


def read_ask(body: bytes) -> ForecastAsk:
    """The question in ``body``.

    A literal NaN or Infinity is let through to the checks of the field that holds it, so that the
    refusal can name the row.

    Raises:
        AskError: no JSON, or not a question of the API.
    """
    loaded = loaded_of(body, '{"clusters": ["nl-rotterdam"], "steps": 8}')
    try:
        return ForecastAsk.model_validate(loaded)
    except ValidationError as fault:
        raise of_validation(fault) from None


def loaded_of(body: bytes, example: str) -> Any:
    """What ``body`` is as JSON; ``example`` is shown to whoever sent none.

    Raises:
        AskError: it is none (``malformed-json``).
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as fault:
        raise AskError(
            "malformed-json",
            found=f"{len(body)} bytes that are no JSON: {shown(str(fault))}",
            expected="one JSON object",
            remedy=f"send a JSON object such as {example}",
        ) from None


def number_or_null(value: float) -> float | None:
    """A number as JSON can tell it: null where it is not finite."""
    return float(value) if math.isfinite(value) else None


def quantile_key(quantile: float) -> str:
    """Shortest plain decimal of a quantile: "0.1", "0.025"."""
    return np.format_float_positional(quantile, trim="-")


def write_json_bytes(answer: Any) -> bytes:
    """The JSON of ``answer``.

    Raises:
        ValueError: a value is not finite, which would be no JSON.
    """
    return json.dumps(answer, allow_nan=False, separators=(",", ":")).encode()
