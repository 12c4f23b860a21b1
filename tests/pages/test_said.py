"""What the pages say follows the answer: why a chance is missing, and which way a delay moves it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from serving.pages.assets import address, held

FOUND = "emissions of a base year 1990 that no source gives"
CHANCE = {
    "status": "past", "p": None, "p_low": None, "p_high": None, "calibrated": None,
    "outcome": {"value": 22.5e6, "met": False},
}  # fmt: skip


def told_with(page: Page, **line: Any) -> Any:
    """The cell of Rotterdam's chance, where the service answers ``line`` of it."""

    def changed(route: Route) -> None:
        told = route.fetch().json()
        one = next(each for each in told["clusters"] if each["cluster_id"] == "nl-rotterdam")
        if "chance" in line:
            one["target"]["chance"] = line["chance"]
        else:
            one.update(line)
        route.fulfill(json=told)

    page.route("**/v1/insights/standings", changed)
    page.goto("/")
    return page.locator("#clusters tr[data-cluster=nl-rotterdam]")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            {"target": None, "refused": [{"target_id": "x", "code": "base-absent", "found": FOUND}]},
            f"target cannot be measured: {FOUND}",
        ),
        ({"target": None, "refused": []}, "no target in the registry"),
        ({"chance": CHANCE}, "is past: 22.5 Mt CO₂e were emitted against 9.27 Mt CO₂e, so it was missed"),
        ({"chance": {**CHANCE, "outcome": {"value": None, "met": None}}}, "is past: no figure of it is held"),
        ({"chance": {**CHANCE, "status": "beyond-horizon"}}, "beyond horizon"),
    ],
)
def test_why_there_is_no_chance_is_said_as_it_is(page: Page, line: dict[str, Any], said: str) -> None:
    row = told_with(page, **line)
    expect(row).to_contain_text(said)
    if said != "no target in the registry":
        expect(row).not_to_contain_text("no target in the registry")
    expect(row).not_to_contain_text("another boundary")
    place = page.locator("svg.map a[href='/clusters/nl-rotterdam']")
    expect(place).to_have_attribute("aria-label", re.compile(re.escape(said).replace("\\ ", "\\s")))


def served_as(route: Route) -> None:
    """A file of the pages, or an empty page, without a server."""
    asset = held().get(urlsplit(route.request.url).path)
    kind = "text/html" if asset is None else asset.kind.decode()
    route.fulfill(content_type=kind, body=b"" if asset is None else asset.plain)


def test_a_delay_is_told_by_its_sign(browser: Browser) -> None:
    page = browser.new_page()
    page.route("**/*", served_as)
    page.goto("http://pages.test/")

    def said(change: float, more: float) -> str:
        delay = {
            "years": 2, "before": {"p": 0.4}, "after": {"p": 0.4 + change}, "more_up_to_year": more,
            "change": {"p": change, "p_low": change - 0.01, "p_high": change + 0.01},
        }  # fmt: skip
        row = {"name": "catch", "year": 2030, "delay": delay}
        script = "async ([row, from]) => (await import(from)).delayed(row)"
        return str(page.evaluate(script, [row, address("outcome.js")])).replace("\u00a0", " ")

    assert "the chance falls from about 40% to about 30%" in said(-0.1, 2e6)
    assert "2.00 Mt CO₂e more are emitted up to 2030." in said(-0.1, 2e6)
    assert "the chance rises from about 40% to about 50%" in said(0.1, -2e6)
    assert "2.00 Mt CO₂e less are emitted" in said(0.1, -2e6)
    assert "the chance stays at about 40%, and 2.00 Mt" in said(0.0, 2e6)
    none = said(0.0, 0.0)
    assert "no effect on the chance (about 40%) nor on emissions up to 2030" in none
    assert "falls" not in none
    assert "more" not in none
    page.close()
