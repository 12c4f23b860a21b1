"""Saved scenarios as JSON-ready records: the table, and who changed what when."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

from features.errors import ForecarbonError
from insights.scenario import Scenario
from insights.scenario_diff import diff
from serving.saved import Saved, Version
from serving.scenario_view import read_scenario


def saved_view(saved: Saved, version: int | None = None) -> dict[str, Any]:
    """One version of a scenario (the newest for None), and the history of all.

    ``fingerprint`` is that of the day it was saved. ``fingerprint_now`` is another where the registry's
    projects have changed since, and null where they have so that the scenario is refused now (``refusal``).

    Raises:
        AskError: no such version.
    """
    told = saved.at(version)
    read = [_read(each) for each in saved.versions]
    now = read[told.version - 1]
    return {
        **head_view(saved),
        "version": told.version,
        "name": told.table["name"],
        "fingerprint": told.fingerprint,
        "fingerprint_now": now.fingerprint if isinstance(now, Scenario) else None,
        "refusal": now.as_record() if isinstance(now, ForecarbonError) else None,
        "scenario": dict(told.table),
        "turns": [vars(each) for each in saved.turns],
        "versions": [
            {**_facts(each), "differences": _differences(saved.versions, read, k) if k else None}
            for k, each in enumerate(saved.versions)
        ],
    }


def head_view(saved: Saved) -> dict[str, Any]:
    """What the list tells of each."""
    newest = saved.newest
    return {
        "id": saved.scenario_id,
        "name": newest.table["name"],
        "series": newest.table["series"],
        "owner": saved.owner,
        "shared": saved.shared,
        "newest": newest.version,
        "fingerprint": newest.fingerprint,
        "changed_at": saved.changed_at,
        "removed_at": saved.removed_at or None,
    }


def _facts(each: Version) -> dict[str, Any]:
    told = {name: getattr(each, name) for name in ("version", "at", "who", "fingerprint")}
    return {**told, "name": each.table["name"]}


def _read(each: Version) -> Scenario | ForecarbonError:
    try:
        return _known(json.dumps(each.table, sort_keys=True))
    except ForecarbonError as why:
        return why


@lru_cache(maxsize=512)
def _known(table: str) -> Scenario:
    """A version never changes, nor does the registry while a service runs: each is read once."""
    return read_scenario(json.loads(table))


def _differences(
    versions: tuple[Version, ...], read: list[Scenario | ForecarbonError], k: int
) -> list[dict[str, Any]] | None:
    """From the version before to this one; null where one of them cannot be read any more."""
    one, other = read[k - 1], read[k]
    if isinstance(one, ForecarbonError) or isinstance(other, ForecarbonError):
        return None
    names = [each.table["name"] for each in versions[k - 1 : k + 1]]
    renamed = [{"place": "/name", "one": names[0], "other": names[1]}] if names[0] != names[1] else []
    return [*renamed, *(vars(each) for each in diff(one, other))]
