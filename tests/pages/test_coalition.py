"""The coalition's page shows what the API says, and can be searched, sorted, filtered and walked."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import settled

CLUSTERS = 33
WITH_FIGURES = 17


@pytest.fixture(scope="module")
def api(served: str) -> dict[str, Any]:
    with httpx.Client(base_url=served, timeout=60) as client:
        return {
            "standings": client.get("/v1/insights/standings").json(),
            "initiative": client.get("/v1/insights/initiative").json(),
            "why": client.get(
                "/v1/insights/why", params={"series": "initiative", "start_year": 2019, "end_year": 2020}
            ).json(),
        }


@pytest.fixture
def shown(page: Page, api: dict[str, Any]) -> Page:
    del api  # asked first, so that the page finds its answers ready
    page.goto("/")
    return settled(page)


def rows(page: Page) -> list[str]:
    names: list[str] = page.locator("#clusters tbody tr").evaluate_all(
        "all => all.map(row => row.dataset.cluster)"
    )
    return names


def three(value: float) -> str:
    """A number as the pages write it: three figures that count."""
    places = max(0, 2 - len(str(int(abs(value)))) + 1) if abs(value) >= 1 else 3
    return f"{abs(value):.{places}f}"


def test_every_cluster_has_a_line_and_those_without_figures_say_why(shown: Page, api: dict[str, Any]) -> None:
    lines = {line["cluster_id"]: line for line in api["standings"]["clusters"]}
    assert len(lines) == CLUSTERS
    assert sorted(rows(shown)) == sorted(lines)
    for name, line in lines.items():
        text = shown.locator(f"#clusters tr[data-cluster={name}]").inner_text()
        assert line["name"] in text
        if line["status"] == "served":
            assert three(line["latest"]["y"] / 1e6) in text
            assert three(line["outlook"]["median"] / 1e6) in text
        else:
            assert line["reason"] in text
        if line["target"] and line["target"]["chance"]["p"] is not None:
            p = line["target"]["chance"]["p"]
            assert (f"{round(p * 100)}%" if p >= 0.01 else "< 1%") in text
            assert str(line["target"]["year"]) in text


def test_it_is_searched_filtered_and_sorted(shown: Page) -> None:
    shown.get_by_label("Find").fill("rotter")
    assert rows(shown) == ["nl-rotterdam"]
    expect(shown.locator(".count")).to_have_text(f"1 of {CLUSTERS} clusters")
    shown.get_by_label("Find").fill("united kingdom")
    assert sorted(rows(shown)) == ["gb-humber", "gb-hynet", "gb-solent"]
    shown.get_by_label("Find").fill("")
    shown.get_by_label("Show").select_option("none")
    assert len(rows(shown)) == CLUSTERS - WITH_FIGURES
    shown.get_by_label("Show").select_option("figures")
    assert len(rows(shown)) == WITH_FIGURES
    head = shown.locator("#clusters").get_by_role("columnheader", name="Cluster")
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    names = shown.locator("#clusters tbody th a").all_inner_texts()
    assert names == sorted(names, key=str.casefold)
    head.get_by_role("button").click()
    expect(head).to_have_attribute("aria-sort", "descending")
    assert shown.locator("#clusters tbody th a").all_inner_texts() == names[::-1]


def test_the_claim_and_what_stands_behind_it_are_the_numbers_of_the_api(
    shown: Page, api: dict[str, Any]
) -> None:
    told = api["initiative"]
    panel = shown.locator("#claims")
    expect(panel.locator("h2")).to_contain_text(f"{told['claimed']['reduction_potential_mt']:.0f} Mt")
    text = panel.inner_text()
    assert three(told["targets"]["cut"] / 1e6) in text
    for q in ("q0.1", "q0.9"):
        assert three(told["forecast"]["fall"][q] / 1e6) in text
    assert f"{100 * told['share_of_claim']['asked_by_targets']:.1f}%" in text


def test_what_all_plans_avoid_is_what_the_api_says(shown: Page) -> None:
    told = shown.request.get("/v1/insights/portfolio").json()
    panel = shown.locator("#portfolio")
    row = next(each for each in told["years"] if each["year"] == told["year"])
    expect(panel.locator(".big")).to_contain_text(f"{three(row['abated']['q0.5'] / 1e6)}")
    expect(panel.locator(".big")).to_contain_text(f"{100 * row['share_of_claim']['q0.5']:.2f}%")
    expect(panel.locator(".chart[data-drawn]")).to_be_visible()
    for each in (*told["measures"], *told["left_out"]):
        expect(panel).to_contain_text(each.get("name") or each["project"])
    expect(panel.locator(".left-out")).to_contain_text(f"{len(told['left_out'])} projects had to be left out")
    for reason in {each["reason"] for each in told["left_out"]}:
        expect(panel.locator(".left-out dt", has_text=reason[1:])).to_have_count(1)


def test_every_cluster_with_a_place_is_a_link_on_the_map(shown: Page, api: dict[str, Any]) -> None:
    placed = {line["cluster_id"] for line in api["standings"]["clusters"] if line["lat"] is not None}
    marks = shown.locator("svg.map a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert sorted(marks) == sorted(f"/clusters/{name}" for name in placed)
    expect(shown.locator("#map")).to_contain_text("Indo-Pacific Net-zero Battery-materials Consortium")


def test_why_emissions_fell_in_2020_is_one_click_away(shown: Page, api: dict[str, Any]) -> None:
    shown.get_by_role("link", name="Why did emissions fall in 2020?").click()
    panel = shown.locator("#why")
    expect(panel.locator("h2")).to_be_in_viewport()
    told = api["why"]
    expect(panel.locator(".big")).to_contain_text(f"{abs(told['percent']):.1f}%")
    expect(panel).to_contain_text("2020 was a common shock")
    begin = panel.get_by_label("From", exact=True)
    begin.fill("2016")
    begin.press("Enter")
    expect(panel.locator(".big")).to_contain_text("From 2016 to 2020")


def test_whether_humber_makes_it_is_one_click_away(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Will Humber make it?").click()
    expect(page).to_have_url(re.compile("/clusters/gb-humber#chance$"))
    expect(page.locator("#chance .figure").first).to_contain_text("%")


def test_what_ccs_two_years_late_would_do_is_one_click_away(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="What would CCS two years late do?").click()
    expect(page).to_have_url(re.compile("/scenarios.*porthos-two-years-late"))
    settled(page)
    expect(page.locator("main")).to_contain_text("Porthos")
    expect(page.locator(".panel[data-state=ready]").first).to_be_visible()


def test_it_is_walked_by_keyboard_alone(shown: Page) -> None:
    """From the top to the search box, and from a line of the table to the cluster's page."""
    for _ in range(60):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.id") == "find":
            break
        outline = shown.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        inside_map = shown.evaluate("Boolean(document.activeElement.closest('svg.map'))")
        assert outline != "none" or inside_map, shown.evaluate("document.activeElement.outerHTML")
    shown.keyboard.type("antwerp")
    assert rows(shown) == ["be-antwerp"]
    for _ in range(20):
        shown.keyboard.press("Tab")
        if shown.evaluate("document.activeElement.getAttribute('href')") == "/clusters/be-antwerp":
            break
    shown.keyboard.press("Enter")
    expect(shown.locator("h1")).to_have_text("Port of Antwerp-Bruges")
