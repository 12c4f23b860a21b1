"""Ground of the tests of sources: the real public records, where they are at hand."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.sources.workbooks import as_workbook

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "sources"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public records: ``data`` in FORECARBON_SHARED, or ``shared/data`` beside the checkout."""
    beside = Path(__file__).resolve().parents[2].parent / "shared"
    folder = Path(os.environ.get("FORECARBON_SHARED") or beside) / "data"
    if not folder.is_dir():
        pytest.skip("no public records here: set FORECARBON_SHARED to the folder that holds data/")
    return folder


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """Small files made by hand, in the publishers' layouts."""
    return FIXTURES


@pytest.fixture(scope="session")
def workbooks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The EU registry's and the UK's workbook, made of the fixtures in the publishers' layouts."""
    folder = tmp_path_factory.mktemp("workbooks")
    eutl, uk_ets = folder / "verified_emissions_2022_en.xlsx", folder / "compliance_report.xlsx"
    above = [["Verified emissions and allowances"], [], ["Read the notes before use"]]
    as_workbook(FIXTURES / "eutl_verified_emissions.csv", eutl, sheet="data", above=above)
    as_workbook(FIXTURES / "uk_ets_report.csv", uk_ets, sheet="Data", above=[])
    return {"eutl": eutl, "uk-ets": uk_ets}
