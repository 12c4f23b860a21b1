from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from features.errors import AskError
from serving.layout import CARD
from serving.packs import kept_pack
from tests.serving.desks import asked, code_of, desk_of
from tests.serving.synthetic import NOW, Kit


def dated(store: Path, version: str, days: int) -> Path:
    """A pack whose figures are those known so many days after the first."""
    return Kit(version=version).write(store, created_at=NOW + timedelta(days=days))


@pytest.fixture
def several(tmp_path: Path) -> Path:
    for version, days in (("first", 0), ("second", 10), ("third", 20)):
        dated(tmp_path, version, days)
    return tmp_path


def version(store: Path, model_version: str | None = None, as_of: str | None = None) -> str:
    found = kept_pack(store, model_version, as_of)
    assert found is not None
    return found.model_version


def as_of(store: Path, name: str) -> str:
    found = kept_pack(store, name, None)
    assert found is not None
    return found.as_of


def test_nothing_asked_is_the_champion(several: Path) -> None:
    assert kept_pack(several, None, None) is None


def test_a_version_is_found_by_its_name(several: Path) -> None:
    assert [version(several, name) for name in ("first", "second", "third")] == ["first", "second", "third"]


def test_a_date_is_answered_by_the_newest_of_then(several: Path) -> None:
    second = as_of(several, "second")
    assert version(several, None, second) == "second"
    assert version(several, None, second[:10]) == "second"
    assert version(several, None, "2999-01-01") == "third"
    assert version(several, None, "9999-12-31") == "third"
    assert version(several, "first", "2999-01-01") == "first"
    day_before = (NOW + timedelta(days=9)).date().isoformat()
    assert version(several, None, day_before) == "first"


@pytest.mark.parametrize(
    ("model_version", "date", "code"),
    [
        ("none", None, "unknown-model"),
        ("third", "2026-11-24", "unknown-model"),
        (None, "1990-01-01", "unknown-model"),
        ("../first", None, "unknown-model"),
        (None, "yesterday", "as-of-unreadable"),
        (None, "2026-02-30", "as-of-unreadable"),
        (None, "9999-12-31T23:59:59-14:00", "as-of-unreadable"),
    ],
)
def test_what_is_not_kept_is_refused(
    several: Path, model_version: str | None, date: str | None, code: str
) -> None:
    with pytest.raises(AskError) as refused:
        kept_pack(several, model_version, date)
    assert refused.value.code == code


def test_a_store_without_packs_knows_none(tmp_path: Path) -> None:
    with pytest.raises(AskError, match="unknown-model"):
        kept_pack(tmp_path, "first", None)


@pytest.mark.parametrize("card", [b"", b"{", b"[]", b"{}", b"\xff", b'{"model_version": "third"}'])
def test_a_damaged_card_is_passed_over(several: Path, card: bytes) -> None:
    third = next(
        path
        for path in several.glob(f"*/*/{CARD}")
        if json.loads(path.read_bytes())["model_version"] == "third"
    )
    third.write_bytes(card)
    assert version(several, None, "2999-01-01") == "second"
    with pytest.raises(AskError, match="unknown-model"):
        kept_pack(several, "third", None)


def test_the_path_of_requests_takes_pins(store: Path) -> None:
    Kit(version="newer").write(store, created_at=NOW + timedelta(days=5))
    with desk_of(store) as edge:
        ask = {"clusters": ["aa-north"], "steps": 1}
        told = asked(edge, "POST", "/v1/forecast", json={**ask, "model_version": "newer"}).json()
        assert told["model_version"] == "newer"
        none = asked(edge, "POST", "/v1/forecast", json={**ask, "model_version": "none"})
        assert code_of(none) == (404, "unknown-model")
