from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from insights.projects import Counts, Risk, counts_of, drawn
from tests.insights.plans import REFERENCE

COUNTS = counts_of(REFERENCE.projects)
MANY = 40_000


def test_the_priors_are_the_counts_of_the_registry() -> None:
    """DOMAIN lesson 7: of 5 with two dates 3 slipped by 1 to 3 years; 1 of 29 dropped, 2 not selected."""
    assert Counts((2, 1, 0, 2), 3, 29) == COUNTS
    told = COUNTS.as_record()
    assert told["weak"] is True
    assert (told["dated_twice"], told["ended"], told["projects"]) == (5, 3, 29)


def test_weak_priors_draw_what_the_counts_say() -> None:
    told = drawn(Risk(), "a", 1, MANY, COUNTS)
    chances = [float((told.late == years).mean()) for years in range(4)]
    assert chances == pytest.approx([2.5 / 7, 1.5 / 7, 0.5 / 7, 2.5 / 7], abs=0.01)
    assert float((~told.built).mean()) == pytest.approx(3.5 / 30, abs=0.01)
    assert (told.delivered == 1).all()


def test_weak_priors_of_two_projects_go_together() -> None:
    """How slippery projects are is one unknown for all: two are late together more than by chance."""
    one, other = (drawn(Risk(), name, 1, MANY, COUNTS) for name in ("a", "b"))
    assert np.corrcoef(one.late, other.late)[0, 1] > 0.05
    own = Risk(slips=(0.5, 0.5), cancel=0.5)
    one, other = (drawn(own, name, 1, MANY, COUNTS) for name in ("a", "b"))
    assert abs(np.corrcoef(one.late, other.late)[0, 1]) < 0.02


def test_own_chances_are_drawn_as_told() -> None:
    told = drawn(Risk(slips=(0.2, 0.0, 0.8), cancel=0.25, delivery=(0.4, 0.7, 1.0)), "a", 1, MANY, COUNTS)
    assert {int(v): float((told.late == v).mean()) for v in np.unique(told.late)} == {
        0: pytest.approx(0.2, abs=0.01),
        2: pytest.approx(0.8, abs=0.01),
    }
    assert float(told.built.mean()) == pytest.approx(0.75, abs=0.01)
    assert float(told.delivered.mean()) == pytest.approx(0.7, abs=0.005)
    assert told.delivered.min() >= 0.4
    assert told.delivered.max() <= 1.0
    fixed = drawn(Risk(delivery=(0.8, 0.8, 0.8)), "a", 1, 10, COUNTS)
    assert (fixed.delivered == 0.8).all()


def test_where_each_part_comes_from_is_told() -> None:
    assert Risk().sources() == {
        "slip": "weak-prior", "cancel": "weak-prior", "delivery": "no-record-taken-as-in-full"
    }  # fmt: skip
    assert Risk(slips=(1.0,), delivery=(1, 1, 1)).sources() == {
        "slip": "own", "cancel": "weak-prior", "delivery": "own"
    }  # fmt: skip
    assert set(Risk(certain=True).sources().values()) == {"certain"}
    sure = drawn(Risk(certain=True), "a", 1, 50, COUNTS)
    assert (sure.late == 0).all()
    assert sure.built.all()


def test_a_path_keeps_its_draw() -> None:
    """One project, one draw: whatever else is drawn, and whatever is thought of its other parts."""
    one, again = (drawn(Risk(), "a", 5, 500, COUNTS) for _ in range(2))
    assert (one.late == again.late).all()
    assert (one.built == again.built).all()
    sure_built = drawn(Risk(cancel=0.0), "a", 5, 500, COUNTS)
    assert (one.late == sure_built.late).all()
    assert sure_built.built.all()
    assert not (one.late == drawn(Risk(), "b", 5, 500, COUNTS).late).all()
    assert not (one.late == drawn(Risk(), "a", 6, 500, COUNTS).late).all()


def test_strength_by_hand() -> None:
    told = drawn(Risk(certain=True), "a", 1, 3, COUNTS)
    told = replace(told, late=np.array([0, 1, 0]), built=np.array([True, True, False]),
                   delivered=np.array([1.0, 0.5, 1.0]))  # fmt: skip
    years = np.arange(2026, 2030)
    assert told.strength(years, 2026, 1, None).tolist() == [
        [0.5, 0, 0],
        [1, 0.25, 0],
        [1, 0.5, 0],
        [1, 0.5, 0],
    ]
    assert told.later(2).strength(years, 2026, 0, None)[:, 0].tolist() == [0, 0, 1, 1]
    assert told.lost().strength(years, 2026, 0, None).sum() == 0


def test_a_registry_without_dates_draws_no_slip() -> None:
    told = drawn(Risk(), "a", 1, 100, Counts((), 0, 0))
    assert (told.late == 0).all()
