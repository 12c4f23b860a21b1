"""What a pack keeps of the saved model besides its forecasts: track records and figures, read when asked for.

Nothing here is opened with the pack. A file is checked against the pack's digests when it is first read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import ModelError
from features.files import read_json
from features.series.basis_files import FOLDER as BASIS
from features.series.words import DS, KNOWN_AT, UNIQUE_ID
from models.dated import DATED_FILE, DatedRecord
from models.dependence import Dependence
from models.past_fans import FANS_FILE, fans_of
from models.track_record import FACTS_FILE, FILES, TrackRecord
from serving.layout import MODEL, RETRAIN, sha256_of

if TYPE_CHECKING:
    from features.series.panel import Dense
    from models.fitted import FittedRecipe

_BASIS_FILES: Final = ("basis.json", "vintages.parquet", "traits.parquet", "breaks.parquet")


@dataclass(frozen=True)
class Figures:
    """The figures a champion was trained on, as its folder keeps them.

    Attributes:
        vintages: all vintages: a file of which only the rows asked for are read, or a frame.
        traits: index unique_id; kind, cluster_id, sector and more.
        breaks: unique_id, ds, break_id of declared scope breaks.
        scope_of_source: source -> scope_id.
        origin: where they are from, JSON-ready.
    """

    vintages: Path | pd.DataFrame
    traits: pd.DataFrame
    breaks: pd.DataFrame
    scope_of_source: Mapping[str, str]
    origin: Mapping[str, Any]

    def at(self, names: Sequence[str], ds: pd.Timestamp, known_by: pd.Timestamp) -> pd.DataFrame:
        """Vintages of ``names`` in the period of ``ds`` known by an instant (UTC, no zone), oldest first.

        Columns unique_id, ds, known_at, y (tCO2e, NaN where withdrawn), source, flag.
        """
        whole = self.vintages
        if isinstance(whole, pd.DataFrame):
            frame = whole[whole[UNIQUE_ID].isin(names) & (whole[DS] == ds)]
        else:
            asked = [(UNIQUE_ID, "in", list(names)), (DS, "==", ds)]
            frame = pq.read_table(whole, filters=asked).to_pandas()
        return frame[frame[KNOWN_AT] <= known_by].sort_values([UNIQUE_ID, KNOWN_AT], ignore_index=True)

    def of(self, names: Sequence[str], known_by: pd.Timestamp) -> pd.DataFrame:
        """Vintages of ``names`` in every period, known by an instant; columns as ``at``, by period."""
        whole = self.vintages
        if isinstance(whole, pd.DataFrame):
            frame = whole[whole[UNIQUE_ID].isin(names)]
        else:
            frame = pq.read_table(whole, filters=[(UNIQUE_ID, "in", list(names))]).to_pandas()
        return frame[frame[KNOWN_AT] <= known_by].sort_values([UNIQUE_ID, DS, KNOWN_AT], ignore_index=True)

    def inside(self, cluster_id: str, sector: str | None = None) -> list[str]:
        """The plants of a sector of a cluster or, without a sector, the sectors of the cluster; sorted."""
        traits = self.traits
        mine = traits["cluster_id"] == cluster_id
        mine &= traits["kind"] == "sector" if sector is None else traits["kind"] == "plant"
        if sector is not None:
            mine &= traits["sector"] == sector
        return sorted(map(str, traits.index[mine]))


@dataclass(frozen=True)
class Kept:
    """The saved model inside a pack.

    Attributes:
        folder: of the pack.
        promised: sha256 of every file of the pack, by relative name.
    """

    folder: Path
    promised: Mapping[str, str]

    @cached_property
    def track(self) -> TrackRecord | None:
        """Scores of the backtest by series; None where the model keeps none.

        Raises:
            ModelError: the files are not as they were written.
        """
        if not self._has(FACTS_FILE):
            return None
        self._check(FILES)
        try:
            return TrackRecord.read(self.folder / MODEL)
        except (OSError, ValueError, KeyError, pa.ArrowException) as why:
            raise self._unreadable(f"{type(why).__name__}: {why}") from why

    @cached_property
    def dated(self) -> DatedRecord | None:
        """What its chances of dated targets were worth, and the map that mends them; None where the model
        keeps none.

        Raises:
            ModelError: the file is not as it was written.
        """
        if not self._has(DATED_FILE):
            return None
        self._check([DATED_FILE])
        try:
            return DatedRecord.read(self.folder / MODEL)
        except (OSError, ValueError, KeyError, TypeError) as why:
            raise self._unreadable(f"{type(why).__name__}: {why}") from why

    def fans(self, unique_id: str) -> list[dict[str, Any]]:
        """What the backtest said of one series at past cutoffs; empty where the model keeps none of it.

        Raises:
            ModelError: the file is not as it was written.
        """
        if self._fans is None:
            return []
        try:
            return fans_of(self._fans, unique_id)
        except (OSError, ValueError, KeyError, pa.ArrowException) as why:
            raise self._unreadable(f"{type(why).__name__}: {why}") from why

    @cached_property
    def _fans(self) -> Path | None:
        if not self._has(FANS_FILE):
            return None
        self._check([FANS_FILE])
        return self.folder / MODEL / FANS_FILE

    @cached_property
    def figures(self) -> Figures | None:
        """The figures the model was trained on; None where the model keeps none.

        Raises:
            ModelError: the files are not as they were written.
        """
        names = [f"{BASIS}/{name}" for name in _BASIS_FILES]
        if not self._has(names[0]):
            return None
        self._check(names)
        place = self.folder / MODEL / BASIS
        try:
            record = read_json(place / "basis.json")
            return Figures(
                vintages=place / "vintages.parquet",
                traits=pd.read_parquet(place / "traits.parquet").set_index(UNIQUE_ID),
                breaks=pd.read_parquet(place / "breaks.parquet"),
                scope_of_source=dict(record["scope_of_source"]),
                origin=dict(record["origin"]),
            )
        except (OSError, ValueError, KeyError, pa.ArrowException) as why:
            raise self._unreadable(f"{type(why).__name__}: {why}") from why

    @cached_property
    def model(self) -> tuple[FittedRecipe, Dense]:
        """The champion itself and the figures it answers from, checked against its own digests.

        Raises:
            ModelError: the pack keeps no model (``model-not-kept``), or it cannot be read.
        """
        from models.saved import read

        if not self._has("model.json"):
            raise ModelError(
                "model-not-kept",
                found=f"{self.folder.name}: forecasts without the model that made them",
                expected="the saved model inside the pack",
                remedy=RETRAIN,
            )
        return read(self.folder / MODEL)

    @cached_property
    def dependence(self) -> Dependence | None:
        """How the champion's errors move together; None where the pack keeps no model.

        Raises:
            ModelError: the file is not as it was written.
        """
        if not self._has("model.json"):
            return None
        self._check(["model.json"])
        try:
            return Dependence.of_record(read_json(self.folder / MODEL / "model.json")["dependence"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as why:
            raise self._unreadable(f"{type(why).__name__}: {why}") from why

    def digests(self) -> dict[str, str]:
        """sha256 of the files that hold the figures, by name inside the model's folder."""
        start = f"{MODEL}/"
        return {
            name.removeprefix(start): digest
            for name, digest in self.promised.items()
            if name.startswith(f"{start}{BASIS}/")
        }

    def _has(self, name: str) -> bool:
        return f"{MODEL}/{name}" in self.promised

    def _check(self, names: Sequence[str]) -> None:
        for name in names:
            path = self.folder / MODEL / name
            try:
                same = sha256_of(path) == self.promised.get(f"{MODEL}/{name}")
            except OSError as why:
                raise self._unreadable(f"{name}: {type(why).__name__}") from why
            if not same:
                raise self._unreadable(f"{name} differs from its digest")

    def _unreadable(self, found: str) -> ModelError:
        return ModelError(
            "pack-corrupt",
            found=f"{self.folder.name}: {found}",
            expected="every file as it was written",
            remedy=RETRAIN,
        )
