"""Scenarios beside the forecast: what a plan does to emissions and to the chance of a target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from features.errors import AskError
from features.reference.tables import load
from features.series.words import UNIQUE_ID, UNIT
from insights.assess import Scales
from insights.outlook import outlook
from insights.scenario import Scenario, scenario_of
from insights.scenario_diff import diff
from serving.ground import ground_of
from serving.progress import chosen_of, factors_of, goals_of, name_of, recalibration_of
from serving.shelf import Standing
from serving.views import told_of

MOST_COMPARED: Final = 4


def read_scenario(body: Any) -> Scenario:
    """The scenario of a table, checked against the registry.

    Raises:
        AskError: anything that cannot be, with field, found, allowed and remedy.
    """
    reference = load()
    return scenario_of(body, reference.projects, factors_of(reference))


def scenario_view(asked: Mapping[str, Any] | Scenario, standing: Standing) -> dict[str, Any]:
    """Baseline and scenario side by side, JSON-ready.

    Args:
        asked: a scenario, or its table as TOML or JSON gave it.

    Raises:
        AskError: no such scenario, series or target, or a target asked for that cannot be measured.
        DataError: there is no series, or that target's scope cannot be read.
        ModelError: what the pack keeps of the figures cannot be read.
    """
    scenario = asked if isinstance(asked, Scenario) else read_scenario(asked)
    name = scenario.series
    # Whether there is such a series is told before what is wrong with its targets.
    ground = ground_of(name, standing)
    tellings = chosen_of(goals_of(name, standing), scenario.target or None, name)
    rung = standing.rungs[name]
    scales = Scales(factors_of(load()), recalibration_of(standing), rung.entry.kind)
    told = outlook(scenario, ground, scales, tellings)
    return {
        UNIQUE_ID: name,
        "series_name": name_of(name, standing),
        "unit": UNIT,
        "version": scenario.version,
        **told,
        "cutoff": rung.entry.cutoff,
        "made_by": rung.made_by,
        **told_of(standing),
    }


def compare_scenarios(asked: Sequence[Mapping[str, Any] | Scenario], standing: Standing) -> dict[str, Any]:
    """Up to four scenarios side by side, and where each differs from the one before it.

    Raises:
        AskError: ``too-many-scenarios``; or as ``scenario_view``.
    """
    if not 1 <= len(asked) <= MOST_COMPARED:
        raise AskError(
            "too-many-scenarios",
            found=f"{len(asked)} scenarios",
            expected=f"1 to {MOST_COMPARED}",
            remedy="compare fewer at a time",
        )
    read = [each if isinstance(each, Scenario) else read_scenario(each) for each in asked]
    return {
        "scenarios": [scenario_view(each, standing) for each in read],
        "differences": [
            {
                "from": one.name,
                "to": other.name,
                "places": [vars(each) for each in diff(one, other)],
            }
            for one, other in pairwise(read)
        ],
    }
