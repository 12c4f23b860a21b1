"""A plan small enough to be retrained in a test, on the embedded figures."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from training.plan import Plan, parse_plan

NOW: Final = datetime(2026, 1, 1, tzinfo=UTC)


def small_plan(*, seed: int = 1, members: tuple[str, ...] = ("naive", "drift"), **tables: Any) -> Plan:
    """Cheap members, three scored folds, and a gate that lets everything in that can be judged."""
    return parse_plan(
        {
            "name": "small",
            "experiment": "small",
            "folds": {"issue_month": 6, "issue_day": 15, "first_year": 2014, "last_year": 2020, "scored": 3},
            "recipe": {
                "name": "blend",
                "members": list(members),
                "reach": 2,
                "memory": 0.9,
                "anchor": 0.4,
                "pull": 0.01,
                "arima_final": "grid",
                "seed": seed,
            },
            "gate": {
                "baseline": "naive",
                "primary": "sql",
                "tolerance": 1.0,
                "least_pairs": 200,
                "least_folds": 2,
                "coverage_gap": 0.3,
                "worst_kind": 1.0,
                "bias_gap": 1.0,
            },
            **tables,
        }
    )
