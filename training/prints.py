"""What a piece of work was made from, as digests: figures, settings, what members said, and the code."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.series.hierarchy import Hierarchy
from features.series.panel import Dense
from models.recipe import Recipe
from models.replay import Replay
from training.folds import Folds

FORMAT: Final = 2
MAKING: Final = ("features", "models")  # what a member's forecast depends on
JUDGING: Final = (*MAKING, "training")  # what a backtest and a verdict depend on
_LIBRARIES: Final = ("numpy", "pandas", "scipy", "lightgbm", "statsmodels", "scikit-learn")
_ROOT: Final = Path(__file__).resolve().parent.parent


def digest_of(history: Dense) -> str:
    """SHA-256 of all that a forecaster can read in a panel."""
    traits = history.traits
    # Column by column: a row at a time takes ten times as long, and a retrain asks for dozens of panels.
    columns = [[str(name), str(traits[name].dtype), traits[name].tolist()] for name in traits.columns]
    told = [history.ids, history.cadence.name, traits.index.tolist(), columns]
    digest = hashlib.sha256(json.dumps(told, default=str).encode())
    for array in (history.y, history.lengths, history.starts, history.breaks):
        _add(digest, array)
    return digest.hexdigest()


@lru_cache
def made_with(*floors: str) -> str:
    """SHA-256 of the source of the floors named, and of the libraries' versions."""
    digest = hashlib.sha256(json.dumps([FORMAT, *(f"{n}=={version(n)}" for n in _LIBRARIES)]).encode())
    for floor in floors:
        for path in sorted((_ROOT / floor).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class Prints:
    """Digests of the backtests of one replay; what they share is hashed once, whatever their number."""

    history: Dense
    past: Replay
    folds: Folds
    hierarchy: Hierarchy

    def of(self, recipe: Recipe) -> str:
        """Of all that the backtest of ``recipe`` is made from."""
        said = [self._said[name] for name in recipe.members]
        return joined(self._shared, recipe.as_record(), said, made_with(*JUDGING))

    @cached_property
    def _said(self) -> dict[str, str]:
        return {name: _digest(self.past.point[m]) for m, name in enumerate(self.past.members)}

    @cached_property
    def _shared(self) -> str:
        past, folds = self.past, self.folds
        members = [[name, *self.hierarchy.members[name]] for name in self.hierarchy.clusters]
        arrays = (past.actual, past.scale, past.lengths, folds.lengths, folds.scored)
        return joined(digest_of(self.history), past.groups, past.pools, members, *map(_digest, arrays))


def joined(*parts: Any) -> str:
    """SHA-256 of JSON-ready parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _digest(array: npt.NDArray[Any]) -> str:
    digest = hashlib.sha256()
    _add(digest, array)
    return digest.hexdigest()


def _add(digest: Any, array: npt.NDArray[Any]) -> None:
    digest.update(f"{array.dtype}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).data)
