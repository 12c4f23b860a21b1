"""Uploads in the lake: read with what the user said of them, and each inventory in one scope for ever."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from typing import Any

import pandas as pd

from features.errors import AskError
from features.series.lake import Lake
from features.sources.records import FACILITY_ID, Batch


def refuse_other_scope(lake: Lake, batch: Batch) -> None:
    """Do nothing where every site of ``batch`` has the scope that the lake knows of it, if any.

    Raises:
        AskError: a site was uploaded with other gases or another GWP set (``gwp-sets-mixed``).
    """
    known = [lake.table(snapshot, "facilities") for snapshot in lake.snapshots(batch.source)]
    if not known:
        return
    names = [FACILITY_ID, "scope_id"]
    before = pd.concat([table[names] for table in known]).drop_duplicates()
    both = batch.facilities[names].merge(before, on=FACILITY_ID, suffixes=("", "_before"))
    other = both[both["scope_id"] != both["scope_id_before"]]
    if len(other):
        raise AskError(
            "gwp-sets-mixed",
            found=f"{other[FACILITY_ID].nunique()} sites with {other['scope_id'].iloc[0]}, known as "
            + ", ".join(sorted(set(other["scope_id_before"]))),
            expected="one GWP set and choice of gases a series",
            offenders=other[FACILITY_ID].drop_duplicates().tolist(),
            remedy="convert with the set used before, or name another inventory with --name",
        )


def read_with(digest: str, options: Mapping[str, Any]) -> str:
    """The hash of content ``digest`` read with ``options``; hexadecimal.

    Whether bad rows were left out is no part of it: what was kept is the same.
    """
    told = {key: value for key, value in options.items() if key != "keep_good"}
    if not told:
        return digest
    plain = {k: asdict(v) if is_dataclass(v) and not isinstance(v, type) else v for k, v in told.items()}
    return hashlib.sha256(f"{digest}\n{json.dumps(plain, sort_keys=True)}".encode()).hexdigest()
