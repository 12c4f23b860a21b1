"""What is said of a change: which sentences, each tied to values of the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from insights.brief import LANGUAGE, Said, written

# A second part is named where it did at least this share of the first one's.
ALSO: Final = 0.25
_UNUSUAL: Final = "unusual-change"


def with_brief(answer: dict[str, Any], name: str, language: str = LANGUAGE) -> dict[str, Any]:
    """A ``why_view`` with the series' name and the brief.

    Raises:
        AskError: no catalogue of that language.
    """
    told = {**answer, "name": name}
    return {**told, "brief": written(list(_said(told)), told, language)}


def _said(told: Mapping[str, Any]) -> list[Said]:
    places = {name: f"/{name}" for name in ("name", "start_year", "end_year", "start", "end")}
    said = [Said("moved", {**places, "percent": "/percent"})] if told["percent"] is not None else []
    said += _of_parts(told["contributions"], told["kind"], told["change"])
    if told["scope"]["change"]:
        said.append(Said("moved-scope", {"change": "/scope/change"}))
    for k, shock in enumerate(told["shocks"]):
        if shock["same_way"]:
            at = f"/shocks/{k}"
            share = {"share": f"{at}/evidence/share_same_way_beyond_usual", "n": f"{at}/evidence/n"}
            said.append(Said("shock", {"year": f"{at}/year", **share}))
    unusual = [k for k, event in enumerate(told["events"]) if event["kind"] == _UNUSUAL]
    for k in unusual[:2]:
        at = f"/events/{k}"
        said.append(
            Said("unusual", {"series": f"{at}/unique_id", "year": f"{at}/year", "change": f"{at}/change"})
        )
    if not told["split"]["possible"]:
        said.append(Said("no-split", {"missing": "/split/missing"}))
    return said


def _of_parts(parts: list[Mapping[str, Any]], kind: str, change: float) -> list[Said]:
    """The one or two parts that did most of it, in its own direction."""
    if kind == "sector":
        return []
    with_it = sorted(
        (k for k, part in enumerate(parts) if part["change"] * change > 0),
        key=lambda k: -abs(parts[k]["change"]),
    )
    said = []
    for rank, k in enumerate(with_it[:2]):
        if rank and abs(parts[k]["change"]) < ALSO * abs(parts[with_it[0]]["change"]):
            break
        places = {"part": f"/contributions/{k}/unique_id", "change": f"/contributions/{k}/change"}
        said.append(Said("moved-also" if rank else "moved-by", places))
    return said
