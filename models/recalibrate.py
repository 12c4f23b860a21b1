"""Learning how far chances can be believed: a monotone map from what was said to what came true.

Beta calibration (Kull, Silva Filho & Flach 2017, Electronic Journal of Statistics 11) by kind of series, held
by a ridge to the map of all kinds, and that one to the identity. Cases of one cutoff have their year in
common, so a map is trusted by the number of its cutoffs, not of its cases. How sure it is comes from drawing
cutoffs and blocks of areas anew, both at once (Owen 2007, the pigeonhole bootstrap).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from models.dated import IDENTITY, Recalibration, logits

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

# Chances are told apart to a fifth of a unit of the logit; no map bends within it.
WIDTH: Final = 0.2
BINS: Final = 95
MIDDLES: Final = (np.arange(BINS) - BINS // 2) * WIDTH
BLOCKS: Final = 12
# Chosen on cutoffs up to 2017 (``benchmarks/dated_targets``): how far a map's steepness, lean and constant
# are held back, in cutoffs' worth of log loss, and the weight of a cutoff relative to the one after it.
# Series share the recessions of their years, so the constant of a few cutoffs says little of later ones.
PULLS: Final = (1.0, 30.0, 10.0)
MEMORY: Final = 0.8
LEAST_CUTOFFS: Final = 3
LEAST_OUTCOMES: Final = 25
DRAWS: Final = 200
ROUNDS: Final = 25
TINY: Final = 1e-9


@dataclass(frozen=True)
class Cases:
    """Pseudo-targets counted by what was said of them.

    Attributes:
        kinds: (K,) kinds of series.
        n: (K, O, G, BINS) how many, by kind, cutoff, block of areas and the logit of the chance.
        met: the same of those that were met.
    """

    kinds: tuple[str, ...]
    n: Float
    met: Float


def blocks_of(areas: Sequence[str]) -> Int:
    """(B,) the block of each area; one area is in one block."""
    _, code = np.unique(np.asarray(areas), return_inverse=True)
    return np.asarray(code % BLOCKS, dtype=np.int64)


def bin_of(p: Float) -> Int:
    """(N,) the bin of each chance."""
    low, high = logits(p)
    return np.clip(np.round((low + high) / WIDTH).astype(np.int64) + BINS // 2, 0, BINS - 1)


def counted(kinds: int, kind: Int, block: Int, p: Float, met: Float) -> tuple[Float, Float]:
    """(K, G, BINS) cases of one cutoff, and those met.

    Args:
        kinds: K.
        kind, block: (N,) of each case.
        p, met: (N,) what was said, and 1 or 0 for what came.
    """
    place = (kind * BLOCKS + block) * BINS + bin_of(p)
    shape, size = (kinds, BLOCKS, BINS), kinds * BLOCKS * BINS
    n = np.bincount(place, minlength=size).reshape(shape).astype(np.float64)
    return n, np.bincount(place, weights=met, minlength=size).reshape(shape).astype(np.float64)


def learn(cases: Cases, *, draws: int = DRAWS, seed: int = 1) -> Recalibration:
    """The maps of every kind, and of all kinds, each kind weighing alike in that one.

    A kind with too few cutoffs or outcomes, like all of them together, keeps the map it would be held to.
    """
    cutoffs = (cases.n.sum(axis=(2, 3)) > 0).sum(axis=1)
    weight = drawn_weights(cases.n.shape[1], cases.n.shape[2], draws, seed)
    weight *= (MEMORY ** np.arange(weight.shape[1])[::-1])[None, :, None]
    n = np.einsum("dog,kogj->kdj", weight, cases.n)
    met = np.einsum("dog,kogj->kdj", weight, cases.met)
    share = 1 / np.maximum(n.sum(axis=2, keepdims=True), TINY)
    of_all = int((cases.n.sum(axis=(0, 2, 3)) > 0).sum())
    why = _too_thin(of_all, cases.n.sum(), cases.met.sum())
    if why:
        return Recalibration.identity(why)
    identity = np.broadcast_to(np.array(IDENTITY), (draws + 1, 3))
    shared = _monotone((n * share).sum(axis=0), (met * share).sum(axis=0), of_all, identity)
    maps = {"": shared}
    told: dict[str, dict[str, Any]] = {"": {"n": int(cases.n.sum()), "cutoffs": of_all}}
    for k, kind in enumerate(cases.kinds):
        total, hit = cases.n[k].sum(), cases.met[k].sum()
        thin = _too_thin(int(cutoffs[k]), total, hit)
        maps[kind] = shared if thin else _monotone(n[k], met[k], int(cutoffs[k]), shared)
        told[kind] = {"n": int(total), "cutoffs": int(cutoffs[k]), **({"why": thin} if thin else {})}
    return Recalibration(
        maps={kind: (float(m[0, 0]), float(m[0, 1]), float(m[0, 2])) for kind, m in maps.items()},
        draws={kind: m[1:] for kind, m in maps.items()},
        learnt=told,
    )


def drawn_weights(cutoffs: int, blocks: int, draws: int, seed: int) -> Float:
    """(draws + 1, O, G) how often each cutoff and block is drawn; the first row is everything once."""
    draw = np.random.default_rng(seed)
    years = draw.multinomial(cutoffs, np.full(cutoffs, 1 / cutoffs), size=draws)
    areas = draw.multinomial(blocks, np.full(blocks, 1 / blocks), size=draws)
    drawn = years[:, :, None] * areas[:, None, :]
    return np.concatenate([np.ones((1, cutoffs, blocks)), drawn]).astype(np.float64)


def _too_thin(cutoffs: int, n: float, met: float) -> str:
    if cutoffs < LEAST_CUTOFFS:
        return f"{cutoffs} cutoffs with an outcome, fewer than {LEAST_CUTOFFS}"
    if min(met, n - met) < LEAST_OUTCOMES:
        return f"{int(met)} met of {int(n)}: fewer than {LEAST_OUTCOMES} of either outcome"
    return ""


def _monotone(n: Float, met: Float, cutoffs: int, towards: Float) -> Float:
    """(D, 3) maps of cases (D, BINS), held to ``towards`` (D, 3); neither slope below zero."""
    low, high = logits(expit(MIDDLES))
    # Steepness a + b, lean a - b and constant, each held back by itself.
    x = np.stack([(low + high) / 2, (low - high) / 2, np.ones(BINS)], axis=1)
    turned = np.stack([towards[:, 0] + towards[:, 1], towards[:, 0] - towards[:, 1], towards[:, 2]], axis=1)
    pulls = np.array(PULLS) / cutoffs
    free = fitted(x, n, met, pulls, turned)
    slopes = np.maximum(np.stack([free[:, 0] + free[:, 1], free[:, 0] - free[:, 1]], axis=1) / 2, 0.0)
    offset = slopes @ np.stack([low, high])
    constant = fitted(np.ones((BINS, 1)), n, met, pulls[2:], towards[:, 2:], offset)
    return np.concatenate([slopes, constant], axis=1)


def fitted(
    x: Float, n: Float, met: Float, ridge: Float, towards: Float, offset: Float | None = None
) -> Float:
    """(D, P) weights of D logistic regressions on counted cases, by Newton's method.

    Minimises the mean log loss plus ridge / 2 times the squared distance from ``towards``.

    Args:
        x: (BINS, P) what each bin says.
        n, met: (D, BINS) cases, and those met.
        ridge: (P,) how much each weight is held back.
        towards: (D, P) where it begins, too.
        offset: (D, BINS) added to the logit.
    """
    total = np.maximum(n.sum(axis=1, keepdims=True), TINY)
    share, rate, held = n / total, met / total, np.diag(ridge + 1e-9)
    theta = np.array(towards, dtype=np.float64)
    for _ in range(ROUNDS):
        said = expit(theta @ x.T + (0.0 if offset is None else offset))
        slope = (share * said - rate) @ x + ridge * (theta - towards)
        bend = np.einsum("dj,jp,jq->dpq", share * said * (1 - said), x, x, optimize=True) + held
        move = np.linalg.solve(bend, slope[..., None])[..., 0]
        theta -= np.clip(move, -1.0, 1.0)
    return theta
