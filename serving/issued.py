"""What the journal's answers said of single series, read from the packs that answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.errors import ModelError
from features.series.words import INITIATIVE
from models.forecast import STANDARD_QUANTILES
from models.issued import COLUMNS, Issued
from serving.answer import quantile_rows
from serving.journal import read_entries
from serving.layout import PACKS, Pointer
from serving.opened import OpenedPack, open_pack
from serving.shelf import climb

Float = npt.NDArray[np.float64]
SINGLE: Final = ("sector", "plant")


def issued(store: Path, now: datetime) -> Issued:
    """Forecasts issued from a store, for periods that had begun by ``now``, of the champion's own making.

    A cluster or the initiative counts as the sectors its paths are the sum of. Forecasts of callers'
    own rows, and of packs that are gone, are no part of it.
    """
    until = np.datetime64(now.astimezone(UTC).replace(tzinfo=None), "ns")
    rows: list[tuple[Any, ...]] = []
    values: list[Float] = []
    for mark, asked in _asked(store).items():
        pack = _opened(store, mark)
        if pack is not None:
            for row, quantiles in _said(pack, asked, until):
                rows.append(row)
                values.append(quantiles)
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    told = np.stack(values) if values else np.zeros((0, len(STANDARD_QUANTILES)))
    return Issued.of(frame, STANDARD_QUANTILES, told)


def _asked(store: Path) -> dict[tuple[str, str, str], dict[str, int]]:
    """By pack (model version, name, digest): the most steps asked of each name."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for entry in read_entries(store):
        if entry.get("own_rows") or "pack" not in entry:
            continue
        mark = tuple(str(entry["pack"][name]) for name in ("model_version", "name", "digest"))
        names = found.setdefault((mark[0], mark[1], mark[2]), {})
        request = entry["request"]
        for name in (*request["clusters"], *request["series"]):
            names[name] = max(names.get(name, 0), int(request["steps"]))
    return found


def _opened(store: Path, mark: tuple[str, str, str]) -> OpenedPack | None:
    version, name, digest = mark
    try:
        return open_pack(store, Pointer(version, f"{PACKS}/{name}", digest))
    except ModelError:
        return None


def _said(
    pack: OpenedPack, asked: Mapping[str, int], until: np.datetime64
) -> Iterator[tuple[tuple[Any, ...], Float]]:
    """Row and quantiles of every single series that a name asked for consists of."""
    rungs = climb(pack, None)
    for name, entry in pack.series.items():
        whole = (name, entry.cluster_id, INITIATIVE) if entry.kind == "sector" else (name,)
        steps = max((asked.get(each, 0) for each in whole), default=0)
        begun = [k for k, day in enumerate(entry.ds[:steps]) if np.datetime64(day, "ns") <= until]
        if entry.kind not in SINGLE or not begun or rungs[name].level != "champion":
            continue
        told = quantile_rows(rungs[name], begun[-1] + 1, STANDARD_QUANTILES)
        for k in begun:
            # In the order of COLUMNS.
            yield (pack.model_version, name, entry.kind, entry.cutoff, entry.ds[k], k + 1), told[k]
