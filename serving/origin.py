"""The figures behind a pack, told one by one: source, terms, vintage, grade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import pandas as pd

from features.instants import to_second
from features.reference.tables import Reference, load
from features.series.build import embedded
from features.series.quality import ESTIMATED, REPORTED, UNGRADED, VERIFIED, grade
from features.series.words import DS, FLAG, KNOWN_AT, SOURCE, UNIQUE_ID, Y
from serving.kept import Figures
from serving.opened import OpenedPack
from serving.wire import number_or_null

SEVERAL: Final = " | "
FROM_BEST: Final = (VERIFIED, REPORTED, ESTIMATED, UNGRADED)
_TERMS: Final = (("title", "title"), ("publisher", "publisher"), ("url", "url"), ("terms", "licence"))
_FACTS: Final = (
    *("value", "scope", "source", "publishers", "known_at", "grade", "flag", "repairs", "breaks"),
    "earlier",
)


@dataclass(frozen=True)
class Told:
    """What can be told of figures.

    Attributes:
        figures: with their vintages; None where the pack keeps none and they are not the embedded ones.
        known_by: UTC instant without a zone; later vintages were not seen by the pack.
        reference: for publishers, terms and the reasons of breaks.
    """

    figures: Figures | None
    known_by: pd.Timestamp
    reference: Reference

    def kind(self, name: str) -> str | None:
        """Kind of a series; None where it is not known."""
        if self.figures is None or name not in self.figures.traits.index:
            return None
        return str(self.figures.traits.at[name, "kind"])

    def inside(self, cluster_id: str, sector: str | None = None) -> list[str]:
        """See ``Figures.inside``; empty where figures are not known."""
        return [] if self.figures is None else self.figures.inside(cluster_id, sector)

    def figure(self, name: str, day: str) -> dict[str, Any] | None:
        """The newest vintage of one figure with all that is known of it; None where there is none."""
        if self.figures is None:
            return None
        rows = self.figures.at([name], pd.Timestamp(day), self.known_by)
        if rows.empty:
            return None
        newest = rows.iloc[-1]
        source = str(newest[SOURCE])
        scope = self._scope(source)
        return {
            "value": number_or_null(newest[Y]),
            "scope": scope,
            "source": source,
            "publishers": self._publishers(source),
            "known_at": to_second(newest[KNOWN_AT]),
            "grade": grade(scope or ""),
            "flag": str(newest[FLAG]) or None,
            "repairs": None,
            "breaks": self._breaks(name, day),
            "earlier": [
                {"value": number_or_null(y), "known_at": to_second(t), "source": str(s)}
                for y, t, s in zip(rows[Y][:-1], rows[KNOWN_AT][:-1], rows[SOURCE][:-1], strict=True)
            ],
        }

    def nothing(self) -> dict[str, Any]:
        """The fields of ``figure`` with nothing known."""
        return dict.fromkeys(_FACTS)

    def parts(self, names: Sequence[str], day: str) -> list[dict[str, Any]]:
        """The newest vintage of each of ``names`` that has a figure in the period."""
        if self.figures is None or not names:
            return []
        rows = self.figures.at(names, pd.Timestamp(day), self.known_by)
        newest = rows.drop_duplicates(UNIQUE_ID, keep="last").dropna(subset=[Y])
        return [
            {
                UNIQUE_ID: str(name),
                "value": float(y),
                "source": str(source),
                "scope": self._scope(str(source)),
                "known_at": to_second(known),
            }
            for name, y, source, known in zip(
                newest[UNIQUE_ID], newest[Y], newest[SOURCE], newest[KNOWN_AT], strict=True
            )
        ]

    def clusters(self, day: str) -> list[dict[str, Any]]:
        """The total of every cluster in the period, as ``parts`` tells them: the sum of its sectors."""
        if self.figures is None:
            return []
        traits = self.figures.traits
        below = self.parts(sorted(map(str, traits.index[traits["kind"] == "sector"])), day)
        own: dict[str, list[dict[str, Any]]] = {}
        for part in below:
            own.setdefault(str(traits.at[part[UNIQUE_ID], "cluster_id"]), []).append(part)
        return [
            {UNIQUE_ID: name, "value": sum(part["value"] for part in parts), **_joined(parts)}
            for name, parts in sorted(own.items())
        ]

    def total(self, parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The fields of ``figure`` for a sum of ``parts``: all their sources, the newest vintage among them,
        the weakest grade; the value is the caller's to tell."""
        joined = _joined(parts)
        if joined["source"] is None:
            return {**self.nothing(), **joined}
        grades = {grade(scope) for scope in joined["scope"].split(" + ")} if joined["scope"] else set()
        weakest = next((word for word in reversed(FROM_BEST) if word in grades), None)
        return {
            **self.nothing(),
            **joined,
            "publishers": self._publishers(joined["source"]),
            "grade": weakest,
        }

    def _scope(self, source: str) -> str | None:
        known = {} if self.figures is None else self.figures.scope_of_source
        named = sorted({known[part] for part in source.split(SEVERAL) if part in known})
        return " + ".join(named) or None

    def _publishers(self, source: str) -> list[dict[str, Any]]:
        table = self.reference.sources.set_index("source_id")
        told = []
        for part in source.split(SEVERAL):
            held = part in table.index
            facts = {key: str(table.at[part, column]) or None if held else None for key, column in _TERMS}
            told.append({"source_id": part, **facts})
        return told

    def _breaks(self, name: str, day: str) -> list[dict[str, Any]]:
        """Declared breaks of scope that begin with this period."""
        if self.figures is None:
            return []
        frame = self.figures.breaks
        mine = frame[(frame[UNIQUE_ID] == name) & (frame[DS] == pd.Timestamp(day))]
        known = self.reference.scope_breaks.set_index("break_id")
        return [
            {"break_id": str(key), "title": str(known.at[key, "title"]) if key in known.index else None}
            for key in mine["break_id"]
        ]


def figures_of(pack: OpenedPack) -> Told:
    """The figures that ``pack`` keeps, or the embedded ones where it was made from just those.

    Raises:
        ModelError: the files are not as they were written.
    """
    known_by = pd.Timestamp(pack.card["as_of"]).tz_convert("UTC").tz_localize(None)
    figures = pack.kept.figures or _embedded(str(pack.card["data_hash"]), known_by)
    return Told(figures, known_by, load())


@lru_cache(maxsize=2)
def _embedded(data_hash: str, known_by: pd.Timestamp) -> Figures | None:
    """The embedded figures, if their hash is that of the figures of the pack."""
    series = embedded(load()).until(known_by)
    if series.data_hash() != data_hash:
        return None
    return Figures(
        vintages=series.vintages.frame,
        traits=series.traits,
        breaks=series.breaks,
        scope_of_source=series.scope_of_source,
        origin={"figures": "embedded", "from": "features/reference/sector_emissions.csv"},
    )


def _joined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Sources and scopes of several figures, and when the last of them became known."""
    sources = {piece for part in parts if part["source"] for piece in part["source"].split(SEVERAL)}
    scopes = {piece for part in parts if part["scope"] for piece in part["scope"].split(" + ")}
    return {
        "source": SEVERAL.join(sorted(sources)) or None,
        "scope": " + ".join(sorted(scopes)) or None,
        "known_at": max((part["known_at"] for part in parts if part["known_at"]), default=None),
    }
