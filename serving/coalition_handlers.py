"""What /v1/insights/portfolio does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insights.goals import FIRST_YEAR, LAST_YEAR
from serving.bench import PORTFOLIOS, bench_of
from serving.call import Call
from serving.coalition_view import MOST_SCENARIOS, coalition_view
from serving.desk import Desk
from serving.errors import of_validation
from serving.handlers import view
from serving.insight_ask import Year
from serving.provenance import with_id
from serving.queries import Question, year_of
from serving.reply import Reply, of_record
from serving.saved_handlers import table_of_saved
from serving.shelf import Standing
from serving.wire import WHOLE, loaded_of

PORTFOLIO: Final = "portfolio"


class PortfolioAsk(BaseModel):
    """A question to ``POST /v1/insights/portfolio``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    scenarios: Annotated[list[dict[str, Any]], Field(max_length=MOST_SCENARIOS)] = []
    correlation: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**31 - 1), WHOLE] | None = None
    year: Year | None = None
    registered: bool = True


def read_portfolio(body: bytes) -> PortfolioAsk:
    """The question in ``body``.

    Raises:
        AskError: no JSON, or no such question.
    """
    try:
        return PortfolioAsk.model_validate(loaded_of(body, "{}"))
    except ValidationError as fault:
        raise of_validation(fault) from None


async def registered(desk: Desk, call: Call) -> Reply:
    """GET /v1/insights/portfolio: under the registry's projects; worked out once for a model, then kept."""

    def look(standing: Standing, told: Question) -> Mapping[str, Any]:
        year = year_of(told, "year", FIRST_YEAR, LAST_YEAR)
        question = {} if year is None else {"year": year}
        return with_id(PORTFOLIO, question, coalition_view(standing, question), standing)

    return await view(desk, call, "portfolio", call.query("year"), look, bench=PORTFOLIOS)


async def portfolio(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/portfolio: the coalition under all plans."""
    del call
    ask = read_portfolio(body)

    def work() -> dict[str, Any]:
        question = {k: v for k, v in ask.model_dump(exclude_unset=True).items() if v is not None}
        if ask.scenarios:
            question["scenarios"] = [table_of_saved(desk, each, key_id) for each in ask.scenarios]
        standing = desk.shelf.standing
        return with_id(PORTFOLIO, question, coalition_view(standing, question), standing)

    return of_record(await bench_of(PORTFOLIOS).run(key_id, work))
