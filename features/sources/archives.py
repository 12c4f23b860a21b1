"""Workbooks from strangers: zip archives of XML, looked through before anything parses them."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import Final

_CHUNK: Final = 1 << 20
_OVERLAP: Final = 64
# A workbook needs none; entities that stand for entities grow without end, and outside ones read files.
_DECLARED: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)")


def fault_of(archive: zipfile.ZipFile, most: int) -> str | None:
    """What keeps an archive from being opened, in words; None where nothing does.

    Every part is unpacked once, in pieces: more bytes than ``most`` by its own list, damage, a password, or
    an XML document type are told. UTF-16 hides no declaration: its zero bytes are left out of the search.
    """
    size = sum(part.file_size for part in archive.infolist())
    if size > most:
        return f"{size} bytes when unpacked, more than {most}"
    for part in archive.infolist():
        try:
            if _declares(archive, part):
                return f"an XML document type in its part {part.filename[:80]!r}"
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError):
            return f"damage in its part {part.filename[:80]!r}"
    return None


def _declares(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> bool:
    tail, found = b"", False
    with archive.open(part) as stream:
        # To its end, for only there the checksum is compared.
        while chunk := stream.read(_CHUNK):
            window = (tail + chunk).replace(b"\0", b"")
            found = found or _DECLARED.search(window) is not None
            tail = chunk[-_OVERLAP:]
    return found
