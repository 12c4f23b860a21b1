"""What the store keeps of its own work, as JSON-ready views: retrains, how bands came true, and sources."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pyarrow.parquet as pq

from features.files import read_json
from features.logins import without_logins
from features.reference.tables import load
from features.series.quality import grade
from features.series.words import DS, KNOWN_AT, SCOPE, SOURCE, UNIQUE_ID, Y
from serving.layout import CARD, PACKS
from serving.listing import USUAL, newest_lines
from serving.origin import Told, figures_of
from serving.packs import packs_in
from serving.shelf import Standing
from serving.views import told_of

# Written by training.ledger, one line a retrain; a line is never changed.
RETRAINS: Final = "retrains.jsonl"
TOLD: Final = (
    *("at", "who", "plan", "action", "decision", "verdict_id", "model_version", "data_hash", "commit"),
    "whole",
)
TRACKING: Final = ("FORECARBON_TRACKING_URI", "MLFLOW_TRACKING_URI")
COMMAND: Final = "forecarbon mlflow"
SHOWN_RESTATED: Final = 200


def retrains_page(store: Path, *, limit: int = USUAL, cursor: str | None = None) -> dict[str, Any]:
    """Retrains, newest first, each with the gate's rules where a kept pack has them; and where runs are.

    Raises:
        AskError: a limit out of range, or a cursor that is none.
    """
    lines, paged = newest_lines(store, RETRAINS, limit=limit, cursor=cursor)
    verdicts = _verdicts(store)
    return {
        "retrains": [
            {
                **{name: line.get(name) for name in TOLD},
                "verdict": verdicts.get(str(line.get("verdict_id"))),
            }
            for line in lines
        ],
        **paged,
        "tracking": tracking(os.environ),
    }


def tracking(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Where MLflow's pages are: an address where a server keeps the runs, and else the command."""
    told = next((environment[name] for name in TRACKING if environment.get(name)), "")
    # A login in the address, or a key behind it, is nobody's to read.
    open_to_all = told.startswith(("http://", "https://")) and without_logins(told) == told
    return {"url": told.rstrip("/") if open_to_all else None, "command": COMMAND}


def _verdicts(store: Path) -> dict[str, dict[str, Any]]:
    """verdict_id -> the gate's verdict with its rules, of every pack that is kept."""
    found = {}
    for pack in packs_in(store):
        try:
            verdict = read_json(store / PACKS / pack.name / CARD)["verdict"]
            found[str(verdict["verdict_id"])] = dict(verdict)
        except (OSError, ValueError, KeyError, TypeError):
            continue  # being taken away
    return found


def reliability_view(standing: Standing) -> dict[str, Any]:
    """How often bands held in the backtest, by kind of series and step, challenger beside baseline.

    Step 0 is all steps together. Null scores are of steps that nothing judged.
    """
    track = standing.pack.kept.track
    rows = [] if track is None else track.steps.to_dict("records")
    names = {} if track is None else track.facts.get("names", {})
    return {
        "rows": [{str(name): _plain(value) for name, value in row.items()} for row in rows],
        "forecasters": {role: names.get(role) for role in ("challenger", "baseline")},
        "issued": [] if track is None else list(track.facts.get("issued", ())),
        "nominal": {"coverage_80": 0.8, "coverage_95": 0.95},
        **told_of(standing),
    }


def sources_view(standing: Standing) -> dict[str, Any]:
    """Every source behind the served model: terms, span, vintages; and the newest restatements."""
    told = figures_of(standing.pack)
    frame = vintages(told)
    return {
        "sources": _sources(told, frame),
        "vintages": _by_day(frame),
        "restated": restated(frame),
        "origin": {} if told.figures is None else dict(told.figures.origin),
        "published": _published(),
        **told_of(standing),
    }


def vintages(told: Told) -> pd.DataFrame:
    """Every vintage that the pack had seen, oldest first."""
    columns = [UNIQUE_ID, DS, KNOWN_AT, Y, SOURCE]
    if told.figures is None:
        return pd.DataFrame(columns=columns)
    held = told.figures.vintages
    frame = held if isinstance(held, pd.DataFrame) else pq.read_table(held, columns=columns).to_pandas()
    seen = frame.loc[frame[KNOWN_AT] <= told.known_by, columns]
    return seen.sort_values([UNIQUE_ID, DS, KNOWN_AT], ignore_index=True)


def _sources(told: Told, frame: pd.DataFrame) -> list[dict[str, Any]]:
    known = load().sources.set_index("source_id")
    scopes = {} if told.figures is None else told.figures.scope_of_source
    rows = []
    for name, own in frame.groupby(SOURCE, sort=True):
        part = str(name)
        facts: Any = known.loc[part] if part in known.index else {}
        rows.append(
            {
                "source_id": part,
                **{
                    key: str(facts.get(key) or "") or None
                    for key in ("title", "publisher", "url", "licence", "evidence")
                },
                "scope": scopes.get(part),
                "grade": grade(scopes.get(part, "")),
                "series": int(own[UNIQUE_ID].nunique()),
                "figures": len(own),
                "first": _day(own[DS].min()),
                "last": _day(own[DS].max()),
                "first_known_at": _day(own[KNOWN_AT].min()),
                "last_known_at": _day(own[KNOWN_AT].max()),
            }
        )
    return rows


def _by_day(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """How many figures of each source became known on which day, newest first."""
    days = frame[KNOWN_AT].dt.strftime("%Y-%m-%d") if len(frame) else frame[KNOWN_AT]
    counts = frame.groupby([days, SOURCE]).agg(figures=(Y, "size"), newest=(DS, "max")).reset_index()
    return [
        {"known_at": str(day), "source_id": str(name), "figures": int(n), "newest": _day(newest)}
        for day, name, n, newest in counts.iloc[::-1].itertuples(index=False)
    ]


def restated(frame: pd.DataFrame) -> dict[str, Any]:
    """Figures that a later vintage changed, newest first."""
    later = frame.duplicated([UNIQUE_ID, DS])
    before = frame[Y].shift().where(later)
    changed = later & (frame[Y] != before) & ~(frame[Y].isna() & before.isna())
    # Assigned before it is cut down: onto an empty frame pandas would put a row for every one of these.
    rows = frame.assign(before=before)[changed].sort_values(KNOWN_AT, ascending=False, kind="stable")
    return {
        "count": len(rows),
        "rows": [
            {
                UNIQUE_ID: str(row[UNIQUE_ID]),
                "ds": _day(row[DS]),
                "known_at": _day(row[KNOWN_AT]),
                "before": _plain(row["before"]),
                "value": _plain(row[Y]),
                "source_id": str(row[SOURCE]),
            }
            for row in rows.head(SHOWN_RESTATED).to_dict("records")
        ],
    }


def _published() -> list[dict[str, Any]]:
    """Totals that somebody published, by cluster: what bridges and targets lean on."""
    table = load().published_history
    return [
        {
            "cluster_id": str(cluster),
            "scope": str(scope),
            "figures": len(rows),
            "first_year": int(rows["year"].min()),
            "last_year": int(rows["year"].max()),
            "evidence": sorted({str(word) for word in rows["evidence"]}),
        }
        for (cluster, scope), rows in table.groupby(["cluster_id", SCOPE], sort=True)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _day(moment: Any) -> str:
    return f"{pd.Timestamp(moment):%Y-%m-%d}"
