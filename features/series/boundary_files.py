"""A user's own clusters and redrawn boundaries, from a TOML or GeoJSON file; no code touched."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import shapely
from shapely.errors import GEOSException, ShapelyError
from shapely.geometry.base import BaseGeometry

from features.errors import DataError
from features.series.membership import Boundary

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_COUNTRY: Final = re.compile(r"[A-Z]{2}")
_TOML_KEYS: Final = frozenset(
    {"id", "name", "country", "countries", "boxes", "polygons", "include", "exclude", "basis"}
)
_WHERE: Final = "latitude within ±90, longitude within ±180, longitude first"
_LARGEST: Final = 50_000_000


def read_boundaries(path: Path) -> tuple[Boundary, ...]:
    """The boundaries of ``path``, in file order.

    TOML: tables ``[[cluster]]`` with ``id`` and any of ``name``, ``country`` or ``countries`` (two-letter
    codes), ``boxes`` ([[west, south, east, north], …] in degrees), ``polygons`` (rings of [lon, lat]),
    ``include`` and ``exclude`` (facility ids), ``basis``. GeoJSON (``.geojson`` or ``.json``): features
    with a Polygon, a MultiPolygon or null, and the same words as properties (``cluster_id`` also does
    for ``id``). A cluster without any shape needs ``include``.

    Raises:
        DataError: ``boundary-file-unreadable``, or ``boundary-invalid`` with the cluster and the reason.
    """
    entries = _toml(path) if path.suffix == ".toml" else _geojson(path)
    found = tuple(_boundary(path.name, entry) for entry in entries)
    names = [b.cluster_id for b in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _invalid(path.name, twice[0], "a cluster defined twice", "each cluster once")
    return found


def _toml(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        loaded = tomllib.loads(_text(path))
    except tomllib.TOMLDecodeError as problem:
        raise _unreadable(path, str(problem)) from problem
    entries = loaded.get("cluster")
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        raise _unreadable(path, "no [[cluster]] table")
    for entry in entries:
        strange = sorted(set(entry) - _TOML_KEYS)
        if strange:
            raise _invalid(
                path.name, str(entry.get("id")), f"unknown key {strange[0]}", ", ".join(sorted(_TOML_KEYS))
            )
    return entries


def _geojson(path: Path) -> Sequence[Mapping[str, Any]]:
    try:
        loaded = json.loads(_text(path))
    except (ValueError, RecursionError) as problem:
        raise _unreadable(path, str(problem)) from problem
    features = loaded.get("features") if isinstance(loaded, dict) else None
    if not isinstance(features, list) or not all(isinstance(f, dict) for f in features):
        raise _unreadable(path, "no list of features")
    entries = []
    for feature in features:
        told = feature.get("properties")
        words = dict(told) if isinstance(told, dict) else {}
        words.setdefault("id", words.get("cluster_id", feature.get("id")))
        entries.append({**words, "geometry": feature.get("geometry")})
    return entries


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > _LARGEST:
            raise _unreadable(path, f"more than {_LARGEST} bytes")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise _unreadable(path, type(problem).__name__) from problem


def _boundary(file: str, entry: Mapping[str, Any]) -> Boundary:
    name = str(entry.get("id") or "")
    if not _ID.fullmatch(name):
        raise _invalid(file, name or "unnamed", f"id {name!r}", "an id of a-z, 0-9 and single hyphens")
    countries = _words(file, name, entry, "countries") or _words(file, name, entry, "country")
    if not all(_COUNTRY.fullmatch(code) for code in countries):
        raise _invalid(file, name, f"countries {', '.join(countries)}", "two-letter codes such as NL")
    include = _words(file, name, entry, "include")
    shape = _shape(file, name, entry)
    if shape is None and not include:
        raise _invalid(file, name, "neither shape nor include list", "boxes, polygons or facility ids")
    return Boundary(
        cluster_id=name,
        countries=countries,
        shape=shape,
        include=include,
        exclude=_words(file, name, entry, "exclude"),
        basis=str(entry.get("basis") or f"drawn by the user in {file}"),
        name=str(entry.get("name") or ""),
    )


def _words(file: str, name: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    told = entry.get(key)
    if told is None:
        return ()
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, list) or not all(isinstance(word, str) for word in listed):
        raise _invalid(file, name, f"{key} {told!r}", f"a list of texts as {key}")
    return tuple(listed)


def _shape(file: str, name: str, entry: Mapping[str, Any]) -> BaseGeometry | None:
    try:
        parts = [_box(edges) for edges in entry.get("boxes") or ()]
        parts += [shapely.Polygon([_point(p) for p in ring]) for ring in entry.get("polygons") or ()]
        geometry = entry.get("geometry")
        if geometry is not None:
            if geometry["type"] not in ("Polygon", "MultiPolygon"):
                raise ValueError(f"a {geometry['type']}, not a polygon")
            parts.append(shapely.geometry.shape(geometry))
    except (
        ShapelyError,
        GEOSException,
        ValueError,
        TypeError,
        KeyError,
        IndexError,
        AttributeError,
    ) as problem:
        raise _invalid(file, name, f"a shape that cannot be read ({problem})", _WHERE) from problem
    for part in parts:
        _check(file, name, part)
    return shapely.union_all(parts) if parts else None


def _point(pair: Sequence[Any]) -> tuple[float, float]:
    lon, lat = pair
    return float(lon), float(lat)


def _box(edges: Sequence[Any]) -> BaseGeometry:
    west, south, east, north = map(float, edges)
    if not (west < east and south < north):
        raise ValueError("west below east and south below north")
    return shapely.box(west, south, east, north)


def _check(file: str, name: str, part: BaseGeometry) -> None:
    if part.is_empty or not shapely.is_valid(part):
        raise _invalid(
            file, name, f"a shape that is not valid: {shapely.is_valid_reason(part)}", "a closed, simple ring"
        )
    west, south, east, north = part.bounds
    if not (west >= -180 and east <= 180 and south >= -90 and north <= 90):
        raise _invalid(file, name, f"points out of range, bounds {part.bounds}", _WHERE)


def _unreadable(path: Path, why: str) -> DataError:
    return DataError(
        "boundary-file-unreadable",
        found=f"{path.name}: {why}",
        expected="a TOML file with [[cluster]] tables, or a GeoJSON FeatureCollection, in UTF-8",
        remedy="correct the file, and run it again",
    )


def _invalid(file: str, cluster: str, found: str, expected: str) -> DataError:
    return DataError(
        "boundary-invalid",
        found=f"{found} in {file}",
        expected=expected,
        offenders=[cluster],
        remedy="correct this cluster in the file",
    )
