"""The chance of a dated target, and how far such chances can be believed.

A forecast says how likely a figure is to be at or below a level in a year. Past forecasts are asked the same
of pseudo-targets whose outcome is known (``models.past_targets``), and what was said is held against what
came true. From that a monotone map is learnt, kind of series by kind (``models.recalibrate``), and the scores
are kept beside the model: training writes them, serving and insights read them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtr, ndtri

from features.errors import AskError
from features.files import read_json, write_json

Float = npt.NDArray[np.float64]

DATED_FILE: Final = "dated.json"
# Nothing learnt from some thousands of cases tells a chance beyond these from certainty.
LEAST_CHANCE: Final = 1e-4
# The map that leaves a chance as it is: logit q = 1 ln p − 1 ln(1 − p) + 0.
IDENTITY: Final = (1.0, 1.0, 0.0)


def chance_at_most(values: Float, levels: Sequence[float] | Float, bound: Float | float) -> Float:
    """P(y <= bound) read off quantiles.

    Between two quantiles the normal score of the level is linear in the value; below the lowest and above
    the highest it goes on along the last slope. Where quantiles are equal (a plant that may have closed) all
    of their mass lies at or below a bound they equal.

    Args:
        values: (..., Q) quantiles, non-decreasing along Q.
        levels: (Q,) their levels in (0, 1), increasing; at least two.
        bound: (...) broadcast against the leading axes of ``values``, in the unit of ``values``.

    Returns: (...) in (0, 1); NaN where a quantile or the bound is not finite.
    """
    scores = ndtri(np.asarray(levels, dtype=np.float64))
    at = np.asarray(bound, dtype=np.float64)
    shape = np.broadcast_shapes(values.shape[:-1], at.shape)
    curve, at = np.broadcast_to(values, (*shape, values.shape[-1])), np.broadcast_to(at, shape)
    held = np.isfinite(curve).all(axis=-1) & np.isfinite(at)
    left = np.clip((curve <= at[..., None]).sum(axis=-1) - 1, 0, len(scores) - 2)[..., None]
    low = np.take_along_axis(curve, left, axis=-1)[..., 0]
    high = np.take_along_axis(curve, left + 1, axis=-1)[..., 0]
    left = left[..., 0]
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        share = (at - low) / (high - low)
    # Two equal quantiles at an end: no slope to go on along, so the chance is all or nothing.
    share = np.where(np.isnan(share), np.inf, share)
    score = scores[left] + share * (scores[left + 1] - scores[left])
    return np.where(held, np.clip(ndtr(score), LEAST_CHANCE, 1 - LEAST_CHANCE), np.nan)


def logits(p: Float) -> tuple[Float, Float]:
    """(ln p, −ln(1 − p)) of chances, none nearer to certainty than ``LEAST_CHANCE``."""
    clear = np.clip(p, LEAST_CHANCE, 1 - LEAST_CHANCE)
    return np.log(clear), -np.log1p(-clear)


@dataclass(frozen=True)
class Recalibration:
    """A monotone map of chances, learnt by kind of series: beta calibration (Kull et al. 2017).

    logit q = a ln p − b ln(1 − p) + c with a, b >= 0; a = b is Platt's map on the logit.

    Attributes:
        maps: kind -> (a, b, c); "" is the map of all kinds, for a kind that is not among them.
        draws: kind -> (D, 3) maps learnt on resampled cutoffs and areas: how sure the map is.
        learnt: kind -> what it was learnt from: n, cutoffs and, where the map is the identity for want of
            cases, why.
    """

    maps: Mapping[str, tuple[float, float, float]]
    draws: Mapping[str, Float]
    learnt: Mapping[str, Mapping[str, Any]]

    def apply(self, p: Float | float, kind: str) -> Float:
        """Recalibrated chances, in the shape of ``p``; NaN stays NaN."""
        a, b, c = self.maps.get(kind, self.maps.get("", IDENTITY))
        return mapped(np.asarray(p, dtype=np.float64), a, b, c)

    def band(self, p: float, kind: str, level: float = 0.9) -> tuple[float, float]:
        """Central interval of the recalibrated chance: what the map would be on other cutoffs and areas.

        (0, 1) where too little was seen to learn a map: nothing is known of how far ``p`` can be believed.

        Raises:
            AskError: a level outside (0, 1).
        """
        if not 0 < level < 1:
            raise AskError(
                "level-out-of-range",
                found=f"level {level:g}",
                expected="a share of the draws, above 0 and below 1",
                remedy="ask for 0.9",
            )
        drawn = self.draws.get(kind, self.draws.get(""))
        if drawn is None or not len(drawn):
            return 0.0, 1.0
        spoken = mapped(np.asarray(p), *drawn.T)
        low, high = np.quantile(spoken, ((1 - level) / 2, (1 + level) / 2))
        return float(low), float(high)

    def believed(self, kind: str) -> bool:
        """Whether a map was learnt for this kind (or, for a kind never seen, for all kinds)."""
        return len(self.draws.get(kind, self.draws.get("", ()))) > 0

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "maps": {kind: list(map_) for kind, map_ in self.maps.items()},
            "draws": {kind: np.round(drawn, 6).tolist() for kind, drawn in self.draws.items()},
            "learnt": {kind: dict(told) for kind, told in self.learnt.items()},
        }

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Recalibration:
        """Inverse of ``as_record``.

        Raises:
            KeyError, ValueError, TypeError: not such a record.
        """
        maps = {str(kind): tuple(map(float, map_)) for kind, map_ in record["maps"].items()}
        if any(len(map_) != 3 or min(map_[:2]) < 0 for map_ in maps.values()):
            raise ValueError("a map of chances that is not monotone")
        return Recalibration(
            maps={kind: (map_[0], map_[1], map_[2]) for kind, map_ in maps.items()},
            draws={
                str(kind): np.asarray(drawn, dtype=np.float64).reshape(-1, 3)
                for kind, drawn in record["draws"].items()
            },
            learnt={str(kind): dict(told) for kind, told in record["learnt"].items()},
        )

    @staticmethod
    def identity(why: str) -> Recalibration:
        """The map that leaves every chance as it is, and why nothing was learnt."""
        return Recalibration({"": IDENTITY}, {}, {"": {"n": 0, "cutoffs": 0, "why": why}})


def mapped(p: Float, a: Float | float, b: Float | float, c: Float | float) -> Float:
    """Chances under the map (a, b, c), broadcast."""
    low, high = logits(p)
    return np.asarray(expit(a * low + b * high + c))


@dataclass(frozen=True)
class DatedRecord:
    """What a model's chances of dated targets were worth on past cutoffs, and the map that mends them.

    Attributes:
        recalibration: learnt on all pseudo-targets whose outcome is known.
        facts: JSON-ready. names (challenger, baseline), issued (ISO days of the folds), as_of, plan,
            plan_fingerprint, verdict_id; targets (how they are made), closures; scores and undecided: one
            record a kind of series, and first one of "all", of chances recalibrated walking forward (see
            ``models.dated_scores.record``), over all pseudo-targets and over those that naive leaves open.
    """

    recalibration: Recalibration
    facts: Mapping[str, Any]

    def of_kind(self, kind: str) -> dict[str, Any] | None:
        """The scores of one kind of series, or "all"; None where none was judged."""
        told = [row for row in self.facts["scores"] if row["kind"] == kind]
        return dict(told[0]) if told else None

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {"facts": dict(self.facts), "recalibration": self.recalibration.as_record()}

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> DatedRecord:
        """Inverse of ``as_record``.

        Raises:
            KeyError, ValueError, TypeError: not such a record.
        """
        return DatedRecord(Recalibration.of_record(record["recalibration"]), dict(record["facts"]))

    def write(self, folder: Path) -> None:
        """Write it into ``folder`` as a plain file."""
        write_json(folder / DATED_FILE, self.as_record())

    @staticmethod
    def read(folder: Path) -> DatedRecord:
        """The record in ``folder``.

        Raises:
            OSError, ValueError, KeyError, TypeError: it is not there, or not as it was written.
        """
        return DatedRecord.of_record(read_json(folder / DATED_FILE))
