"""The root of the checkout, and an edge over a small published store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.edge import Edge
from tests.serving.desks import desk_of
from tests.serving.synthetic import Kit

CANARY = "c4nary-1f9c"


@pytest.fixture(scope="session")
def root() -> Path:
    return Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store, and beside it and in it files that nobody may be led to."""
    held = tmp_path / "store"
    Kit().publish(held)
    for place in (tmp_path / "secret.txt", held / "secret.txt", held / "secret.json"):
        place.write_text(CANARY)
    return held


@pytest.fixture
def edge(store: Path) -> Iterator[Edge]:
    with desk_of(store) as made:
        yield made
