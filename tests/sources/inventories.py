"""Ground of the tests of a user's own inventory: files made by hand, and what reading them gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from features.errors import AskError, DataError
from features.sources.inventory import read
from features.sources.inventory_figures import Declared
from features.sources.records import Batch

T_CO2 = Declared(unit="t", gas="CO2")


def written(folder: Path, text: str, name: str = "inv.csv", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def workbook(folder: Path, rows: list[list[Any]], name: str = "inv.xlsx", **sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    pages = {"Data": rows, **sheets}
    for title, own in pages.items():
        page = book.create_sheet(title)
        for row in own:
            page.append(row)
    del book[book.sheetnames[0]]
    book.save(folder / name)
    return folder / name


def figures(batch: Batch) -> dict[tuple[str, int], float]:
    """Tonnes by site (without the prefix of its id) and year."""
    known = batch.records[batch.records["y"].notna()]
    sites = known["facility_id"].str.split(":", n=2).str[2]
    return dict(zip(zip(sites, known["ds"].dt.year, strict=True), known["y"], strict=True))


def codes(batch: Batch) -> list[tuple[int, str]]:
    return [
        (int(row), str(code))
        for row, code in zip(batch.complaints["row"], batch.complaints["code"], strict=True)
    ]


def refused(path: Path, **said: Any) -> DataError:
    with pytest.raises(DataError) as refusal:
        read(path, **said)
    return refusal.value


def asked(path: Path, **said: Any) -> AskError:
    with pytest.raises(AskError) as refusal:
        read(path, **said)
    return refusal.value


def faults(refusal: DataError) -> list[tuple[int, str]]:
    return [(line, code) for line, code, _ in refusal.facts["complaints"]]
