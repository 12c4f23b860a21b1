"""What may be null in a question is null in the document too, and the other way round."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final, get_args

import pytest
from pydantic import BaseModel

import serving
from features.errors import AskError
from serving.coalition_handlers import read_portfolio
from serving.openapi import document

# Which of two a report is of is told by the field that is there; a figure that is none is refused by name.
READ_LATER: Final = ("cluster_id", "scenario", "y")
HOLD_ASKS: Final = ("ask", "handlers", "wire", "feedback")


def asks() -> Iterator[tuple[str, dict[str, bool]]]:
    """Questions of the API by the name of their schema: whether each of their fields may be null."""
    for module in pkgutil.iter_modules(serving.__path__):
        if not module.name.endswith(HOLD_ASKS):
            continue
        for name, held in vars(importlib.import_module(f"serving.{module.name}")).items():
            if (
                isinstance(held, type)
                and issubclass(held, BaseModel)
                and held.__module__.endswith(module.name)
            ):
                yield (
                    name,
                    {
                        key: type(None) in get_args(field.annotation)
                        for key, field in held.model_fields.items()
                    },
                )


def may_be_null(schema: dict[str, Any]) -> bool:
    kinds = schema.get("type", [])
    return (
        "null" in ([kinds] if isinstance(kinds, str) else kinds)
        or None in schema.get("enum", [])
        or any(may_be_null(one) for word in ("anyOf", "oneOf") for one in schema.get(word, []))
    )


def test_null_is_allowed_where_the_document_says_so() -> None:
    told, seen = document()["components"]["schemas"], 0
    wrong = []
    for name, fields in asks():
        whole = told.get(name, {})
        for schema in [whole, *whole.get("oneOf", []), *whole.get("anyOf", [])]:
            for key, one in schema.get("properties", {}).items():
                seen += 1
                if key not in READ_LATER and fields[key] != may_be_null(one):
                    wrong.append(f"{name}.{key}: {'taken' if fields[key] else 'refused'}")
    assert wrong == []
    assert seen > 100


def test_nulls_of_a_portfolio_are_as_left_out() -> None:
    assert read_portfolio(b'{"year": null, "seed": null, "correlation": null}').year is None
    with pytest.raises(AskError, match="registered"):
        read_portfolio(b'{"registered": null}')
