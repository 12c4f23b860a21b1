"""What a worker holds after many swaps is what it held after few: counted in objects, not in memory."""

from __future__ import annotations

import asyncio
import gc
import shutil
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Final

import httpx
import numpy as np

from serving.edge import Edge
from tests.serving.desks import desk_of
from tests.serving.synthetic import NOW, Kit

ASKED: Final = (
    ("POST", "/v1/forecast", {"clusters": ["aa-north"], "steps": 8, "levels": [80, 95]}),
    ("POST", "/v1/forecast", {"clusters": ["aa-north"], "as_of": "2026-12-31"}),
    *(("GET", path, None) for path in (
        "/v1/models/current", "/v1/clusters/aa-north", "/v1/insights/progress?series=aa-north",
        "/v1/retrains", "/v1/promotions", "/v1/sources", "/v1/models/reliability",
    )),
)  # fmt: skip
OURS: Final = ("features.", "models.", "insights.", "serving.", "numpy.", "mmap.")


async def ask(edge: Edge) -> None:
    transport = httpx.ASGITransport(app=edge, client=("127.0.0.1", 5))
    async with httpx.AsyncClient(transport=transport, base_url="http://edge") as caller:
        for method, path, body in ASKED:
            reply = await caller.request(method, path, json=body)
            assert reply.status_code == 200, (path, reply.text)


def swap(edge: Edge, store: Path, number: int) -> None:
    """A new version is published and served, and asked about; of the packs before it one stays."""
    at = NOW + timedelta(hours=number)
    Kit(version=f"{at:%Y-%m-%dT%H%M%SZ}-{number:08x}").publish(store, created_at=at)
    assert edge.desk is not None
    assert edge.desk.shelf.refresh()
    for pack in sorted((store / "packs").iterdir())[:-2]:
        shutil.rmtree(pack)
    asyncio.run(ask(edge))


def held() -> Counter[str]:
    """Living objects of ours, arrays and mapped files, by type."""
    gc.collect()
    names = (f"{type(each).__module__}.{type(each).__qualname__}" for each in gc.get_objects()
             if not isinstance(each, type))  # fmt: skip
    return Counter(name for name in names if name.startswith(OURS) and name != f"{np.__name__}.dtype")


def test_nothing_of_a_version_outlives_it(tmp_path: Path) -> None:
    Kit().publish(tmp_path)
    with desk_of(tmp_path) as edge:
        # Some caches hold the newest four: these are full by now.
        for number in range(1, 7):
            swap(edge, tmp_path, number)
        before = held()
        assert before["serving.opened.OpenedPack"] > 0
        assert before["serving.packs.KeptPack"] > 0
        for number in range(7, 13):
            swap(edge, tmp_path, number)
        after = held()
    assert {name: (before[name], after[name]) for name in after if after[name] > before[name]} == {}
