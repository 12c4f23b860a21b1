"""The documents: the words of the house are explained, decisions are recorded, changes are noted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

TERMS: Final = (
    *("unique_id", "ds", "y", "yhat", "cutoff", "issued_at", "as_of", "known_at", "step", "steps", "fold"),
    *("quantile", "level", "history", "driver", "recipe", "target", "scenario", "champion", "challenger"),
    *("baseline", "scope", "break", "bridge", "vintage", "publication lag", "path", "bias", "pinball loss"),
    *(
        "MASE",
        "RMSSE",
        "wAPE",
        "scaled quantile loss",
        "coverage",
        "interval score",
        "verdict",
        "pack",
        "pointer",
    ),
    *("made_by", "tCO2e", "forecast_id", "finding", "lease"),
)
DECISION: Final = re.compile(r"\A# \d{4}\. .+\n\n2026-\d\d-\d\d · (accepted|superseded by \d{4})\n")


@pytest.mark.parametrize("term", TERMS)
def test_the_glossary_explains(root: Path, term: str) -> None:
    text = (root / "docs" / "glossary.md").read_text()
    entry = re.search(
        rf"^\| (?:[^|\n]*, )?\*\*{re.escape(term)}\*\*[^|\n]* \| (?P<meaning>[^|]+)", text, re.MULTILINE
    )
    assert entry is not None, f"{term} has no row"
    assert len(entry["meaning"].strip()) > 15


def test_glossary_names_no_term_twice(root: Path) -> None:
    terms = re.findall(r"^\| (\*\*.+?\*\*) \|", (root / "docs" / "glossary.md").read_text(), re.MULTILINE)
    words = [word for row in terms for word in re.findall(r"\*\*(.+?)\*\*", row)]
    assert sorted(words) == sorted(set(words))


def test_decisions_are_numbered_dated_and_whole(root: Path) -> None:
    files = sorted((root / "docs" / "adr").glob("*.md"))
    assert [path.name[:4] for path in files] == [f"{k:04d}" for k in range(1, len(files) + 1)]
    for path in files:
        text = path.read_text()
        assert DECISION.match(text), path.name
        assert text.startswith(f"# {path.name[:4]}.")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"], (
            path.name
        )


def test_the_changelog_has_room_for_what_is_next(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    assert re.search(r"^## Unreleased$", text, re.MULTILINE)
