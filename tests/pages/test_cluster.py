"""A cluster's page beside the API: chances, fans, sectors, reasons, past forecasts, and what is missing."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Seen, settled

ROTTERDAM = "nl-rotterdam"
PANELS = ["chance", "forecast", "sectors", "budget", "why", "unusual", "projects", "past", "drivers", "data"]


@pytest.fixture(scope="module")
def api(served: str) -> dict[str, Any]:
    asked = {
        "progress": "/v1/insights/progress?series=nl-rotterdam",
        "evidence": "/v1/evidence?series=nl-rotterdam",
        "cluster": "/v1/clusters/nl-rotterdam",
        "why": "/v1/insights/why?series=nl-rotterdam",
    }
    with httpx.Client(base_url=served, timeout=60) as client:
        return {name: client.get(path).json() for name, path in asked.items()}


@pytest.fixture
def shown(page: Page, api: dict[str, Any]) -> Page:
    del api
    page.goto(f"/clusters/{ROTTERDAM}")
    return settled(page)


def test_every_panel_is_there_and_ready(shown: Page) -> None:
    states = shown.locator(".panel").evaluate_all("all => all.map(one => [one.id, one.dataset.state])")
    assert states == [[name, "ready"] for name in PANELS]
    expect(shown.locator("h1")).to_have_text("Port of Rotterdam")


def test_the_chance_is_the_api_s(shown: Page, api: dict[str, Any]) -> None:
    told = api["progress"]["targets"]
    figures = shown.locator("#chance .figure")
    expect(figures).to_have_count(len(told))
    for k, one in enumerate(told):
        assert float(figures.nth(k).get_attribute("data-chance") or "nan") == one["chance"]["p"]
    first = told[0]
    text = shown.locator("#chance article").first.inner_text()
    assert f"{first['on_track']['gap'] / 1e6:.2f}" in text
    assert f"{first['needed']['linear'] / 1e6:.2f}" in text
    assert f"{first['chance']['emissions']['q0.5'] / 1e6:.1f}" in text


def test_the_fan_says_what_the_chance_is_read_from_and_can_be_read_as_registered(
    shown: Page, api: dict[str, Any]
) -> None:
    median = api["progress"]["targets"][0]["chance"]["emissions"]["q0.5"]
    expect(shown.locator("#forecast .big")).to_contain_text(f"{median / 1e6:.1f}")
    shown.get_by_label("Counted as").select_option("eu-ets")
    outlook = api["cluster"]["outlook"]["median"]
    expect(shown.locator("#forecast .big")).to_contain_text(f"{outlook / 1e6:.1f}")
    expect(shown.locator("#forecast .note")).to_contain_text("2008 and 2013")


def test_past_forecasts_stand_beside_what_came_true(shown: Page, api: dict[str, Any]) -> None:
    told = api["evidence"]
    assert len(told["fans"]) == len(told["issued"])
    expect(shown.locator("#past .big")).to_contain_text(f"{100 * told['scores']['coverage_80']:.0f}%")
    shown.locator("#past summary").click()
    lines = shown.locator("#past tbody tr").all_inner_texts()
    assert len(lines) == sum(len(fan["rows"]) for fan in told["fans"])
    last = told["fans"][0]["rows"][0]
    assert f"{last['y'] / 1e6:.1f}" in lines[0]
    assert f"{last['quantiles']['0.5'] / 1e6:.1f}" in lines[0]


def test_sources_are_a_click_away(shown: Page, api: dict[str, Any]) -> None:
    shown.locator("#chance [data-provenance]").click()
    dialog = shown.get_by_role("dialog")
    expect(dialog).to_contain_text("the same numbers came out")
    expect(dialog).to_contain_text("European Commission")
    shown.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    shown.locator("#data").get_by_role("button", name="Show").click()
    newest = api["cluster"]["latest"]["y"]
    expect(shown.locator("#data .notice")).to_contain_text(f"{newest / 1e6:.1f}")
    expect(shown.locator("#data .notice")).to_contain_text("verified")


def test_a_cluster_without_a_series_says_what_is_missing(page: Page, seen: Seen) -> None:
    seen.refusals_expected = True
    page.goto("/clusters/au-kwinana")
    settled(page)
    panel = page.locator("#chance")
    expect(panel).to_have_attribute("data-state", "refused")
    for words in (
        "no public facility-level record for country AU",
        "Expected",
        "What helps",
        "send your own history",
    ):
        expect(panel).to_contain_text(words)
    expect(page.locator("#forecast")).to_have_count(0)


def test_a_cluster_that_is_none_is_refused_by_name(page: Page, seen: Seen) -> None:
    seen.refusals_expected = True
    page.goto("/clusters/nl-roterdam")
    refused = page.locator(".panel[data-state=refused]")
    expect(refused).to_contain_text("nl-roterdam")
    refused.get_by_role("link", name="To all clusters").click()
    expect(page.locator("#clusters")).to_be_visible()
