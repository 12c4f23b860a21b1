"""A champion whose pack is there already: told by content, and built again whenever anything is amiss."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.instants import naive_utc
from serving import made
from serving.layout import CARD, CURRENT, read_pointer
from serving.pack import build_and_publish
from tests.serving.synthetic import NOW, Kit
from tests.serving.whole import model_folder


@pytest.fixture
def champion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = model_folder(tmp_path / "models" / "2026-01-01T000000Z-abc")
    monkeypatch.setattr("training.registry.champion_folder", lambda store: folder)
    return folder


@pytest.fixture
def built(champion: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Models whose pack was built."""
    seen: list[str] = []

    def counted(folder: Path, *, store: Path, now: Any) -> Path:
        seen.append(folder.name)
        return Kit(version=folder.name).write(store)

    monkeypatch.setattr("serving.pack.build", counted)
    return seen


def test_the_same_champion_is_published_without_being_read(tmp_path: Path, built: list[str]) -> None:
    first = build_and_publish(store=tmp_path, now=NOW)
    (tmp_path / CURRENT).unlink()
    assert build_and_publish(store=tmp_path, now=NOW + timedelta(days=3)) == first
    assert len(built) == 1
    assert read_pointer(tmp_path / CURRENT) is not None


def test_anything_else_is_built(
    tmp_path: Path, champion: Path, built: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = build_and_publish(store=tmp_path, now=NOW)
    count = len(built)

    def again(days: float = 0) -> bool:
        nonlocal count
        build_and_publish(store=tmp_path, now=NOW + timedelta(days=days))
        news, count = len(built) > count, len(built)
        return news

    assert not again()
    (pack / "mean.npy").write_bytes(b"")
    assert again()
    assert not again()
    card = pack / CARD
    card.write_text(card.read_text().replace('"format"', ' "format"'))
    assert again()
    assert again(days=-4000)  # before its newest figure became known
    note = next((tmp_path / made.FOLDER).iterdir())
    note.write_bytes(b"{")
    assert again()
    file = next(path for path in sorted(champion.rglob("*")) if path.is_file())
    file.write_bytes(file.read_bytes() + b"\n")
    assert made.key_of(champion) != note.stem
    monkeypatch.setattr(made, "version", lambda name: "0")
    assert again()


def test_a_full_disk_is_no_failure(tmp_path: Path, built: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*told: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(made, "write_json", full)
    for _ in range(2):
        build_and_publish(store=tmp_path, now=NOW)
    assert len(built) == 2


def test_a_model_without_figures_of_its_own_is_always_built(
    tmp_path: Path, champion: Path, built: list[str]
) -> None:
    (champion / "basis" / "vintages.parquet").unlink()
    for _ in range(2):
        build_and_publish(store=tmp_path, now=NOW)
    assert len(built) == 2
    key = made.key_of(champion)
    assert made.read(tmp_path, key, champion.name, naive_utc(NOW)) is None
