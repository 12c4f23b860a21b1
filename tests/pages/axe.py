"""Accessibility of a page as axe-core judges it, from the package that carries it: nothing is fetched."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

GRAVE: Final = frozenset({"serious", "critical"})
_RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def grave_findings(page: Page) -> list[str]:
    """Serious and critical findings: rule, and the first places."""
    source = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    page.evaluate(source)
    told: dict[str, Any] = page.evaluate(
        "rules => axe.run(document, {runOnly: {type: 'tag', values: rules}})", _RULES
    )
    return [
        f"{found['id']}: "
        + "; ".join(f"{node['target']} {node['failureSummary']}" for node in found["nodes"][:3])
        for found in told["violations"]
        if found["impact"] in GRAVE
    ]
