"""A thin Python client of the forecast API.

>>> from serving.client import Client
>>> with Client("http://localhost:3000") as api:
...     answer = api.forecast(clusters=["nl-rotterdam"], steps=8)
...     answer["nl-rotterdam"].rows[0].quantiles["0.5"]
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Final
from urllib.parse import quote

import httpx

from serving.calls import TRIES, Calls
from serving.replies import (
    Accepted,
    Answer,
    Evidence,
    Forecast,
    Health,
    Lineage,
    Promotion,
    Refused,
    Series,
    made,
    made_answer,
    made_forecast,
)

__all__ = ["Client", "Refused"]
NDJSON: Final = "application/x-ndjson"
ARROW: Final = "application/vnd.apache.arrow.stream"
_PAGE: Final = 500


class Client:
    """Speaks to one service; close it, or use it in a ``with`` block. Not to be shared by threads.

    A request that meets 429 or 503 is sent again after the seconds the service names, up to ``tries`` times.
    Every other refusal is raised as ``Refused``; a service that cannot be reached, as httpx says it.

    Args:
        base_url: such as "http://localhost:3000".
        key: API key, where the service asks for one.
        timeout: seconds to wait for the service to say something.
        transport: of httpx, for tests.
        sleep: waits so many seconds, for tests.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        timeout: float = 30.0,
        *,
        tries: int = TRIES,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=base_url, timeout=timeout, headers=headers, transport=transport)
        self._calls = Calls(self._http, tries=tries, sleep=sleep)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def forecast(self, *, clusters: Sequence[str] = (), series: Sequence[str] = (), **more: Any) -> Answer:
        """Forecasts of clusters and series of the registry.

        ``more``: steps, levels or quantiles, include_sectors, scope, paths, as_of, model_version.

        Raises:
            Refused: nothing of it could be answered; what could not beside what could is in ``refusals``.
        """
        asked = _asked(clusters=list(clusters), series=list(series), **more)
        return made_answer(self._calls.json("POST", "/v1/forecast", json=asked))

    def own_history(self, rows: Sequence[Mapping[str, Any]], **more: Any) -> Answer:
        """Forecasts of your own series: rows of unique_id, ds, y (tCO2e or None).

        ``more``: cadence, steps, levels or quantiles.

        Raises:
            Refused: the rows allow no forecast.
        """
        asked = _asked(history=[dict(row) for row in rows], **more)
        return made_answer(self._calls.json("POST", "/v1/forecast", json=asked))

    def batch(self, **asked: Any) -> Batch:
        """Forecasts of a portfolio, read as they come: ``for forecast in api.batch(all=True): …``.

        ``asked``: clusters, series, or all with kinds and cluster_id; steps; levels or quantiles.
        """
        return Batch(self._calls, _asked(**asked))

    def batch_table(self, **asked: Any) -> Any:
        """The same as a pyarrow.Table, long; its summary is in the metadata of the schema.

        Raises:
            Refused: nothing of it could be answered.
            pyarrow.ArrowException: the answer was cut short.
        """
        import pyarrow as pa  # only this method needs it

        headers = {"accept": ARROW}
        with self._calls.opened(
            "POST", "/v1/forecasts/batch", json=_asked(**asked), headers=headers
        ) as reply:
            body = reply.read()
        with pa.ipc.open_stream(pa.py_buffer(body)) as stream:
            return stream.read_all()

    def clusters(self) -> list[dict[str, Any]]:
        """Every cluster: where it is, its latest total, its outlook, or why it has none."""
        return list(self._calls.json("GET", "/v1/clusters")["clusters"])

    def series(self, *, kind: str | None = None, cluster_id: str | None = None) -> Iterator[Series]:
        """Every served series, page by page.

        Raises:
            Refused: a kind or cluster that is none, or the list was replaced while it was read.
        """
        asked = {"kind": kind, "cluster_id": cluster_id}
        return (made(Series, line) for line in self._pages("/v1/series", "series", asked))

    def promotions(self) -> Iterator[Promotion]:
        """Decisions on the champion, newest first."""
        return (made(Promotion, line) for line in self._pages("/v1/promotions", "promotions", {}))

    def evidence(self, series: str) -> Evidence:
        """How good the forecasts of a series were."""
        return made(Evidence, self._calls.json("GET", "/v1/evidence", params={"series": series}))

    def lineage(self, series: str, ds: str) -> Lineage:
        """Where the number of a series and period comes from."""
        asked = {"series": series, "ds": ds}
        return made(Lineage, self._calls.json("GET", "/v1/lineage", params=asked))

    def progress(self, series: str, **asked: Any) -> dict[str, Any]:
        """How far a series is on its way to its targets; ``targets=[...]`` for your own.

        Fields as in the API: target_id, base_year, scope, language.
        """
        if "targets" in asked:
            return self._calls.json("POST", "/v1/insights/progress", json={"series": series, **asked})
        return self._calls.json("GET", "/v1/insights/progress", params={"series": series, **asked})

    def provenance(self, answer_id: str) -> dict[str, Any]:
        """An insight made again, and what it rests on."""
        return self._calls.json("GET", f"/v1/provenance/{answer_id}")

    def model(self) -> dict[str, Any]:
        """Model card of the champion."""
        return self._calls.json("GET", "/v1/models/current")

    def forecast_by_id(self, forecast_id: str) -> dict[str, Any]:
        """What the journal keeps of an issued forecast."""
        return self._calls.json("GET", f"/v1/forecasts/{quote(forecast_id, safe='')}")

    def send_actuals(self, rows: Sequence[Mapping[str, Any]]) -> Accepted:
        """Tell what came true: rows of unique_id, ds, y (tCO2e), source."""
        asked = {"rows": [dict(row) for row in rows]}
        return made(Accepted, self._calls.json("POST", "/v1/actuals", json=asked))

    def health(self) -> Health:
        """State of the service."""
        return made(Health, self._calls.json("GET", "/v1/health"))

    def _pages(self, path: str, name: str, asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            told = {key: value for key, value in {**asked, "cursor": cursor}.items() if value is not None}
            page = self._calls.json("GET", path, params={**told, "limit": _PAGE})
            yield from page[name]
            cursor = page["next"]
            if cursor is None:
                return


class Batch:
    """A portfolio's forecasts as they come; ``summary`` is there once all are read."""

    def __init__(self, calls: Calls, asked: Mapping[str, Any]) -> None:
        self._calls = calls
        self._asked = asked
        self.summary: Mapping[str, Any] | None = None

    def __iter__(self) -> Iterator[Forecast]:
        """Ask, and hand on each forecast as it is read.

        Raises:
            Refused: nothing could be answered, or the answer ended before its summary (``answer-cut-short``).
        """
        headers = {"accept": NDJSON}
        with self._calls.opened(
            "POST", "/v1/forecasts/batch", json=dict(self._asked), headers=headers
        ) as reply:
            for line in reply.iter_lines():
                record = _record(line)
                if record is None:
                    break
                if "summary" in record:
                    self.summary = record["summary"]
                    return
                yield made_forecast(record)
            raise Refused(
                "answer-cut-short",
                found="a batch without its summary",
                expected="a summary as the last line",
                remedy="ask again; the service may have been stopped",
                request_id=reply.headers.get("x-request-id", ""),
                status=reply.status_code,
            )


def _record(line: str) -> dict[str, Any] | None:
    """The object in a line; None of a line that was cut."""
    try:
        loaded = json.loads(line)
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _asked(**named: Any) -> dict[str, Any]:
    """The question without what was left out."""
    return {name: value for name, value in named.items() if value is not None and value != []}
