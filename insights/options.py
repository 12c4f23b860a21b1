"""What a plan can be made of: options with tonnes, cost and earliest start, and the rules between them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
# Tonnes by which a target may be missed and still count as met: beyond the digits of any figure.
CLOSE: Final = 1e-3


@dataclass(frozen=True)
class Option:
    """A lever or a project that a plan may take, whole or not at all.

    Attributes:
        name: unique among the options.
        tonnes: (K,) or (K, P) tCO2e abated in the first, second, … year from its start; after the K-th
            year it goes on as in the K-th. Below zero where it adds emissions.
        earliest: first year it can start in.
        capex: EUR in the year of the start.
        opex, savings: EUR a year from the start on.
        life: years over which the MACC spreads the capex.
    """

    name: str
    tonnes: Float
    earliest: int
    capex: float = 0.0
    opex: float = 0.0
    savings: float = 0.0
    life: int = 25

    def after(self, years: int) -> Float:
        """() or (P,) tCO2e a year, ``years`` after the start."""
        return np.asarray(self.tonnes[min(years, len(self.tonnes) - 1)])


@dataclass(frozen=True)
class Rules:
    """What a plan must keep to.

    Attributes:
        budget: EUR, present value in the first year, of all costs up to the target year.
        yearly: (H,) EUR a year of capex and opex at most, not discounted; None without such limits.
        exclusions: sets of options of which one at most is taken.
        requires: (option, other): the option starts no earlier than the other, and not without it.
        rate: discount rate a year.
    """

    budget: float = np.inf
    yearly: Float | None = None
    exclusions: tuple[tuple[str, ...], ...] = field(default=())
    requires: tuple[tuple[str, str], ...] = field(default=())
    rate: float = 0.0


@dataclass(frozen=True)
class Aim:
    """A target on joint sample paths, and how surely it is to be met.

    Attributes:
        years: (H,) forecast years; emissions: (H, P) tCO2e without any option; weights: (P,) adding to 1.
        target_year: one of ``years``; level: tCO2e, or (P,) one a path.
        probability: asked, above 0 and at most 1.
    """

    years: Int
    emissions: Float
    weights: Float
    target_year: int
    level: float | Float
    probability: float

    @property
    def place(self) -> int:
        """Where the target year is among the years."""
        return int(np.flatnonzero(self.years == self.target_year)[0])

    @property
    def needs(self) -> Float:
        """(P,) tCO2e to be abated in the target year; below zero where nothing is."""
        return np.asarray(self.emissions[self.place] - self.level)


@dataclass(frozen=True)
class Question:
    """Aim, options and rules, built = checked.

    Raises:
        AskError: ``plan-implausible``: a name twice or unknown, a year outside the forecast, an amount that
            is not finite, a chance outside 0 to 1, or options that require one another.
    """

    aim: Aim
    options: tuple[Option, ...]
    rules: Rules

    def __post_init__(self) -> None:
        for place, found, expected in _implausible(self):
            raise AskError(
                "plan-implausible",
                found=f"{place}: {found}",
                expected=expected,
                remedy=f"mend {place}",
                facts={"field": place},
            )

    def without(self, *names: str) -> Question:
        """The same with some rules lifted: "budget", "yearly", "exclusions", "requires"."""
        plain = Rules()
        return replace(self, rules=replace(self.rules, **{name: getattr(plain, name) for name in names}))


def _implausible(asked: Question) -> Iterator[tuple[str, str, str]]:
    aim, rules = asked.aim, asked.rules
    names = [option.name for option in asked.options]
    if aim.target_year not in aim.years:
        yield "target_year", str(aim.target_year), f"a year from {aim.years[0]} to {aim.years[-1]}"
    if not 0 < aim.probability <= 1:
        yield "probability", f"{aim.probability:g}", "above 0 and at most 1"
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        yield "options", f"{twice!r} twice", "a name for each option, used once"
    if not rules.rate > -1:
        yield "discount_rate", f"{rules.rate:g}", "above -1"
    for option in asked.options:
        yield from _implausible_option(option, aim)
    for name in [*sum(rules.exclusions, ()), *sum(rules.requires, ())]:
        if name not in names:
            yield "rules", repr(name), "names of options"
    if rules.yearly is not None and len(rules.yearly) != len(aim.years):
        yield "yearly_budget", f"{len(rules.yearly)} years", f"{len(aim.years)} years"
    if _circle(names, rules.requires):
        yield "requires", "options that require one another in a circle", "no circle"


def _implausible_option(option: Option, aim: Aim) -> Iterator[tuple[str, str, str]]:
    place = f"options.{option.name}"
    paths = aim.emissions.shape[1]
    if option.tonnes.shape[1:] not in ((), (paths,)) or len(option.tonnes) == 0:
        yield f"{place}.tonnes", str(option.tonnes.shape), f"(K,) or (K, {paths}), K at least 1"
    if not np.isfinite(option.tonnes).all():
        yield f"{place}.tonnes", "a value that is not finite", "finite tonnes"
    if not np.isfinite([option.capex, option.opex, option.savings]).all():
        yield f"{place}.cost", "a value that is not finite", "finite EUR"
    if option.capex < 0 or option.opex < 0 or option.savings < 0:
        yield f"{place}.cost", "below 0", "capex, opex and savings not below 0"
    if option.life < 1:
        yield f"{place}.life", str(option.life), "a year or more"


def _circle(names: list[str], requires: tuple[tuple[str, str], ...]) -> bool:
    left = set(names)
    while left:
        free = {n for n in left if not any(one == n and other in left for one, other in requires)}
        if not free:
            return True
        left -= free
    return False


@dataclass(frozen=True)
class Start:
    """One option started in one year.

    Attributes:
        year: of the start.
        abates: () or (P,) tCO2e in the target year.
        cost: EUR, present value in the first year, up to the target year.
        spends: (H,) EUR of capex and opex by year, not discounted.
    """

    year: int
    abates: Float
    cost: float
    spends: Float


def starts_of(option: Option, asked: Question) -> tuple[Start, ...]:
    """Every start of an option up to the target year, the latest of like ones alone.

    A later start of no less abatement costs no more where opex is not below savings; the earlier one is
    then only of use to options that require it, or to savings, and is otherwise left out.
    """
    aim, rules = asked.aim, asked.rules
    told = [
        _start(option, int(year), asked) for year in aim.years if option.earliest <= year <= aim.target_year
    ]
    needed = any(other == option.name for _, other in rules.requires)
    if needed or rules.yearly is not None:
        return tuple(told)
    kept = [
        one
        for k, one in enumerate(told)
        if not any(later.cost <= one.cost and (later.abates >= one.abates).all() for later in told[k + 1 :])
    ]
    return tuple(kept)


def _start(option: Option, year: int, asked: Question) -> Start:
    aim = asked.aim
    spends = np.where((aim.years >= year) & (aim.years <= aim.target_year), option.opex, 0.0)
    gains = np.where((aim.years >= year) & (aim.years <= aim.target_year), option.savings, 0.0)
    spends = spends + np.where(aim.years == year, option.capex, 0.0)
    worth = (1.0 + asked.rules.rate) ** -(aim.years - aim.years[0]).astype(np.float64)
    return Start(year, option.after(aim.target_year - year), float((spends - gains) @ worth), spends)


@dataclass(frozen=True)
class Choice:
    """A plan as it was found: option name -> start.

    Attributes:
        cost: EUR, present value.
        chance: weighted share of paths that meet the target.
        proven: nothing better exists; else the solver stopped at its limit.
        bound: the best that could still exist: a cost, or a chance, as was asked.
        method: which programme found it.
    """

    starts: dict[str, Start]
    cost: float
    chance: float
    proven: bool
    bound: float
    method: str


def chosen(asked: Question, starts: dict[str, Start], proven: bool, bound: float, method: str) -> Choice:
    """The choice with cost and chance worked out from the paths themselves."""
    cost = float(sum(start.cost for start in starts.values()))
    return Choice(starts, cost, chance_of(asked.aim, starts), proven, bound, method)


def chance_of(aim: Aim, starts: dict[str, Start]) -> float:
    """Weighted share of paths that meet the target under a plan."""
    abated = sum((np.asarray(start.abates) for start in starts.values()), np.zeros(len(aim.weights)))
    return min(1.0, float(aim.weights[abated >= aim.needs - CLOSE].sum()))
