"""What may be asked of a whole portfolio at once: the question to ``POST /v1/forecasts/batch``."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import AskError
from features.series.words import MAX_STEPS
from serving.errors import of_validation
from serving.wire import MAX_QUANTILES, WHOLE, Level, Name, Quantile, loaded_of, quantiles_wanted

MAX_NAMES: Final = 20_000

Kind = Literal["plant", "sector", "cluster", "initiative"]


class BatchAsk(BaseModel):
    """A question to ``POST /v1/forecasts/batch``: named clusters and series, or all of them."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    clusters: Annotated[list[Name], Field(max_length=MAX_NAMES)] = []
    series: Annotated[list[Name], Field(max_length=MAX_NAMES)] = []
    all: bool = False
    kinds: Annotated[list[Kind], Field(min_length=1, max_length=4)] | None = None
    cluster_id: Name | None = None
    steps: Annotated[int, Field(ge=1, le=MAX_STEPS), WHOLE] = 8
    levels: Annotated[list[Level], Field(min_length=1, max_length=MAX_QUANTILES // 2)] | None = None
    quantiles: Annotated[list[Quantile], Field(min_length=1, max_length=MAX_QUANTILES)] | None = None

    @property
    def wanted(self) -> tuple[float, ...]:
        """The quantiles asked for, increasing; 0.5 is always there."""
        return quantiles_wanted(self.levels, self.quantiles)


def read_batch(body: bytes) -> BatchAsk:
    """The question in ``body``.

    Raises:
        AskError: no JSON, or not a question of the API.
    """
    loaded = loaded_of(body, '{"all": true, "kinds": ["plant"]}')
    try:
        ask = BatchAsk.model_validate(loaded)
    except ValidationError as fault:
        raise of_validation(fault) from None
    _one_question(ask)
    return ask


def _one_question(ask: BatchAsk) -> None:
    named = bool(ask.clusters or ask.series)
    if not named and not ask.all:
        raise AskError(
            "nothing-asked",
            found="neither clusters nor series, nor all of them",
            expected='names, or "all": true',
            remedy='name what to forecast, or send {"all": true}',
        )
    if named and ask.all:
        raise _two("names beside all", "names, or all", 'leave the names out, or "all"')
    if (ask.kinds or ask.cluster_id) and not ask.all:
        raise _two(
            "a filter beside names",
            'kinds and cluster_id only beside "all"',
            "leave the filter out, or ask for all",
        )


def _two(found: str, expected: str, remedy: str) -> AskError:
    return AskError("two-questions", found=found, expected=expected, remedy=remedy)
