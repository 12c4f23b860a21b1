from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.errors import AskError
from serving.call import Call
from serving.guard import AT_ONCE, Guard, Rules
from serving.keys import Keyring, create, revoke
from serving.launch import auth_mode
from serving.state import state_of
from tests.serving.desks import asked, bearer, code_of, desk_of

MADE = datetime(2026, 11, 1, tzinfo=UTC)
ASK = {"clusters": ["aa-north"], "steps": 1}


def key(store: Path, *scopes: str, days: int = 90, rate: float | None = None, ended: bool = False) -> str:
    state = state_of(store)
    made, token = create(
        state, "test", scopes=scopes or ("read", "forecast"), days=days, at=MADE, who="me", per_second=rate
    )
    if ended:
        revoke(state, made.key_id, at=MADE + timedelta(hours=1), who="me")
    state.close()
    return token


def test_on_this_machine_nobody_needs_a_key_unless_a_proxy_brought_them(store: Path) -> None:
    with desk_of(store) as edge:
        assert asked(edge, "GET", "/v1/clusters").status_code == 200
        for mine in ("::1", "::ffff:127.0.0.1", "127.8.8.8"):
            assert asked(edge, "GET", "/v1/clusters", client=mine).status_code == 200
        for headers in ({"x-forwarded-for": "10.0.0.1"}, {"forwarded": "for=10.0.0.1"}):
            assert code_of(asked(edge, "GET", "/v1/clusters", headers=headers)) == (401, "key-missing")
        refused = asked(edge, "GET", "/v1/clusters", client="10.0.0.1")
        assert code_of(refused) == (401, "key-missing")
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert asked(edge, "GET", "/v1/clusters", client="127.evil.example").status_code == 401


def test_what_is_open_to_all_stays_open(store: Path) -> None:
    with desk_of(store, Rules(mode="keys")) as edge:
        for path in ("/", "/openapi.json", "/v1/health"):
            assert asked(edge, "GET", path, client="10.0.0.1").status_code == 200
        for path in ("/v1/clusters", "/v1/series", "/metrics", "/v1/promotions", "/v1/forecast"):
            assert asked(edge, "GET", path).status_code == 401


def test_an_open_service_asks_nobody(store: Path) -> None:
    with desk_of(store, Rules(mode="open")) as edge:
        assert asked(edge, "GET", "/v1/clusters", client="10.0.0.1").status_code == 200


@pytest.mark.parametrize("header", ["bearer", "x-api-key"])
def test_a_key_lets_in_either_way(store: Path, header: str) -> None:
    token = key(store)
    with desk_of(store, Rules(mode="keys")) as edge:
        headers = bearer(token) if header == "bearer" else {"x-api-key": token}
        assert asked(edge, "POST", "/v1/forecast", json=ASK, headers=headers).status_code == 200


def test_bad_keys_are_refused_by_what_is_wrong_with_them(store: Path) -> None:
    good = key(store)
    wrong = {
        "key-unknown": [
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            "fc_000000000000_" + "a" * 43,
            "x",
            good + "x",
        ],
        "key-expired": [key(store, days=1)],
        "key-revoked": [key(store, ended=True)],
    }
    with desk_of(store, Rules(mode="keys")) as edge:
        for code, tokens in wrong.items():
            for token in tokens:
                reply = asked(edge, "GET", "/v1/clusters", headers=bearer(token))
                assert code_of(reply) == (401, code)
                assert len(token) < 20 or token not in reply.text
        basic = asked(edge, "GET", "/v1/clusters", headers={"authorization": "Basic eDp5"})
        assert code_of(basic) == (401, "key-unknown")
        # A wrong key on this machine is still a wrong key.
    with desk_of(store) as edge:
        assert asked(edge, "GET", "/v1/clusters", headers=bearer("x")).status_code == 401


def test_a_key_does_only_what_it_is_for(store: Path) -> None:
    reads, forecasts = key(store, "read"), key(store, "forecast")
    rows = {"history": [{"unique_id": "p", "ds": year, "y": 1.0 * year} for year in range(2015, 2023)]}
    with desk_of(store, Rules(mode="keys")) as edge:
        post = "/v1/forecast"
        assert code_of(asked(edge, "POST", post, json=ASK, headers=bearer(reads))) == (403, "key-unscoped")
        assert code_of(asked(edge, "GET", "/v1/series", headers=bearer(forecasts))) == (403, "key-unscoped")
        assert code_of(asked(edge, "POST", post, json=rows, headers=bearer(forecasts))) == (
            403,
            "key-unscoped",
        )
        both = key(store, "forecast", "own-history")
        assert edge.desk is not None
        edge.desk.keyring.refresh()
        assert asked(edge, "POST", post, json=rows, headers=bearer(both)).status_code == 200


def test_a_key_that_asks_too_often_is_told_when_to_come_again(store: Path) -> None:
    token, clock = key(store, rate=2.0), iter([0.0] * 40 + [10.0] * 40)
    with desk_of(store, Rules(mode="keys"), ticks=lambda: next(clock)) as edge:
        statuses = [asked(edge, "GET", "/v1/clusters", headers=bearer(token)) for _ in range(3)]
        assert [reply.status_code for reply in statuses] == [200, 200, 429]
        assert int(statuses[2].headers["retry-after"]) >= 1
        assert statuses[2].json()["error"]["code"] == "too-many-requests"
        while next(clock) == 0.0:
            pass
        assert asked(edge, "GET", "/v1/clusters", headers=bearer(token)).status_code == 200


def test_too_many_at_once_are_sent_away_and_all_is_well_after_it(store: Path) -> None:
    async def many(edge: Any) -> list[httpx.Response]:
        transport = httpx.ASGITransport(app=edge)
        async with httpx.AsyncClient(transport=transport, base_url="http://edge") as caller:
            asks = (caller.post("/v1/forecast", json=ASK) for _ in range(AT_ONCE + 40))
            return list(await asyncio.gather(*asks))

    with desk_of(store) as edge:
        replies = asyncio.run(many(edge))
        away = [reply for reply in replies if reply.status_code == 429]
        assert len(away) + sum(reply.status_code == 200 for reply in replies) == len(replies)
        assert away
        assert away[0].headers["retry-after"] == "1"
        assert edge.desk is not None
        assert edge.desk.guard.at_once == 0
        assert asked(edge, "POST", "/v1/forecast", json=ASK).status_code == 200


def test_pages_of_listed_origins_alone_may_read_answers(store: Path) -> None:
    with desk_of(store, Rules(mode="keys", origins=frozenset({"https://ours.example"}))) as edge:
        ours, theirs = {"origin": "https://ours.example"}, {"origin": "https://theirs.example"}
        asking = {"access-control-request-method": "POST"}
        told = asked(edge, "OPTIONS", "/v1/forecast", headers={**ours, **asking})
        assert told.status_code == 204
        assert told.headers["access-control-allow-origin"] == "https://ours.example"
        assert "authorization" in told.headers["access-control-allow-headers"]
        other = asked(edge, "OPTIONS", "/v1/forecast", headers={**theirs, **asking})
        assert "access-control-allow-origin" not in other.headers
        answer = asked(edge, "GET", "/v1/health", headers=ours)
        assert answer.headers["access-control-allow-origin"] == "https://ours.example"
        assert "access-control-allow-origin" not in asked(edge, "GET", "/v1/health", headers=theirs).headers


def test_rates_are_shared_over_workers(tmp_path: Path) -> None:
    token = key(tmp_path, rate=4.0)
    state = state_of(tmp_path)
    keyring = Keyring(state)
    keyring.refresh()
    guard = Guard(Rules(mode="keys", workers=4), keyring)
    scope = {"type": "http", "headers": [(b"x-api-key", token.encode())], "client": None}
    one = Call.of(scope, None)  # type: ignore[arg-type]
    now = "2026-11-24T08:00:00.000Z"
    for _ in range(4):
        guard.admit(one, "read", now, 0.0)
    with pytest.raises(AskError):
        guard.admit(one, "read", now, 0.5)
    guard.admit(one, "read", now, 1.5)
    state.close()


def test_beyond_this_machine_there_must_be_a_key_or_a_word() -> None:
    assert auth_mode(host="127.0.0.1", no_keys=False, with_keys=False, keys=0) == "auto"
    assert auth_mode(host="0.0.0.0", no_keys=True, with_keys=False, keys=0) == "open"
    assert auth_mode(host="0.0.0.0", no_keys=False, with_keys=False, keys=1) == "keys"
    assert auth_mode(host="localhost", no_keys=False, with_keys=True, keys=1) == "keys"
    for asked_for in ({"host": "0.0.0.0", "with_keys": False}, {"host": "localhost", "with_keys": True}):
        with pytest.raises(AskError, match="no-keys"):
            auth_mode(no_keys=False, keys=0, **asked_for)  # type: ignore[arg-type]
    with pytest.raises(AskError, match="keys-or-not"):
        auth_mode(host="localhost", no_keys=True, with_keys=True, keys=1)
