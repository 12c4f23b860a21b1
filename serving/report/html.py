"""A document as one HTML page: no script, no request to anywhere, light, dark and on paper."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from serving.report.document import Document

HERE: Final = Path(__file__).parent
_TEMPLATE: Final = "report.html.j2"


@cache
def _template() -> Template:
    # Escaped always, whatever the file is called.
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template(_TEMPLATE)


def html_of(document: Document) -> bytes:
    """The page."""
    return _template().render(document=document.as_record()).encode()
