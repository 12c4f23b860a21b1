"""A download that is not finished yet: its bytes so far, and what is needed to go on with it later."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from features.files import write_json

_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Told:
    """What a server says of a file: its ETag, when it was last modified, its length in bytes.

    ``validator``: what a server may be asked by whether the file is still the same, or "".
    """

    etag: str = ""
    last_modified: str = ""
    length: int | None = None

    @property
    def validator(self) -> str:
        """A strong ETag, else the date of the last change."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


@dataclass(frozen=True)
class Partial:
    """The unfinished file of one URL in ``folder``; it outlives a killed process."""

    folder: Path

    @property
    def body(self) -> Path:
        """The bytes so far."""
        return self.folder / "body.part"

    @property
    def _note(self) -> Path:
        return self.folder / "told.json"

    def resumable(self) -> tuple[int, Told]:
        """How many bytes can be gone on from, and of which file; zero where that cannot be known."""
        try:
            noted = json.loads(self._note.read_bytes())
            told = Told(str(noted["etag"]), str(noted["last_modified"]), noted["length"])
            size = self.body.stat().st_size
        except (OSError, ValueError, KeyError, TypeError):
            return 0, Told()
        lawful = told.validator and (told.length is None or size < told.length)
        return (size, told) if lawful else (0, Told())

    def begin(self, told: Told) -> None:
        """Start anew with the file that ``told`` describes."""
        self.forget()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.body.write_bytes(b"")
        write_json(
            self._note, {"etag": told.etag, "last_modified": told.last_modified, "length": told.length}
        )

    def forget(self) -> None:
        """Drop what is there."""
        self._note.unlink(missing_ok=True)
        self.body.unlink(missing_ok=True)

    def finish(self, name: str) -> Path:
        """The whole file under its name."""
        whole = self.folder / name
        self.body.replace(whole)
        self._note.unlink(missing_ok=True)
        return whole


def digest_of(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def name_in(url: str) -> str:
    """A plain file name out of a URL; endings such as .csv.gz are kept."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in last).lstrip(".")
    return plain[-120:] or "download"
