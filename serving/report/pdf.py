"""A document as PDF: the template is fixed, all text goes into it as data, so none of it can be markup."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, Literal

from features.errors import LawBroken
from serving.report.document import Document

TEMPLATE: Final = Path(__file__).parent / "report.typ"


def pdf_of(document: Document) -> bytes:
    """The bytes of the PDF, tagged for readers of the blind: the same for the same document.

    Raises:
        LawBroken: the template cannot print it (``report-unprintable``): a bug of ours.
    """
    return _compiled(document, "pdf", None)[0]


def pages_of(document: Document, ppi: float = 96.0) -> list[bytes]:
    """Every page as PNG, to be looked at."""
    return _compiled(document, "png", ppi)


def _compiled(document: Document, form: Literal["pdf", "png"], ppi: float | None) -> list[bytes]:
    import typst

    told = {"document": json.dumps(document.as_record(), ensure_ascii=False)}
    try:
        # The fonts of the compiler alone: the same pages on every machine.
        made: Any = typst.compile(
            str(TEMPLATE),
            root=str(TEMPLATE.parent),
            ignore_system_fonts=True,
            format=form,
            ppi=ppi,
            sys_inputs=told,
            pdf_standards="ua-1" if form == "pdf" else [],
        )
    except typst.TypstError as fault:
        raise LawBroken(
            "report-unprintable",
            found=f"{document.title}: {fault}",
            expected="a document that the template prints",
            remedy="report it with the answer_id of the document",
        ) from fault
    return list(made) if isinstance(made, list) else [bytes(made)]
