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


# What MLflow says where it answers and will not do what was asked, and what to do about it. Its other codes,
# BAD_REQUEST among them, are those of a database or a server that is in trouble.
DECLINED: Final = {
    "PERMISSION_DENIED": "give a login that may write there",
    "UNAUTHENTICATED": "give a login that is known there",
    "RESOURCE_DOES_NOT_EXIST": "see who removed it (forecarbon mlflow shows what is kept), and run again",
    "RESOURCE_ALREADY_EXISTS": "see who made it (forecarbon mlflow shows what is kept), and run again",
    "INVALID_STATE": "see what was changed by hand (forecarbon mlflow shows what is kept), and run again",
    "INVALID_PARAMETER_VALUE": "run a server of the MLflow that requirements.lock names",
    "ENDPOINT_NOT_FOUND": "run a server of the MLflow that requirements.lock names, at this very address",
}


def declined(code: str, fault: Exception, uri: str) -> ModelError:
    """What a tracker says that answers and refuses, as one named refusal; ``code`` is one of ``DECLINED``."""
    at, said = _heard(fault, uri)
    return ModelError(
        "tracking-declined",
        found=f"{code}: {said}",
        expected=f"a tracker at {at} that does what it is asked",
        remedy=f"{DECLINED[code]}; what was replayed is kept, and what serves is untouched",
    )


def unavailable(fault: Exception, uri: str) -> ModelError:
    """What a tracking store says when it does not do what it was asked for, as one named refusal."""
    at, said = _heard(fault, uri)
    return ModelError(
        "tracking-unavailable",
        found=f"{type(fault).__name__}: {said}",
        expected=f"a tracking store that answers at {at}",
        remedy="start it, unlock it or make room, and run again: what was replayed is kept, and what "
        "serves is untouched",
    )


def _heard(fault: Exception, uri: str) -> tuple[str, str]:
    """The address, and the first line of what was said, without any login."""
    at = shown_address(uri) if "://" in uri else "the address it was given"
    # Hidden before it is cut: half an address is no longer known for one.
    said = without_logins(str(fault).replace(uri, at)).strip().splitlines() or ["no words"]
    return at, said[0][:300]
