"""Questions for a funding pack or a report, checked field by field."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import AskError
from insights.fund_costs import Terms
from serving.errors import of_validation
from serving.wire import WHOLE, Name, loaded_of

FIRST: Final = 1990
LAST: Final = 2100
MOST_MONEY: Final = 1e15
Year = Annotated[int, Field(ge=FIRST, le=LAST), WHOLE]
Money = Annotated[float, Field(ge=0, le=MOST_MONEY)]
Rate = Annotated[float, Field(ge=0, le=1)]
_EXAMPLE: Final = '{"cluster_id": "nl-rotterdam"}'
Ask = TypeVar("Ask", bound="FundAsk")
# Fields that say how an answer is printed, and are no part of the question.
PRINTING: Final = ("format", "kind")


class FundAsk(BaseModel):
    """A question to ``POST /v1/insights/funding``: a cluster with its registered projects, or a scenario.

    Money is in ``currency``; ``promised`` in tonnes over the ten years, ``opex`` a year of operation,
    ``transport_storage`` a tonne captured, ``carbon_price`` a tonne not emitted.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    cluster_id: Name | None = None
    scenario: dict[str, Any] | None = None
    first_year: Year | None = None
    promised: Annotated[float, Field(gt=0, le=1e12)] | None = None
    currency: Literal["EUR", "GBP", "USD"] = "EUR"
    capex: Money | None = None
    capex_year: Year | None = None
    opex: Money | None = None
    transport_storage: Money | None = None
    carbon_price: Money | None = None
    rate: Rate | None = None
    grant: Annotated[float, Field(gt=0, le=MOST_MONEY)] | None = None

    @property
    def terms(self) -> Terms:
        """What the applicant says beside the plan."""
        return Terms(**self.model_dump(include=set(Terms.__dataclass_fields__)))

    def question(self) -> dict[str, Any]:
        """What an answer_id holds: the fields that are told, without those of printing."""
        return self.model_dump(exclude_none=True, exclude_defaults=True, exclude=set(PRINTING))


class ReportAsk(FundAsk):
    """A question to ``POST /v1/reports``: the same, printed."""

    format: Literal["pdf", "html"] = "pdf"


def read_fund(body: bytes) -> FundAsk:
    """The question in ``body``.

    Raises:
        AskError: no JSON, no such question, or neither or both of ``cluster_id`` and ``scenario``.
    """
    return checked(FundAsk, loaded_of(body, _EXAMPLE))


def read_report(body: bytes) -> ReportAsk:
    """The question in ``body`` of ``POST /v1/reports``; refusals as ``read_fund``."""
    return checked(ReportAsk, loaded_of(body, _EXAMPLE))


def checked(model: type[Ask], told: Any) -> Ask:
    """``told`` as a question."""
    try:
        ask = model.model_validate(told)
    except ValidationError as fault:
        raise of_validation(fault) from None
    both = {"cluster_id", "scenario"} <= ask.model_fields_set
    if both or (ask.cluster_id is None and ask.scenario is None):
        raise AskError(
            "funding-of-what",
            found="both a cluster_id and a scenario" if both else "neither a cluster_id nor a scenario",
            expected="one of them",
            remedy="name a cluster, or send a scenario as POST /v1/scenarios takes it",
        )
    return ask
