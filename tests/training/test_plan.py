"""Plans are closed: a typo or a value out of range is refused by name."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from features.errors import AskError
from training.plan import PLANS, parse_plan, read_plan


def _record() -> dict[str, object]:
    return tomllib.loads((PLANS / "annual.toml").read_text())


def test_plan_of_record_reads_and_makes_a_recipe() -> None:
    plan = read_plan(PLANS / "annual.toml")
    recipe = plan.recipe.recipe()
    assert recipe.members == tuple(plan.recipe.members)
    assert recipe.reach == plan.recipe.reach


def test_typo_names_the_nearest_key() -> None:
    record = _record()
    record["folds"]["issue_mnth"] = 6  # type: ignore[index]
    with pytest.raises(AskError) as refused:
        parse_plan(record)
    assert refused.value.code == "plan-unknown-key"
    assert "issue_month" in refused.value.expected


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("folds", "issue_month", 13),
        ("recipe", "reach", 0),
        ("recipe", "members", ["naive", "oracle"]),
        ("gate", "primary", "r2"),
        ("gate", "baseline", "boosted-twice"),
        ("gate", "coverage_gap", "small"),
    ],
)
def test_values_out_of_range_are_refused(section: str, key: str, value: object) -> None:
    record = _record()
    record[section][key] = value  # type: ignore[index]
    with pytest.raises(AskError) as refused:
        parse_plan(record)
    assert refused.value.code == "plan-value"


def _tuning(**changes: object) -> dict[str, object]:
    return {
        "trials": 5,
        "seconds": 60.0,
        "settings": {"anchor": [0.1, 0.8], "arima_final": ["grid", "mle"]},
    } | changes


def test_a_plan_may_tune_and_may_name_its_tracker() -> None:
    record = _record()
    plain = parse_plan(record)
    assert plain.tuning is None
    record["tracking"] = {"uri": "http://mlflow.example.org:5000"}
    assert parse_plan(record).fingerprint() == plain.fingerprint()
    record["tuning"] = _tuning()
    assert parse_plan(record).fingerprint() != plain.fingerprint()


@pytest.mark.parametrize(
    "changes",
    [
        {"trials": 0},
        {"seconds": 0.0},
        {"settings": {}},
        {"settings": {"reach": [2, 8]}},
        {"settings": {"anchor": [0.8, 0.1]}},
        {"settings": {"anchor": [0.1, 1.5]}},
        {"settings": {"anchor": [0.1]}},
        {"settings": {"trees": [20.5, 60]}},
        {"settings": {"arima_final": ["grid", "guess"]}},
        {"settings": {"arima_final": ["grid", 1]}},
        {"folds": 7},
    ],
)
def test_a_search_out_of_range_is_refused(changes: dict[str, object]) -> None:
    record = _record()
    record["tuning"] = _tuning(**changes)
    with pytest.raises(AskError) as refused:
        parse_plan(record)
    assert refused.value.code == "plan-value"


def test_missing_and_broken_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AskError, match="plan-missing"):
        read_plan(tmp_path / "none.toml")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = [")
    with pytest.raises(AskError, match="plan-unreadable"):
        read_plan(broken)


def test_fingerprint_tells_plans_apart() -> None:
    plan = parse_plan(_record())
    other = _record()
    other["gate"]["least_pairs"] = 201  # type: ignore[index]
    assert plan.fingerprint() == parse_plan(_record()).fingerprint()
    assert plan.fingerprint() != parse_plan(other).fingerprint()


def test_how_it_is_watched_changes_no_model() -> None:
    watched = {**_record(), "watch": {"retrain_on_drift": True}}
    assert parse_plan(watched).watch.retrain_on_drift
    assert parse_plan(watched).fingerprint() == parse_plan(_record()).fingerprint()
    with pytest.raises(AskError, match="plan-unknown-key") as refused:
        parse_plan({**_record(), "watch": {"retrain_on_drft": True}})
    assert "retrain_on_drift" in refused.value.expected
