"""Which documents there are, of which figures, and how each is printed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from serving.funding_view import funding_view
from serving.provenance import ANSWER_ID
from serving.report.cluster_pages import report_document
from serving.report.document import Document
from serving.report.funding_pages import funding_document
from serving.report.html import html_of
from serving.report.pdf import pdf_of
from serving.report_view import report_view
from serving.shelf import Standing

REPORT: Final = "report"
FUNDING: Final = "funding"
PDF: Final = "pdf"
# Kind -> start of the name of its file; format -> how it is printed. The first of each is the usual one.
KINDS: Final = {REPORT: "report", FUNDING: "funding-pack"}
FORMATS: Final[Mapping[str, Callable[[Document], bytes]]] = {"html": html_of, PDF: pdf_of}
_PAGES: Final[Mapping[str, Callable[[Mapping[str, Any], str | None, str], Document]]] = {
    REPORT: report_document,
    FUNDING: funding_document,
}


def _report(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return report_view(str(question["cluster_id"]), standing)


def _funding(standing: Standing, question: Mapping[str, Any]) -> dict[str, Any]:
    return funding_view(question, standing)


# Views that an answer_id can name.
VIEWS: Final[dict[str, Callable[[Standing, Mapping[str, Any]], dict[str, Any]]]] = {
    REPORT: _report,
    FUNDING: _funding,
}


def document_of(kind: str, answer: Mapping[str, Any], address: str) -> Document:
    """The document of an answer with its answer_id.

    Args:
        address: what stands before /v1/… in links; "" for links within the service.
    """
    return _PAGES[kind](answer, answer[ANSWER_ID], address)


def printed(kind: str, form: str, answer: Mapping[str, Any], address: str) -> bytes:
    """The document of an answer, printed."""
    return FORMATS[form](document_of(kind, answer, address))
