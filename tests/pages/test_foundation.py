from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from serving.pages.shells import PAGES
from tests.pages.conftest import Seen, settled

PROBLEM = "application/problem+json"


def test_every_page_settles_without_a_fault(page: Page) -> None:
    for one in PAGES:
        page.goto(one.path + ("nl-rotterdam" if one.path == "/clusters/" else ""))
        settled(page)
        expect(page.locator("h1")).not_to_be_empty()


def test_the_theme_is_chosen_and_kept(page: Page) -> None:
    page.goto("/")
    button = page.get_by_role("button", name="Colours")
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    button.click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    button.click()
    expect(page.locator("html")).not_to_have_attribute("data-theme", "light")


def test_the_skip_link_comes_first_and_leads_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_is_asked_for_and_sent(page: Page, seen: Seen, status: int) -> None:
    seen.refusals_expected = True
    error = {"code": "key-missing", "found": "no key", "expected": "a key", "remedy": "send one"}

    def guarded(route: Route) -> None:
        sent = dict(route.request.headers)
        if sent.pop("x-api-key", "") == "secret":
            route.continue_(headers=sent)
        else:
            route.fulfill(status=status, content_type=PROBLEM, json={"error": error})

    page.route("**/v1/**", guarded)
    page.goto("/")
    form = page.locator(".panel[data-state=key]").first
    expect(form).to_be_visible()
    form.get_by_label("Key").fill("secret")
    form.get_by_role("button", name="Use this key").click()
    settled(page)
    expect(page.locator(".panel[data-state=key]")).to_have_count(0)
    page.get_by_role("button", name="Forget the key").click()
    expect(page.locator(".panel[data-state=key]").first).to_be_visible()
