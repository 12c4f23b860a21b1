from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.progress import Course, achieved, needed, on_track
from tests.insights.grounds import ALL_GHG, REGISTERED, record

COURSE = Course(1990, 20.6e6, 2030, 9.27e6)


def test_the_worked_case() -> None:
    """DOMAIN: 1.51 Mt a year linear against 10.7% a year compound; 1.57 Mt a year were cut since 2016."""
    told = needed(record(REGISTERED, "co2"), 9.27e6, 2030)
    assert told.linear == pytest.approx(1.51e6)
    assert told.compound == pytest.approx(10.74, abs=0.005)
    assert told.achieved == pytest.approx(1.57125e6)
    assert told.achieved_from == 2016
    assert told.ratio == pytest.approx(1.51 / 1.57125)
    # Just on the straight line, yet not on a constant percentage.
    assert told.ratio is not None
    assert told.ratio < 1
    assert told.achieved_compound is not None
    assert told.compound is not None
    assert told.achieved_compound < told.compound


def test_like_for_like_the_fall_is_8_to_10_percent_and_not_5() -> None:
    registered = REGISTERED[2024] / REGISTERED[2023] - 1
    whole = ALL_GHG[2024] / ALL_GHG[2023] - 1
    spliced = ALL_GHG[2024] / REGISTERED[2023] - 1
    assert (round(100 * registered, 1), round(100 * whole, 1), round(100 * spliced)) == (-9.7, -8.1, -5)


def test_gap_in_tonnes_percent_and_years() -> None:
    told = on_track(record(REGISTERED, "co2"), COURSE)
    assert told.allowed == pytest.approx(10.9695e6)
    assert told.gap == pytest.approx(7.3605e6)
    assert told.gap_percent == pytest.approx(100 * 7.3605 / 10.9695)
    assert told.delay_years == pytest.approx(2024 - (1990 + 40 * (20.6 - 18.33) / 11.33))
    assert told.delay_bound == ""


def test_above_the_base_the_delay_is_at_least_the_years_since() -> None:
    told = on_track(record({2020: 25.0}, "co2"), COURSE)
    assert (told.delay_years, told.delay_bound) == (30.0, "at-least")


def test_below_the_target_it_is_done() -> None:
    told = on_track(record({2024: 9.0}, "co2"), COURSE)
    assert (told.delay_years, told.delay_bound) == (None, "done")
    assert told.gap < 0


def test_ahead_is_a_delay_below_zero() -> None:
    told = on_track(record({2000: 15.0}, "co2"), COURSE)
    assert told.delay_years is not None
    assert told.delay_years < 0


def test_a_path_that_ends_at_zero_has_no_percent_there() -> None:
    assert on_track(record({2050: 1.0}, "x"), Course(2000, 10e6, 2050, 0.0)).gap_percent is None


def test_undefined_is_said() -> None:
    now = record({2014: 12.0, 2024: 10.0}, "x")
    assert needed(now, 0.0, 2050).undefined == "target-is-zero"
    assert needed(now, 0.0, 2050).linear == pytest.approx(10e6 / 26)
    assert (needed(now, 5e6, 2024).undefined, needed(now, 5e6, 2024).linear) == ("target-year-past", None)
    assert needed(record({2024: 0.0}, "x"), 5e6, 2030).undefined == "no-emissions"


def test_where_emissions_grew_there_is_no_ratio() -> None:
    told = needed(record({2014: 10.0, 2024: 12.0}, "x"), 5e6, 2030)
    assert told.ratio is None
    assert told.achieved is not None
    assert told.achieved < 0


def test_one_figure_tells_no_rate() -> None:
    assert achieved(record({2024: 1.0}, "x")) == (None, None, None)


@given(
    st.floats(1.0, 1e9), st.floats(0.0, 1.0), st.integers(1990, 2020), st.integers(1, 60), st.integers(0, 60)
)
def test_the_path_runs_straight_from_base_to_target(
    base: float, share: float, year: int, span: int, at: int
) -> None:
    course = Course(year, base, year + span, base * share)
    assert course.at(year) == pytest.approx(base)
    assert course.at(year + span) == pytest.approx(base * share, abs=1e-9 * base)
    middle = course.at(year + min(at, span))
    slow = base + (base * share - base) * min(at, span) / span
    assert middle == pytest.approx(slow, rel=1e-12, abs=1e-9 * base)
    back = course.year_of(middle)
    if base - base * share > 1e-6 * base:
        assert back == pytest.approx(year + min(at, span), abs=1e-6)
