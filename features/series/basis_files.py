"""A basis as plain files inside a saved model, so that what it served can be built again."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from features.files import read_json, write_json
from features.series.basis import Basis
from features.series.build import SeriesSet
from features.series.cadence import named
from features.series.vintages import Vintages
from features.series.words import UNIQUE_ID

FOLDER: Final = "basis"
_MARK: Final = "basis.json"


def write_basis(basis: Basis, folder: Path) -> None:
    """Write ``basis`` below ``folder``, in a folder of its own."""
    place = folder / FOLDER
    place.mkdir()
    series = basis.series
    series.vintages.frame.to_parquet(place / "vintages.parquet", index=False)
    series.traits.rename_axis(UNIQUE_ID).reset_index().to_parquet(place / "traits.parquet", index=False)
    series.breaks.to_parquet(place / "breaks.parquet", index=False)
    basis.totals.to_parquet(place / "totals.parquet", index=False)
    basis.quality.rename_axis(UNIQUE_ID).reset_index().to_parquet(place / "quality.parquet", index=False)
    basis.places.to_parquet(place / "places.parquet", index=False)
    record = {
        "origin": basis.origin,
        "cadence": series.vintages.cadence.name,
        "scope_of_source": series.scope_of_source,
        "names": basis.names,
    }
    write_json(place / _MARK, record)


def read_basis(folder: Path) -> Basis:
    """The basis that ``write_basis`` left below ``folder``.

    Raises:
        OSError, ValueError, KeyError: it is not there, or not as it was written.
    """
    place = folder / FOLDER
    record = read_json(place / _MARK)
    frames = {
        name: pd.read_parquet(place / f"{name}.parquet")
        for name in ("vintages", "traits", "breaks", "totals", "quality", "places")
    }
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
