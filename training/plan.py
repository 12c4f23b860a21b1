"""The plan: everything a retrain decides by, in one closed TOML file with a fingerprint."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from pydantic import Field, model_validator

from features.logins import without_logins
from features.series.basis import SOURCES
from features.series.from_lake import FEWEST_YEARS, KINDS
from models.kinds import MEMBERS
from models.recipe import Recipe
from training.closed import Closed, parse_closed, read_closed
from training.fanout import Asked

PLANS: Final = Path(__file__).parent / "plans"
TUNABLE_COUNTS: Final = ("trees", "leaves")
TUNABLE: Final = ("memory", "anchor", "pull", "arima_final", "rate", *TUNABLE_COUNTS)


class FoldPlan(Closed):
    """When the past forecasts are issued, and which of them are scored."""

    issue_month: int = Field(ge=1, le=12)
    issue_day: int = Field(ge=1, le=28)
    first_year: int = Field(ge=1990, le=2100)
    last_year: int = Field(ge=1990, le=2100)
    scored: int = Field(ge=1, le=40)

    @model_validator(mode="after")
    def _in_order(self) -> FoldPlan:
        if self.last_year - self.first_year + 1 < self.scored + 1:
            raise ValueError("needs at least one fold before the scored ones: widen first_year..last_year")
        return self


class FiguresPlan(Closed):
    """Which figures are read: the embedded sector sums, or facility records of the lake."""

    figures: str = Field(default="embedded", alias="from", pattern="^(embedded|lake)$")
    sources: list[str] = Field(default=list(SOURCES), min_length=1)
    kinds: list[str] = Field(default=list(KINDS), min_length=1)
    fewest_years: int = Field(default=FEWEST_YEARS, ge=3, le=100)
    boundaries: str = ""

    @model_validator(mode="after")
    def _sectors_are_there(self) -> FiguresPlan:
        strange = [name for name in self.kinds if name not in KINDS]
        if strange:
            raise ValueError(f"unknown kinds {strange}: choose among {list(KINDS)}")
        if "sector" not in self.kinds:
            raise ValueError("kinds needs sector: clusters are sums of their sectors")
        return self


class RecipePlan(Closed):
    """The challenger's recipe, see ``models.recipe.Recipe``."""

    name: str = Field(min_length=1)
    members: list[str] = Field(min_length=1)
    reach: int = Field(ge=1, le=30)
    memory: float = Field(gt=0, le=1)
    anchor: float = Field(ge=0, le=1)
    pull: float = Field(ge=0)
    arima_final: str = Field(pattern="^(grid|filter|mle)$")
    exits: bool = True
    seed: int = 1
    trees: int = Field(default=60, ge=1, le=2000)
    rate: float = Field(default=0.06, gt=0, le=1)
    leaves: int = Field(default=15, ge=2, le=512)

    @model_validator(mode="after")
    def _known_members(self) -> RecipePlan:
        strange = [name for name in self.members if name not in MEMBERS]
        if strange:
            raise ValueError(f"unknown members {strange}: choose among {sorted(MEMBERS)}")
        return self

    def recipe(self) -> Recipe:
        """The recipe it describes."""
        return Recipe.of_record(self.model_dump())


class GatePlan(Closed):
    """What a challenger must show; see ``training.rails`` for each rule.

    ``confidence``: how sure it must be that the primary score is lower. ``bias_gap``: how much farther from
    zero its bias may be, as a share of the actual tonnes. ``slowest``: seconds of computing over all folds.
    ``refused_members``: how many members may fail and the rest still be judged.
    """

    baseline: str
    primary: str = Field(pattern="^(sql|mase|rmsse|wape)$")
    tolerance: float = Field(ge=0)
    least_pairs: int = Field(ge=1)
    least_folds: int = Field(ge=2)
    coverage_gap: float = Field(gt=0, lt=1)
    worst_kind: float = Field(gt=0)
    confidence: float = Field(default=0.97, gt=0.5, lt=1)
    bias_gap: float = Field(default=0.05, gt=0)
    slowest: float = Field(default=3600.0, gt=0)
    refused_members: int = Field(default=1, ge=0)


class TuningPlan(Closed):
    """A search of the recipe's settings on the folds before the scored ones; without this table, none.

    ``settings``: name -> [lowest, highest], or the choices where they are words. ``folds``: how many of the
    newest folds before the scored ones are judged on. No trial begins after ``seconds``.
    """

    trials: int = Field(ge=1, le=1000)
    seconds: float = Field(gt=0)
    folds: int = Field(default=4, ge=2, le=40)
    settings: dict[str, list[float | int | str]] = Field(min_length=1)

    @model_validator(mode="after")
    def _ranges(self) -> TuningPlan:
        for name, ends in self.settings.items():
            if name not in TUNABLE:
                raise ValueError(f"{name} cannot be tuned: choose among {list(TUNABLE)}")
            words = [isinstance(end, str) for end in ends]
            if all(words) and len(ends) >= 2:
                continue
            if any(words) or len(ends) != 2 or not float(ends[0]) < float(ends[1]):
                raise ValueError(f"{name} needs [lowest, highest], or two words or more")
        return self


class TrackingPlan(Closed):
    """Where runs are kept: a tracking server's address and the root of its files. Left empty: the
    environment decides, else a database in the store."""

    uri: str = Field(default="", repr=False)
    artifact_root: str = Field(default="", repr=False)


class EnginePlan(Closed):
    """Who does the work of folds and members, see ``training.fanout.Asked``; it changes no forecast."""

    name: str = Field(default="local", pattern="^(local|dask)$")
    scheduler: str = ""
    workers: int = Field(default=0, ge=0, le=1024)

    def asked(self) -> Asked:
        """As ``training.fanout`` takes it."""
        return Asked(self.name, self.scheduler, self.workers)


class PicturePlan(Closed):
    """Series drawn large in the tracker."""

    series: list[str] = Field(default=[])


class WatchPlan(Closed):
    """When forecasts that were issued count as having gone wrong, and what follows.

    Attributes:
        alarm: the chance of a false finding that is put up with in one watch, over all its tests.
        shared_errors, shared_hits: correlation of two series' errors, and of whether their bands cover, in
            one year, for shocks are common to many; measured in the backtest of the annual plan.
        least_rows: forecasts with an actual below which nothing is tested.
        retrain_on_drift: whether a new finding starts a retrain.
    """

    alarm: float = Field(default=0.05, gt=0, lt=0.5)
    shared_errors: float = Field(default=0.1, ge=0, lt=1)
    shared_hits: float = Field(default=0.03, ge=0, lt=1)
    least_rows: int = Field(default=30, ge=5)
    retrain_on_drift: bool = False


class Plan(Closed):
    """One retrain job."""

    name: str = Field(pattern="^[a-z0-9-]+$")
    experiment: str = Field(pattern="^[a-z0-9-]+$")
    figures: FiguresPlan = FiguresPlan()
    folds: FoldPlan
    recipe: RecipePlan
    gate: GatePlan
    pictures: PicturePlan = PicturePlan()
    watch: WatchPlan = WatchPlan()
    tracking: TrackingPlan = TrackingPlan()
    engine: EnginePlan = EnginePlan()
    tuning: TuningPlan | None = None

    @model_validator(mode="after")
    def _tuning_fits(self) -> Plan:
        if self.tuning is None:
            return self
        for name, ends in self.tuning.settings.items():
            for end in ends:
                RecipePlan.model_validate({**self.recipe.model_dump(), name: end})
        if self.folds.last_year - self.folds.first_year + 1 < self.folds.scored + self.tuning.folds + 1:
            raise ValueError("tuning.folds needs that many folds and one more before the scored ones")
        return self

    @model_validator(mode="after")
    def _baseline_is_a_member(self) -> Plan:
        if self.gate.baseline not in self.recipe.members:
            raise ValueError(f"gate.baseline {self.gate.baseline!r} is not among recipe.members")
        return self

    def as_record(self) -> dict[str, Any]:
        """JSON-ready, as people may read it: a login in an address is no part of it."""
        record = self.model_dump()
        for part, name in (("tracking", "uri"), ("tracking", "artifact_root"), ("engine", "scheduler")):
            record[part][name] = without_logins(record[part][name])
        return record

    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 of everything in the plan that a retrain decides by."""
        text = json.dumps(self.model_dump(exclude={"tracking", "watch", "engine"}), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_plan(path: Path) -> Plan:
    """The plan in a TOML file.

    Raises:
        AskError: no such file, not TOML, an unknown key (naming the nearest known one), a value out of
            range.
    """
    return read_closed(path, Plan, "plan")


def parse_plan(record: dict[str, Any]) -> Plan:
    """The plan a record describes; refusals as in ``read_plan``."""
    return parse_closed(record, Plan, "plan")
