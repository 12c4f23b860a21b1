"""Questions about shared networks, plans, corridors and contracts, checked field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import AskError
from serving.errors import of_validation
from serving.insight_ask import TargetAsk, Year
from serving.wire import WHOLE, Name, loaded_of

Float = npt.NDArray[np.float64]

MOST_YEARS: Final = 30
MOST_SOURCES: Final = 40
MOST_SINKS: Final = 20
MOST_LINKS: Final = 60
MOST_PATHS: Final = 100
MOST_OPTIONS: Final = 30
MOST_RULES: Final = 30
MOST_PLACES: Final = 30
MOST_ROUTES: Final = 100
# Tonnes, or EUR: beyond it sums lose their digits.
LARGEST: Final = 1e12

Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Part = Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)]
Amount = Annotated[float, Field(ge=0, le=LARGEST, allow_inf_nan=False)]
Signed = Annotated[float, Field(ge=-LARGEST, le=LARGEST, allow_inf_nan=False)]
Rate = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
# One number for every year, or one for each.
Yearly = Annotated[list[Amount], Field(min_length=1, max_length=MOST_YEARS)]
Years = Annotated[int, Field(ge=1, le=MOST_YEARS), WHOLE]
Label = Annotated[str, Field(max_length=200)]


class _Ask(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SourceAsk(_Ask):
    """An emitter that captures (of CO2), or a plant (of hydrogen)."""

    name: Name
    cluster: Label = ""
    node: Name
    series: Label = ""
    share: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 1.0
    emissions: Yearly | None = None
    rate: Share = 0.9
    penalty: Share = 0.0
    limit: Yearly | None = None
    intensity: Amount = 0.0
    cost: Amount = 0.0
    site: Label = ""


class SinkAsk(_Ask):
    """A store (of CO2), or a user (of hydrogen)."""

    name: Name
    cluster: Label = ""
    node: Name
    limit: Yearly
    total: Amount | None = None
    saved: Amount = 0.0
    emissions: Yearly | None = None
    cost: Amount = 0.0
    site: Label = ""


class LinkAsk(_Ask):
    """A way between two nodes."""

    name: Name
    start: Name
    end: Name
    capacity: Yearly
    cost: Amount = 0.0
    loss: Part = 0.0


class ScaleAsk(_Ask):
    """Economies of scale: ``cost`` EUR for ``volume`` units, and the exponent."""

    cost: Amount
    volume: Annotated[float, Field(ge=1, le=LARGEST, allow_inf_nan=False)]
    exponent: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]


class NetworkAsk(_Ask):
    """A question to ``POST /v1/insights/network``."""

    commodity: Literal["co2", "hydrogen"] = "co2"
    start_year: Year
    years: Years = 1
    sources: Annotated[list[SourceAsk], Field(min_length=1, max_length=MOST_SOURCES)]
    sinks: Annotated[list[SinkAsk], Field(min_length=1, max_length=MOST_SINKS)]
    links: Annotated[list[LinkAsk], Field(max_length=MOST_LINKS)] = []
    objective: Literal["abatement", "cost"] = "abatement"
    asked: Yearly | None = None
    price: Yearly | None = None
    paths: Annotated[int, Field(ge=1, le=MOST_PATHS), WHOLE] = 25
    split: ScaleAsk | None = None


class OptionAsk(_Ask):
    """A lever or project: tonnes abated in its first, second, … year; the last goes on.

    With a ``project_id`` of the registry, ``built`` and ``slip`` may be left out: its weak priors stand in.
    """

    name: Name
    project_id: Name | None = None
    tonnes: Annotated[list[Signed], Field(min_length=1, max_length=MOST_YEARS)]
    earliest: Year
    capex: Amount = 0.0
    opex: Amount = 0.0
    savings: Amount = 0.0
    life: Annotated[int, Field(ge=1, le=100), WHOLE] = 25
    built: Share = 1.0
    slip: Annotated[list[Share], Field(min_length=1, max_length=10)] | None = None


class NeedAsk(_Ask):
    """``option`` is not taken without ``needs``, and starts no earlier."""

    option: Name
    needs: Name


class PlanAsk(_Ask):
    """A question to ``POST /v1/insights/plan``."""

    series: Name
    target_id: Label = ""
    target: TargetAsk | None = None
    base_year: Year | None = None
    scope: Annotated[str, Field(max_length=100)] = ""
    probability: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] = 0.8
    options: Annotated[list[OptionAsk], Field(min_length=1, max_length=MOST_OPTIONS)]
    budget: Amount | None = None
    yearly_budget: Yearly | None = None
    exclusions: Annotated[
        list[Annotated[list[Name], Field(min_length=2, max_length=MOST_OPTIONS)]],
        Field(max_length=MOST_RULES),
    ] = []
    requires: Annotated[list[NeedAsk], Field(max_length=MOST_RULES)] = []
    discount_rate: Rate = 0.0


class PlaceAsk(_Ask):
    """A cluster at one end of corridors."""

    name: Name
    supply: Yearly = [0.0]
    demand: Yearly = [0.0]
    cost: Yearly = [0.0]
    short: Yearly = [0.0]
    rest: Yearly = [0.0]


class RouteAsk(_Ask):
    """A way from one place to another."""

    start: Name
    end: Name
    mode: Literal["pipe", "ship", "road", "rail"]
    distance_km: Amount
    capacity: Yearly
    cost_per_km: Amount = 0.0
    fixed: Amount = 0.0
    loss: Part = 0.0


class CorridorsAsk(_Ask):
    """A question to ``POST /v1/insights/corridors``."""

    commodity: Literal["co2", "hydrogen"]
    start_year: Year
    years: Years = 1
    places: Annotated[list[PlaceAsk], Field(min_length=1, max_length=MOST_PLACES)]
    routes: Annotated[list[RouteAsk], Field(max_length=MOST_ROUTES)]


class MemberAsk(_Ask):
    """A member of an aggregated demand."""

    name: Name
    volume: Amount


class TogetherAsk(_Ask):
    """Demand put together: members, and the economies of scale of serving them."""

    members: Annotated[list[MemberAsk], Field(min_length=1, max_length=MOST_SOURCES)]
    scale: ScaleAsk


class ContractAsk(_Ask):
    """A question to ``POST /v1/insights/contract``: EUR, t, and EUR a tonne."""

    start_year: Year
    years: Years
    capex: Yearly
    opex: Yearly = [0.0]
    volumes: Yearly
    booked: Yearly | None = None
    fee: Yearly = [0.0]
    price: Yearly = [0.0]
    support: Amount = 0.0
    discount_rate: Rate
    avoided: Share = 1.0
    take_or_pay: Share = 0.0
    backed: Share = 0.0
    late_years: Annotated[int, Field(ge=0, le=MOST_YEARS), WHOLE] = 0
    together: TogetherAsk | None = None


ASKS: Final[dict[str, type[_Ask]]] = {
    "network": NetworkAsk,
    "plan": PlanAsk,
    "corridors": CorridorsAsk,
    "contract": ContractAsk,
}


def read_plan_ask(view: str, body: bytes) -> dict[str, Any]:
    """The question in ``body``, as it was asked, without what it leaves to the defaults.

    Raises:
        AskError: no JSON, or no such question.
    """
    try:
        return (
            ASKS[view].model_validate(loaded_of(body, "one of /openapi.json")).model_dump(exclude_unset=True)
        )
    except ValidationError as fault:
        raise of_validation(fault) from None


def yearly(values: Sequence[float], years: int, field: str) -> Float:
    """(H,) a number a year: one for all, or one for each.

    Raises:
        AskError: ``years-unlike``: neither.
    """
    if len(values) not in (1, years):
        raise AskError(
            "years-unlike",
            found=f"{field}: {len(values)} numbers",
            expected=f"one for every year, or {years}, one for each",
            remedy=f"mend {field}, or years",
            facts={"field": field},
        )
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (years,)).copy()
