"""The desk: what each endpoint does, from checked input to a JSON-ready answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from serving.answer import answer, provenance
from serving.entries import entry_of, forecast_id_of, rendered
from serving.journal import Journal
from serving.own_history import SOURCE, Kitchen
from serving.shelf import Shelf, Standing
from serving.views import findings_view, health_view
from serving.wire import ForecastAsk


@dataclass(frozen=True)
class Desk:
    """What a worker answers with.

    Attributes:
        clock: the time of issue as ISO text, UTC.
        new_id: text that no other forecast of the day has.
        read_findings: the findings on record, oldest first.
    """

    shelf: Shelf
    journal: Journal
    kitchen: Kitchen
    clock: Callable[[], str]
    new_id: Callable[[], str]
    read_findings: Callable[[], list[dict[str, Any]]] = field(default=list)

    async def forecast(self, ask: ForecastAsk, request_id: str) -> dict[str, Any]:
        """Answer a question and note the answer in the journal."""
        standing = self.shelf.standing
        issued_at = self.clock()
        forecast_id = forecast_id_of(issued_at, self.new_id())
        marks = {"issued_at": issued_at, "request_id": request_id, "forecast_id": forecast_id}
        if ask.history:
            told = own_answer(await self.kitchen.forecast(ask), standing, **marks)
        else:
            told = answer(ask, standing, **marks)
        self.journal.note(rendered(entry_of(ask, told, standing)))
        return {**told, "journal": self.journal.state}

    def findings(self) -> dict[str, Any]:
        """What the watch has found, newest first."""
        return findings_view(self.read_findings(), self.shelf.standing)

    def health(self) -> dict[str, Any]:
        """The health of this worker."""
        return health_view(self.shelf.standing, self.shelf.refused, self.journal.state)


def own_answer(forecasts: list[dict[str, Any]], standing: Standing, **marks: str) -> dict[str, Any]:
    """The answer to a question about the caller's own rows; ``marks`` as ``provenance`` takes them."""
    return {
        "forecasts": forecasts,
        "refusals": [],
        **provenance(standing, **marks),
        "as_of": marks["issued_at"],
        "sources": [SOURCE],
    }
