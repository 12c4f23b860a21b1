"""Small questions to the plan finder, and the slow way to answer them."""

from __future__ import annotations

import itertools

import numpy as np

from insights.options import Aim, Option, Question, Rules, Start, chance_of

FIRST = 2026


def small_question(seed: int) -> Question:
    """One to five options over two or three years on 5 to 30 paths: a third even, some with savings, some
    that add emissions, with and without budgets, exclusions and requirements."""
    dice = np.random.default_rng(seed)
    paths, years, count = int(dice.integers(5, 30)), int(dice.integers(2, 4)), int(dice.integers(1, 6))
    even = dice.random() < 0.35
    options = []
    for k in range(count):
        tonnes = dice.uniform(
            -1e5, 2e6, int(dice.integers(1, 3)) if even else (int(dice.integers(1, 3)), paths)
        )
        if not even and dice.random() < 0.5:
            tonnes = tonnes * (dice.random(paths) < 0.8)
        money = dice.uniform(0, [1e8, 1e7, 1e7 * float(dice.random() < 0.3) + 1e-9])
        earliest = FIRST + int(dice.integers(0, years))
        options.append(Option(f"o{k}", tonnes, earliest, *money.tolist()))
    rules = Rules(
        budget=float(dice.choice([np.inf, 1e8, 2e8])),
        yearly=np.full(years, 9e7) if dice.random() < 0.3 else None,
        exclusions=(("o0", "o1"),) if count > 1 and dice.random() < 0.5 else (),
        requires=(("o2", "o0"),) if count > 2 and dice.random() < 0.5 else (),
        rate=0.05,
    )
    weights = np.full(paths, 1 / paths) if dice.random() < 0.5 else dice.dirichlet(np.ones(paths))
    return Question(
        Aim(
            years=FIRST + np.arange(years),
            emissions=dice.normal(10e6, 1e6, (years, paths)),
            weights=weights,
            target_year=FIRST + years - 1,
            level=float(dice.uniform(7e6, 10e6)),
            probability=float(dice.choice([0.3, 0.5, 0.8, 0.95, 1.0])),
        ),
        tuple(options),
        rules,
    )


def by_hand(option: Option, year: int, asked: Question) -> Start:
    """One start, its costs summed year by year."""
    aim, cost = asked.aim, 0.0
    spends = np.zeros(len(aim.years))
    for k, each in enumerate(aim.years.tolist()):
        if year <= each <= aim.target_year:
            spends[k] = option.opex + (option.capex if each == year else 0.0)
            cost += (spends[k] - option.savings) / (1 + asked.rules.rate) ** (each - int(aim.years[0]))
    later = aim.target_year - year
    return Start(year, np.asarray(option.tonnes[min(later, len(option.tonnes) - 1)]), cost, spends)


def exhaustive(asked: Question) -> tuple[float | None, float]:
    """Least cost of a plan that does, None without one; and the highest chance that any lawful plan has."""
    aim, best, likeliest = asked.aim, None, -1.0
    choices: list[list[Start | None]] = [
        [None, *(by_hand(o, y, asked) for y in aim.years.tolist() if o.earliest <= y <= aim.target_year)]
        for o in asked.options
    ]
    for picked in itertools.product(*choices):
        starts = {o.name: s for o, s in zip(asked.options, picked, strict=True) if s is not None}
        if not _lawful(asked, starts):
            continue
        cost, chance = sum(s.cost for s in starts.values()), chance_of(aim, starts)
        likeliest = max(likeliest, chance)
        if chance >= aim.probability - 1e-9 and (best is None or cost < best):
            best = cost
    return best, likeliest


def _lawful(asked: Question, starts: dict[str, Start]) -> bool:
    rules = asked.rules
    spent = sum((s.spends for s in starts.values()), np.zeros(len(asked.aim.years)))
    return (
        all(sum(name in starts for name in group) < 2 for group in rules.exclusions)
        and all(
            one not in starts or (other in starts and starts[other].year <= starts[one].year)
            for one, other in rules.requires
        )
        and sum(s.cost for s in starts.values()) <= rules.budget
        and (rules.yearly is None or bool((spent <= rules.yearly).all()))
    )


def large_question(seed: int, *, options: int = 30, paths: int = 1000, starts: int = 1) -> Question:
    """Projects that may be cancelled, slip and deliver less, on the paths of one cluster; a target year as
    many years after the first as there are ``starts``."""
    dice = np.random.default_rng(seed)
    years = 2030 - starts + 1 + np.arange(starts)
    made = []
    for k in range(options):
        size = dice.uniform(0.1e6, 1.5e6)
        built = dice.random(paths) < dice.uniform(0.7, 0.95)
        ramp = np.array([0.3, 0.6, 1.0])[-starts:]
        tonnes = size * ramp[:, None] * built * dice.uniform(0.7, 1.0, paths)
        made.append(Option(f"p{k}", tonnes, int(years[0]), capex=float(size * dice.uniform(200, 1500))))
    emissions = dice.normal(14e6, 1.6e6, (starts, paths))
    even = np.full(paths, 1 / paths)
    aim = Aim(years, emissions, even, 2030, 9.27e6, 0.8)
    return Question(aim, tuple(made), Rules(rate=0.05))
