"""The shelf: which pack answers now, and which rung of the ladder speaks for each series.

The pointer is polled; a new pack is opened and checked off to the side and swapped in whole. One that
is refused leaves the last good one in place, and its reason is kept for ``/v1/health``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from features.errors import ModelError
from features.series.words import CLUSTER_ID, UNIQUE_ID
from serving.layout import CARD, CURRENT, PLANT, PREVIOUS, RETRAIN, Pointer, read_pointer
from serving.opened import Entry, OpenedPack, open_pack
from serving.packs import KeptPack, kept_pack

Float = npt.NDArray[np.float64]
PINS: Final = 4
Signature = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True)
class Rung:
    """Who speaks for one series.

    Attributes:
        level: "champion", "previous" or "naive".
        pack: the pack its rows are read from.
        entry: its row there.
        made_by: the forecaster, and why when it is not the champion's.
        plain: its rows are those of the pack's naive arrays, which have a grid but no paths.
    """

    level: str
    pack: OpenedPack
    entry: Entry
    made_by: str
    plain: bool = False

    @property
    def mean(self) -> Float:
        """(H,) tCO2e."""
        if self.entry.kind == PLANT and self.pack.plants is not None:
            return np.asarray(self.pack.plants.mean[self.entry.row])
        return np.asarray((self.pack.naive_mean if self.plain else self.pack.mean)[self.entry.row])

    @property
    def grid(self) -> Float:
        """(H, Q) quantiles at ``levels``."""
        if self.entry.kind == PLANT and self.pack.plants is not None:
            return np.asarray(self.pack.plants.grid[self.entry.row])
        return np.asarray((self.pack.naive_grid if self.plain else self.pack.grid)[self.entry.row])

    @property
    def levels(self) -> tuple[float, ...]:
        """Levels of the grid."""
        plants = self.pack.plants
        return plants.levels if self.entry.kind == PLANT and plants is not None else self.pack.levels

    @property
    def paths(self) -> Float | None:
        """(H, P) sample paths; None where this series has a grid alone."""
        alone = self.plain or self.entry.kind == PLANT
        return None if alone else np.asarray(self.pack.paths[self.entry.row])

    def labels(self) -> dict[str, str]:
        """What is told of a series beside its figures: names, scope, cutoff and who made them."""
        entry = self.entry
        return {
            UNIQUE_ID: entry.unique_id,
            "kind": entry.kind,
            CLUSTER_ID: entry.cluster_id,
            "sector": entry.sector,
            "scope": entry.scope_id,
            "cutoff": entry.cutoff,
            "made_by": self.made_by,
        }


@dataclass(frozen=True)
class Standing:
    """What is served now; replaced whole, never changed.

    Attributes:
        pack: the pack that answers.
        rungs: who speaks for every served series.
        degraded: why this is not the pack that the pointer names, or "".
        older: the previous champion's pack, where some series of ``pack`` may need it.
    """

    pack: OpenedPack
    rungs: Mapping[str, Rung]
    degraded: str = ""
    older: OpenedPack | None = None


class Shelf:
    """Holds the current ``Standing`` of a store and renews it on ``refresh``."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._standing: Standing | None = None
        self._refused: ModelError | None = None
        self._seen: Signature | None = None
        self._pins: dict[KeptPack, Standing] = {}
        self._pins_lock = threading.Lock()

    @property
    def standing(self) -> Standing:
        """What is served now.

        Raises:
            ModelError: nothing was ever published here, or nothing readable.
        """
        if self._standing is None:
            if self._refused is not None:
                raise self._refused
            raise ModelError(
                "no-champion",
                found="no published champion in the store",
                expected="a champion that passed the gate",
                remedy=RETRAIN,
            )
        return self._standing

    @property
    def refused(self) -> ModelError | None:
        """Why the pack the pointer names is not the one that answers; None when it is."""
        return self._refused

    def pinned(self, model_version: str | None, as_of: str | None) -> Standing:
        """What stood here under a version, or with the figures known at a date; blocks while it opens.

        Raises:
            AskError: no kept pack is that (``unknown-model``), or the date cannot be read.
            ModelError: it is damaged.
        """
        pack = kept_pack(self._store, model_version, as_of)
        return self.standing if pack is None else self.pinned_to(pack)

    def pinned_to(self, pack: KeptPack) -> Standing:
        """What a kept pack says; blocks while it opens.

        Raises:
            ModelError: it is damaged.
        """
        now = self._standing
        if now is not None and now.pack.name == pack.name and not now.degraded:
            return now
        with self._pins_lock:
            held = self._pins.pop(pack, None) or self._stand(pack.pointer)
            self._pins[pack] = held  # the newest last
            while len(self._pins) > PINS:
                del self._pins[next(iter(self._pins))]
        return held

    def refresh(self) -> bool:
        """Look at the pointer; open and swap in what it names if it changed. True when swapped.

        Never raises for a bad pack: the last good one goes on serving. Runs off the event loop.
        """
        signature = self._signature()
        if signature == self._seen:
            return False
        try:
            pointer = read_pointer(self._store / CURRENT)
            if pointer is None:
                self._refused, self._seen = None, signature
                return False
            standing = self._stand(pointer)
        except ModelError as reason:
            self._refused, self._seen = reason, signature
            return self._fall_back(reason)
        self._standing, self._refused, self._seen = standing, None, signature
        return True

    def _stand(self, pointer: Pointer) -> Standing:
        pack = open_pack(self._store, pointer)
        older = self._previous() if not pack.usable.all() else None
        return Standing(pack=pack, rungs=climb(pack, older), older=older)

    def _fall_back(self, reason: ModelError) -> bool:
        if self._standing is not None:
            return False
        older = self._previous()
        if older is None:
            return False
        why = f"the previous champion answers, because {reason.code}: found {reason.found}"
        self._standing = Standing(pack=older, rungs=climb(older, None, why), degraded=why)
        return True

    def _previous(self) -> OpenedPack | None:
        try:
            pointer = read_pointer(self._store / PREVIOUS)
            return open_pack(self._store, pointer) if pointer is not None else None
        except ModelError:
            return None

    def _signature(self) -> Signature:
        current = self._store / CURRENT
        watched = [current]
        try:
            pointer = read_pointer(current)
        except ModelError:
            pointer = None
        if pointer is not None:
            watched.append(self._store / pointer.pack / CARD)
        return tuple(_stamp(path) for path in watched)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        facts = path.stat()
    except OSError:
        return (str(path), 0, 0, 0)
    return (str(path), facts.st_ino, facts.st_mtime_ns, facts.st_size)


def climb(pack: OpenedPack, older: OpenedPack | None, why: str = "") -> dict[str, Rung]:
    """The rung of every series of ``pack``: champion, else previous champion, else naive.

    ``why`` is said beside the forecaster when the whole pack is itself a fallback.
    """
    return {name: _rung(pack, older, entry, why) for name, entry in pack.series.items()}


def _rung(pack: OpenedPack, older: OpenedPack | None, entry: Entry, why: str) -> Rung:
    if entry.kind == PLANT or pack.usable[entry.row]:
        if why:
            return Rung("previous", pack, entry, f"{entry.made_by} ({why})")
        level = "naive" if entry.made_by.startswith("naive (") else "champion"
        return Rung(level, pack, entry, entry.made_by)
    bad = f"the rows of champion {pack.model_version} are not finite or not ordered"
    before = older.series.get(entry.unique_id) if older is not None else None
    if older is not None and before is not None and older.usable[before.row]:
        told = f"{before.made_by} (previous champion {older.model_version}, because {bad})"
        return Rung("previous", older, before, told)
    return Rung("naive", pack, entry, f"naive (because {bad})", plain=True)
