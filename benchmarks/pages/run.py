"""How heavy the pages are, and how soon they show something: the Performance API in a headless Chromium.

Every page is opened in a fresh window (an empty cache) on loopback, each time; then it is opened again with
what the browser kept. An interaction is measured from the key or click to the next frame.

Usage: python benchmarks/pages/run.py [STORE] [TIMES]     (default: a store trained now, 5 times)
A store of the plan of facilities has the plants behind the clusters. Writes result.md beside this file.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "api")]

from standing import serving, trained  # noqa: E402

from serving.pages.shells import PAGES  # noqa: E402
from tests.pages.browser import FLAGS, REMEDY, found  # noqa: E402
from training.report import commit_of  # noqa: E402

PAINT, ACT = 1_000.0, 100.0
WATCH = """
window.seen = {lcp: 0, cls: 0, ready: 0};
new PerformanceObserver(list => { for (const one of list.getEntries()) seen.lcp = one.startTime; })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) seen.cls += one.value;
}).observe({type: 'layout-shift', buffered: true});
new MutationObserver(() => {
  if (!seen.ready && document.querySelector('.panel[data-state=ready]')) seen.ready = performance.now();
}).observe(document, {subtree: true, childList: true, attributes: true, attributeFilter: ['data-state']});
"""
READ = """
() => {
  const all = performance.getEntriesByType('resource');
  const page = performance.getEntriesByType('navigation')[0];
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const of = wanted => all.filter(wanted).reduce((sum, one) => sum + one.transferSize, 0);
  return {...seen, fcp: paint ? paint.startTime : null, requests: all.length + 1,
    own: page.transferSize + of(one => !one.name.includes('/charts-') && !one.name.includes('/v1/')),
    charts: of(one => one.name.includes('/charts-')), data: of(one => one.name.includes('/v1/'))};
}
"""
# From the event to the frame after it.
ACTION = """
([place, act, value]) => new Promise(done => {
  const node = document.querySelector(place);
  const begun = performance.now();
  if (act === 'type') { node.value = value; node.dispatchEvent(new Event('input', {bubbles: true})); }
  else node.click();
  requestAnimationFrame(() => { const channel = new MessageChannel();
    channel.port1.onmessage = () => done(performance.now() - begun); channel.port2.postMessage(0); });
})
"""
ACTIONS = (
    ("search the table", "/", ["#find", "type", "port"]),
    ("sort the table", "/", ["#clusters th button", "click", ""]),
    ("fold out a table of figures", "/", ["#total summary", "click", ""]),
    ("change the colours", "/", ["#theme", "click", ""]),
    ("fold out a table of figures, cluster", "/clusters/nl-rotterdam", ["#forecast summary", "click", ""]),
)


@dataclass(frozen=True)
class Visit:
    """One opening: milliseconds from the navigation, bytes over the wire, layout shift."""

    cold: bool
    told: dict[str, Any]


def main(store: Path, times: int) -> None:
    """Open every page, and write the result."""
    browser_path = found()
    if browser_path is None:
        raise SystemExit(f"no browser here: install {REMEDY}")
    with serving(trained(store), workers=1) as server, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=browser_path, args=list(FLAGS))
        facts = warmed(server.url)
        addresses = [one.path + ("nl-rotterdam" if one.path == "/clusters/" else "") for one in PAGES]
        visits = {path: opened(browser, server.url + path, times) for path in addresses}
        actions = {what: acted(browser, server.url + path, how, times) for what, path, how in ACTIONS}
        version = browser.version
        browser.close()
    write(visits, actions, facts, times, version)


def warmed(url: str) -> dict[str, Any]:
    """What stands behind the pages; asking it has the server make the answers that all visitors share."""
    with httpx.Client(base_url=url, timeout=300) as client:
        for path in ("/v1/insights/standings", "/v1/insights/initiative"):
            client.get(path).raise_for_status()
        charts = client.get("/").text.split('data-charts="')[1].split('"')[0]
        client.get(charts).raise_for_status()
        model: dict[str, Any] = client.get("/v1/models/current").json()
        clusters = client.get("/v1/clusters").json()["clusters"]
    return {"series": model["series"], "clusters": len(clusters)}


def context_of(browser: Browser) -> BrowserContext:
    made = browser.new_context(viewport={"width": 1280, "height": 900})
    made.add_init_script(WATCH)
    return made


def opened(browser: Browser, url: str, times: int) -> list[Visit]:
    """Every visit: cold, then once more with what was kept."""
    visits = []
    for _ in range(times):
        context = context_of(browser)
        for cold in (True, False):
            page = context.new_page()
            page.goto(url)
            settle(page)
            visits.append(Visit(cold, page.evaluate(READ)))
            page.close()
        context.close()
    return visits


def settle(page: Page) -> None:
    page.locator(".panel[data-state=ready]").first.wait_for()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)


def acted(browser: Browser, url: str, how: list[str], times: int) -> list[float]:
    """Milliseconds to the next frame, each time on a page that has settled."""
    context = context_of(browser)
    page = context.new_page()
    page.goto(url)
    page.locator(how[0]).first.wait_for()
    settle(page)
    found = [float(page.evaluate(ACTION, how)) for _ in range(4 * times)]
    context.close()
    return found


def write(
    visits: dict[str, list[Visit]],
    actions: dict[str, list[float]],
    facts: dict[str, Any],
    times: int,
    version: str,
) -> None:
    """result.md: medians, and the worst."""
    series = ", ".join(f"{count:,} {kind}" for kind, count in facts["series"].items())
    lines = [
        "# Pages: weight, paint and layout shift",
        "",
        f"{datetime.now(UTC):%Y-%m-%d} · {commit_of(ROOT)[:12]} · n = {times} visits a page, cold and again; "
        f"Chromium {version}",
        "",
        f"`python benchmarks/pages/run.py`. Loopback, one worker, {facts['clusters']} clusters; series",
        f"behind them: {series}. First useful paint: the first panel shows its",
        "figures. Times in ms from the navigation, median (worst);",
        f"the aim is below {PAINT:,.0f} ms, and an interaction below {ACT:.0f} ms.",
        "",
        "| page | visit | first paint | largest paint | first useful paint | layout shift | own files, kB "
        "| charts, kB | data, kB | requests |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for path, all_ in visits.items():
        for cold in (True, False):
            mine = [visit.told for visit in all_ if visit.cold == cold]
            cells = [spread([one[name] for one in mine]) for name in ("fcp", "lcp", "ready")]
            shift = f"{max(one['cls'] for one in mine):.3f}"
            sizes = [
                f"{statistics.median(one[name] for one in mine) / 1e3:.0f}"
                for name in ("own", "charts", "data")
            ]
            requests = f"{statistics.median(one['requests'] for one in mine):.0f}"
            lines.append(
                f"| `{path}` | {'first' if cold else 'again'} | "
                + " | ".join([*cells, shift, *sizes, requests])
                + " |"
            )
    lines += ["", "| interaction | ms to the next frame |", "|---|---|"]
    lines += [f"| {what} | {spread(found_)} |" for what, found_ in actions.items()]
    worst_paint = max(visit.told["ready"] for all_ in visits.values() for visit in all_)
    worst_act = max(max(found_) for found_ in actions.values())
    lines += [
        "",
        f"Worst first useful paint {worst_paint:,.0f} ms ({'met' if worst_paint < PAINT else 'NOT met'}); "
        f"worst interaction {worst_act:.0f} ms ({'met' if worst_act < ACT else 'NOT met'}).",
        "",
    ]
    (HERE / "result.md").write_text("\n".join(lines))
    print("\n".join(lines))


def spread(values: list[float]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.0f} ({max(known):.0f})" if known else "none"


if __name__ == "__main__":
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory() as scratch:
        main(Path(given[0]) if given else Path(scratch), int(given[1]) if len(given) > 1 else 5)
