"""How good were the forecasts of one series? What the backtest says, and nothing where it was silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from features.errors import AskError, DataError, ForecarbonError
from features.series.words import UNIQUE_ID
from models.track_record import TrackRecord
from serving.errors import shown
from serving.refusals import EVERY_SERIES, meant
from serving.shelf import Standing

_ROW_ONLY: Final = ("role", UNIQUE_ID, "kind")
_SCALED: Final = ("mase", "sql")


def evidence_view(unique_id: str, standing: Standing) -> dict[str, Any]:
    """Scores of one series in the backtest its champion was judged by, beside the baseline's.

    mase and sql are in naive scales of the series (below the baseline's is better), coverage_80 and
    coverage_95 shares of actuals inside the band. Fields of what was not judged are null, and ``sentence``
    says so. ``fans`` are what the backtest said at past cutoffs, with what came true.

    Raises:
        AskError: no series of that name.
        ModelError: what the pack keeps of the backtest cannot be read.
    """
    rung = standing.rungs.get(unique_id)
    if rung is None and unique_id not in standing.pack.absent:
        raise unknown_series(unique_id, standing)
    pack = standing.pack if rung is None else rung.pack
    track = pack.kept.track
    own = None if track is None else track.of_series("challenger", unique_id)
    kind = _kind(unique_id, standing, own)
    return {
        UNIQUE_ID: unique_id,
        "kind": kind,
        "judged": own is not None,
        "sentence": _sentence(unique_id, own, track, standing),
        **_beside(track, unique_id, own),
        **_of_kind(track, kind),
        "fans": pack.kept.fans(unique_id),
        "model_version": pack.model_version,
        "as_of": pack.card["as_of"],
        "degraded": standing.degraded,
    }


def unknown_series(name: str, standing: Standing) -> AskError:
    """The refusal of a name that no series has."""
    return AskError(
        "unknown-series",
        found=f"series {shown(name)!r}",
        expected="a series of the registry",
        remedy=meant([name], standing) + EVERY_SERIES,
    )


def no_series(name: str, standing: Standing) -> ForecarbonError:
    """The refusal of a name that is not served: a series that ended or never was, or no name at all."""
    told = standing.pack.absent.get(name)
    if told is None:
        return unknown_series(name, standing)
    return DataError(
        "series-absent",
        found=f"{name}: {told['reason']}",
        expected="a series of its emissions",
        remedy=str(told["remedy"]),
        facts={"code": told["code"]},
    )


def _kind(name: str, standing: Standing, own: Mapping[str, Any] | None) -> str | None:
    if own is not None:
        return str(own["kind"])
    return standing.rungs[name].entry.kind if name in standing.rungs else None


def _beside(track: TrackRecord | None, name: str, own: Mapping[str, Any] | None) -> dict[str, Any]:
    """Who was judged, on which cutoffs, with which scores."""
    facts: Mapping[str, Any] = {} if track is None else track.facts
    names = facts.get("names", {})
    base = None if track is None else track.of_series("baseline", name)
    return {
        "forecaster": names.get("challenger"),
        "baseline": names.get("baseline"),
        "plan": facts.get("plan"),
        "verdict_id": facts.get("verdict_id"),
        "issued": list(facts.get("issued", ())),
        "steps": facts.get("steps"),
        "scores": _scores(own),
        "baseline_scores": _scores(base),
        "skill": _skill(own, base),
    }


def _of_kind(track: TrackRecord | None, kind: str | None) -> dict[str, Any]:
    """Scores over all series of the kind, and by step."""
    if track is None or kind is None:
        return {"kind_scores": None, "kind_baseline_scores": None, "kind_by_step": []}
    own, base = (track.of_kind(role, kind) for role in ("challenger", "baseline"))
    whole = [next((_scores(row) for row in rows if row["step"] == 0), None) for rows in (own, base)]
    steps = [{"role": row["role"], **(_scores(row) or {})} for row in (*own, *base) if row["step"] > 0]
    return {"kind_scores": whole[0], "kind_baseline_scores": whole[1], "kind_by_step": steps}


def _scores(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if row is None else {name: value for name, value in row.items() if name not in _ROW_ONLY}


def _skill(own: Mapping[str, Any] | None, base: Mapping[str, Any] | None) -> dict[str, float | None] | None:
    """1 − own ÷ baseline: above zero beats it. None where either was not judged."""
    if own is None or base is None:
        return None
    pairs = {name: (own[name], base[name]) for name in _SCALED}
    return {name: None if a is None or not b else 1.0 - float(a) / float(b) for name, (a, b) in pairs.items()}


def _sentence(name: str, own: Mapping[str, Any] | None, track: TrackRecord | None, standing: Standing) -> str:
    if track is None:
        return "The served model keeps no backtest by series: nothing is known of this one."
    facts, rung = track.facts, standing.rungs.get(name)
    if own is None:
        past = len(facts["issued"])
        return f"No backtest of {name}: it is not among the series judged at {past} past cutoffs."
    base = track.of_series("baseline", name)
    said = (
        f"Judged on {own['n']} forecasts from {own['folds']} past cutoffs: "
        f"MASE {_number(own['mase'])}, 80% band held {_percent(own['coverage_80'])} of actuals"
    )
    if base is not None:
        against = facts["names"]["baseline"]
        said += f"; {against}: MASE {_number(base['mase'])}, {_percent(base['coverage_80'])}"
    if rung is None:
        return f"{said}. It is not forecast now: {standing.pack.absent[name]['reason']}."
    if rung.level != "champion":
        return f"{said}. These are scores of the champion's recipe; now speaks {rung.made_by}."
    return f"{said}."


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0%}"
