"""Questions to the insights: the caller's targets, checked field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from features.errors import AskError
from insights.goals import FIRST_YEAR, LAST_YEAR, Goal, check_user_goal, refuse_conflicts, slip_of
from serving.errors import of_validation
from serving.wire import WHOLE, Name, loaded_of

MOST_TARGETS: Final = 10
MOST_CLUSTERS: Final = 500
Ask = TypeVar("Ask", bound=BaseModel)
Year = Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR), WHOLE]
Amount = Annotated[float, Field(ge=0, le=1e6)]


class TargetAsk(BaseModel):
    """A target of the caller's: Mt, percent, or tCO2e a unit of activity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    kind: Literal["percent", "level", "reduction", "net-zero", "intensity"]
    value: Amount = 0.0
    target_year: Year
    base_year: Year | None = None
    base_value_mt: Annotated[float, Field(gt=0, le=1e6)] | None = None
    activity: Annotated[float, Field(gt=0, le=1e15)] | None = None
    scope_id: Annotated[str, Field(max_length=100)] = ""
    sector: Literal["", "cement", "steel"] = ""
    base_intensity: Annotated[float, Field(gt=0, le=1e6)] | None = None


class ProgressAsk(BaseModel):
    """A question to ``POST /v1/insights/progress``."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    series: Name
    targets: Annotated[list[TargetAsk], Field(min_length=1, max_length=MOST_TARGETS)]
    base_year: Year | None = None
    scope: Annotated[str, Field(max_length=100)] = ""
    language: Annotated[str, Field(pattern="^[a-z]{2}$")] = "en"


def read_progress(body: bytes) -> ProgressAsk:
    """The question in ``body``.

    Raises:
        AskError: no JSON, or no such question.
    """
    return _read(ProgressAsk, body, '{"series": "nl-rotterdam", "targets": [...]}')


def _read(model: type[Ask], body: bytes, example: str) -> Ask:
    try:
        return model.model_validate(loaded_of(body, example))
    except ValidationError as fault:
        raise of_validation(fault) from None


def table_of(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``.

    Raises:
        AskError: it is none.
    """
    told = loaded_of(body, "one of /openapi.json")
    if not isinstance(told, dict):
        raise AskError(
            "malformed-json",
            found=f"a {type(told).__name__}",
            expected="one JSON object",
            remedy="send a JSON object; see /openapi.json for its fields",
        )
    return told


def goals_of_ask(ask: ProgressAsk, registry: Sequence[Goal] = ()) -> list[Goal]:
    """The caller's targets as goals.

    Args:
        registry: what is known of the cluster: a slip is told by it too.

    Raises:
        AskError: one that cannot be (``target-implausible``), a level told as a reduction, or the other way
            round (``target-slip``), or two that contradict each other (``target-contradicts``).
    """
    goals = [
        Goal(
            target_id=f"own-{k}",
            cluster_id=ask.series,
            kind=item.kind,
            value=item.value,
            base_year=item.base_year,
            base_mt=item.base_value_mt,
            target_year=item.target_year,
            scope_id=item.scope_id,
            activity=item.activity,
            sector=item.sector,
            base_intensity=item.base_intensity,
        )
        for k, item in enumerate(ask.targets, start=1)
    ]
    for goal in goals:
        check_user_goal(goal)
        slip = slip_of(goal, [*(other for other in goals if other is not goal), *registry])
        if slip:
            raise AskError(
                "target-slip",
                found=slip,
                expected="a level as kind level, a cut as kind reduction",
                remedy=f"mend the kind of {goal.target_id}",
                facts={"target_id": goal.target_id},
            )
    refuse_conflicts(goals)
    return goals


class CompareAsk(BaseModel):
    """A question to ``POST /v1/insights/compare``: clusters by intensity, with the caller's activity."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    by: Literal["intensity"] = "intensity"
    year: Year = 2030
    activity: Annotated[
        dict[Name, Annotated[float, Field(gt=0, le=1e15)]], Field(min_length=1, max_length=MOST_CLUSTERS)
    ]


def read_compare(body: bytes) -> CompareAsk:
    """The question in ``body``.

    Raises:
        AskError: no JSON, or no such question.
    """
    return _read(CompareAsk, body, '{"activity": {"gb-humber": 1.2e7}}')
