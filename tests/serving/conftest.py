"""A published store and what stands on its shelf."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.shelf import Shelf, Standing
from tests.serving.synthetic import Kit


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Kit().publish(tmp_path)
    return tmp_path


@pytest.fixture
def standing(store: Path) -> Standing:
    shelf = Shelf(store)
    shelf.refresh()
    return shelf.standing
