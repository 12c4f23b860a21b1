"""What the paths of funding packs and reports do: figures as JSON, documents as HTML and PDF."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from features.errors import AskError
from serving.bench import REPORTS, bench_of
from serving.call import Call
from serving.desk import Desk, etag_of, kept
from serving.errors import shown
from serving.fund_ask import read_fund, read_report
from serving.funding_view import funding_view
from serving.handlers import held
from serving.provenance import with_id
from serving.queries import one
from serving.ready import Plate
from serving.reply import HTML, JSON, Header, Reply, of_record
from serving.report.printing import FORMATS, FUNDING, KINDS, PDF, VIEWS, printed
from serving.shelf import Standing

# A document is one file that holds all it shows: no script, nothing from anywhere.
POLICY: Final[tuple[Header, ...]] = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        b"frame-ancestors 'none'",
    ),
)
_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?|\[[0-9a-fA-F:]{2,39}\](?::[0-9]{1,5})?")
_TYPES: Final[Mapping[str, bytes]] = {PDF: b"application/pdf", "html": HTML}
_PLAIN: Final = re.compile(r"[^A-Za-z0-9_-]+")


def _figures(question: Mapping[str, Any], standing: Standing) -> dict[str, Any]:
    return with_id(FUNDING, question, funding_view(question, standing), standing)


async def funding(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/insights/funding: the figures of a pack."""
    del call
    question = read_fund(body).question()
    return of_record(await bench_of(REPORTS).run(key_id, _figures, question, desk.shelf.standing))


async def report(desk: Desk, call: Call, cluster_id: str) -> Reply:
    """GET /v1/reports/{cluster_id}: made once for a standing, then sent from memory, with its tag."""
    told = call.query("kind", "format")
    kind, form = _named(told, "kind", KINDS), _named(told, "format", FORMATS)
    plate = await _plate(desk, "", kind, form, {"cluster_id": cluster_id}, _address(call, form))
    if held(call, plate.etag):
        return Reply(b"", 304, JSON, kept(plate.etag))
    return Reply(plate.head, 200, plate.kind, (*plate.extra, *kept(plate.etag)))


async def own_report(desk: Desk, call: Call, body: bytes, key_id: str) -> Reply:
    """POST /v1/reports: the funding pack of a scenario of the caller's."""
    ask = read_report(body)
    plate = await _plate(desk, key_id, FUNDING, ask.format, ask.question(), _address(call, ask.format))
    return Reply(plate.head, 200, plate.kind, plate.extra)


async def _plate(
    desk: Desk, key_id: str, kind: str, form: str, question: Mapping[str, Any], address: str
) -> Plate:
    """A document from memory, or made now."""
    standing = desk.shelf.standing
    key = repr((kind, form, address, sorted(question.items(), key=lambda item: item[0])))
    plate = desk.ready.find(f"report.{form}", key.encode("utf-8", "backslashreplace"), standing)
    if plate is None:
        body, name = await bench_of(REPORTS).run(key_id, _made, kind, form, question, standing, address)
        plate = Plate(body, None, _TYPES[form], _headers(form, name), etag_of(standing, form, key))
        desk.ready.keep(f"report.{form}", key.encode("utf-8", "backslashreplace"), standing, plate)
    return plate


def _made(
    kind: str, form: str, question: Mapping[str, Any], standing: Standing, address: str
) -> tuple[bytes, str]:
    """The document and the name it is saved under."""
    answer = with_id(kind, question, VIEWS[kind](standing, question), standing)
    name = _PLAIN.sub("-", str(answer["unique_id"])).strip("-") or "series"
    return printed(kind, form, answer, address), f"{KINDS[kind]}-{name}.{form}"


def _headers(form: str, name: str) -> tuple[Header, ...]:
    shown_as = ((b"content-disposition", f'inline; filename="{name}"'.encode()),)
    return shown_as if form == PDF else (*shown_as, *POLICY)


def _address(call: Call, form: str) -> str:
    """What stands before /v1/… in links: a page is read where it is served, a PDF anywhere."""
    host = call.head(b"host")
    if form != PDF or not _HOST.fullmatch(host):
        return ""
    return f"{call.scope.get('scheme', 'http')}://{host}"


def _named(told: Mapping[str, list[str]], name: str, known: Mapping[str, Any]) -> str:
    asked = one(dict(told), name)
    value = next(iter(known)) if asked is None else asked
    if value not in known:
        raise AskError(
            "invalid-value",
            found=f"{name} = {shown(value)}",
            expected="one of " + ", ".join(known),
            remedy=f"mend {name}; see /openapi.json for every field",
        )
    return value
