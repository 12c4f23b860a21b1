"""What the Python client hands back: frozen records of the API's answers.

Fields the service adds in time are passed over by the records and kept in ``raw`` where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

_T = TypeVar("_T")


class Refused(Exception):
    """The service refused: what it found, what it expected, what to do.

    Attributes:
        code: stable kebab-case name, for programs.
        found, expected, remedy: in words.
        request_id: to be told when reporting it.
        status: HTTP status.
        facts: further plain values.
    """

    def __init__(
        self,
        code: str,
        *,
        found: str,
        expected: str,
        remedy: str,
        request_id: str,
        status: int,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.found = found
        self.expected = expected
        self.remedy = remedy
        self.request_id = request_id
        self.status = status
        self.facts: Mapping[str, Any] = facts or {}
        told = f"{code} ({status}): found {found} · expected {expected} · {remedy}"
        super().__init__(f"{told} · request {request_id}" if request_id else told)


@dataclass(frozen=True)
class Refusal:
    """A name of the question that was not answered, and why."""

    unique_id: str
    code: str
    found: str
    expected: str
    remedy: str


@dataclass(frozen=True)
class Row:
    """One period of a forecast, tCO2e; ``quantiles`` by their decimal, such as "0.1"."""

    ds: str | int
    step: int
    mean: float
    quantiles: Mapping[str, float]


@dataclass(frozen=True)
class Forecast:
    """One series' forecast; ``paths`` only where they were asked for."""

    unique_id: str
    kind: str
    unit: str
    scope: str
    cadence: str
    cutoff: str | int
    made_by: str
    rows: tuple[Row, ...]
    bridge: Mapping[str, Any] | None = None
    quality: Mapping[str, Any] | None = None
    paths: tuple[tuple[float, ...], ...] | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to a question about forecasts: every name is in one of the two lists."""

    forecasts: tuple[Forecast, ...]
    refusals: tuple[Refusal, ...]
    model_version: str
    as_of: str
    issued_at: str
    forecast_id: str
    request_id: str
    recipe: str
    degraded: str
    sources: tuple[str, ...]

    def __getitem__(self, unique_id: str) -> Forecast:
        for forecast in self.forecasts:
            if forecast.unique_id == unique_id:
                return forecast
        raise KeyError(unique_id)


@dataclass(frozen=True)
class Series:
    """A served series."""

    unique_id: str
    kind: str
    cluster_id: str
    sector: str
    name: str
    scope: str
    cutoff: str
    made_by: str


@dataclass(frozen=True)
class Evidence:
    """How good the forecasts of a series were; None where no backtest judged it."""

    unique_id: str
    judged: bool
    sentence: str
    kind: str | None
    forecaster: str | None
    baseline: str | None
    scores: Mapping[str, Any] | None
    baseline_scores: Mapping[str, Any] | None
    skill: Mapping[str, float | None] | None
    kind_scores: Mapping[str, Any] | None
    model_version: str
    as_of: str
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Lineage:
    """Where a number comes from; ``raw`` has what is told of figures or forecasts alone."""

    unique_id: str
    ds: str
    what: str
    value: float | None
    unit: str
    scope: str | None
    model_version: str
    data_hash: str | None
    git_commit: str | None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Promotion:
    """One decision on the champion."""

    at: str
    who: str
    decision: str
    from_version: str
    to_version: str
    verdict_id: str
    sentence: str


@dataclass(frozen=True)
class Accepted:
    """What became of actuals that were sent."""

    accepted: int
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Health:
    """State of the service."""

    status: str
    model_version: str
    pack: str
    journal: str
    degraded: str
    raw: Mapping[str, Any] = field(repr=False)


def made(kind: type[_T], record: Mapping[str, Any]) -> _T:
    """A record of ``kind`` from the fields of ``record`` it knows.

    Raises:
        KeyError: a field that must be there is not.
    """
    named: dict[str, Any] = {}
    for item in fields(kind):  # type: ignore[arg-type]
        if item.name == "raw":
            named["raw"] = record
        elif item.name in record:
            named[item.name] = record[item.name]
    try:
        return kind(**named)
    except TypeError as why:
        raise KeyError(f"{kind.__name__}: {why}") from None


def made_forecast(record: Mapping[str, Any]) -> Forecast:
    """A forecast with its rows."""
    rows = tuple(made(Row, row) for row in record["rows"])
    drawn = record.get("paths")
    paths = None if drawn is None else tuple(tuple(path) for path in drawn)
    return made(Forecast, {**record, "rows": rows, "paths": paths})


def made_answer(record: Mapping[str, Any]) -> Answer:
    """An answer with its forecasts."""
    return made(
        Answer,
        {
            **record,
            "forecasts": tuple(made_forecast(item) for item in record["forecasts"]),
            "refusals": tuple(made(Refusal, item) for item in record["refusals"]),
            "sources": tuple(record["sources"]),
        },
    )
