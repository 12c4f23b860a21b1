"""Tables written as the ending of a file's name says, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd

from features.cells import csv_text
from features.errors import AskError
from features.files import write_bytes


def ending_of(path: Path) -> str:
    """The kind of file a name asks for.

    Raises:
        AskError: neither .csv nor .parquet.
    """
    ending = path.suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise AskError(
            "file-kind-unknown",
            found=f"file name {path.name}",
            expected="a name ending in .csv or .parquet",
            remedy="choose one of the two endings",
        )
    return ending


def write_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as the file's ending says, whole or not at all; no CSV cell begins like a formula."""
    if ending_of(path) == ".csv":
        write_bytes(path, csv_text(frame).encode())
        return
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    write_bytes(path, buffer.getvalue())
