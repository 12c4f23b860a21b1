"""A published store and what stands on its shelf."""

from __future__ import annotations

from pathlib import Path

import pytest

from serving.shelf import Shelf, Standing
from tests.serving.synthetic import Kit
from tests.serving.whole import publish_whole


@pytest.fixture
def store(tmp_path: Path) -> Path:
    Kit().publish(tmp_path)
    return tmp_path


@pytest.fixture
def standing(store: Path) -> Standing:
    shelf = Shelf(store)
    shelf.refresh()
    return shelf.standing


@pytest.fixture
def whole(tmp_path: Path) -> Standing:
    """A standing with plants, and with the figures and the track record of its model."""
    publish_whole(tmp_path / "whole", tmp_path / "scratch")
    shelf = Shelf(tmp_path / "whole")
    shelf.refresh()
    return shelf.standing
