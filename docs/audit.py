"""What is installed against the lock, and its licences: `make lint` checks, `make audit` asks further.

python docs/audit.py            the lock, what is installed, and docs/licences.md; no network
python docs/audit.py --write    write docs/licences.md anew
python docs/audit.py --ask      also ask pip-audit for known weaknesses, where the network allows it

Exit codes: 0 all is well; 1 something is not; with --ask and --strict 2 where nobody could be asked.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any, Final

from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parent.parent
LOCK: Final = ROOT / "requirements.lock"
TABLE: Final = ROOT / "docs" / "licences.md"
# Ours, and what a virtual environment brings itself.
OWN: Final = frozenset({"forecarbon", "pip"})
# As their metadata write it -> SPDX. What is not here and is no SPDX expression of ALLOWED is a fault.
WRITTEN: Final = {
    "MIT License": "MIT", "BSD": "BSD-3-Clause", "BSD License": "BSD-3-Clause",
    "3-Clause BSD License": "BSD-3-Clause", "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0", "Apache Software License; MIT License": "Apache-2.0 OR MIT",
    "Python Software Foundation License": "PSF-2.0", "ISC License (ISCL)": "ISC",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}  # fmt: skip
# Their metadata are silent: read from the licence file of the package, at the version looked at.
READ: Final = {"axe-playwright-python": "MIT", "huey": "MIT", "skops": "MIT"}
# The lesser GPL binds whoever changes the library, not whoever calls it; full copyleft is not allowed.
ALLOWED: Final = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSD-3-Clause-Clear", "CC0-1.0", "ISC"),
        *("LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Zlib"),
    }
)
_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)\s*(?:;([^\\]*))?\\?$")
_HASH: Final = re.compile(r"^\s+--hash=sha256:[0-9a-f]{64}( \\)?$")
_HEAD: Final = """# Licences of the packages that are used

Written by `python docs/audit.py --write` from what the packages say of themselves; `make lint` checks it.
Names and versions are those of `requirements.lock` (two where Python 3.11 and 3.12 need their own); what
other platforms alone install is not among them.

| package | versions | licence |
|---|---|---|
"""


@dataclass(frozen=True)
class Pin:
    """A line of the lock: name, version, where it holds, and how many hashes it has."""

    name: str
    version: str
    holds: bool
    hashes: int


def pins_of(text: str) -> list[Pin]:
    """Every pin of a lock. Raises ValueError: a line that is neither pin, hash nor comment."""
    told: list[Pin] = []
    for line in text.splitlines():
        pin = _PIN.match(line)
        if pin is not None:
            holds = not pin[3] or Marker(pin[3].strip()).evaluate()
            told.append(Pin(canonicalize_name(pin[1]), pin[2], holds, 0))
        elif _HASH.match(line) and told:
            last = told.pop()
            told.append(Pin(last.name, last.version, last.holds, last.hashes + 1))
        elif line.strip() and not line.lstrip().startswith("#"):
            raise ValueError(f"a line of the lock that is no pin: {line[:80]!r}")
    return told


def faults_of(pins: list[Pin], installed: dict[str, str]) -> Iterator[str]:
    """Where lock and environment differ; ``installed``: canonical name -> version."""
    locked = {pin.name: pin for pin in pins if pin.holds}
    yield from (f"{pin.name}=={pin.version} has no hash in the lock" for pin in pins if not pin.hashes)
    for name, pin in locked.items():
        if installed.get(name) != pin.version:
            yield f"{name}: {pin.version} in the lock, {installed.get(name, 'none')} installed"
    yield from (f"{name} is installed and not in the lock" for name in sorted({*installed} - {*locked, *OWN}))


def licence_of(told: Distribution) -> str:
    """The SPDX expression of a package, "" where it is not known."""
    heads = told.metadata
    classes = [
        c.rsplit(" :: ", 1)[1] for c in heads.get_all("Classifier") or [] if c.startswith("License ::")
    ]
    # A line that is the whole text of a licence is no name of one.
    first = next(iter((heads.get("License") or "").strip().splitlines()), "")[:60]
    for said in (heads.get("License-Expression") or "", "; ".join(classes), first):
        known = WRITTEN.get(said, said)
        if known and known != "OSI Approved":
            return known
    return READ.get(canonicalize_name(told.name), "")


def allowed(licence: str) -> bool:
    """Whether each licence of an AND, and one of each OR, may be used here."""
    parts = [part.strip(" ()") for part in licence.split(" AND ")]
    return all(any(one.strip(" ()") in ALLOWED for one in part.split(" OR ")) for part in parts)


def versions_of(pins: list[Pin]) -> dict[str, str]:
    """Canonical name -> the versions that the lock has, wherever they hold."""
    told: dict[str, list[str]] = {}
    for pin in pins:
        told.setdefault(pin.name, []).append(pin.version)
    return {name: ", ".join(sorted(versions)) for name, versions in told.items()}


def table_of(licences: dict[str, str], versions: dict[str, str]) -> str:
    """docs/licences.md, of what is installed."""
    lines = (f"| {n} | {versions.get(n, '')} | {licence} |" for n, licence in sorted(licences.items()))
    return _HEAD + "\n".join(lines) + "\n"


def differences(table: str, licences: dict[str, str], versions: dict[str, str]) -> Iterator[str]:
    """What is installed and has no line of its versions in the table."""
    lines = {line.rsplit("|", 2)[0] for line in table.splitlines() if line.startswith("| ")}
    for name in sorted(licences):
        if f"| {name} | {versions.get(name, '')} " not in lines:
            yield f"docs/licences.md lacks {name} {versions.get(name, '')}: python docs/audit.py --write"


def weaknesses_of(reply: str) -> list[str] | None:
    """What pip-audit's JSON tells, a line a weakness; None where it is no reply."""
    try:
        told: Any = json.loads(reply)
        return [
            f"{one['name']} {one['version']}: {weak['id']}, mended in "
            f"{', '.join(weak['fix_versions']) or 'none'}"
            for one in told["dependencies"]
            for weak in one.get("vulns", [])
        ]
    except (ValueError, KeyError, TypeError):
        return None


def ask(command: tuple[str, ...]) -> list[str] | None:
    """Known weaknesses of the locked versions; None where nobody could be asked."""
    more = ("--requirement", str(LOCK), "--disable-pip", "--require-hashes", "--format", "json")
    try:
        done = subprocess.run((*command, *more), capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return weaknesses_of(done.stdout)


def main() -> int:
    """Say what is not well; the exit code."""
    parser = argparse.ArgumentParser(description="Packages against lock and licences")
    for name in ("--write", "--ask", "--strict"):
        parser.add_argument(name, action="store_true")
    parser.add_argument("--asker", default=f"{Path(sys.executable).parent / 'uvx'} pip-audit")
    given = parser.parse_args()
    found = {canonicalize_name(each.name): each for each in distributions()}
    licences = {name: licence_of(each) for name, each in found.items() if name not in OWN}
    pins = pins_of(LOCK.read_text(encoding="utf-8"))
    if given.write:
        TABLE.write_text(table_of(licences, versions_of(pins)), encoding="utf-8")
    faults = list(faults_of(pins, {name: each.version for name, each in found.items()}))
    faults += [f"{name}: licence {told or 'unknown'}" for name, told in licences.items() if not allowed(told)]
    faults += differences(TABLE.read_text("utf-8") if TABLE.exists() else "", licences, versions_of(pins))
    asked = ask(tuple(given.asker.split())) if given.ask else []
    faults += asked or []
    for fault in faults:
        print(f"audit: {fault}", file=sys.stderr)
    if asked is None:
        print(
            "audit: NOT ASKED for known weaknesses: pip-audit could not be had or reached nobody",
            file=sys.stderr,
        )
    if not faults:
        told = ", no known weakness" if given.ask and asked is not None else ""
        print(f"audit: {len(licences)} packages as locked, with hashes and allowed licences{told}")
    return 1 if faults else 2 if asked is None and given.strict else 0


if __name__ == "__main__":
    sys.exit(main())
