"""What the shelf knows, as JSON-ready views: clusters, one cluster, model card, health. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from features.errors import AskError, ModelError
from features.series.words import INITIATIVE, UNIQUE_ID, UNIT
from serving.answer import quantile_rows
from serving.errors import shown
from serving.layout import PLANT
from serving.origin import figures_of
from serving.shelf import Rung, Standing
from serving.spans import breaks_of
from serving.wire import number_or_null

OUTLOOK_YEAR: Final = "2030"
BAND: Final = (0.1, 0.5, 0.9)
SHOWN_FINDINGS: Final = 200


def clusters_view(standing: Standing) -> dict[str, Any]:
    """Every cluster: where it is, its latest total, its outlook, or why it has none."""
    return {
        "clusters": [cluster_line(name, standing) for name in standing.pack.clusters],
        "initiative": outlook_of(INITIATIVE, standing),
        **told_of(standing),
    }


def cluster_line(name: str, standing: Standing) -> dict[str, Any]:
    """One cluster of the list."""
    facts = standing.pack.clusters[name]["facts"]
    return {
        "cluster_id": name,
        **{key: facts.get(key) for key in ("name", "country", "lat", "lon")},
        **outlook_of(name, standing),
    }


def cluster_view(name: str, standing: Standing) -> dict[str, Any]:
    """Everything known about one cluster.

    Raises:
        AskError: no such cluster.
    """
    pack = standing.pack
    if name not in pack.clusters:
        raise AskError(
            "unknown-cluster",
            found=f"cluster {shown(name)!r}",
            expected="a cluster of the registry",
            remedy="see GET /v1/clusters for every cluster",
        )
    own = [e for e in pack.series.values() if e.cluster_id == name]
    sectors = [e.unique_id for e in own if e.kind == "sector"]
    plants = [e for e in own if e.kind == PLANT]
    ended = [dict(item) for key, item in pack.absent.items() if key.startswith(f"{name}/")]
    return {
        **pack.clusters[name],
        **outlook_of(name, standing),
        "series": [
            {UNIQUE_ID: sector, **outlook_of(sector, standing), "history": _history(sector, standing)}
            for sector in sectors
        ],
        "plants": [
            {UNIQUE_ID: e.unique_id, "name": e.name, **outlook_of(e.unique_id, standing)} for e in plants
        ],
        "bridges": [dict(item) for (cluster, _), item in pack.bridges.items() if cluster == name],
        "absent_series": ended,
        "history": _history(name, standing),
        "breaks": _breaks(name, standing),
        **told_of(standing),
    }


def _history(name: str, standing: Standing) -> list[dict[str, Any]]:
    days, values = standing.pack.history.get(name, ((), []))
    return [{"ds": day, "y": number_or_null(y)} for day, y in zip(days, values, strict=True)]


def _breaks(name: str, standing: Standing) -> list[dict[str, Any]]:
    """Years in which what is counted changes, so that figures before and after are not one series."""
    found = breaks_of(name, standing.pack, figures_of(standing.pack))
    return [{"year": year, "break_ids": sorted(ids)} for year, ids in sorted(found.items())]


def outlook_of(name: str, standing: Standing) -> dict[str, Any]:
    """Latest figure and 2030 median with 80% band of a series, or the reason why there is none."""
    pack = standing.pack
    if name not in standing.rungs:
        absent = pack.absent.get(name, {})
        return {
            "status": "absent",
            "unit": UNIT,
            "reason": absent.get("reason", "no series"),
            "remedy": absent.get("remedy", ""),
        }
    rung = standing.rungs[name]
    days, values = pack.history.get(name, ((), []))
    latest = [{"ds": d, "y": float(y)} for d, y in zip(days, values, strict=True) if math.isfinite(y)]
    return {
        "status": "served",
        "unit": UNIT,
        "scope": rung.entry.scope_id,
        "cutoff": rung.entry.cutoff,
        "made_by": rung.made_by,
        "quality": None if rung.entry.quality is None else dict(rung.entry.quality),
        "latest": latest[-1] if latest else None,
        "outlook": _band(rung),
    }


def _band(rung: Rung) -> dict[str, Any] | None:
    steps = [k for k, day in enumerate(rung.entry.ds) if day.startswith(OUTLOOK_YEAR)]
    if not steps:
        return None
    at = steps[-1]
    low, median, high = quantile_rows(rung, at + 1, BAND)[at].tolist()
    return {"ds": rung.entry.ds[at], "median": median, "low": low, "high": high, "level": 80}


def model_view(standing: Standing) -> dict[str, Any]:
    """The model card of the champion that answers."""
    card = standing.pack.card
    names = (
        *("model_version", "recipe", "recipe_record", "as_of", "created_at", "data_hash", "git_commit"),
        *("unit", "cadence", "steps", "paths", "scores", "verdict"),
    )
    kinds = [entry.kind for entry in standing.pack.series.values()]
    return {
        **{name: card[name] for name in names},
        "pack": standing.pack.name,
        "degraded": standing.degraded,
        "series": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
    }


def health_view(standing: Standing, refused: ModelError | None, journal: str) -> dict[str, Any]:
    """Whether all is as it should be, and if not, what is not."""
    levels = [rung.level for rung in standing.rungs.values()]
    good = refused is None and not standing.degraded and journal == "ok"
    return {
        "status": "ok" if good else "degraded",
        "pack": standing.pack.name,
        "refused": None if refused is None else refused.as_record(),
        "journal": journal,
        "rungs": {level: levels.count(level) for level in ("champion", "previous", "naive")},
        **told_of(standing),
    }


def findings_view(records: Sequence[Mapping[str, Any]], standing: Standing) -> dict[str, Any]:
    """The newest ``SHOWN_FINDINGS`` findings, newest first, and whether they are of the model that serves."""
    version = standing.pack.model_version
    newest = [dict(item) for item in reversed(records)][:SHOWN_FINDINGS]
    return {
        "findings": [{**item, "serving": item["model_version"] == version} for item in newest],
        "count": len(records),
        **told_of(standing),
    }


def told_of(standing: Standing) -> Mapping[str, Any]:
    """What every view says of the model that answers."""
    return {
        "model_version": standing.pack.model_version,
        "as_of": standing.pack.card["as_of"],
        "degraded": standing.degraded,
    }
