"""A browser on the trained server. Whatever a page does wrong fails the test that opened it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from tests.pages.browser import FLAGS, REMEDY, found

WAITING = ".panel[data-state=loading], .panel[data-partial], .panel:not([data-state])"


@dataclass
class Seen:
    """What a page did that it should not.

    Attributes:
        faults: messages of the console that are errors, uncaught exceptions, violations of the policy.
        foreign: requests to any host but the server's.
        refusals_expected: whether answers with an error status are part of the test.
    """

    faults: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    refusals_expected: bool = False

    def console(self, kind: str, text: str) -> None:
        if kind == "error" and not (self.refusals_expected and text.startswith("Failed to load resource")):
            self.faults.append(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Of one file, not of the session: while Playwright is there its loop runs, and no other test has one.
    path = found()
    if path is None:
        pytest.skip("no browser here: install " + REMEDY)
    with sync_playwright() as play:
        one = play.chromium.launch(executable_path=path, args=list(FLAGS))
        yield one
        one.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(browser: Browser, served: str, seen: Seen) -> Iterator[Page]:
    """A fresh window on the server; ``page.goto("/")`` works. It must have done nothing wrong in the end."""
    one = opened(browser, served, seen)
    yield one
    one.context.close()
    assert seen.faults == []
    assert seen.foreign == []


def opened(browser: Browser, served: str, seen: Seen, **more: Any) -> Page:
    """A window that notes what it does wrong; ``more`` as Playwright's ``new_context`` takes it."""
    size = more.pop("viewport", ViewportSize(width=1280, height=900))
    context = browser.new_context(base_url=served, viewport=size, accept_downloads=True, **more)
    one = context.new_page()
    one.set_default_timeout(20_000)
    one.on("console", lambda message: seen.console(message.type, message.text))
    one.on("pageerror", lambda error: seen.faults.append(str(error)))

    def asked(url: str) -> None:
        if not url.startswith((served, "data:", "blob:")):
            seen.foreign.append(url)

    one.on("request", lambda request: asked(request.url))
    return one


def settled(page: Page) -> Page:
    """The page when no panel is loading and every chart in sight of a slow scroll is drawn."""
    expect(page.locator(".panel").first).to_be_visible()
    expect(page.locator(WAITING)).to_have_count(0, timeout=20_000)
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
    expect(page.locator(".chart:not([data-drawn])")).to_have_count(0, timeout=20_000)
    return page
