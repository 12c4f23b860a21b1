"""Reports and funding packs as files: the same documents the API gives."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

from features.errors import AskError
from features.files import write_bytes
from serving.fund_ask import FundAsk, checked
from serving.printed import opened_shelf
from serving.printed_scenario import loaded
from serving.provenance import with_id
from serving.report.pdf import pages_of
from serving.report.printing import FORMATS, FUNDING, REPORT, VIEWS, document_of, printed

# The first page, as it is shown beside a link to the document.
PICTURE: Final = "png"


def write_report(
    cluster: str,
    *,
    store: Path,
    out: Path,
    funding: bool = False,
    scenario: Path | None = None,
    terms: Path | None = None,
    form: str = "",
    address: str = "",
) -> None:
    """Write the report of a cluster, or the funding pack of it or of a scenario on it.

    Args:
        form: "pdf", "html", or "png" for the first page; by the name of ``out`` when "".
        terms: a TOML file of the fields of ``POST /v1/insights/funding`` beside the plan.
        address: of the service that the numbers lead to.

    Raises:
        AskError: no such format, files that hold no such question, or a scenario of another cluster.
        AskError, DataError: as the views of both.
    """
    form = form or out.suffix.lstrip(".").lower()
    if form not in (*FORMATS, PICTURE):
        raise AskError(
            "format-unknown",
            found=f"format {form!r}",
            expected="one of " + ", ".join((*FORMATS, PICTURE)),
            remedy="give --format pdf or --format html, or a name that ends so",
        )
    kind = FUNDING if funding or scenario or terms else REPORT
    question = _funded(cluster, scenario, terms) if kind == FUNDING else {"cluster_id": cluster}
    standing = opened_shelf(store)
    answer = with_id(kind, question, VIEWS[kind](standing, question), standing)
    body = _printed(kind, form, answer, address.rstrip("/"))
    write_bytes(out, body)
    print(f"{out}: {len(body):,} bytes; {kind} of {answer['name']}, model {answer['model_version']}")  # noqa: T201


def _printed(kind: str, form: str, answer: dict[str, Any], address: str) -> bytes:
    if form == PICTURE:
        return pages_of(document_of(kind, answer, address))[0]
    return printed(kind, form, answer, address)


def _funded(cluster: str, scenario: Path | None, terms: Path | None) -> dict[str, Any]:
    told: dict[str, Any] = {} if terms is None else _table(terms)
    about: dict[str, Any] = {"cluster_id": cluster}
    if scenario is not None:
        table = loaded(scenario)
        series = table.get("series") if isinstance(table, dict) else None
        if isinstance(series, str) and series.split("/", 1)[0] != cluster.split("/", 1)[0]:
            raise AskError(
                "report-of-another-cluster",
                found=f"a scenario of {series}",
                expected=f"one of {cluster}",
                remedy=f"name {series}, or another scenario",
            )
        about = {"scenario": table}
    return checked(FundAsk, {**told, **about}).question()


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise AskError(
            "terms-unreadable",
            found=f"{path.name}: {type(fault).__name__}: {fault}",
            expected="a TOML file of fields such as grant, capex, opex and rate",
            remedy="see docs/insights.md, Funding pack",
        ) from None
