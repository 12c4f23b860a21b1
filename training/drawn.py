"""Pictures kept like other pieces of work: one drawn from the very same is not drawn again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from features.files import write_bytes
from training.fans import Fan
from training.pieces import Cache
from training.prints import made_with

_PNG: Final = "png"


@dataclass(frozen=True)
class Pens:
    """Draws pictures, or takes from the cache those that were drawn from the very same."""

    cache: Cache

    def draw(self, path: Path, draw: Callable[[Path], None], *told: object) -> Path:
        """Have ``draw`` write the PNG ``path``, unless it is kept.

        Args:
            told: all that the picture depends on: words, numbers, frames, fans, and sequences of these.
        """
        key = _key(told)
        held = self.cache.read(key)
        if held is not None and set(held) == {_PNG}:
            write_bytes(path, held[_PNG].tobytes())
            return path
        draw(path)
        self.cache.write(key, {_PNG: np.frombuffer(path.read_bytes(), dtype=np.uint8)})
        return path


def _key(told: Sequence[object]) -> str:
    # The floors below draw nothing; what they made is told.
    begun = [_PNG, made_with("training"), version("matplotlib")]
    digest = hashlib.sha256(json.dumps(begun).encode())
    for part in _parts(told):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def _parts(told: object) -> Iterable[bytes]:
    """What is told, as bytes that are equal if and only if it is."""
    if isinstance(told, Fan):
        told = [getattr(told, field.name) for field in fields(told)]
    if isinstance(told, pd.DataFrame):
        yield told.to_csv(float_format="%.17g").encode()
    elif isinstance(told, list | tuple):
        yield f"{len(told)} parts".encode()
        for one in told:
            yield from _parts(one)
    else:
        yield repr(told).encode()
