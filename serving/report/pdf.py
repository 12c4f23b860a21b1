"""A document as PDF: the template is fixed, all text goes into it as data, so none of it can be markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from features.errors import LawBroken
from serving.report.document import Document

TEMPLATE: Final = Path(__file__).parent / "report.typ"
_NO_GLYPH: Final = "could not be displayed"


def pdf_of(document: Document) -> bytes:
    """The bytes of the PDF, tagged for readers of the blind: the same for the same document.

    It is PDF/UA-1 unless a text has letters that the compiler's fonts lack, which the standard forbids: these
    are printed as empty boxes.

    Raises:
        LawBroken: the template cannot print it (``report-unprintable``): a bug of ours.
    """
    try:
        return _compiled(document, form="pdf", pdf_standards="ua-1")[0]
    except _Unprinted as fault:
        if _NO_GLYPH not in str(fault):
            raise _refused(document, fault) from fault
    try:
        return _compiled(document, form="pdf")[0]
    except _Unprinted as fault:
        raise _refused(document, fault) from fault


def pages_of(document: Document, ppi: float = 96.0) -> list[bytes]:
    """Every page as PNG, to be looked at.

    Raises:
        LawBroken: as ``pdf_of``.
    """
    try:
        return _compiled(document, form="png", ppi=ppi)
    except _Unprinted as fault:
        raise _refused(document, fault) from fault


class _Unprinted(Exception):
    """What the compiler says of a document it stops at."""


def _compiled(document: Document, *, form: str, **more: Any) -> list[bytes]:
    import typst

    told = {"document": json.dumps(document.as_record(), ensure_ascii=False)}
    # The fonts of the compiler alone: the same pages on every machine.
    how: dict[str, Any] = {"root": str(TEMPLATE.parent), "ignore_system_fonts": True, "format": form}
    try:
        made: Any = typst.compile(str(TEMPLATE), sys_inputs=told, **how, **more)
    except typst.TypstError as fault:
        raise _Unprinted(str(fault)) from fault
    return list(made) if isinstance(made, list) else [bytes(made)]


def _refused(document: Document, fault: Exception) -> LawBroken:
    return LawBroken(
        "report-unprintable",
        found=f"{document.title}: {fault}",
        expected="a document that the template prints",
        remedy="report it with the answer_id of the document",
    )
