"""Where runs are kept: who decides the address, and how it is told without its login."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from features.errors import AskError, ModelError
from features.logins import shown_address, without_logins

FILES: Final = "FORECARBON_ARTIFACT_ROOT"


def address_of(store: Path, uri: str | None = None, planned: str = "") -> str:
    """Where runs are kept: ``uri``, else FORECARBON_TRACKING_URI, else what the plan says (``planned``),
    else MLFLOW_TRACKING_URI, else sqlite in the store."""
    told = (uri, os.environ.get("FORECARBON_TRACKING_URI"), planned, os.environ.get("MLFLOW_TRACKING_URI"))
    return next(filter(None, told), database_uri(store))


def database_uri(store: Path) -> str:
    """The tracking address of a store that has no server."""
    return f"sqlite:///{store.resolve() / 'mlflow.db'}"


def files_at(planned: str | None) -> str | None:
    """Where files of runs go: FORECARBON_ARTIFACT_ROOT, else ``planned``, else None.

    Raises:
        AskError: a password in it (``login-in-address``): a tracker keeps the address of every file, and its
            pages show it.
    """
    told = os.environ.get(FILES) or planned or None
    try:
        login = told is not None and urlsplit(told).password is not None
    except ValueError:
        login = False
    if login:
        raise AskError(
            "login-in-address",
            found=f"a password in the root of runs' files, {shown_address(told or '')}",
            expected="an address without one: the tracker keeps it with every run, and shows it",
            remedy=f"take it out of {FILES} or the plan, and give it where that file system looks for it",
        )
    return told


def unavailable(fault: Exception, uri: str) -> ModelError:
    """What a tracking store says when it does not do what it was asked for, as one named refusal."""
    at = shown_address(uri) if "://" in uri else "the address it was given"
    # Hidden before it is cut: half an address is no longer known for one.
    said = without_logins(str(fault).replace(uri, at)).strip().splitlines() or ["no words"]
    return ModelError(
        "tracking-unavailable",
        found=f"{type(fault).__name__}: {said[0][:300]}",
        expected=f"a tracking store that answers at {at}",
        remedy="start it, unlock it or make room, and run again: what was replayed is kept, and what "
        "serves is untouched",
    )
