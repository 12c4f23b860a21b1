from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from features.errors import AskError
from serving import entries
from serving.answer import answer
from serving.entries import (
    digest_of,
    entry_from,
    entry_of,
    find,
    forecast_id_of,
    rendered,
    rows_digest,
    sheet_of,
    stamp_of,
)
from serving.journal import keep
from serving.shelf import Standing
from serving.wire import read_ask

ISSUED = stamp_of(datetime(2026, 11, 28, 9, 30, tzinfo=UTC))
NAME = forecast_id_of(ISSUED, "a1")
MARKS = {"issued_at": ISSUED, "request_id": "r", "forecast_id": NAME}
OWN = (
    b'{"history": [{"unique_id": "mine", "ds": "2020", "y": 5}, {"unique_id": "mine", "ds": "2021", "y": 6}]}'
)


def test_the_name_of_a_forecast_leads_to_its_day() -> None:
    assert (ISSUED, NAME) == ("2026-11-28T09:30:00.000Z", "20261128-a1")


def test_an_entry_holds_all_that_the_answer_rests_on(standing: Standing) -> None:
    ask = read_ask(b'{"clusters": ["aa-north", "zz"], "steps": 3}')
    told = answer(ask, standing, **MARKS)
    entry = json.loads(json.dumps(entry_of(ask, told, standing)))
    assert entry["request"]["clusters"] == ["aa-north", "zz"]
    assert (entry["request"]["steps"], entry["answered"], entry["refused"]) == (3, 1, 1)
    assert entry["pack"]["name"] == standing.pack.name
    assert entry["pack"]["digest"] == standing.pack.digest
    assert entry["older_pack"] is None
    assert entry["digest"] == digest_of({**told, "journal": "degraded"})
    told["forecasts"][0]["rows"][0]["mean"] += 1e-6
    assert entry["digest"] != digest_of(told)


def test_equal_questions_share_digest_and_sheet(standing: Standing) -> None:
    ask = read_ask(b'{"clusters": ["aa-north"], "steps": 3}')
    first = answer(ask, standing, **MARKS)
    sheet = sheet_of(ask, first, standing)
    marks = {
        "forecast_id": "20261128-a2",
        "request_id": 'it\'s "mine" \x00 é',
        "issued_at": ISSUED[:-2] + "7Z",
    }
    again = answer(ask, standing, **marks)
    assert digest_of(first) == digest_of(again)
    one = entry_from(sheet, **marks, key_id="0123456789ab")
    other = entry_of(ask, again, standing, "0123456789ab")
    assert json.loads(one.body) == other
    assert one[:4] == rendered(other)[:4]
    assert "\n" not in one.body
    assert sheet != sheet_of(read_ask(b'{"clusters": ["aa-north"], "steps": 4}'), first, standing)


def test_own_rows_are_never_kept_but_their_digest_is(standing: Standing) -> None:
    ask = read_ask(OWN)
    told = {**answer(read_ask(b'{"clusters": ["aa-north"]}'), standing, **MARKS)}
    entry = entry_of(ask, told, standing)
    assert entry["own_rows"] == 2
    assert entry["own_digest"] == rows_digest(ask)
    assert "mine" not in json.dumps(entry)
    assert rows_digest(read_ask(OWN.replace(b"6}", b"6.5}"))) != entry["own_digest"]


def test_an_entry_is_found_by_its_name(standing: Standing, tmp_path: Path) -> None:
    ask = read_ask(b'{"clusters": ["aa-north"]}')
    for name in (forecast_id_of(ISSUED, "a0"), NAME):
        told = answer(ask, standing, **{**MARKS, "forecast_id": name})
        keep(tmp_path, rendered(entry_of(ask, told, standing)))
    assert find(tmp_path, NAME)["forecast_id"] == NAME


@pytest.mark.parametrize("name", ["20261128-b9", "20261127-a1", "", "../../etc/passwd", "2026-11-28"])
def test_a_name_that_was_not_issued_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AskError, match="unknown-forecast"):
        find(tmp_path, name)


def test_the_release_is_known_where_the_code_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> str:
        raise PackageNotFoundError(name)

    installed = entries._release()
    monkeypatch.setattr(entries, "version", gone)
    assert entries._release.__wrapped__() == installed
