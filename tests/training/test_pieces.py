"""Pieces whose bytes are not as they were written: what was kept comes back, or nothing; never an error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.pieces import Arrays, Cache

ARRAYS = {"mean": np.linspace(1.0, 2.0, 7), "count": np.arange(5), "name": np.array(["nl-rotterdam"])}
MASKS = (0x01, 0x10, 0x80, 0xFF)


def told(found: Arrays | None) -> bool:
    """Whether what was found is nothing, or what was kept."""
    return found is None or (
        set(found) == set(ARRAYS) and all(np.array_equal(found[name], kept) for name, kept in ARRAYS.items())
    )


@pytest.mark.parametrize("large", [False, True])
def test_any_byte_may_be_another(large: bool, tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    write, read = (cache.write_large, cache.read_large) if large else (cache.write, cache.read)
    assert write("one", ARRAYS)
    assert read("one") is not None
    nothing = 0
    for path in sorted(tmp_path.iterdir()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            spoilt = bytearray(whole)
            spoilt[at] ^= MASKS[at % len(MASKS)]
            path.write_bytes(spoilt)
            found = read("one")
            assert told(found), (path.name, at)
            nothing += found is None
        for length in range(0, len(whole), 29):
            path.write_bytes(whole[:length])
            assert read("one") is None, (path.name, length)
        path.write_bytes(whole)
    assert nothing > 200
    assert read("one") is not None
