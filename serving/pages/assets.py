"""The files the pages are made of, sent from memory under addresses that name their content.

An address holds a digest of all files together, so that what a browser keeps is never stale and one module
may import another by its plain name.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

START: Final = "/assets/"
CHARTS: Final = "charts-"
_FOLDER: Final = Path(__file__).parent / "static"
_KINDS: Final = {
    ".js": b"text/javascript; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".json": b"application/json",
    ".svg": b"image/svg+xml",
}
SCRIPT: Final = _KINDS[".js"]


@dataclass(frozen=True)
class Asset:
    """A file as it is sent, plain and compressed."""

    kind: bytes
    plain: bytes
    zipped: bytes

    @staticmethod
    def of(kind: bytes, plain: bytes) -> Asset:
        """The asset with these bytes."""
        return Asset(kind, plain, gzip.compress(plain, 9, mtime=0))


@cache
def held() -> dict[str, Asset]:
    """Every file by its address."""
    files = {path.name: path.read_bytes() for path in sorted(_FOLDER.iterdir()) if path.suffix in _KINDS}
    whole = hashlib.sha256()
    for name, content in files.items():
        whole.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    start = f"{START}{whole.hexdigest()[:12]}/"
    return {start + name: Asset.of(_KINDS[Path(name).suffix], content) for name, content in files.items()}


@cache
def _addresses() -> dict[str, str]:
    return {address.rsplit("/", 1)[1]: address for address in held()}


def address(name: str) -> str:
    """Where a file is."""
    return _addresses()[name]


@cache
def charts_address() -> str:
    """Where the chart library is; it changes with the package that it is taken from."""
    return f"{START}{CHARTS}{version('vl-convert-python')}.js"
