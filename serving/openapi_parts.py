"""The pieces the OpenAPI document is made of: schemas by name, operations, and how each may fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

REF: Final = "#/components/schemas/"
JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
TEXT: Final[Mapping[str, Any]] = {"type": "string"}
NUMBER: Final[Mapping[str, Any]] = {"type": "number"}
COUNT: Final[Mapping[str, Any]] = {"type": "integer", "minimum": 0}
TEXTS: Final[Mapping[str, Any]] = {"type": "array", "items": TEXT}
OPEN: Final[Mapping[str, Any]] = {"type": "object", "additionalProperties": True}
RECORDS: Final[Mapping[str, Any]] = {"type": "array", "items": OPEN}
TEXT_OR_NULL: Final[Mapping[str, Any]] = {"type": ["string", "null"]}
NUMBER_OR_NULL: Final[Mapping[str, Any]] = {"type": ["number", "null"]}

ERRORS: Final[Mapping[int, str]] = {
    400: "The question is malformed or outside its bounds.",
    401: "No key, or one that is not known, has expired or was revoked.",
    403: "The key may not do this.",
    404: "Nothing of that name.",
    405: "The path does not take this method.",
    406: "None of the media types in Accept is offered.",
    408: "The body came too slowly.",
    409: "It has changed since the version you build on.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "The figures sent, or the series named, allow no such answer.",
    431: "The address or the headers are too large.",
    429: "Too many requests, or too much at once. Try again after Retry-After seconds.",
    500: "A fault of ours.",
    503: "No usable champion, or no free place, for now.",
}
# What can befall every path, and every path that keys guard.
EVERYWHERE: Final = (405, 429, 431, 500)
GUARDED: Final = (401, 403)
OF_BODIES: Final = (400, 408, 413, 415)
WAITING: Final = (429, 503)


def ref(name: str) -> dict[str, Any]:
    """A schema of the document by name."""
    return {"$ref": f"{REF}{name}"}


def listed(name: str) -> dict[str, Any]:
    """A list of a schema of the document."""
    return {"type": "array", "items": ref(name)}


def fields(required: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An object; further fields may be added to it in time."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
    }


def nullable(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def json_of(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON body."""
    return {JSON: {"schema": schema}}


def query(name: str, schema: Mapping[str, Any], text: str, *, required: bool = False) -> dict[str, Any]:
    """A parameter of the query; a list is sent by repeating the name."""
    told = {"name": name, "in": "query", "required": required, "schema": schema, "description": text}
    return {**told, "style": "form", "explode": True} if schema.get("type") == "array" else told


def in_path(name: str, text: str) -> dict[str, Any]:
    """A parameter of the path."""
    return {"name": name, "in": "path", "required": True, "schema": TEXT, "description": text}


def operation(
    name: str,
    summary: str,
    content: Mapping[str, Any],
    *errors: int,
    open_to_all: bool = False,
    tagged: bool = False,
    parameters: Sequence[Mapping[str, Any]] = (),
    unavailable: Mapping[str, Any] | None = None,
    headers: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """One operation with every status it can have.

    Args:
        errors: statuses beside those that can befall every path.
        open_to_all: no key is ever asked for.
        tagged: answers carry an ETag, and If-None-Match is honoured with 304.
        unavailable: the body of a 503 that is no problem document.
        headers: of the answer, beside the usual ones.
    """
    codes = sorted({*errors, *EVERYWHERE, *(() if open_to_all else GUARDED)})
    failures = {str(code): failure(code) for code in codes}
    if unavailable:
        failures["503"] = {**failure(503), "content": unavailable}
    usual = {"x-request-id": _header("RequestId"), **({"etag": _header("ETag")} if tagged else {})}
    good = {"description": summary, "headers": {**usual, **(headers or {})}, "content": content}
    same = {"304": {"description": "The answer you hold is still good.", "headers": usual}} if tagged else {}
    told: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {"200": good, **same, **failures},
    }
    asked = [*parameters, *([{"$ref": "#/components/parameters/IfNoneMatch"}] if tagged else ())]
    if asked:
        told["parameters"] = asked
    if open_to_all:
        told["security"] = []
    return told


def view_of(name: str, summary: str, schema: str, asked: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """A view that is asked by its query and may be asked for again by its tag."""
    return operation(name, summary, json_of(ref(schema)), 400, 404, 422, 503, tagged=True, parameters=asked)


def posted(name: str, summary: str, ask: str, example: Mapping[str, Any], schema: str) -> dict[str, Any]:
    """An insight that is asked by a body."""
    body = {"required": True, "content": {JSON: {"schema": ref(ask), "example": example}}}
    told = operation(name, summary, json_of(ref(schema)), *OF_BODIES, *(404, 422, 503))
    return {**told, "requestBody": body}


def failure(code: int) -> dict[str, Any]:
    """The answer of one status that is no success: a problem document (RFC 9457)."""
    headers = {"x-request-id": _header("RequestId")}
    if code in WAITING:
        headers["retry-after"] = _header("RetryAfter")
    if code == 405:
        headers["allow"] = _header("Allow")
    if code == 401:
        headers["www-authenticate"] = _header("WWWAuthenticate")
    return {
        "description": ERRORS[code],
        "headers": headers,
        "content": {PROBLEM: {"schema": ref("Problem")}},
    }


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def headers_of_all() -> dict[str, Any]:
    """The headers that operations refer to."""
    return {
        "RequestId": _told("Names the request; the one sent in x-request-id if it is short and plain.", TEXT),
        "ETag": _told("Tells the served model and its figures; send it back in If-None-Match.", TEXT),
        "RetryAfter": _told("Seconds to wait.", COUNT),
        "Allow": _told("Methods the path takes.", TEXT),
        "WWWAuthenticate": _told("How to send a key.", TEXT),
    }


def _told(text: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": text, "schema": schema}


def keys_of_all() -> dict[str, Any]:
    """The two ways to send a key."""
    return {
        "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
        "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
    }


def parameters_of_all() -> dict[str, Any]:
    """Parameters that operations refer to."""
    text = "The etag of the answer you hold."
    return {
        "IfNoneMatch": {"name": "if-none-match", "in": "header", "schema": TEXT, "description": text},
    }
