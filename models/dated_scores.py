"""Scores of chances of dated targets: Brier score, skill, and whether what was said came true as often.

Brier (1950), Monthly Weather Review 78: mean squared difference of chance and outcome. Skill is one minus its
ratio to that of a reference. The reliability slope is that of the line through the reliability diagram, the
frequency observed on the chance said, weighed by cases (Weisheimer and Palmer 2014, J. R. Soc. Interface 11).
The calibration slope and intercept are those of a logistic regression of the outcome on the logit of the
chance (Cox 1958), which looks harder at chances near 0 and 1. All are 1 (the intercept 0) where chances keep
their word, and slopes below one where they claim too much. Intervals come from drawing cutoffs and blocks
of areas anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from models.recalibrate import BLOCKS, MIDDLES, bin_of, counted, drawn_weights, fitted

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

RECALIBRATED: Final = "recalibrated"
RAW: Final = "raw"
NAIVE: Final = "naive"
# Cases are decided where the naive chance lies outside of these: there no forecaster can show skill.
UNDECIDED: Final = (0.05, 0.95)
EDGES: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
DRAWS: Final = 300
SURE: Final = (0.05, 0.95)


@dataclass(frozen=True)
class Scored:
    """Sums over the pseudo-targets of O cutoffs by kind (K) and block of areas (G).

    Attributes:
        kinds: (K,) kinds of series.
        names: (M,) what was scored, ``RECALIBRATED`` first.
        n, met: (K, O, G) cases, and those met.
        square: (M, K, O, G) sums of squared differences.
        seen, came: (K, O, G, BINS) cases by the logit of the recalibrated chance, and those met.
        said: (K, O, G, BINS) sums of the recalibrated chance.
        missing: (K, O) pseudo-targets whose outcome is unknown.
    """

    kinds: tuple[str, ...]
    names: tuple[str, ...]
    n: Float
    met: Float
    square: Float
    seen: Float
    came: Float
    said: Float
    missing: Float

    @staticmethod
    def of_cutoff(
        kinds: Sequence[str], kind: Int, block: Int, said: Mapping[str, Float], met: Float
    ) -> Scored:
        """The sums of one cutoff.

        Args:
            kind, block: (N,) of each pseudo-target.
            said: by name, (N,) chances; ``RECALIBRATED`` first.
            met: (N,) 1, 0, or NaN where unknown.
        """
        known, count = np.isfinite(met), len(kinds)
        k, g, y = kind[known], block[known], met[known]
        first = said[RECALIBRATED][known]
        size = count * BLOCKS
        n = np.bincount(k * BLOCKS + g, minlength=size).reshape(count, 1, BLOCKS)
        hit = np.bincount(k * BLOCKS + g, weights=y, minlength=size).reshape(count, 1, BLOCKS)
        square = [
            np.bincount(k * BLOCKS + g, weights=(p[known] - y) ** 2, minlength=size) for p in said.values()
        ]
        seen, came = counted(count, k, g, first, y)
        return Scored(
            kinds=tuple(kinds),
            names=tuple(said),
            n=n.astype(np.float64),
            met=hit.astype(np.float64),
            square=np.stack(square).reshape(len(said), count, 1, BLOCKS).astype(np.float64),
            seen=seen[:, None],
            came=came[:, None],
            said=counted(count, k, g, first, first)[1][:, None],
            missing=np.bincount(kind[~known], minlength=count)[:, None].astype(np.float64),
        )

    @staticmethod
    def joined(parts: Sequence[Scored]) -> Scored:
        """Of several cutoffs, in their order."""

        def along(name: str, axis: int) -> Float:
            return np.concatenate([getattr(part, name) for part in parts], axis=axis)

        return Scored(
            parts[0].kinds,
            parts[0].names,
            *(along("n", 1), along("met", 1), along("square", 2)),
            *(along("seen", 1), along("came", 1), along("said", 1), along("missing", 1)),
        )

    def of_cutoffs(self, chosen: Bool) -> Scored:
        """Of some of the cutoffs, (O,) True."""
        return Scored(
            self.kinds,
            self.names,
            *(self.n[:, chosen], self.met[:, chosen], self.square[:, :, chosen]),
            *(self.seen[:, chosen], self.came[:, chosen], self.said[:, chosen], self.missing[:, chosen]),
        )


def records(scored: Scored, *, seed: int = 1) -> list[dict[str, Any]]:
    """One JSON-ready record a kind that was judged, and first "all": see ``record``."""
    rows = [np.flatnonzero([name == kind for name in scored.kinds]) for kind in scored.kinds]
    whole = record(scored, "all", np.arange(len(scored.kinds)), seed)
    own = [record(scored, kind, row, seed) for kind, row in zip(scored.kinds, rows, strict=True)]
    return [one for one in (whole, *own) if one["n"]]


def record(scored: Scored, kind: str, rows: Int, seed: int = 1) -> dict[str, Any]:
    """The scores of the kinds ``rows``, JSON-ready.

    kind, n, n_missing, cutoffs, base_rate; brier, and brier_<name> of every other name and of the base rate
    (each kind's own, known with hindsight); skill over the base rate and skill_over_<name>;
    reliability_slope, calibration_slope and intercept; ``intervals``, by score, its 5% and 95% ends;
    ``bins``: p (mean said), observed, n.
    """
    weight = drawn_weights(scored.n.shape[1], BLOCKS, DRAWS, seed)
    n = np.einsum("dog,kog->dk", weight, scored.n[rows])
    met = np.einsum("dog,kog->dk", weight, scored.met[rows])
    total = np.maximum(n.sum(axis=1), 1.0)
    rate = met / np.maximum(n, 1.0)
    brier = np.einsum("dog,mkog->md", weight, scored.square[:, rows]) / total
    of_rate = (n * rate * (1 - rate)).sum(axis=1) / total
    slope, intercept = _cox(scored, rows, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = {
            "brier": brier[0],
            **{f"brier_{name}": brier[m + 1] for m, name in enumerate(scored.names[1:])},
            "brier_base_rate": of_rate,
            "skill": 1 - brier[0] / of_rate,
            **{f"skill_over_{name}": 1 - brier[0] / brier[m + 1] for m, name in enumerate(scored.names[1:])},
            "reliability_slope": _diagram(scored, rows, weight),
            "calibration_slope": slope,
            "intercept": intercept,
        }
    return {
        "kind": kind,
        "n": int(scored.n[rows].sum()),
        "n_missing": int(scored.missing[rows].sum()),
        "cutoffs": int((scored.n[rows].sum(axis=(0, 2)) > 0).sum()),
        "base_rate": _plain(met[0].sum() / total[0]),
        **{name: _plain(values[0]) for name, values in drawn.items()},
        "intervals": {name: _ends(values[1:]) for name, values in drawn.items()},
        "bins": _bins(scored, rows),
    }


def _cox(scored: Scored, rows: Int, weight: Float) -> tuple[Float, Float]:
    """(D,) slope and intercept of the outcome on the logit of the recalibrated chance."""
    n = np.einsum("dog,kogj->dj", weight, scored.seen[rows])
    met = np.einsum("dog,kogj->dj", weight, scored.came[rows])
    x = np.stack([MIDDLES, np.ones(len(MIDDLES))], axis=1)
    found = fitted(x, n, met, np.zeros(2), np.broadcast_to(np.array([1.0, 0.0]), (len(n), 2)))
    held = (met.sum(axis=1) > 0) & (met.sum(axis=1) < n.sum(axis=1))
    return np.where(held, found[:, 0], np.nan), np.where(held, found[:, 1], np.nan)


def _diagram(scored: Scored, rows: Int, weight: Float) -> Float:
    """(D,) slope of the frequency observed on the chance said: least squares over bins, weighed by cases."""
    n, came, said = (
        np.einsum("dog,kogj->dj", weight, array[rows]) for array in (scored.seen, scored.came, scored.said)
    )
    total = np.maximum(n.sum(axis=1, keepdims=True), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = np.where(n > 0, said / n, 0.0) - said.sum(axis=1, keepdims=True) / total
        apart = (n * chance**2).sum(axis=1)
        # n times the observed frequency is the number met.
        together = (chance * (came - n * came.sum(axis=1, keepdims=True) / total)).sum(axis=1)
        return np.asarray(np.where(apart > 0, together / apart, np.nan))


def _bins(scored: Scored, rows: Int) -> list[dict[str, float]]:
    """What was said and what came true between ``EDGES``; bins without a case are left out."""
    n, came, said = (array[rows].sum(axis=(0, 1, 2)) for array in (scored.seen, scored.came, scored.said))
    edges = bin_of(np.array(EDGES))
    place = np.searchsorted(edges, np.arange(len(n)), side="right")
    table = []
    for k in range(len(EDGES) + 1):
        mine = place == k
        if n[mine].sum():
            count = float(n[mine].sum())
            table.append(
                {"p": said[mine].sum() / count, "observed": came[mine].sum() / count, "n": int(count)}
            )
    return table


def _ends(values: Float) -> list[float] | None:
    held = values[np.isfinite(values)]
    return [float(end) for end in np.quantile(held, SURE)] if len(held) else None


def _plain(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
