"""A champion with everything beside it: plants, the figures it was trained on, and its track record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
import pandas as pd

from features.series.basis import PLACES, Basis
from features.series.basis_files import write_basis
from features.series.build import SeriesSet
from features.series.cadence import YEAR
from features.series.panel import Dense, Panel
from features.series.quality import CARD
from features.series.vintages import Vintages
from models.dated import DatedRecord, Recalibration
from models.past_fans import FAN_COLUMNS, FAN_QUANTILES, PastFans
from models.track_record import TrackRecord
from tests.serving.synthetic import SCOPE, SERIES, Fake, Figures, Kit

PLANTS: Final = (
    ("aa-north/steel/mill", 2012, 2022, 1.5e6),
    ("aa-north/steel/forge", 2012, 2022, 2e5),
    ("AA/power/=cmd", 2014, 2022, 3e5),
)
# What was restated: (series, year) -> (value, known at)
RESTATED: Final = {("aa-north/power", 2020): (1e6, "2023-05-05")}


@dataclass(frozen=True)
class Outlooker(Fake):
    """A Fake that can also say the quantiles of plants."""

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Any:
        paths = self.paths(history, steps, 300, 7)
        values = np.moveaxis(np.quantile(paths, levels, axis=2), 0, 2)
        return SimpleNamespace(mean=paths.mean(axis=2), values=values)


def rows() -> pd.DataFrame:
    """Vintages of every series: each figure known in April after its year, one restated later."""
    told = []
    for name, first, last, start in (*SERIES, *PLANTS):
        for year in range(first, last + 1):
            y, source = start * 0.97 ** (year - first), SCOPE[name[:2]]
            told.append((name, f"{year}-01-01", f"{year + 1}-04-01", y, source, "by-rule"))
            if (name, year) in RESTATED:
                value, known = RESTATED[name, year]
                told.append((name, f"{year}-01-01", known, value, source, "recorded"))
    return pd.DataFrame(told, columns=["unique_id", "ds", "known_at", "y", "source", "flag"])


def traits() -> pd.DataFrame:
    names = [name for name, *_ in (*SERIES, *PLANTS)]
    kinds = [
        "plant" if name.count("/") == 2 else "context" if name[0].isupper() else "sector" for name in names
    ]
    return pd.DataFrame(
        {
            "kind": kinds,
            "area": [name.split("/")[0] for name in names],
            "cluster_id": ["" if name[0].isupper() else name.split("/")[0] for name in names],
            "country": "AA",
            "sector": [name.split("/")[1] for name in names],
            "scope_id": [SCOPE[name[:2]] for name in names],
        },
        index=pd.Index(names, name="unique_id"),
    )


def basis() -> Basis:
    breaks = pd.DataFrame(
        {"unique_id": ["aa-north/power"], "ds": pd.to_datetime(["2013-01-01"]), "break_id": ["eu-ets-2013"]}
    )
    return Basis(
        series=SeriesSet(
            Vintages.of(rows(), YEAR), traits(), breaks, {"eu-ets": "eu-ets", "uk-ets": "uk-ets"}
        ),
        totals=pd.DataFrame(
            {"cluster_id": ["aa-north"], "year": [2022], "scope_id": ["eu-ets"], "tco2e": [1]}
        ),
        quality=pd.DataFrame(columns=list(CARD), index=pd.Index([], name="unique_id")),
        places=pd.DataFrame(columns=list(PLACES)),
        names={},
        origin={"figures": "lake", "snapshots": ["eutl/0123456789abcdef.1"]},
    )


def track() -> TrackRecord:
    """Of aa-north/power alone, and of its kind; the second step was never judged."""
    nan = float("nan")
    series = pd.DataFrame(
        [
            ("baseline", "aa-north/power", "sector", 10, 2, 5, 1.0, 0.4, 0.7, 0.9),
            ("challenger", "aa-north/power", "sector", 10, 2, 5, 0.8, 0.3, 0.8, 1.0),
            ("challenger", "bb-south/power", "sector", 0, 4, 0, nan, nan, nan, nan),
        ],
        columns=[
            "role",
            "unique_id",
            "kind",
            "n",
            "n_missing",
            "folds",
            "mase",
            "sql",
            "coverage_80",
            "coverage_95",
        ],
    )
    steps = pd.DataFrame(
        [("challenger", "sector", step, 20, 0.9, 0.35, 0.8, 0.95) for step in (0, 1)]
        + [("baseline", "sector", 0, 20, 1.1, 0.5, 0.8, 0.95)],
        columns=["role", "kind", "step", "n", "mase", "sql", "coverage_80", "coverage_95"],
    )
    facts = {
        "names": {"challenger": "blend", "baseline": "naive"}, "issued": ["2020-06-15", "2021-06-15"],
        "as_of": "2026-11-23T00:00:00Z", "steps": 2, "plan": "annual", "plan_fingerprint": "abc",
        "verdict_id": "v1",
    }  # fmt: skip
    return TrackRecord(series, steps, facts)


def fans() -> PastFans:
    """Of aa-north/power at two cutoffs; what came true of the last step is not known."""
    rows = [
        ("aa-north/power", f"{year + 2}-06-15", f"{year}-01-01", f"{year + step}-01-01", step,
         *(year + step + q for q in FAN_QUANTILES), float("nan") if (year, step) == (2020, 2) else 7.0)
        for year in (2020, 2019) for step in (1, 2)
    ]  # fmt: skip
    return PastFans(pd.DataFrame(rows, columns=list(FAN_COLUMNS)))


def dated() -> DatedRecord:
    """Chances of sectors that claim too much."""
    draws = np.array([[0.5, 0.5, 0.0], [0.7, 0.7, 0.2]])
    map_ = Recalibration({"": (0.6, 0.6, 0.1), "sector": (0.6, 0.6, 0.1)}, {"sector": draws}, {})
    return DatedRecord(map_, {"scores": [{"kind": "sector", "n": 40, "brier": 0.1}]})


def model_folder(place: Path) -> Path:
    """What a retrain leaves beside a model, without the model."""
    place.mkdir(parents=True)
    write_basis(basis(), place)
    track().write(place)
    fans().write(place)
    dated().write(place)
    return place


def publish_whole(store: Path, scratch: Path, **changes: Any) -> Path:
    """Publish a pack with plants, figures and track record; its folder."""
    frame = rows().drop_duplicates(["unique_id", "ds"], keep="last")[["unique_id", "ds", "y", "source"]]
    told = traits()[["kind", "cluster_id", "sector", "scope_id"]]
    dense = Panel.of(frame[["unique_id", "ds", "y"]], YEAR, told).dense
    wanted = {
        "history": dense,
        "series_set": Figures(frame),
        "model_folder": model_folder(scratch / "model"),
        "naive": lambda: Outlooker(name="naive", scale=2.0),
    }
    return Kit(champion=Outlooker()).publish(store, **{**wanted, **changes})
