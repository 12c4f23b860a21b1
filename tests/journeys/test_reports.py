"""Funding packs and reports as a user asks for them: over HTTP and at the terminal, on a trained champion."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from insights.brief import at
from serving.openapi import document
from serving.report.forms import FORMS, formed
from tests.conftest import run_in
from tests.serving.test_openapi import faults, schema_of

EXAMPLE = "docs/examples/porthos-two-years-late.toml"
ROTTERDAM = "/v1/reports/nl-rotterdam"
# A number of a page, and where it leads.
NUMBER = re.compile(r'<a class="n" href="([^"]+)"[^>]*>([^<]*)</a>')


@pytest.fixture(scope="module")
def api(served: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served, timeout=60) as client:
        yield client


@pytest.fixture
def example(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / EXAMPLE).read_text("utf-8"))


def refusal(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]["code"]


@pytest.mark.parametrize("kind", ["report", "funding"])
def test_every_number_of_a_page_leads_to_itself(api: httpx.Client, kind: str) -> None:
    """Each link is asked of the service: the answer is made again, is the same, and holds the number."""
    page = api.get(ROTTERDAM, params={"kind": kind, "format": "html"})
    assert page.status_code == 200
    found = [(unescape(href), unescape(text)) for href, text in NUMBER.findall(page.text)]
    assert len(found) > 150
    answers: dict[str, dict[str, Any]] = {}
    for href, text in found:
        parts = urlsplit(href)
        if parts.path not in answers:
            reply = api.get(parts.path)
            assert reply.status_code == 200, reply.text
            answers[parts.path] = reply.json()
            assert answers[parts.path]["same"] is True
        value = at(answers[parts.path], unquote(parts.fragment))
        if isinstance(value, int | float):
            whole = {formed(value, form) for form in FORMS if form != "in-words"}
            sizes = {f"{abs(value) / size:.{digits}f}" for size in (1, 1e6, 0.01) for digits in range(4)}
            # "less than 1%" and "more than 99%" of a sentence.
            ends = {"1%"} if value < 0.01 else {"99%"} if value > 0.99 else set()
            assert text in whole | ends or text.strip("%+-−") in sizes, (text, value)
        else:
            assert text in ("not known" if value is None else str(value))
    assert len(answers) == 1


def test_the_figures_of_a_pack_are_the_scenarios(api: httpx.Client, example: dict[str, Any]) -> None:
    body = {"scenario": example, "grant": 1e8, "capex": 1e9, "opex": 4e7, "transport_storage": 50.0,
            "carbon_price": 80.0, "rate": 0.07, "promised": 1.2e7}  # fmt: skip
    reply = api.post("/v1/insights/funding", json=body)
    assert reply.status_code == 200, reply.text
    told = reply.json()
    assert faults(schema_of("FundingPack"), told) == []
    scenario = api.post("/v1/scenarios", json=example).json()
    for name in ("emissions", "targets", "measures", "sensitivity", "fingerprint"):
        assert told["outlook"][name] == scenario[name]
    assert told["window"] == {**told["window"], "first_year": 2028, "last_year": 2037, "held_years": 0}
    absolute = told["avoidance"]["absolute"]
    assert 0 <= absolute["q0.1"] <= absolute["q0.5"] <= absolute["q0.9"]
    assert absolute["mean"] < told["avoidance"]["captured"]["mean"]
    assert told["costs"]["grant_per_tonne"]["mean"] == pytest.approx(1e8 / absolute["mean"])
    assert told["costs"]["break_even"]["support"] is not None
    assert told["promise"]["told_by"] == "the applicant"
    (row,) = told["maturity"]
    assert (row["first_announced_start"], row["latest_start"], row["slip_years"]) == (2023, 2026, 3)
    again = api.get(f"/v1/provenance/{told['answer_id']}").json()
    assert again["same"] is True


def test_the_example_of_the_document_is_answered(api: httpx.Client) -> None:
    told = document()["paths"]["/v1/reports"]["post"]["requestBody"]["content"]["application/json"]["example"]
    for path in ("/v1/insights/funding", "/v1/reports"):
        assert api.post(path, json=told).status_code == 200


def test_a_document_is_sent_whole_and_asked_for_again_by_its_tag(api: httpx.Client) -> None:
    asked = {"kind": "funding", "format": "pdf"}
    first = api.get(ROTTERDAM, params=asked)
    assert first.headers["content-type"] == "application/pdf"
    assert first.headers["content-disposition"] == 'inline; filename="funding-pack-nl-rotterdam.pdf"'
    assert first.content.startswith(b"%PDF-")
    assert first.content.rstrip().endswith(b"%%EOF")
    base = str(api.base_url).rstrip("/").encode()
    assert first.content.count(b"/URI(" + base + b"/v1/provenance/funding.") > 100
    again = api.get(ROTTERDAM, params=asked)
    assert again.content == first.content
    held = api.get(ROTTERDAM, params=asked, headers={"if-none-match": first.headers["etag"]})
    assert (held.status_code, held.content) == (304, b"")
    page = api.get(ROTTERDAM)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["etag"] != first.headers["etag"]
    odd = api.get(ROTTERDAM, params=asked, headers={"host": "a)(/URI b"})
    assert b"a)(/URI" not in odd.content


def test_what_cannot_be_printed_says_what_is_missing(api: httpx.Client, example: dict[str, Any]) -> None:
    for kind in ("report", "funding"):
        reply = api.get("/v1/reports/au-kwinana", params={"kind": kind})
        assert refusal(reply) == (422, "series-absent")
        assert reply.json()["error"]["facts"]["missing"] == ["series-absent"]
    assert refusal(api.get("/v1/reports/nowhere")) == (404, "unknown-series")
    for odd in ("x", ""):
        assert refusal(api.get(ROTTERDAM, params={"kind": odd})) == (400, "invalid-value")
    none = api.get("/v1/reports/gb-humber", params={"kind": "funding"})
    assert refusal(none) == (422, "no-project-to-fund")
    assert none.json()["error"]["facts"]["missing"]
    both = {"cluster_id": "nl-rotterdam", "scenario": example}
    assert refusal(api.post("/v1/reports", json=both)) == (400, "funding-of-what")
    bare = {name: value for name, value in example.items() if name not in ("projects", "stores")}
    assert refusal(api.post("/v1/insights/funding", json={"scenario": bare})) == (422, "plan-empty")
    late = {"scenario": example, "first_year": 2090}
    assert refusal(api.post("/v1/insights/funding", json=late)) == (422, "start-after-forecast")


def test_every_cluster_has_a_report_or_says_why_not(api: httpx.Client) -> None:
    printed = 0
    for each in api.get("/v1/clusters").json()["clusters"]:
        reply = api.get(f"/v1/reports/{each['cluster_id']}", params={"format": "pdf"})
        if reply.status_code == 422:
            assert refusal(reply)[1] == "series-absent"
            continue
        assert reply.content.startswith(b"%PDF-")
        printed += 1
    assert printed == 17


def test_documents_are_written_at_the_terminal(
    trained_store: Path, shell_env: dict[str, str], tmp_path: Path, api: httpx.Client
) -> None:
    out = tmp_path / "pack.pdf"
    command = ["forecarbon", "report", "nl-rotterdam", "--scenario", EXAMPLE, "--out", str(out)]
    address = str(api.base_url).rstrip("/")
    said = run_in(trained_store, [*command, "--address", address], shell_env)
    assert "funding of Port of Rotterdam" in said
    body = {"scenario": tomllib.loads(Path(EXAMPLE).read_text("utf-8")), "format": "pdf"}
    assert api.post("/v1/reports", json=body).content == out.read_bytes()
    page = tmp_path / "report.html"
    run_in(trained_store, ["forecarbon", "report", "nl-rotterdam", "--out", str(page)], shell_env)
    assert "Emissions report: Port of Rotterdam" in page.read_text("utf-8")
