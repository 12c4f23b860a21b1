"""Pictures of every page, light, dark and on a phone, into docs/pages.

Usage: python benchmarks/pages/shots.py URL     (of a running `forecarbon serve`, such as http://localhost:3000)
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
PLACE = ROOT / "docs" / "pages"
sys.path.insert(0, str(ROOT))

from serving.pages.shells import PAGES  # noqa: E402
from tests.pages.browser import FLAGS, found  # noqa: E402

NAMES = {"/": "coalition", "/clusters/": "cluster"}
QUERIES = {"/scenarios": "?example=porthos-two-years-late"}
WAYS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
TALLEST = {"light": 3_600, "dark": 3_600, "phone": 3_400}
COLOURS = 256


def main(url: str) -> None:
    """Take them all."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found(), args=list(FLAGS))
        for one in PAGES:
            name = NAMES.get(one.path, one.path.strip("/"))
            place = (
                one.path
                + ("nl-rotterdam" if one.path.endswith("clusters/") else "")
                + QUERIES.get(one.path, "")
            )
            for way in WAYS:
                path = PLACE / f"{name}-{way}.png"
                taken(browser, url.rstrip("/") + place, way, path)
                print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")
        browser.close()


def taken(browser: Browser, address: str, way: str, path: Path) -> None:
    """One picture: the page from its top, as far as ``TALLEST``, in few colours."""
    context = browser.new_context(**WAYS[way])
    page = context.new_page()
    page.goto(address)
    settle(page)
    raw = page.screenshot(full_page=True)
    context.close()
    image = Image.open(io.BytesIO(raw)).convert("RGB")
    cut = image.crop((0, 0, image.width, min(image.height, TALLEST[way])))
    cut.quantize(palette=palette_of(cut), dither=Image.Dither.NONE).save(path, optimize=True)


def palette_of(image: Image.Image) -> Image.Image:
    """The most frequent colours as they are, so that grounds and marks keep theirs."""
    counted = image.getcolors(maxcolors=1 << 24) or []
    most = [colour for _, colour in sorted(counted, reverse=True)[:COLOURS]]
    held = Image.new("P", (1, 1))
    held.putpalette([channel for colour in most for channel in colour])
    return held


def settle(page: Page) -> None:
    """Wait until nothing loads and every chart is drawn."""
    expect(page.locator(".panel").first).to_be_visible(timeout=60_000)
    expect(page.locator(".panel[data-state=loading]")).to_have_count(0, timeout=60_000)
    for chart in page.locator(".chart").all():
        chart.scroll_into_view_if_needed()
    expect(page.locator(".chart:not([data-drawn])")).to_have_count(0, timeout=60_000)
    page.evaluate("window.scrollTo(0, 0)")


if __name__ == "__main__":
    main(sys.argv[1])
