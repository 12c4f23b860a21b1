"""Refusals at a terminal: a route of the API that a command answers too is told as that command."""

from __future__ import annotations

import re
from typing import Final

# What is not here has no command: its route is told, for `forecarbon serve` answers it.
COMMANDS: Final = {
    "GET /v1/clusters": "forecarbon clusters",
    "GET /v1/clusters/{cluster_id}": "forecarbon progress CLUSTER",
    "GET /v1/promotions": "forecarbon history",
    "POST /v1/forecast": "forecarbon forecast",
    "POST /v1/insights/progress": "forecarbon progress CLUSTER --targets FILE",
    "POST /v1/insights/portfolio": "forecarbon portfolio FILE",
    "POST /v1/insights/funding": "forecarbon report CLUSTER --funding --out FILE",
    "POST /v1/reports": "forecarbon report CLUSTER --out FILE",
    "POST /v1/scenarios": "forecarbon scenario FILE",
}
_ROUTE: Final = re.compile(r"(?:GET|POST) /v1/[\w/{}.-]*[\w}]")


def worded(message: str) -> str:
    """``message`` with commands, in backticks, in place of the routes that have one."""
    return _ROUTE.sub(lambda at: f"`{COMMANDS[at[0]]}`" if at[0] in COMMANDS else at[0], message)
