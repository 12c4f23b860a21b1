"""A basis as plain files inside a saved model, so that what it served can be built again."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pandas as pd

from features.files import json_bytes
from features.series.basis import Basis
from features.series.build import SeriesSet
from features.series.cadence import named
from features.series.vintages import Vintages
from features.series.words import UNIQUE_ID

FOLDER: Final = "basis"
_MARK: Final = "basis.json"
_FRAMES: Final = ("vintages", "traits", "breaks", "totals", "quality", "places")


def write_basis(basis: Basis, folder: Path) -> None:
    """Write ``basis`` below ``folder``, in a folder of its own."""
    place = folder / FOLDER
    place.mkdir()
    for name, payload in packed(basis).items():
        (place / name).write_bytes(payload)


def read_basis(folder: Path) -> Basis:
    """The basis that ``write_basis`` left below ``folder``.

    Raises:
        OSError, ValueError, KeyError: it is not there, or not as it was written.
    """
    place = folder / FOLDER
    names = (_MARK, *(f"{name}.parquet" for name in _FRAMES))
    return unpacked({name: (place / name).read_bytes() for name in names})


def packed(basis: Basis) -> dict[str, bytes]:
    """``basis`` as files: name -> content."""
    series = basis.series
    frames = {
        "vintages": series.vintages.frame,
        "traits": series.traits.rename_axis(UNIQUE_ID).reset_index(),
        "breaks": series.breaks,
        "totals": basis.totals,
        "quality": basis.quality.rename_axis(UNIQUE_ID).reset_index(),
        "places": basis.places,
    }
    record = {
        "origin": basis.origin,
        "cadence": series.vintages.cadence.name,
        "scope_of_source": series.scope_of_source,
        "names": basis.names,
    }
    return {
        _MARK: json_bytes(record),
        **{f"{name}.parquet": frames[name].to_parquet(index=False) for name in _FRAMES},
    }


def unpacked(files: Mapping[str, bytes]) -> Basis:
    """Inverse of ``packed``.

    Raises:
        OSError, ValueError, KeyError: a file is missing, or not as it was written.
    """
    record = json.loads(files[_MARK])
    frames = {name: pd.read_parquet(io.BytesIO(files[f"{name}.parquet"])) for name in _FRAMES}
    series = SeriesSet(
        vintages=Vintages.of(frames["vintages"], named(record["cadence"])),
        traits=frames["traits"].set_index(UNIQUE_ID),
        breaks=frames["breaks"],
        scope_of_source=dict(record["scope_of_source"]),
    )
    return Basis(
        series=series,
        totals=frames["totals"],
        quality=frames["quality"].set_index(UNIQUE_ID),
        places=frames["places"],
        names=dict(record["names"]),
        origin=record["origin"],
    )
