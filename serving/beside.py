"""What travels beside every forecast of a pack: score cards, bridges, and what a plant is called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from features.series.quality import CARD, as_records, of_total
from features.series.words import UNIQUE_ID, Y
from serving.forecasts import Table


@dataclass(frozen=True)
class Beside:
    """Facts told with forecasts; none of them changes one.

    Attributes:
        quality: score cards, index unique_id (``features.series.quality.cards``).
        bridges: to published totals, or why there is none (``serving.crossing.bridge_records``).
        names: what a plant is called, by unique_id.
    """

    quality: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=list(CARD)))
    bridges: Sequence[Mapping[str, Any]] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def as_record(self) -> list[Any]:
        """Everything in it, JSON-ready, to tell packs apart by."""
        cards = [[name, card] for name, card in as_records(self.quality).items()]
        return [cards, [dict(item) for item in self.bridges], dict(self.names)]

    def beside(self, items: Sequence[dict[str, Any]], table: Table) -> list[dict[str, Any]]:
        """``items`` (facts of each series of ``table``, in its order) with card and name."""
        newest = table.history.dropna(subset=[Y]).drop_duplicates(UNIQUE_ID, keep="last")
        weights = dict(zip(newest[UNIQUE_ID].astype(str), newest[Y].astype(float), strict=True))
        records = as_records(self.quality)
        told = []
        for item, below in zip(items, table.below, strict=True):
            name = str(item[UNIQUE_ID])
            card = records[name] if name in records else self._summed(below, weights)
            told.append({**item, "quality": card, "name": self.names.get(name, "")})
        return told

    def _summed(self, below: Sequence[str], weights: Mapping[str, float]) -> dict[str, Any] | None:
        parts = self.quality.loc[[name for name in below if name in self.quality.index]]
        return of_total(parts, weights) if len(parts) else None
