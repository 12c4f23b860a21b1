"""Keys as an operator at a terminal sees them: ``forecarbon keys``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from serving.entries import stamp_of
from serving.keys import Key, create, listed, revoke
from serving.state import state_of


def add_key(
    store: Path, name: str, *, scopes: Sequence[str], days: int, rate: float | None, at: datetime, who: str
) -> None:
    """Make a key and print it, this once; errors as of ``keys.create``."""
    state = state_of(store)
    try:
        key, token = create(state, name, scopes=scopes, days=days, per_second=rate, at=at, who=who)
    finally:
        state.close()
    _print(
        f"Key {key.key_id} of {key.name}, for {', '.join(key.scopes)}, until {key.expires_at}. Keep it now:"
    )
    _print("it is not kept here and will not be shown again.")
    _print(token)


def print_keys(store: Path, *, now: datetime, as_json: bool) -> None:
    """Print every key, without secrets: a table, or JSON with all fields."""
    state = state_of(store)
    try:
        keys = listed(state)
    finally:
        state.close()
    stamp = stamp_of(now)
    if as_json:
        _print(json.dumps([key.as_record(stamp) for key in keys], indent=1))
        return
    if not keys:
        _print("No keys yet: make one with `forecarbon keys add NAME --scope forecast`.")
        return
    table = Table(title="Keys, oldest first", title_justify="left")
    for column in ("key", "of", "for", "from", "until", "a second", "state"):
        table.add_column(column, overflow="fold")
    for key in keys:
        table.add_row(*_row(key, stamp))
    Console(width=150).print(table, markup=False)


def revoke_key(store: Path, key_id: str, *, at: datetime, who: str) -> None:
    """Revoke a key and say so; errors as of ``keys.revoke``."""
    state = state_of(store)
    try:
        key = revoke(state, key_id, at=at, who=who)
    finally:
        state.close()
    _print(f"Key {key.key_id} of {key.name} is revoked since {key.revoked_at}.")


def _row(key: Key, now: str) -> tuple[str, ...]:
    rate = "" if key.per_second is None else f"{key.per_second:g}"
    until = (key.created_at[:10], key.expires_at[:10])
    return key.key_id, key.name, ", ".join(key.scopes), *until, rate, key.state_at(now)


def _print(text: str) -> None:
    """A line as it is: no wrapping, no colours."""
    Console().file.write(text + "\n")


def usable_keys(store: Path, now: datetime) -> int:
    """How many keys of a store are valid; errors as of ``State.reading``."""
    state = state_of(store)
    try:
        return sum(key.state_at(stamp_of(now)) == "valid" for key in listed(state))
    finally:
        state.close()
