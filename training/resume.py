"""Replays kept piece by piece, so that a killed retrain goes on where it was, and a new year costs one fold.

A piece is what one member said at one fold. It is found again by the content of everything it was made from:
the figures visible at that fold, the member's settings, the steps, and the code and libraries. Nothing is
ever found by name or date, so nothing stale can be. Pieces are plain arrays (.npz, no pickles).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, is_dataclass, replace
from datetime import datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from features.files import write_bytes
from features.series.panel import Dense
from models.kinds import make
from models.recipe import Recipe
from models.replay import LEAST_HISTORY, Replay, replay
from training.rails import Conduct

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]

FORMAT: Final = 1
FOLDER: Final = "cache"
KEPT_DAYS: Final = 400  # a yearly retrain still finds the folds of the year before
KEPT_BYTES: Final = 2_000_000_000
_LIBRARIES: Final = ("numpy", "pandas", "scipy", "lightgbm", "statsmodels", "scikit-learn")
_ROOT: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Piece:
    """What one member said at one fold: (N, H) point forecasts of the series asked, tCO2e; seconds spent."""

    values: Float
    seconds: float


@dataclass(frozen=True)
class Cache:
    """Pieces in a folder; without a folder nothing is kept."""

    folder: Path | None = None

    def read(self, key: str) -> Piece | None:
        """The piece of that key; None if there is none, or it is damaged."""
        if self.folder is None:
            return None
        path = self.folder / f"{key}.npz"
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as held:
                piece = Piece(held["values"], float(held["seconds"]))
            os.utime(path)  # the piece was of use: it is pruned last
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None
        return piece

    def write(self, key: str, piece: Piece) -> None:
        """Keep a piece, whole or not at all. A full disk is no failure here: it is then made again."""
        if self.folder is None:
            return
        drawn = io.BytesIO()
        np.savez(drawn, values=piece.values, seconds=np.float64(piece.seconds))
        try:
            write_bytes(self.folder / f"{key}.npz", drawn.getvalue())
        except OSError:
            return

    def prune(self, now: datetime, *, days: float = KEPT_DAYS, size: int = KEPT_BYTES) -> int:
        """Remove pieces not used for ``days`` before ``now`` (aware), and the longest unused beyond
        ``size`` bytes. Returns: how many."""
        if self.folder is None or not self.folder.is_dir():
            return 0
        found = [(path.stat(), path) for path in self.folder.iterdir() if path.is_file()]
        found.sort(key=lambda item: item[0].st_mtime, reverse=True)
        gone, held = 0, 0
        for status, path in found:
            held += status.st_size
            if held > size or now.timestamp() - status.st_mtime > days * 86400:
                path.unlink(missing_ok=True)
                gone += 1
        return gone


@dataclass(frozen=True)
class Replayed:
    """A replay without the members that failed.

    Attributes:
        recipe: with the members that are left, in their order.
        past: what they said.
        conduct: seconds of computing, and who failed and why.
    """

    recipe: Recipe
    past: Replay
    conduct: Conduct


def resumed(
    history: Dense,
    origins: Int,
    recipe: Recipe,
    cache: Cache,
    *,
    told: Callable[[str, int], None] = lambda member, origin: None,
) -> Replayed:
    """``models.replay.replay`` piece by piece, reading the pieces that are kept and keeping new ones.

    A member that raises, or says something that is not finite, is left out from there on.

    Args:
        history, origins: as in ``replay``.
        recipe: whose members are replayed.
        told: called after each member at each origin.

    Raises:
        ModelError: no member is left.
    """
    members = recipe.members
    ground = replay(history, origins, recipe, ())
    point = np.full((len(members), *ground.actual.shape), np.nan)
    seconds, failed = 0.0, dict[str, str]()
    for o, lengths in enumerate(origins):
        asked = np.flatnonzero(lengths >= LEAST_HISTORY)
        visible = digest_of(history.until(lengths).take(np.flatnonzero(lengths >= 1)))
        for m, member in enumerate(members):
            if member in failed:
                continue
            key = _key(visible, member, recipe)
            piece = cache.read(key)
            if piece is None:
                piece = _made(history, origins[o : o + 1], recipe, member, asked, failed)
                if piece is not None:
                    cache.write(key, piece)
            if piece is not None:
                point[m, o, asked] = piece.values
                seconds += piece.seconds
            told(member, o)
    left = tuple(member for member in members if member not in failed)
    _refuse_none(left, failed)
    past = replace(ground, members=members, point=point).only(left)
    reasons = tuple(f"{member}: {why}" for member, why in failed.items())
    return Replayed(replace(recipe, members=left), past, Conduct(seconds, reasons))


def _made(
    history: Dense, origin: Int, recipe: Recipe, member: str, asked: Int, failed: dict[str, str]
) -> Piece | None:
    """One member at one fold; a failure is put down in ``failed``."""
    begun = time.perf_counter()
    try:
        values = replay(history, origin, recipe, (member,)).point[0, 0][asked]
    except Exception as fault:  # noqa: BLE001  # whatever a member raises refuses that member, by name
        failed[member] = f"{type(fault).__name__}: {fault}"
        return None
    strange = int((~np.isfinite(values)).any(axis=1).sum())
    if strange:
        failed[member] = f"forecasts of {strange} series are not finite"
        return None
    return Piece(values, time.perf_counter() - begun)


def _refuse_none(left: Sequence[str], failed: dict[str, str]) -> None:
    if not left:
        raise ModelError(
            "no-member-left",
            found=f"{len(failed)} members that failed, and no other",
            expected="a recipe of which one member forecasts",
            offenders=[f"{member}: {why}" for member, why in failed.items()],
            remedy="mend what they say, or name other members in the plan; what serves is untouched",
        )


def _key(visible: str, member: str, recipe: Recipe) -> str:
    forecaster = make(member, recipe)
    settings = asdict(forecaster) if is_dataclass(forecaster) else recipe.as_record()
    told = [visible, member, settings, recipe.reach, made_with()]
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def digest_of(history: Dense) -> str:
    """SHA-256 of all that a forecaster can read in a panel."""
    digest = hashlib.sha256()
    told = [history.ids, history.cadence.name, history.traits.to_dict("split")]
    digest.update(json.dumps(told, sort_keys=True, default=str).encode())
    for array in (history.y, history.lengths, history.starts, history.breaks):
        digest.update(f"{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def made_with() -> str:
    """SHA-256 of the source of features and models, and of the libraries' versions."""
    digest = hashlib.sha256(json.dumps([FORMAT, *(f"{n}=={version(n)}" for n in _LIBRARIES)]).encode())
    for floor in ("features", "models"):
        for path in sorted((_ROOT / floor).rglob("*.py")):
            digest.update(path.relative_to(_ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
