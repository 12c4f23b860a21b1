"""Efficiency and circularity: fuel that is not burnt at all."""

from __future__ import annotations

from typing import Final

from insights.kinds.kind import FUEL, Kind, Terms
from insights.tolls import Toll, of_efficiency


def _toll(terms: Terms) -> Toll:
    return of_efficiency(terms.burnt, terms.upstream)


EFFICIENCY: Final = Kind("efficiency", FUEL, ("efficiency", "waste heat", "N2O"), _toll)
