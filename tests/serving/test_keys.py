from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import AskError
from serving.entries import stamp_of
from serving.keys import SCOPES, Key, Keyring, create, listed, revoke
from serving.keys_report import add_key, print_keys, revoke_key
from serving.state import State, read_deeds, state_of

AT = datetime(2026, 11, 28, 9, 30, tzinfo=UTC)
NOW = stamp_of(AT + timedelta(hours=1))
TEXT = "fc_0123456789ab_" + "s" * 43


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    made = state_of(tmp_path)
    yield made
    made.close()


def ring(state: State) -> Keyring:
    made = Keyring(state)
    assert made.refresh()
    return made


def made(state: State, scopes: tuple[str, ...] = ("forecast",), days: int = 30) -> tuple[Key, str]:
    return create(state, "acme", scopes=scopes, days=days, at=AT, who="ada", per_second=5)


def code_of(keys: Keyring, token: str | None, scope: str = "forecast", now: str = NOW) -> str:
    with pytest.raises(AskError) as caught:
        keys.admit(token, scope, now)
    assert token is None or len(token) < 20 or token not in str(caught.value.as_record())
    return caught.value.code


def test_a_key_is_admitted_for_its_scopes_and_no_other(state: State) -> None:
    key, token = made(state, ("read", "own-history"))
    keys = ring(state)
    assert keys.keys == (key,)
    for scope in SCOPES:
        if scope in key.scopes:
            assert keys.admit(token, scope, NOW) == key
        else:
            assert code_of(keys, token, scope) == "key-unscoped"


def test_no_key_an_unknown_one_and_what_is_none_are_refused(state: State) -> None:
    key, token = made(state)
    keys = ring(state)
    assert code_of(keys, None) == code_of(keys, "") == "key-missing"
    for odd in (TEXT, token[:-1], token + "a", "x", "é" * 50, "\ud800" * 60, "f" * 100_000, token.upper()):
        assert code_of(keys, odd) == "key-unknown"
    told = set()
    for odd in (TEXT, f"fc_{key.key_id}_{'s' * 43}", "nothing like it"):
        with pytest.raises(AskError) as caught:
            keys.admit(odd, "forecast", NOW)
        told.add(str(caught.value))
    assert len(told) == 1, "a near miss reads like any other"


def test_a_secret_of_one_key_is_not_let_in_as_another(state: State) -> None:
    (one, first), (other, second) = made(state), made(state)
    keys = ring(state)
    assert (keys.admit(first, "forecast", NOW), keys.admit(second, "forecast", NOW)) == (one, other)
    for token in (first.replace(one.key_id, other.key_id), first.replace(one.key_id, "0" * 12), first[16:]):
        assert code_of(keys, token) == "key-unknown"


def test_a_key_ends(state: State) -> None:
    key, token = made(state, days=1)
    keys = ring(state)
    assert keys.admit(token, "forecast", NOW) == key
    assert code_of(keys, token, now=key.expires_at) == "key-expired"
    assert code_of(keys, TEXT, now=key.expires_at) == "key-unknown"


def test_a_revoked_key_is_refused_from_the_next_look_on(state: State) -> None:
    key, token = made(state)
    keys = ring(state)
    revoke(state, key.key_id, at=AT, who="ben")
    assert keys.admit(token, "forecast", NOW) == key
    assert keys.refresh()
    assert code_of(keys, token) == "key-revoked"
    assert code_of(keys, f"fc_{key.key_id}_{'s' * 43}") == "key-unknown"
    again = revoke(state, key.key_id, at=AT + timedelta(days=1), who="ben")
    assert again.revoked_at == stamp_of(AT)
    told = [(deed.what, deed.who, deed.key_id, deed.outcome) for deed in read_deeds(state)]
    assert told == [
        ("keys add", "ada", key.key_id, "done"),
        ("keys revoke", "ben", key.key_id, "done"),
        ("keys revoke", "ben", key.key_id, "revoked before"),
    ]
    with pytest.raises(AskError, match="unknown-key"):
        revoke(state, "nothing", at=AT, who="ben")


def test_a_database_that_goes_away_leaves_the_keys_known(state: State, tmp_path: Path) -> None:
    key, token = made(state)
    keys = ring(state)
    state.close()
    for path in tmp_path.glob("state.db*"):
        path.unlink()
    (tmp_path / "state.db").mkdir()
    assert not keys.refresh()
    assert keys.stale
    assert keys.admit(token, "forecast", NOW) == key


def test_before_the_first_look_nobody_is_admitted() -> None:
    state = State("postgresql://nobody@127.0.0.1:1/none")
    keys = Keyring(state)
    assert not keys.refresh()
    assert code_of(keys, TEXT) == "keys-unread"
    assert code_of(keys, None) == "key-missing"
    state.close()


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Keyring, str]]:
    """A ring of two keys, and one of them."""
    state = state_of(tmp_path_factory.mktemp("keys"))
    made(state)
    _, token = made(state)
    yield ring(state), token
    state.close()


@given(data=st.data())
def test_any_mutated_key_is_refused(pair: tuple[Keyring, str], data: st.DataObject) -> None:
    keys, token = pair
    place = data.draw(st.integers(0, len(token)))
    width = data.draw(st.integers(0, 3))
    between = data.draw(st.text(max_size=4) | st.text(alphabet="abcdef0123456789_-AZ", max_size=4))
    mutated = token[:place] + between + token[place + width :]
    if mutated == token:
        assert keys.admit(mutated, "forecast", NOW).name == "acme"
    else:
        assert code_of(keys, mutated) in ("key-unknown", "key-missing")


def test_the_secret_is_nowhere_in_the_store(state: State, tmp_path: Path) -> None:
    _, token = made(state)
    secret = token.split("_", 2)[2]
    told = repr(ring(state).keys) + repr(listed(state))
    state.close()
    assert secret not in told
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"acme" in path.read_bytes() for path in files)
    for path in files:
        for part in (secret, secret[:20], secret[-20:]):
            assert part.encode() not in path.read_bytes(), path.name


@pytest.mark.parametrize(
    ("name", "scopes", "days", "rate", "code"),
    [
        ("a", [], 1, None, "unknown-scope"),
        ("a", ["all"], 1, None, "unknown-scope"),
        ("", ["read"], 1, None, "key-out-of-range"),
        ("a\nb", ["read"], 1, None, "key-out-of-range"),
        ("a", ["read"], 0, None, "key-out-of-range"),
        ("a", ["read"], 99999, None, "key-out-of-range"),
        ("a", ["read"], 1, 0.0, "key-out-of-range"),
        ("a", ["read"], 1, float("nan"), "key-out-of-range"),
    ],
)
def test_what_makes_no_key(
    state: State, name: str, scopes: list[str], days: int, rate: float | None, code: str
) -> None:
    with pytest.raises(AskError, match=code):
        create(state, name, scopes=scopes, days=days, at=AT, who="ada", per_second=rate)
    assert not state.exists


def test_an_operator_sees_a_key_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    print_keys(tmp_path, now=AT, as_json=False)
    assert "No keys yet" in capsys.readouterr().out
    add_key(tmp_path, "acme [b]", scopes=["read", "forecast"], days=9, rate=2.5, at=AT, who="ada")
    token = capsys.readouterr().out.splitlines()[-1]
    key_id = token.split("_")[1]
    print_keys(tmp_path, now=AT, as_json=False)
    table = capsys.readouterr().out
    assert "acme [b]" in table
    assert "valid" in table
    print_keys(tmp_path, now=AT + timedelta(days=9), as_json=True)
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["key_id"], told["state"], told["per_second"]) == (key_id, "expired", 2.5)
    revoke_key(tmp_path, key_id, at=AT, who="ada")
    printed = capsys.readouterr().out
    assert "is revoked" in printed
    assert token not in table + printed + json.dumps(told)
