"""What is read off backtests, kept like other pieces: tables and verdicts, found by what they were made from.

The digests of the backtests themselves say all that they hold, so nothing has to be hashed twice.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from models.dated import DatedRecord
from training.backtest import Backtest
from training.folds import Folds
from training.gate import Verdict
from training.pieces import Cache
from training.prints import joined
from training.rails import Rule
from training.reliability import reliability_report
from training.scores import scores_of, series_table, side_by_side

_TABLE: Final = "parquet"
_RECORD: Final = "json"

Made = TypeVar("Made")


@dataclass(frozen=True)
class Kept:
    """Tables of backtests; each is made once, and kept where its backtest has a digest.

    Attributes:
        cache: where they are kept.
        prints: digests of the backtests by name (``training.prints.Prints.of``); one that is not among
            them is kept nowhere.
    """

    cache: Cache = field(default_factory=Cache)
    prints: Mapping[str, str] = field(default_factory=dict)

    def table(
        self, what: str, names: Sequence[str], make: Callable[[], pd.DataFrame], *told: Any
    ) -> pd.DataFrame:
        """The table ``what`` of the backtests ``names``.

        Args:
            told: JSON-ready, all else that it depends on.
        """
        key = self._key(what, names, told)
        if not key:
            return make()
        held = self.cache.read(key)
        if held is not None and set(held) == {_TABLE}:
            try:
                return pd.read_parquet(io.BytesIO(held[_TABLE].tobytes()))
            except (OSError, ValueError):
                pass  # damaged: it is made again
        made = make()
        payload = made.to_parquet(index=False)
        self.cache.write(key, {_TABLE: np.frombuffer(payload, dtype=np.uint8)})
        return made

    def verdict(self, names: Sequence[str], make: Callable[[], Verdict], *told: Any) -> Verdict:
        """The verdict over the backtests ``names``; ``told`` as for ``table``."""

        def read(record: Mapping[str, Any]) -> Verdict:
            return Verdict(**{**record, "rules": tuple(Rule(**rule) for rule in record["rules"])})

        return self._record("verdict", names, make, asdict, read, told)

    def dated(self, names: Sequence[str], make: Callable[[], DatedRecord], *told: Any) -> DatedRecord:
        """The record of dated targets over the backtests ``names``; ``told`` as for ``table``."""
        return self._record("dated", names, make, DatedRecord.as_record, DatedRecord.of_record, told)

    def _record(
        self,
        what: str,
        names: Sequence[str],
        make: Callable[[], Made],
        plain: Callable[[Made], dict[str, Any]],
        read: Callable[[Mapping[str, Any]], Made],
        told: Sequence[Any],
    ) -> Made:
        key = self._key(what, names, told)
        if not key:
            return make()
        held = self.cache.read(key)
        if held is not None and set(held) == {_RECORD}:
            try:
                return read(json.loads(held[_RECORD].tobytes()))
            except (ValueError, TypeError, KeyError):
                pass  # damaged: it is made again
        made = make()
        payload = json.dumps(plain(made)).encode()
        self.cache.write(key, {_RECORD: np.frombuffer(payload, dtype=np.uint8)})
        return made

    def of(self, *names: str) -> list[str]:
        """The digests of these backtests; empty if one has none."""
        return [self.prints[name] for name in names] if all(name in self.prints for name in names) else []

    def scores(self, tests: Mapping[str, Backtest]) -> pd.DataFrame:
        """``training.scores.scores_frame``."""
        return side_by_side(
            [self.table("scores", [name], lambda n=name, t=test: scores_of(n, t), name)  # type: ignore[misc]
             for name, test in tests.items()]
        )  # fmt: skip

    def series_table(self, name: str, test: Backtest) -> pd.DataFrame:
        """``training.scores.series_table``."""
        return self.table("series", [name], lambda: series_table(test))

    def reliability_report(self, name: str, test: Backtest, folds: Folds) -> pd.DataFrame:
        """``training.reliability.reliability_report``."""
        issued = [str(moment) for moment in folds.issued]
        return self.table("reliability", [name], lambda: reliability_report(test, folds), issued)

    def _key(self, what: str, names: Sequence[str], told: Sequence[Any]) -> str:
        prints = self.of(*names)
        return joined(what, prints, list(told)) if prints and self.cache.folder is not None else ""
