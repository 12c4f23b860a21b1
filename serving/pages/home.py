"""The first page: every cluster with its latest total and its outlook, or why it has none."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from features.errors import ModelError
from serving.shelf import Standing
from serving.views import clusters_view

_COLUMNS: Final = ("Cluster", "Country", "Latest year", "Latest total", "2030, median", "2030, 80% band")


def home_page(standing: Standing | None, reason: ModelError | None = None) -> str:
    """The page as HTML text; without a standing it says what is missing and what to do."""
    if standing is None:
        told = reason.as_record() if reason else {"found": "no champion", "remedy": ""}
        found, remedy = escape(told["found"]), escape(told["remedy"])
        body = f"<p>Nothing to show yet: {found}.</p>\n<p>To mend it, {remedy}.</p>"
        return _template().substitute(status="No champion is served.", body=body)
    view = clusters_view(standing)
    status = (
        f"Champion {escape(view['model_version'])} ({escape(str(standing.pack.card['recipe']))}), "
        f"figures as known at {escape(view['as_of'])}."
    )
    if view["degraded"]:
        status += f" <strong>{escape(view['degraded'])}</strong>"
    return _template().substitute(status=status, body=_served(view) + _absent(view["clusters"]))


@cache
def _template() -> Template:
    return Template((Path(__file__).parent / "home.html").read_text(encoding="utf-8"))


def _served(view: dict[str, Any]) -> str:
    served = [line for line in view["clusters"] if line["status"] == "served"]
    rows = [_row(escape(line["name"]), line, line["cluster_id"]) for line in served]
    if view["initiative"]["status"] == "served":
        rows.append(_row("All of these together", view["initiative"], ""))
    head = "".join(f'<th scope="col">{title}</th>' for title in _COLUMNS)
    return (
        f"<h2>Clusters with a forecast ({len(served)})</h2>\n<table>\n"
        f"<caption>Million tonnes of CO2e a year</caption>\n<thead><tr>{head}</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table>\n"
    )


def _row(label: str, line: dict[str, Any], cluster_id: str) -> str:
    latest, outlook = line["latest"], line["outlook"]
    name = f'<a href="/v1/clusters/{escape(cluster_id)}">{label}</a>' if cluster_id else label
    cells = [
        escape(line.get("country") or ""),
        latest["ds"][:4] if latest else "unknown",
        _million(latest["y"]) if latest else "unknown",
        _million(outlook["median"]) if outlook else "beyond the horizon",
        f"{_million(outlook['low'])} to {_million(outlook['high'])}" if outlook else "",
    ]
    return f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _million(tonnes: float) -> str:
    return f"{tonnes / 1e6:.2f}"


def _absent(lines: list[dict[str, Any]]) -> str:
    items = [
        f"<li><strong>{escape(line['name'])}</strong> ({escape(line.get('country') or '')}): "
        f"{escape(line['reason'])}. What would mend it: {escape(line['remedy'])}.</li>"
        for line in lines
        if line["status"] == "absent"
    ]
    if not items:
        return ""
    return f"<h2>Clusters without a forecast ({len(items)})</h2>\n<ul>\n" + "\n".join(items) + "\n</ul>\n"
