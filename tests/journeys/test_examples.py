"""The examples of docs/examples, run as they stand against a server at $FORECARBON_URL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from serving.shelf import Shelf
from tests.serving.contract import Contract, served
from tests.serving.whole import publish_whole

RUNNERS: Final = {"api.sh": ["sh"], "api.py": [sys.executable], "api.mjs": ["node"]}
TOLD: Final = {
    "api.sh": ('"status":"ok"', "unique_id,kind,unit", '"my plant"', '"judged":true', '"summary"', '"next"'),
    "api.py": (
        "aa-north 2023",
        "my plant:",
        "evidence: Judged on",
        "eu-ets",
        "batch: 5",
        "refused: unknown-",
    ),
    "api.mjs": (
        "aa-north 2023",
        "evidence: Judged on",
        "eu-ets",
        "batch: 5",
        "series: 9",
        "refused: unknown-",
    ),
}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("examples")
    publish_whole(place / "store", place / "scratch")
    shelf = Shelf(place / "store")
    shelf.refresh()
    with served(Contract(shelf.standing, place / "store").app()) as url:
        yield url


def test_every_example_is_run(root: Path) -> None:
    every = {path.name for path in (root / "docs" / "examples").iterdir()}
    # Scenarios are run by tests/journeys/test_scenarios.py, documents printed by test_reports.py.
    assert {name for name in every if not name.endswith((".toml", ".pdf"))} == set(RUNNERS)


@pytest.mark.parametrize("name", sorted(RUNNERS))
def test_an_example_runs_as_it_stands(root: Path, address: str, name: str) -> None:
    env = {
        **os.environ,
        "FORECARBON_URL": address,
        "CLUSTER": "aa-north",
        "SERIES": "aa-north/power",
        "PYTHONPATH": str(root),
    }
    done = subprocess.run(
        [*RUNNERS[name], str(root / "docs" / "examples" / name)],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    missing = [words for words in TOLD[name] if words not in done.stdout.replace('": ', '":')]
    assert missing == [], done.stdout
