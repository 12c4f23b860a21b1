"""What a retrain keeps of its backtests beside the model it saves: the track record, series by series."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.words import DS, UNIQUE_ID, Y
from models.forecast import STANDARD_QUANTILES
from models.past_fans import CUTOFF, FAN_COLUMNS, FAN_QUANTILES, ISSUED, STEP, PastFans
from models.track_record import METRICS, ROLES, SERIES_COLUMNS, STEP_COLUMNS, TrackRecord
from training.backtest import Backtest
from training.gate import Verdict
from training.job import Job
from training.judging import Heard
from training.kept import Kept

# Kinds of series whose fans are kept.
_FANNED: Final = ("sector", "cluster")
# Names of the metrics in the Scores frame, with their parameter.
_IN_SCORES: Final = {("coverage", "80"): "coverage_80", ("coverage", "95"): "coverage_95"}


def track_record(job: Job, case: Heard, verdict: Verdict, scores: pd.DataFrame) -> TrackRecord:
    """The track record of ``case``'s challenger and, where it was judged on the same folds, the baseline.

    Args:
        scores: the Scores frame of ``case.tests``.
    """
    named = {"challenger": case.challenger.name, "baseline": job.plan.gate.baseline}
    told = {role: name for role, name in named.items() if name in case.tests}
    folds = case.folds
    scored = [f"{t:%Y-%m-%d}" for t, hit in zip(folds.issued, folds.scored, strict=True) if hit]
    return TrackRecord(
        series=_by_series({role: case.tests[name] for role, name in told.items()}, told, case.kept),
        steps=_by_step(scores, told),
        facts={
            "names": told,
            "issued": scored,
            "as_of": job.at,
            "steps": case.challenger.reach,
            "plan": job.plan.name,
            "plan_fingerprint": job.plan.fingerprint(),
            "verdict_id": verdict.verdict_id,
        },
    )


def _by_series(tests: dict[str, Backtest], told: dict[str, str], kept: Kept) -> pd.DataFrame:
    parts = []
    for role, test in tests.items():
        folds = pd.Series(judged_folds(test), index=list(test.ids))
        table = kept.series_table(told[role], test)
        parts.append(table.assign(role=role, folds=table[UNIQUE_ID].map(folds)))
    whole = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(SERIES_COLUMNS))
    return whole.loc[:, list(SERIES_COLUMNS)].sort_values([UNIQUE_ID, "role"], ignore_index=True)


def judged_folds(test: Backtest) -> npt.NDArray[np.int64]:
    """(B,) cutoffs at which a series was asked and at least one actual is known since."""
    known = np.isfinite(test.actual).any(axis=2) & test.asked
    return np.asarray(known.sum(axis=0), dtype=np.int64)


def _by_step(scores: pd.DataFrame, told: dict[str, str]) -> pd.DataFrame:
    role_of = {name: role for role, name in told.items()}
    pairs = zip(scores["metric"], scores["param"], strict=True)
    kept = scores.assign(
        column=[_IN_SCORES.get((metric, param), metric) for metric, param in pairs],
        role=scores["forecaster"].map(role_of),
    )
    kept = kept[kept["column"].isin(METRICS) & kept["role"].isin(ROLES)]
    if kept.empty:
        return pd.DataFrame(columns=list(STEP_COLUMNS))
    key = ["role", "kind", "step"]
    values = kept.pivot_table(index=key, columns="column", values="value", dropna=False)
    counts = kept[kept["column"] == "mase"].set_index(key)["n"]
    table = values.reindex(columns=list(METRICS)).join(counts, how="inner").reset_index()
    return table[table["n"] > 0].loc[:, list(STEP_COLUMNS)].reset_index(drop=True)


def past_fans(job: Job, case: Heard) -> PastFans:
    """The challenger's fans of sectors and clusters on the scored folds, with what came true."""
    test = case.tests.get(case.challenger.name)
    if test is None:
        return PastFans(pd.DataFrame(columns=list(FAN_COLUMNS)))
    folds = case.folds
    issued = [f"{t:%Y-%m-%d}" for t, hit in zip(folds.issued, folds.scored, strict=True) if hit]
    cadence = job.ground.history.cadence
    fanned = np.isin(np.array(test.groups), _FANNED)
    places = np.argwhere(test.asked & fanned[None, :])
    at = [STANDARD_QUANTILES.index(q) for q in FAN_QUANTILES]
    reach = test.values.shape[2]
    fold, row = np.repeat(places[:, 0], reach), np.repeat(places[:, 1], reach)
    step = np.tile(np.arange(reach), len(places))
    ends = test.cutoffs[fold, row]
    whole = {
        UNIQUE_ID: np.array(test.ids)[row],
        ISSUED: np.array(issued)[fold],
        CUTOFF: _days(cadence.instant(ends)),
        DS: _days(cadence.instant(ends + 1 + step)),
        STEP: step + 1,
        **{str(q): test.values[fold, row, step, k] for q, k in zip(FAN_QUANTILES, at, strict=True)},
        Y: test.actual[fold, row, step],
    }
    return PastFans(pd.DataFrame(whole))


def _days(instants: npt.NDArray[np.datetime64]) -> npt.NDArray[np.str_]:
    return np.datetime_as_string(instants, unit="D")
