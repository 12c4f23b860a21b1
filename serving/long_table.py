"""Forecasts as a long Arrow table: one row a series and step, names as dictionaries that never change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.series.words import CLUSTER_ID, DS, STEP, UNIQUE_ID
from serving.blocks import values_of
from serving.portfolio import Portfolio
from serving.shelf import Rung
from serving.wire import quantile_key

NAMES: Final = (UNIQUE_ID, "kind", CLUSTER_ID, "sector", "scope", "cutoff", "made_by")


@dataclass(frozen=True)
class LongTable:
    """Writes blocks of a portfolio as record batches of one schema.

    Columns: unique_id, kind, cluster_id, sector, scope, cutoff, made_by (text, as dictionaries), ds (date),
    step, mean and q0.025 … (float64, tCO2e).

    Attributes:
        words: for each text column its dictionary, the same in every batch.
        codes: for each text column word -> place in its dictionary.
    """

    schema: Any
    asked: Portfolio
    words: Mapping[str, Any]
    codes: Mapping[str, Mapping[str, int]]

    @staticmethod
    def of(asked: Portfolio, metadata: Mapping[bytes, bytes]) -> LongTable:
        """A table for every series of ``asked``."""
        told = {name: dict[str, int]() for name in NAMES}
        for rung in asked.rungs:
            for name, word in rung.labels().items():
                told[name].setdefault(word, len(told[name]))
        text = pa.dictionary(pa.int32(), pa.string())
        fields = [
            *(pa.field(name, text, nullable=False) for name in NAMES),
            pa.field(DS, pa.date32(), nullable=False),
            pa.field(STEP, pa.int32(), nullable=False),
            pa.field("mean", pa.float64(), nullable=False),
            *(pa.field(f"q{quantile_key(q)}", pa.float64(), nullable=False) for q in asked.wanted),
        ]
        words = {name: pa.array(list(codes), pa.string()) for name, codes in told.items()}
        return LongTable(pa.schema(fields, metadata=dict(metadata)), asked, words, told)

    def batch(self, rungs: Sequence[Rung]) -> Any:
        """The record batch of a block of series."""
        steps, wanted = self.asked.steps, self.asked.wanted
        mean, values = values_of(rungs, steps, wanted)
        texts = [rung.labels() for rung in rungs]
        columns = [self._column(name, texts, steps) for name in NAMES]
        days = np.concatenate([_days(rung.entry.ds)[:steps] for rung in rungs])
        step = np.tile(np.arange(1, steps + 1, dtype=np.int32), len(rungs))
        numbers = [np.ascontiguousarray(values[:, :, k]).ravel() for k in range(len(wanted))]
        columns += [pa.array(days), pa.array(step), pa.array(mean.ravel()), *map(pa.array, numbers)]
        return pa.record_batch(columns, schema=self.schema)

    def _column(self, name: str, texts: Sequence[Mapping[str, str]], steps: int) -> Any:
        codes = self.codes[name]
        each = np.array([codes[text[name]] for text in texts], dtype=np.int32)
        return pa.DictionaryArray.from_arrays(pa.array(np.repeat(each, steps)), self.words[name])


@lru_cache(maxsize=256)
def _days(ds: tuple[str, ...]) -> npt.NDArray[np.datetime64]:
    """The dates of a forecast; there are few cutoffs, so few of these."""
    return np.array(ds, dtype="datetime64[D]")
