"""Country codes: three letters, as most publishers write them, to the two letters of the house."""

from __future__ import annotations

import csv
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

import features.reference


@lru_cache(maxsize=1)
def iso2_by_iso3() -> MappingProxyType[str, str]:
    """ISO 3166-1 alpha-2 by alpha-3, all 249 countries and territories and Kosovo (XKX, user-assigned)."""
    path = Path(features.reference.__file__).with_name("countries.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return MappingProxyType({row["iso3"]: row["iso2"] for row in csv.DictReader(stream)})
