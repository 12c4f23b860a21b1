"""What the registry says about clusters, carried into a pack as plain JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

import pandas as pd

CLUSTER_ID: Final = "cluster_id"


class Registry(Protocol):
    """The tables of ``features.reference.tables.Reference`` that serving reads."""

    @property
    def clusters(self) -> pd.DataFrame:
        """One row a cluster."""
        ...

    @property
    def targets(self) -> pd.DataFrame:
        """Climate goals by cluster."""
        ...

    @property
    def projects(self) -> pd.DataFrame:
        """Named projects by cluster."""
        ...

    @property
    def sources(self) -> pd.DataFrame:
        """Who published what."""
        ...

    @property
    def absent_series(self) -> pd.DataFrame:
        """Clusters without a series, with reason and remedy."""
        ...


def cluster_records(registry: Registry) -> list[dict[str, Any]]:
    """Every cluster: its facts, targets and projects, JSON-ready, unknown values as null."""
    targets = _by_cluster(registry.targets)
    projects = _by_cluster(registry.projects)
    return [
        {
            CLUSTER_ID: facts[CLUSTER_ID],
            "facts": facts,
            "targets": targets.get(facts[CLUSTER_ID], []),
            "projects": projects.get(facts[CLUSTER_ID], []),
        }
        for facts in records(registry.clusters)
    ]


def with_places(clusters: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """The table of clusters with those that a user added (cluster_id, name, country, basis).

    A cluster the table knows keeps its facts; of one it does not know only these are told.
    """
    added = places[~places[CLUSTER_ID].isin(clusters[CLUSTER_ID])]
    if added.empty:
        return clusters
    told = added.assign(name=added["name"].where(added["name"] != "", added[CLUSTER_ID]))
    rows = told.rename(columns={"basis": "notes"}).reindex(columns=clusters.columns)
    # Each column keeps its type: what is not told is missing, never a zero.
    return pd.concat([clusters, rows.astype(clusters.dtypes.to_dict())], ignore_index=True)


def absent_clusters(registry: Registry, served: Iterable[str]) -> list[dict[str, str]]:
    """Clusters without a series, with the reason and what would mend it."""
    told = {item[CLUSTER_ID]: item for item in records(registry.absent_series)}
    without = [name for name in map(str, registry.clusters[CLUSTER_ID]) if name not in set(served)]
    return [_absent(name, told.get(name)) for name in without]


def _absent(name: str, told: Mapping[str, Any] | None) -> dict[str, str]:
    if told is not None:
        return {"unique_id": name, **{key: str(told[key]) for key in ("code", "reason", "remedy")}}
    return {
        "unique_id": name,
        "code": "no-current-series",
        "reason": "none of its sector series reaches the newest period of its scheme",
        "remedy": "send your own history (unique_id, ds, y)",
    }


def credits_of(registry: Registry, figures: pd.DataFrame) -> dict[str, list[str]]:
    """Whom the figures of each series are from, by unique_id.

    ``figures`` has unique_id and source; a source cell may hold several source_id parted by " | ".
    """
    texts = _source_texts(registry)
    credited: dict[str, set[str]] = {}
    pairs = figures[["unique_id", "source"]].drop_duplicates()
    for name, cell in zip(pairs["unique_id"], pairs["source"], strict=True):
        credited.setdefault(str(name), set()).update(texts.get(part, part) for part in str(cell).split(" | "))
    return {name: sorted(found) for name, found in credited.items()}


def _source_texts(registry: Registry) -> dict[str, str]:
    return {
        item["source_id"]: f"{item['title']} ({item['publisher']}, {item['licence'] or 'terms not stated'})"
        for item in records(registry.sources)
        if item["title"]
    }


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON-ready dictionaries; missing numbers become None."""
    columns = {name: [_plain(value) for value in frame[name]] for name in frame.columns}
    return [{str(name): values[row] for name, values in columns.items()} for row in range(len(frame))]


def _plain(value: Any) -> Any:
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _by_cluster(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    grouped: dict[str, list[dict[str, Any]]] = {}
    for item in records(frame):
        grouped.setdefault(str(item[CLUSTER_ID]), []).append(item)
    return grouped
