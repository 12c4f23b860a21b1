"""Pages and the files they are made of, over HTTP: the same for everybody, so that no key is asked for."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from features.errors import ModelError
from serving.call import Call
from serving.desk import Desk
from serving.errors import unknown_path
from serving.pages.assets import Asset, charts_address, held
from serving.pages.charts import charts_of
from serving.pages.shells import page_at, shell
from serving.reply import HTML, Header, Reply

# Scripts, styles and figures from this server alone; pictures also from the page itself, which draws them.
POLICY: Final = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    b"object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", POLICY),
    (b"cache-control", b"no-cache"),
)
_LASTING: Final[tuple[Header, ...]] = (
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"vary", b"accept-encoding"),
)
CLUSTERS: Final = "/clusters/"
_GZIP: Final = re.compile(rb"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


async def page(desk: Desk, call: Call, name: str = "") -> Reply:
    """GET of a page; its query, if it has one, is for the script.

    A cluster that is not in the registry has a page all the same, with status 404: it shows the refusal.

    Raises:
        AskError: no such page.
    """
    path = call.scope["path"]
    found = page_at(path)
    about = await asyncio.to_thread(_about, desk)
    if found is None:
        raise unknown_path("GET", path)
    status = 404 if found[0].path == CLUSTERS and about and name not in about else 200
    body = shell(found[0], about=about, name=name)
    etag = b'W/"' + hashlib.sha256(body).hexdigest()[:16].encode() + b'"'
    if call.heads.get(b"if-none-match") == etag:
        return Reply(b"", 304, HTML, ((b"etag", etag), *PAGE_HEADERS))
    return Reply(body, status, HTML, ((b"etag", etag), *PAGE_HEADERS))


def _about(desk: Desk) -> Mapping[str, tuple[str, str]]:
    """Name and lead of every cluster; none where no champion serves, as the page's questions will tell."""
    try:
        clusters = desk.shelf.standing.pack.clusters
    except ModelError:
        return {}
    return {cluster_id: _lead(cluster_id, told["facts"]) for cluster_id, told in clusters.items()}


def _lead(cluster_id: str, facts: Mapping[str, Any]) -> tuple[str, str]:
    sectors = str(facts.get("main_sectors") or "").replace(";", ", ")
    words = (str(facts.get("type") or ""), sectors)
    return str(facts.get("name") or cluster_id), " · ".join(filter(None, words))


async def asset(desk: Desk, call: Call, name: str) -> Reply:
    """GET /assets/…: a file of the pages, compressed where the caller takes that.

    Raises:
        AskError: there is none of this address.
        ModelError: the chart library could not be made.
    """
    del name
    path = call.scope["path"]
    found = await charts_of(desk.store).asset() if path == charts_address() else held().get(path)
    if found is None:
        raise unknown_path("GET", path)
    return _sent(found, call)


def _sent(found: Asset, call: Call) -> Reply:
    if _GZIP.search(call.heads.get(b"accept-encoding", b"")):
        return Reply(found.zipped, 200, found.kind, (*_LASTING, (b"content-encoding", b"gzip")))
    return Reply(found.plain, 200, found.kind, _LASTING)
