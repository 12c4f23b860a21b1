"""The scenario builder: a lever moves the chance, a refusal stands at its field, files and links work."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from tests.pages.conftest import Seen, opened, settled

EXAMPLE = "/scenarios?example=porthos-two-years-late"
DOWNLOADS = {"csv": b"\xef\xbb\xbfYear", "json": b"{", "png": b"\x89PNG", "svg": b"<svg"}


def answered(page: Page) -> None:
    expect(page.locator("#result[data-state=ready]:not([aria-busy])")).to_be_visible()


def test_the_example_answers_what_ccs_two_years_late_would_do(page: Page) -> None:
    page.goto(EXAMPLE)
    settled(page)
    expect(page.locator("#result .delay")).to_contain_text("Porthos 2 years late: the chance falls from")
    told = page.request.post("/v1/scenarios", data=sent(page)).json()
    change = next(one for one in told["targets"] if one["status"] == "measured")["change"]
    shown = page.locator("#change").inner_text()
    assert shown == f"{100 * change['p']:+.1f} points".replace("-", "−")


def sent(page: Page) -> dict[str, object]:
    with page.expect_download() as got:
        page.get_by_role("button", name="JSON file").click()
    told: dict[str, object] = json.loads(Path(got.value.path()).read_text())
    return told


def test_the_example_is_the_file_of_the_docs(page: Page, root: Path) -> None:
    page.goto(EXAMPLE)
    settled(page)
    file = tomllib.loads((root / "docs/examples/porthos-two-years-late.toml").read_text())
    assert sent(page) == file
    with page.expect_download() as got:
        page.get_by_role("button", name="TOML file").click()
    assert tomllib.loads(Path(got.value.path()).read_text()) == file


def test_a_lever_moves_the_chance_and_shows_at_once_that_it_works(page: Page) -> None:
    page.goto("/scenarios")
    settled(page)
    page.get_by_role("button", name="Add a lever").click()
    answered(page)
    before = page.locator("#result .verdict").inner_text()
    slider = page.locator("[data-lever='0']").get_by_label("Capacity")
    slider.focus()
    for _ in range(60):
        page.keyboard.press("ArrowRight")
    answered(page)
    held: list[Route] = []
    page.route("**/v1/scenarios", lambda route: held.append(route))  # a bound builtin cannot be marked
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-lever='0'] output").first.inner_text() == "7.1 Mt a year"
    expect(page.locator("#result")).to_have_attribute("aria-busy", "")
    page.unroute_all()
    for route in held:
        route.continue_()
    answered(page)
    expect(page.locator("#parts tbody tr")).to_have_count(1)
    assert page.locator("#result .verdict").inner_text() != before


def test_a_link_opens_the_plan_again(page: Page) -> None:
    page.goto(EXAMPLE)
    settled(page)
    page.locator("[data-project=nl-rotterdam-porthos]").get_by_label("Later than planned").fill("5")
    answered(page)
    expect(page.locator("#result .delay")).to_contain_text("5 years late")
    link = page.evaluate("location.href").replace("?example=porthos-two-years-late", "")
    page.goto("/models")
    page.goto(link)
    settled(page)
    expect(page.locator("#result .delay")).to_contain_text("5 years late")


def test_a_refusal_stands_at_its_field(page: Page, seen: Seen) -> None:
    seen.refusals_expected = True
    page.goto(EXAMPLE)
    settled(page)
    field = page.get_by_label("Electricity")
    field.fill("3 apples")
    expect(page.locator("#result")).to_have_attribute("data-state", "refused")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.locator(".fault:not([hidden])")).to_contain_text("Allowed")
    field.fill("0.2")
    answered(page)
    expect(page.locator("[aria-invalid]")).to_have_count(0)


def test_up_to_four_stand_side_by_side(page: Page) -> None:
    page.goto(EXAMPLE)
    settled(page)
    delay = page.locator("[data-project=nl-rotterdam-porthos]").get_by_label("Later than planned")
    for years in range(4):
        delay.fill(str(years))
        answered(page)
        page.get_by_role("button", name="Keep beside").click()
        expect(page.locator("#beside tbody tr")).to_have_count(years + 1)
    page.get_by_role("button", name="Keep beside").click()
    expect(page.locator(".told")).to_contain_text("Up to 4")
    page.get_by_role("button", name="Take plan 1 out").click()
    expect(page.locator("#beside tbody tr")).to_have_count(3)


def test_a_plan_is_saved_read_again_and_not_overwritten_unseen(page: Page, seen: Seen) -> None:
    page.goto(EXAMPLE)
    settled(page)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".told")).to_contain_text("Saved as version 1")
    kept = page.request.get("/v1/scenarios/saved").json()["scenarios"][0]
    other = {"scenario": {**sent(page), "seed": 5}, "id": kept["id"], "builds_on": 1}
    assert page.request.post("/v1/scenarios/saved", data=other).status == 200
    seen.refusals_expected = True
    page.get_by_label("Later than planned").fill("4")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".told")).to_contain_text("scenario moved on")
    page.get_by_role("button", name="Save as a new scenario").click()
    expect(page.locator(".told")).to_contain_text("Saved as version 1")
    page.locator("#saved tbody a").first.click()
    settled(page)
    expect(page.locator("#result .delay")).to_contain_text("4 years late")
    count = page.locator("#saved tbody tr").count()
    page.locator("#saved").get_by_role("button", name="Remove Porthos").first.click()
    expect(page.locator("#saved tbody tr")).to_have_count(count - 1)


def test_an_old_version_is_not_saved_over_newer_ones_unseen(page: Page, seen: Seen) -> None:
    page.goto(EXAMPLE)
    settled(page)
    plan = sent(page)
    kept = page.request.post("/v1/scenarios/saved", data={"scenario": plan}).json()
    more = {"scenario": {**plan, "seed": 7}, "id": kept["id"], "builds_on": 1}
    assert page.request.post("/v1/scenarios/saved", data=more).status == 200
    page.goto(f"/scenarios?saved={kept['id']}&version=1")
    settled(page)
    expect(page.locator("#result .delay")).to_contain_text("Porthos 2 years late")
    seen.refusals_expected = True
    page.get_by_label("Later than planned").fill("4")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".told")).to_contain_text("scenario moved on")
    assert page.request.get(f"/v1/scenarios/saved/{kept['id']}").json()["newest"] == 2


def test_what_is_not_ones_own_is_saved_as_a_new_scenario(page: Page, seen: Seen) -> None:
    page.goto(EXAMPLE)
    settled(page)
    kept = page.request.post("/v1/scenarios/saved", data={"scenario": sent(page)}).json()
    # As a shared one of another key answers: it may be read, and not be written.
    page.route("**/v1/scenarios/saved", lambda route: route.continue_(
        post_data=route.request.post_data.replace(kept["id"], "anothers")
        if route.request.post_data else None))  # fmt: skip
    page.goto(f"/scenarios?saved={kept['id']}")
    settled(page)
    expect(page.locator("#result .delay")).to_contain_text("Porthos 2 years late")
    seen.refusals_expected = True
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".told")).to_contain_text("unknown scenario")
    page.get_by_role("button", name="Save as a new scenario").click()
    expect(page.locator(".told")).to_contain_text("Saved as version 1")


@pytest.mark.parametrize("kind", sorted(DOWNLOADS))
def test_the_result_is_taken_away(page: Page, kind: str) -> None:
    page.goto(EXAMPLE)
    settled(page)
    with page.expect_download() as got:
        page.locator(f"#result [data-download={kind}]").click()
    assert got.value.suggested_filename == f"forecarbon-result.{kind}"
    assert Path(got.value.path()).read_bytes().startswith(DOWNLOADS[kind])


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, served: str, seen: Seen) -> Iterator[Page]:
    one = opened(browser, served, seen, color_scheme=request.param)
    yield one
    one.context.close()
    assert seen.faults == []


def test_no_serious_barrier_where_a_plan_is_worked_out(themed: Page) -> None:
    themed.goto(EXAMPLE)
    settled(themed)
    found = Axe().run(themed).response["violations"]
    serious = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in serious] == []


def test_a_phone_shows_it_without_scrolling_sideways(browser: Browser, served: str, seen: Seen) -> None:
    one = opened(browser, served, seen, viewport={"width": 390, "height": 844})
    one.goto(EXAMPLE)
    settled(one)
    assert one.evaluate("document.documentElement.scrollWidth") <= 390
    one.context.close()
    assert seen.faults == []
    assert seen.foreign == []
