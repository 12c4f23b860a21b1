"""Spoilt inventories: each gives its own figures or a named complaint, whether good rows are kept or not.

FORECARBON_MUTANTS sets how many are made (10,000 at full size).
"""

from __future__ import annotations

import csv
import io
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import openpyxl
import pandas as pd
import pytest

from features.errors import ForecarbonError
from features.sources.inventory import read
from features.sources.inventory_figures import Declared
from tests.sources.inventories import figures
from tests.sources.mutations import SHORTER, SLOWEST, TOLD, WHOLE, Mutant, Way, made
from tests.sources.spoilt_csv import csv_ways
from tests.sources.spoilt_xlsx import xlsx_ways

SITES: Final = ("plant-a", "plant-b", "plant-c", "plant-d")
YEARS: Final = range(2015, 2024)
TRUTH: Final = {
    (site, year): float(100_003 + 171_777 * i + 613 * year % 9973)
    for i, site in enumerate(SITES)
    for year in YEARS
}
# A fraction of a tonne is a figure like any other; of the same row twice a user is told, and may drop it.
LAWFUL: Final = ("a point slipped", "fraction", "a row repeated")
CO2: Final = Declared(unit="t", gas="CO2")


def long_csv() -> list[Way]:
    rows = [[site, "NL", year, "t", "CO2", f"{y:.0f}"] for (site, year), y in TRUTH.items()]
    names = ["facility_id", "country", "year", "unit", "gas", "emissions"]
    need = ["facility_id", "year", "unit", "gas", "emissions"]
    return csv_ways(printed([names, *rows]), figure="emissions", need=need, leave_out=LAWFUL)


def wide_csv() -> list[Way]:
    return csv_ways(printed(wide()), figure="2019", need=["Site"], leave_out=LAWFUL)


def wide_xlsx() -> list[Way]:
    book = openpyxl.Workbook()
    page = book.create_sheet("Data", 0)
    for row in wide():
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    years = ["2017", "2019"]
    return xlsx_ways(out.getvalue(), sheet="Data", header=1, figures=years, need=["Site"], leave_out=LAWFUL)


def parquet() -> list[Way]:
    rows = [(site, year, y) for (site, year), y in TRUTH.items()]
    whole = pd.DataFrame(rows, columns=["site", "year", "value"]).to_parquet()
    return [
        ("as it is", WHOLE, lambda _: whole),
        ("cut short", TOLD, lambda rng: whole[: rng.randrange(len(whole))]),
        ("zero bytes", TOLD, lambda rng: whole + bytes(rng.randint(1, 99))),
    ]


def wide() -> list[list[object]]:
    rows = [[site, "NL", *(int(TRUTH[site, year]) for year in YEARS)] for site in SITES]
    return [["Site", "Country", *YEARS], *rows]


def printed(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


@dataclass(frozen=True)
class Kind:
    name: str
    ways: Callable[[], list[Way]]
    declared: Declared
    share: float


KINDS: Final = (
    Kind("long.csv", long_csv, Declared(), 0.4),
    Kind("wide.csv", wide_csv, CO2, 0.25),
    Kind("wide.xlsx", wide_xlsx, CO2, 0.3),
    Kind("long.parquet", parquet, CO2, 0.05),
)


def end_of(mutant: Mutant, path: Path, declared: Declared, *, keep_good: bool) -> str:
    began = time.monotonic()
    try:
        batch = read(path, declared=declared, keep_good=keep_good)
    except ForecarbonError as refusal:
        batch, code = None, refusal.code
    assert time.monotonic() - began < SLOWEST, mutant.name
    if batch is None:
        assert mutant.owed != WHOLE, f"{mutant.name}: refused as {code}"
        return "refused"
    found = figures(batch)
    if mutant.name.startswith("a strange cell"):
        # Another name is another site: nothing tells that it was not meant.
        found = {key: y for key, y in found.items() if key[0] in SITES}
    wrong = {key: (y, TRUTH.get(key)) for key, y in found.items() if TRUTH.get(key) != y}
    assert not wrong, f"{mutant.name}: found and true {list(wrong.items())[:3]}"
    lost = sorted(TRUTH.keys() - found.keys())
    assert not (lost and mutant.owed == WHOLE), f"{mutant.name} lost {lost[:3]}"
    silent = lost and mutant.owed != SHORTER and not len(batch.complaints)
    assert not silent, f"{mutant.name} lost {lost[:3]} in silence"
    return "in part" if lost else "in full"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_spoilt_inventory_gives_true_figures_or_a_named_refusal(kind: Kind, tmp_path: Path) -> None:
    ways = kind.ways()
    asked = os.environ.get("FORECARBON_MUTANTS")
    count = max(int(int(asked or 100) * kind.share), len(ways))
    path, ends = tmp_path / kind.name, []
    for mutant in made(ways, count=count, seed=31):
        path.write_bytes(mutant.payload)
        ends += [end_of(mutant, path, kind.declared, keep_good=keep) for keep in (False, True)]
    assert len(ends) == 2 * count
    assert min(ends.count("refused"), ends.count("in full")) > 0.1 * count
