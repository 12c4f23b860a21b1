"""What the models' and the data's page tell, and an inventory sent in the browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.pages.conftest import Seen, settled
from tests.serving.test_inventories import BAD, GOOD


def test_the_models_page_tells_what_the_api_tells(page: Page) -> None:
    page.goto("/models")
    settled(page)
    told = page.request.get("/v1/models/current").json()
    expect(page.locator("#champion")).to_contain_text(told["model_version"])
    expect(page.locator("#champion tbody tr")).to_have_count(len(told["verdict"]["rules"]))
    expect(page.locator("#retrains")).to_contain_text("forecarbon mlflow")
    retrains = page.request.get("/v1/retrains").json()
    expect(page.locator("#retrains tbody tr")).to_have_count(len(retrains["retrains"]))
    expect(page.locator("#promotions tbody tr").first).to_contain_text(told["model_version"])
    for name in ("scores", "bands", "chances"):
        expect(page.locator(f"#{name} .chart[data-drawn]")).to_be_visible()


def test_the_data_page_tells_sources_and_what_is_missing(page: Page) -> None:
    page.goto("/data")
    settled(page)
    told = page.request.get("/v1/sources").json()
    expect(page.locator("#sources tbody tr")).to_have_count(len(told["sources"]))
    expect(page.locator("#sources")).to_contain_text(told["sources"][0]["licence"])
    clusters = page.request.get("/v1/clusters").json()["clusters"]
    absent = [one for one in clusters if one["status"] == "absent"]
    expect(page.locator("#absent tbody tr")).to_have_count(len(absent))
    expect(page.locator("#quality tbody tr")).to_have_count(len(clusters) - len(absent))


def choose(page: Page, name: str, content: str) -> None:
    page.locator("#file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content.encode()})


def test_a_bad_file_is_told_row_by_row_and_a_good_one_is_forecast(page: Page) -> None:
    page.goto("/data")
    settled(page)
    choose(page, "port.csv", BAD)
    expect(page.locator("#own .refused")).to_contain_text("2 of 20 rows are at fault")
    rows = page.locator("#own tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("4")
    before = page.request.get("/v1/inventories").json()["count"]
    choose(page, "port.csv", GOOD)
    expect(page.locator("#own .good")).to_contain_text("Every row can be read: 2 sites by year")
    expect(page.locator("#own tbody tr")).to_have_count(2)
    assert page.request.get("/v1/inventories").json()["count"] == before, "a preview keeps nothing"
    page.get_by_role("button", name="Keep it and forecast it").click()
    expect(page.locator("#forecast[data-state=ready]")).to_contain_text("Kept as your claim")
    expect(page.locator("#forecast .chart[data-drawn]")).to_be_visible()
    assert page.request.get("/v1/inventories").json()["count"] == before + 1
    with page.expect_download() as got:
        page.locator("#forecast [data-download=csv]").click()
    assert len(Path(got.value.path()).read_text().splitlines()) == 1 + 2 * 8


def test_an_inventory_is_removed_after_a_question(page: Page, seen: Seen) -> None:
    page.goto("/data")
    settled(page)
    choose(page, "old-port.csv", GOOD)
    page.get_by_role("button", name="Keep it and forecast it").click()
    expect(page.locator("#forecast[data-state=ready]")).to_be_visible()
    button = page.locator("#kept tbody tr").first.get_by_role("button")
    before = page.request.get("/v1/inventories").json()["count"]
    button.click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("Its 20 figures")
    expect(asked.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(asked).to_have_count(0)
    expect(button).to_be_focused()
    assert page.request.get("/v1/inventories").json()["count"] == before

    button.click()
    seen.refusals_expected = True
    page.route("**/v1/inventories/removed", lambda route: route.abort())
    asked.get_by_role("button", name="Remove it").click()
    expect(asked).to_contain_text("It was not removed")
    page.unroute_all()
    asked.get_by_role("button", name="Remove it").click()
    expect(page.locator("#kept [role=status].said")).to_contain_text("was removed, with its 20 figures")
    assert page.request.get("/v1/inventories").json()["count"] == before - 1
    # Its forecast goes with it.
    expect(page.locator("#forecast")).to_have_attribute("data-state", "empty")


def test_what_is_no_inventory_is_refused(page: Page, seen: Seen) -> None:
    seen.refusals_expected = True
    page.goto("/data")
    settled(page)
    choose(page, "notes.csv", "a,b\n1,2\n")
    expect(page.locator("#own")).to_have_attribute("data-state", "refused")
    expect(page.locator("#own .refused")).to_contain_text("inventory columns missing")
    choose(page, "port.csv", "x" * 2_000_001)
    expect(page.locator("#own .refused")).to_contain_text("at most 2000000 bytes")


@pytest.mark.parametrize("path", ["/scenarios", "/models", "/data"])
def test_a_service_that_is_down_leaves_no_panel_blank(page: Page, seen: Seen, path: str) -> None:
    seen.refusals_expected = True
    error = {"code": "no-champion", "found": "no champion", "expected": "one", "remedy": "retrain"}
    problem = "application/problem+json"

    def down(route: Route) -> None:
        route.fulfill(status=503, content_type=problem, json={"error": error, "request_id": "r"})

    page.route("**/v1/**", down)
    page.goto(path)
    expect(page.locator(".panel[data-state=loading]")).to_have_count(0)
    for one in page.locator(".panel").all():
        state = one.get_attribute("data-state")
        assert state in ("error", "empty")
        assert one.locator(".notice").inner_text()
