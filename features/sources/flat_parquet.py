"""Parquet files of a user, opened so that a small file cannot fill the memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

# Bytes of fixed size up to those of a UUID take no more than numbers do.
_WIDEST: Final = 16


def opened(path: Path) -> Any:
    """A ``pyarrow.parquet.ParquetFile`` of which a text told a million times over is kept once.

    Footers count bytes as they are encoded, and a text or list repeated takes a few bits there. So texts are
    read as dictionaries, and what could only be decoded value by value is refused by its schema.

    Raises:
        ValueError: columns of lists, records or wide bytes of fixed size, or two texts under one name.
        OSError, pyarrow.ArrowException: no Parquet file.
    """
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
    _refuse([field.name for field in schema if _kind(field.type) is None], "lists, records or wide bytes")
    words = [field.name for field in schema if _kind(field.type) == "text"]
    made = pq.ParquetFile(path, read_dictionary=words)
    # Of columns under one name only the last is read as a dictionary.
    left = [field.name for field in made.schema_arrow if _kind(field.type) == "text"]
    try:
        _refuse(left, "texts that cannot be read as a dictionary")
    except ValueError:
        made.close()
        raise
    return made


def _refuse(names: list[str], what: str) -> None:
    if names:
        told = ", ".join(name[:40] for name in names[:5])
        raise ValueError(f"{what} in columns {told}: leave these out")


def _kind(kind: pa.DataType) -> str | None:
    """Whether it is "text" or takes little ("small"); None for what may take any size a value."""
    known = pa.types
    if isinstance(kind, pa.BaseExtensionType):
        return _kind(kind.storage_type)
    if known.is_dictionary(kind):
        return "small" if _kind(kind.value_type) else None
    words = (known.is_string, known.is_large_string, known.is_string_view)
    signs = (known.is_binary, known.is_large_binary, known.is_binary_view)
    if any(test(kind) for test in (*words, *signs)):
        return "text"
    if known.is_fixed_size_binary(kind):
        return "small" if kind.byte_width <= _WIDEST else None
    return "small" if known.is_primitive(kind) or known.is_decimal(kind) or known.is_null(kind) else None
