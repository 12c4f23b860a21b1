"""What Prometheus is told: a few figures of our own, with labels that callers cannot make up."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)

FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """The figures of one worker; with several, each scrape adds up what all of them wrote."""

    def __init__(self, routes: Iterable[str]) -> None:
        own = CollectorRegistry()
        self._registry = own
        self._requests = Counter(
            "forecarbon_requests", "Requests answered.", ("route", "status"), registry=own
        )
        self._seconds = Histogram(
            "forecarbon_request_seconds", "Seconds an answer took.", ("route",), buckets=_SECONDS,
            registry=own,
        )  # fmt: skip
        self._timed = {route: self._seconds.labels(route) for route in routes}
        self._counted: dict[tuple[str, int], Counter] = {}
        self._swaps = Counter("forecarbon_swaps", "Packs taken into service.", registry=own)
        self._refused = Counter("forecarbon_packs_refused", "Packs that were refused.", registry=own)
        told = (
            ("forecarbon_degraded", "1 where a fallback answers or a pack is refused."),
            ("forecarbon_journal_degraded", "1 while the journal cannot be written."),
            ("forecarbon_journal_lost", "Entries of the journal that were lost."),
            ("forecarbon_keys_stale", "1 while the keys cannot be read anew."),
            ("forecarbon_series_served", "Series with a forecast."),
        )
        self._gauges = {
            name: Gauge(name, text, registry=own, multiprocess_mode="livemostrecent") for name, text in told
        }

    def count(self, route: str, status: int, seconds: float) -> None:
        """One request answered; ``route`` of those named at the start."""
        counter = self._counted.get((route, status))
        if counter is None:
            counter = self._counted[route, status] = self._requests.labels(route, str(status))
        counter.inc()
        self._timed[route].observe(seconds)

    def swapped(self) -> None:
        """A pack was taken into service."""
        self._swaps.inc()

    def refused(self) -> None:
        """A pack was refused."""
        self._refused.inc()

    def tell(self, **values: float) -> None:
        """Set gauges by the end of their name."""
        for name, value in values.items():
            self._gauges[f"forecarbon_{name}"].set(value)

    def text(self) -> bytes:
        """All figures in Prometheus' text form. Reads files where there are several workers."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        whole = CollectorRegistry()
        multiprocess.MultiProcessCollector(whole)  # type: ignore[no-untyped-call]
        return generate_latest(whole)
