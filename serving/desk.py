"""The desk: what each endpoint does, from checked input to a JSON-ready answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from serving.answer import answer, provenance
from serving.journal import Journal, entry_of
from serving.own_history import SOURCE, Kitchen
from serving.shelf import Shelf
from serving.views import health_view
from serving.wire import ForecastAsk


@dataclass(frozen=True)
class Desk:
    """What a worker answers with.

    Attributes:
        clock: the time of issue as ISO text, UTC.
        new_id: a fresh name for a journal entry.
    """

    shelf: Shelf
    journal: Journal
    kitchen: Kitchen
    clock: Callable[[], str]
    new_id: Callable[[], str]

    async def forecast(self, ask: ForecastAsk, request_id: str) -> dict[str, Any]:
        """Answer a question and note the answer in the journal."""
        standing = self.shelf.standing
        marks = {"issued_at": self.clock(), "request_id": request_id, "journal_id": self.new_id()}
        if ask.history:
            told = {
                "forecasts": await self.kitchen.forecast(ask),
                "refusals": [],
                **provenance(standing, **marks),
                "as_of": marks["issued_at"],
                "sources": [SOURCE],
            }
        else:
            told = answer(ask, standing, **marks)
        self.journal.note(entry_of(ask, told))
        return {**told, "journal": self.journal.state}

    def health(self) -> dict[str, Any]:
        """The health of this worker."""
        return health_view(self.shelf.standing, self.shelf.refused, self.journal.state)
