"""Every panel of every page: its downloads, its states, and what axe-core says of the page in both themes."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize, expect

from serving.pages.shells import PAGES
from tests.pages.axe import grave_findings
from tests.pages.conftest import Seen, opened, settled

# Each theme in a window of its own: wide and light, dark and as narrow as a phone.
WINDOWS: dict[str, ViewportSize] = {
    "light": {"width": 1280, "height": 900}, "dark": {"width": 390, "height": 844},
}  # fmt: skip
ADDRESSES = [page.path + ("nl-rotterdam" if page.path == "/clusters/" else "") for page in PAGES]
PROBLEM = "application/problem+json"
PNG = b"\x89PNG\r\n\x1a\n"
ERROR = {
    "code": "made-up", "found": "a thing that was found", "expected": "another thing", "remedy": "do this",
    "offenders": ["one", "two"], "more": 3, "facts": {},
}  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_axe_finds_nothing_grave_and_nothing_is_scrolled_sideways(
    browser: Browser, served: str, seen: Seen, address: str, scheme: Literal["light", "dark"]
) -> None:
    page = opened(browser, served, seen, color_scheme=scheme, bypass_csp=True, viewport=WINDOWS[scheme])
    page.goto(address)
    settled(page)
    assert grave_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= WINDOWS[scheme]["width"]
    if scheme == "dark":
        paper_cuts_nothing(page)
    page.context.close()
    assert (seen.faults, seen.foreign) == ([], [])


def paper_cuts_nothing(page: Page) -> None:
    """A dark page is printed light, with tables as wide as the paper and nothing that can only be pressed."""
    page.set_viewport_size({"width": 695, "height": 1000})  # A4 inside its margins
    page.emulate_media(media="print", color_scheme="dark")
    # A table that is wider than the paper is cut there.
    cut = "all => all.filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"
    assert page.locator(".scroll").evaluate_all(cut) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    for name in ("nav a", ".panel .foot", "button.quiet"):
        assert page.locator(name).locator("visible=true").count() == 0


# One function makes those of every panel: a few of a kind on a page show it.
MOST_OF_A_KIND = 2


@pytest.mark.parametrize("address", ADDRESSES)
def test_downloads_are_what_they_say(page: Page, address: str) -> None:
    page.goto(address)
    settled(page)
    kinds = Counter[str]()
    for button in page.locator("[data-download]").all():
        kind = button.get_attribute("data-download") or ""
        if kinds[kind] == MOST_OF_A_KIND:
            continue
        with page.expect_download() as waiting:
            button.click()
        page.wait_for_timeout(120)  # Chromium drops downloads beyond ten a second
        kinds[kind] += 1
        assert waiting.value.suggested_filename.endswith(f".{kind}")
        check(kind, Path(str(waiting.value.path())).read_bytes())
    assert {"csv", "json"} <= set(kinds)


def check(kind: str, content: bytes) -> None:
    """A file of each kind is whole: a table has rows, a picture stands alone in the light theme."""
    if kind == "csv":
        lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
        assert len(lines) > 1
        assert {len(line) for line in lines} == {len(lines[0])}
    elif kind == "json":
        assert json.loads(content)
    elif kind == "png":
        assert content.startswith(PNG)
        assert len(content) > 2_000
    else:
        text = content.decode()
        assert text.startswith("<svg")
        assert "var(" not in text
        assert 'fill="#ffffff"' in text


def answered(page: Page, how: Any) -> None:
    page.route("**/v1/**", how)


@pytest.mark.parametrize(
    ("address", "status", "state"),
    [(address, *told) for address in ADDRESSES for told in ((422, "refused"), (429, "error"))]
    + [(ADDRESSES[0], 404, "refused"), (ADDRESSES[0], 500, "error")],
)
def test_a_refusal_is_shown_in_its_own_words(
    page: Page, seen: Seen, address: str, status: int, state: str
) -> None:
    seen.refusals_expected = True
    answered(page, lambda route: route.fulfill(status=status, content_type=PROBLEM, json={"error": ERROR}))
    page.goto(address)
    first = page.locator(f".panel[data-state={state}]").first
    expect(first).to_be_visible()
    for words in (ERROR["found"], ERROR["remedy"]):
        expect(first).to_contain_text(str(words))
    expect(page.locator(".panel[data-state=ready]")).to_have_count(0)


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_service_out_of_reach_is_an_error_that_can_be_tried_again(
    page: Page, seen: Seen, address: str
) -> None:
    seen.refusals_expected = True
    page.goto("about:blank")
    answered(page, lambda route: route.abort())
    page.goto(address)
    failed = page.locator(".panel[data-state=error]")
    expect(failed.first).to_contain_text("could not be reached")
    page.unroute_all()
    failed.first.get_by_role("button", name="Try again").click()
    expect(page.locator(".panel[data-state=ready]").first).to_be_visible()


@pytest.mark.parametrize("address", ADDRESSES)
def test_loading_is_said_until_the_answer_comes(page: Page, address: str) -> None:
    held: list[Route] = []
    answered(page, lambda route: held.append(route))  # a bound builtin cannot be marked
    page.goto(address)
    first = page.locator(".panel").first
    expect(first).to_have_attribute("data-state", "loading")
    expect(first).to_have_attribute("aria-busy", "")
    expect(first).to_contain_text("Loading")
    for route in held:
        route.continue_()
    page.unroute_all()
    expect(first).not_to_have_attribute("data-state", "loading")


def test_panels_with_nothing_to_show_say_so(page: Page) -> None:
    """Humber's target names no base, and its one project no dates."""
    page.goto("/clusters/gb-humber")
    settled(page)
    budget = page.locator("#budget")
    expect(budget).to_have_attribute("data-state", "empty")
    expect(budget).to_contain_text("needs a target with a base year")
    page.goto("/clusters/us-houston")
    settled(page)
    expect(page.locator("#chance")).to_have_attribute("data-state", "empty")
    expect(page.locator("#chance")).to_contain_text("no target of H2Houston Hub")
