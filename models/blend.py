"""Weights of a naive-anchored blend, learnt on past cutoffs only, by kind of series and by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from models.recipe import Recipe
from models.replay import Replay

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

LEAST_ERRORS = 6
ENOUGH_ERRORS = 60
PULL_OF_FEW = 0.02
ROUNDS = 12
SUM_TO_ONE = 1e3
SMALL = 0.05
WIDEST_ERROR = 20.0
STEP_EDGES = (1, 2, 3, 5, 9)
# What the members beside the anchor are worth before their errors are seen, each in shares of the rest.
# Chosen on plants of three registers and country totals up to 2017 (``benchmarks/skill``). Errors of one
# year have a cause in common, so even thousands of them move the shares little.
STANDING: Final = {"boosted": 3.0, "trend": 2.0, "arima": 1.0, "level": 1.0}


def step_bucket(steps: int) -> Int:
    """(steps,) which bucket each step falls into: 1, 2, 3-4, 5-8, 9 and later."""
    return np.asarray(np.searchsorted(STEP_EDGES, np.arange(1, steps + 1), side="right") - 1)


@dataclass(frozen=True)
class Weights:
    """Shares of the members.

    Attributes:
        members: (M,) names.
        groups: (G,) kinds of series; the last one, "", serves kinds never seen.
        shares: (G, buckets, M), each row summing to one.
    """

    members: tuple[str, ...]
    groups: tuple[str, ...]
    shares: Float

    def of(self, groups: tuple[str, ...], steps: int) -> Float:
        """(B, steps, M) shares for series of these kinds."""
        place = {name: i for i, name in enumerate(self.groups)}
        rows = np.array([place.get(name, place[""]) for name in groups], dtype=np.int64)
        return np.asarray(self.shares[rows][:, step_bucket(steps)])

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "members": list(self.members),
            "groups": list(self.groups),
            "shares": self.shares.tolist(),
        }

    @staticmethod
    def of_record(record: dict[str, Any]) -> Weights:
        """Inverse of ``as_record``."""
        return Weights(
            tuple(record["members"]), tuple(record["groups"]), np.asarray(record["shares"], dtype=float)
        )


def mixed(point: Float, shares: Float) -> Float:
    """(B, H) blend of member forecasts (M, B, H) with shares (B, H, M)."""
    return np.asarray(np.einsum("mbh,bhm->bh", point, shares))


def blended(past: Replay, weights: Weights) -> Float:
    """(O, B, H) blend of a replay under one set of weights."""
    shares = weights.of(past.groups, past.actual.shape[2])
    return np.stack([mixed(past.point[:, o], shares) for o in range(past.actual.shape[0])])


def prior_shares(members: tuple[str, ...], anchor: float) -> Float:
    """(M,) the anchor's share, the rest by ``STANDING``."""
    if len(members) == 1:
        return np.ones(1)
    standing = np.array([STANDING.get(name, 1.0) for name in members[1:]])
    return np.concatenate([[anchor], (1 - anchor) * standing / standing.sum()])


def learn_weights(past: Replay, lengths: Int, recipe: Recipe) -> Weights:
    """Shares that made the smallest mean absolute scaled error, held to the prior.

    Args:
        past: members replayed.
        lengths: (B,) periods that may be seen: errors after them are not used.
        recipe: prior and pull.
    """
    count = len(past.members)
    prior = prior_shares(past.members, recipe.anchor)
    groups = (*sorted(set(past.groups)), "")
    buckets = len(STEP_EDGES)
    shares = np.tile(prior, (len(groups), buckets, 1))
    if count == 1:
        return Weights(past.members, groups, shares)
    usable = past.known_by(lengths)
    errors = (past.point - past.actual) / past.scale[None, :, :, None]
    bucket = step_bucket(past.actual.shape[2])
    kinds = np.asarray(past.groups)
    for g, name in enumerate(groups):
        inside = usable if name == "" else usable & (kinds == name)[None, :, None]
        for k in range(buckets):
            chosen = inside & (bucket == k)[None, None, :]
            shares[g, k] = _least_absolute(errors[:, chosen].T, prior, recipe.pull)
    _carry_forward(shares, int(bucket.max()))
    return Weights(past.members, groups, shares)


def _carry_forward(shares: Float, last: int) -> None:
    """Buckets beyond the replayed steps take the shares of the last one that was."""
    shares[:, last + 1 :] = shares[:, last : last + 1]


def _least_absolute(errors: Float, prior: Float, pull: float) -> Float:
    """(M,) shares on the simplex minimising mean |errors @ shares| + pull · size · |shares − prior|².

    ``size`` is the mean absolute error of the prior, so that the pull does not depend on how hard the
    series are.

    Iteratively reweighted non-negative least squares. With few errors the pull is stronger, with fewer
    than ``LEAST_ERRORS`` the prior stands.
    """
    # A plant back from standstill is off by thousands of its usual changes and would decide alone.
    errors = errors[(np.abs(errors) <= WIDEST_ERROR).all(axis=1)]
    if len(errors) < LEAST_ERRORS:
        return prior
    pull = pull + PULL_OF_FEW * max(0.0, ENOUGH_ERRORS / len(errors) - 1)
    shares = prior
    size = float(np.abs(errors @ prior).mean())
    if size == 0:
        return prior
    for _ in range(ROUNDS):
        weight = 1 / np.maximum(np.abs(errors @ shares), SMALL * size)
        gram = (errors * weight[:, None]).T @ errors / len(errors)
        gram = gram + 2 * pull * size * np.eye(len(prior))
        right = 2 * pull * size * prior
        shares = _simplex(gram, right)
    return shares


def _simplex(gram: Float, right: Float) -> Float:
    """argmin ½ s'Gs − r's over s ≥ 0, sum s = 1 (the sum as a heavy row of a non-negative fit)."""
    factor = np.linalg.cholesky(gram + 1e-10 * np.trace(gram) * np.eye(len(gram))).T
    target = np.linalg.solve(factor.T, right)
    heavy = SUM_TO_ONE * float(np.sqrt(np.trace(gram)))
    matrix = np.vstack([factor, np.full((1, len(gram)), heavy)])
    shares, _ = nnls(matrix, np.concatenate([target, [heavy]]))
    total = shares.sum()
    return np.asarray(shares / total)
