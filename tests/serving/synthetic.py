"""A small champion without training: three clusters, two schemes, figures that are easy to check."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.series.cadence import YEAR
from features.series.panel import Dense, Panel
from serving.pack import publish
from serving.written import Evidence, write_pack

Float = npt.NDArray[np.float64]

NOW: Final = datetime(2026, 11, 23, 20, 45, 1, tzinfo=UTC)
VERSION: Final = "2026-11-23T204501Z-3fa94c1d"
STEPS: Final = 30
PATHS: Final = 200
# (series, first year, last year, first figure)
SERIES: Final = (
    ("aa-north/power", 2010, 2022, 5e6),
    ("aa-north/steel", 2012, 2022, 2e6),
    ("aa-north/glass", 2010, 2015, 1e5),
    ("bb-south/power", 2010, 2024, 3e6),
    ("AA/power", 2005, 2022, 9e7),
)
SCOPE: Final = {"aa": "eu-ets", "bb": "uk-ets", "AA": "eu-ets"}


@dataclass(frozen=True)
class Fake:
    """A champion whose paths are the last figure, falling by a tenth a step, times a random factor.

    ``broken`` series get NaN paths.
    """

    name: str = "blend"
    scale: float = 1.0
    broken: tuple[str, ...] = ()

    @property
    def recipe(self) -> Any:
        return SimpleNamespace(name=self.name, as_record=lambda: {"name": self.name, "members": ["naive"]})

    def paths(self, history: Dense, steps: int, count: int, seed: int) -> Float:
        rng = np.random.default_rng(seed)
        factor = np.exp(0.2 * rng.standard_normal((len(history.ids), steps, count)))
        last = history.y[np.arange(len(history.ids)), history.lengths - 1]
        fall = 0.9 ** np.arange(1, steps + 1)
        drawn = self.scale * last[:, None, None] * fall[None, :, None] * factor
        drawn[[name in self.broken for name in history.ids]] = np.nan
        return np.asarray(drawn)


@dataclass(frozen=True)
class Figures:
    """Stands in for a SeriesSet."""

    frame: pd.DataFrame
    gone: tuple[str, ...] = ("aa-north/glass",)

    @property
    def vintages(self) -> Any:
        return SimpleNamespace(frame=self.frame)

    def data_hash(self) -> str:
        return "f" * 64

    def ended(self, t: pd.Timestamp) -> pd.DataFrame:
        return pd.DataFrame(
            {"unique_id": self.gone, "reason": "no figure after 2015", "remedy": "send your own history"}
        )


def figures() -> tuple[Dense, Figures]:
    """The history as arrays and its set."""
    rows = [
        (name, f"{year}-01-01", start * 0.97 ** (year - first), SCOPE[name[:2]])
        for name, first, last, start in SERIES
        for year in range(first, last + 1)
    ]
    frame = pd.DataFrame(rows, columns=["unique_id", "ds", "y", "source"])
    ids = [name for name, *_ in SERIES]
    traits = pd.DataFrame(
        {
            "kind": ["context" if name[0].isupper() else "sector" for name in ids],
            "cluster_id": ["" if name[0].isupper() else name.split("/")[0] for name in ids],
            "sector": [name.split("/")[1] for name in ids],
            "scope_id": [SCOPE[name[:2]] for name in ids],
        },
        index=pd.Index(ids, name="unique_id"),
    )
    return Panel.of(frame[["unique_id", "ds", "y"]], YEAR, traits).dense, Figures(frame)


def registry() -> Any:
    """Three clusters, one of them without series."""
    clusters = pd.DataFrame(
        {
            "cluster_id": ["aa-north", "bb-south", "cc-east"],
            "name": ["North <Port>", "South Açu", "East"],
            "country": ["AA", "BB", "CC"],
            "lat": [51.9, 40.0, np.nan],
            "lon": [4.1, -3.0, np.nan],
            "baseline_year": pd.array([2016, None, None], dtype="Int64"),
        }
    )
    targets = pd.DataFrame(
        {
            "target_id": ["aa-north-2030-percent", "aa-north-2030-percent-other", "bb-south-2040-net-zero"],
            "cluster_id": ["aa-north", "aa-north", "bb-south"],
            "kind": ["percent", "percent", "net-zero"],
            "value": [55.0, 30.0, 0.0],
            "base_year": pd.array([2012, None, None], dtype="Int64"),
            "base_value_mt": [np.nan, np.nan, np.nan],
            "target_year": pd.array([2030, 2030, 2040], dtype="Int64"),
            "scope": ["", "CO2 of the low-carbon zone", ""],
            "scope_id": ["", "", ""],
            "pledged_by": ["cluster", "cluster", "region"],
            "in_force": [True, False, True],
            "source": ["https://example.org/a", "https://example.org/b", "https://example.org/c"],
            "evidence": ["read", "read", "read"],
            "note": ["", "", ""],
        }
    )
    projects = pd.DataFrame({"cluster_id": ["bb-south"], "project": ["Store"], "capacity": [np.nan]})
    sources = pd.DataFrame(
        {"source_id": ["eu-ets", "uk-ets"], "title": ["EU ETS", "UK ETS"], "publisher": ["EC", "HMG"],
         "licence": ["CC BY 4.0", ""]}
    )  # fmt: skip
    absent = pd.DataFrame(
        {"cluster_id": ["cc-east"], "code": ["no-public-facility-series"], "reason": ["no public record"],
         "remedy": ["send your own history"]}
    )  # fmt: skip
    return SimpleNamespace(
        clusters=clusters, targets=targets, projects=projects, sources=sources, absent_series=absent
    )


@dataclass(frozen=True)
class Kit:
    """All that a pack is made from; change a part with ``replace``."""

    champion: Fake = field(default_factory=Fake)
    version: str = VERSION

    def write(self, store: Path, **changes: Any) -> Path:
        """Write the pack."""
        dense, series_set = figures()
        wanted: dict[str, Any] = {
            "store": store,
            "model_version": self.version,
            "fitted": self.champion,
            "naive": lambda: replace(self.champion, name="naive", scale=2.0, broken=()),
            "history": dense,
            "series_set": series_set,
            "reference": registry(),
            "created_at": NOW,
            "evidence": Evidence(
                scores=[{"forecaster": "blend", "metric": "mase", "param": "", "value": 0.9, "n": 12}],
                verdict={"decision": "promote", "sentence": "better than naive"},
                git_commit="0" * 40,
            ),
            "steps": STEPS,
            "paths": PATHS,
        }
        return write_pack(**{**wanted, **changes})

    def publish(self, store: Path, **changes: Any) -> Path:
        """Write the pack and point serving to it."""
        pack = self.write(store, **changes)
        publish(store, pack)
        return pack
