"""The pages as they are sent: small documents without figures, which their scripts fetch from the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from serving.pages.assets import address, charts_address

# What every page's script imports: named in the document, so that the browser fetches them at once.
SHARED: Final = ("api.js", "dom.js", "downloads.js", "panel.js", "shell.js", "words.js")


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        path: where it is; one that ends in a stroke is followed by a name.
        script: its module below ``static/``.
        heading: its first heading, as it stands before any figure has come.
        lead: what it is for, in a sentence.
        tab: its words in the navigation; "" keeps it out of there.
    """

    path: str
    script: str
    heading: str
    lead: str
    tab: str = ""


PAGES: Final = (
    Page(
        "/",
        "coalition.js",
        "Are the industrial clusters on track?",
        "They have pledged to cut their emissions. This is what they emit, what they are likely to emit, "
        "and how sure that is.",
        "Coalition",
    ),
    Page(
        "/scenarios",
        "scenarios.js",
        "What would a plan do?",
        "Projects and levers laid over the forecast: what they do to emissions, and to the chances.",
        "Scenarios",
    ),
    Page(
        "/models",
        "models.js",
        "How good is the model?",
        "Who forecasts now, who tried to, how often their bands held, and how chances of targets came true.",
        "Models",
    ),
    Page(
        "/data",
        "data.js",
        "What do the figures rest on?",
        "Sources and their terms, what became known when, what was changed since; and figures of your own.",
        "Data",
    ),
    Page("/clusters/", "cluster.js", "Cluster", "Past, forecast, targets and reasons of one cluster."),
)


def page_at(path: str) -> tuple[Page, str] | None:
    """The page at a path and the name its path ends in; None where there is none."""
    for page in PAGES:
        if path == page.path and (path == "/" or not path.endswith("/")):
            return page, ""
        if page.path != "/" and page.path.endswith("/") and path.startswith(page.path) and path != page.path:
            return page, path[len(page.path) :]
    return None


def shell(page: Page, *, about: Mapping[str, tuple[str, str]], name: str = "") -> bytes:
    """The document of a page.

    Args:
        about: name and lead of every cluster, by id.
        name: the cluster the page is about.
    """
    heading, lead = about.get(name, (page.heading, page.lead))
    return (
        _template()
        .substitute(
            title=escape("Forecarbon" if page.path == "/" else f"{heading} · Forecarbon"),
            lead=escape(lead),
            heading=escape(heading),
            tabs="".join(_tab(one, page) for one in PAGES if one.tab),
            style=address("style.css"),
            print=address("print.css"),
            preloads="".join(f'<link rel="modulepreload" href="{address(one)}">\n' for one in SHARED),
            script=address(page.script),
            land=address("land.json"),
            charts=charts_address(),
            icon=address("icon.svg"),
        )
        .encode()
    )


def _tab(one: Page, page: Page) -> str:
    current = ' aria-current="page"' if one is page else ""
    return f'<a href="{one.path}"{current}>{escape(one.tab)}</a>\n'


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "shell.html").read_text(encoding="utf-8"))
