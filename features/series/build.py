"""From facility sums to the series of the house: cluster sectors, context sectors, scope breaks."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from features.instants import naive_utc
from features.reference.tables import Reference
from features.series.cadence import YEAR
from features.series.panel import Dense, Panel
from features.series.vintages import Vintages
from features.series.words import DS, KNOWN_AT, SOURCE, UNIQUE_ID, Y
from features.sources.embedded import rows

TRAITS: Final = ("kind", "area", "cluster_id", "country", "sector", "scope_id")
_AT_ONCE: Final = 1 << 16
_EVERYTHING: Final = pd.Timestamp("2262-01-01")


@dataclass(frozen=True)
class SeriesSet:
    """All annual series with their vintages, static traits and declared scope breaks.

    Attributes:
        vintages: the figures and when each became known.
        traits: index unique_id; kind ("sector" of a cluster, "context" of a country or state), area,
            cluster_id ("" for context), country, sector, scope_id of the newest figure.
        breaks: unique_id, ds, break_id; ds is the first instant of the first year under the new scope,
            whether or not the series has a figure for it.
        scope_of_source: source -> scope_id.
    """

    vintages: Vintages
    traits: pd.DataFrame
    breaks: pd.DataFrame
    scope_of_source: dict[str, str]

    def as_of(self, t: pd.Timestamp) -> Dense:
        """What was known at ``t`` as dense arrays, ``breaks`` marked, scope_id as it was then.

        A break is marked at the first figure under the new scope, never in column 0.
        """
        known = self.vintages.known(t)
        newest = known.drop_duplicates(UNIQUE_ID, keep="last").set_index(UNIQUE_ID)[SOURCE]
        traits = self.traits.assign(scope_id=newest.map(self.scope_of_source).reindex(self.traits.index))
        traits = traits.loc[newest.index]
        dense = Panel.of(known[[UNIQUE_ID, DS, Y]], self.vintages.cadence, traits).dense
        return replace(dense, breaks=_marked(dense, self.breaks))

    def until(self, t: pd.Timestamp) -> SeriesSet:
        """Only what was known at ``t``, for whoever must not see, nor hash, what came later."""
        frame = self.vintages.frame
        known = frame[frame[KNOWN_AT] <= naive_utc(t)]
        if len(known) == len(frame):
            return self
        names = known[UNIQUE_ID].unique()
        return replace(
            self,
            vintages=Vintages.of(known, self.vintages.cadence),
            traits=self.traits.loc[self.traits.index.isin(names)],
            breaks=self.breaks[self.breaks[UNIQUE_ID].isin(names)].reset_index(drop=True),
        )

    def ended(self, t: pd.Timestamp) -> pd.DataFrame:
        """Series whose newest figure at ``t`` is older than the newest of their area.

        Returns unique_id, last_ds, area_last_ds, reason, remedy. These are not forecast and count as
        nothing in totals after last_ds; their history stays in ``as_of``.
        """
        last = self.vintages.as_of(t).dropna(subset=[Y]).groupby(UNIQUE_ID)[DS].max()
        area = self.traits["area"].reindex(last.index)
        newest = last.groupby(area).transform("max")
        over = pd.DataFrame({UNIQUE_ID: last.index, "last_ds": last, "area_last_ds": newest})
        over = over[last < newest].reset_index(drop=True)
        years = over["last_ds"].dt.year, over["area_last_ds"].dt.year
        over["reason"] = [_reason(int(own), int(all_)) for own, all_ in zip(*years, strict=True)]
        over["remedy"] = "send your own history for it if it still emits; otherwise nothing is missing"
        return over

    def data_hash(self) -> str:
        """SHA-256 over the sorted figures, as hexadecimal: equal figures, equal hash."""
        frame = self.vintages.frame
        digest = hashlib.sha256()
        for column in frame.columns:
            values = frame[column]
            if column in (DS, KNOWN_AT):
                digest.update(values.to_numpy(dtype="datetime64[ns]").astype("<i8").tobytes())
            elif column == Y:
                digest.update(values.to_numpy(dtype="<f8").tobytes())
            else:
                for first in range(0, len(values), _AT_ONCE):
                    joint = "\n" if first else ""
                    told = values.iloc[first : first + _AT_ONCE].tolist()
                    digest.update((joint + "\n".join(told)).encode())
            digest.update(b"\0")
        return digest.hexdigest()


def embedded(reference: Reference) -> SeriesSet:
    """The series set of the embedded figures, annual, tCO2e."""
    vintages = Vintages.of(rows(reference), YEAR)
    scopes = {str(r.source_id): str(r.scope_id) for r in reference.publication.itertuples()}
    traits = _traits(reference, vintages, scopes)
    return SeriesSet(
        vintages=vintages,
        traits=traits,
        breaks=_declared(reference.scope_breaks, vintages, traits, scopes),
        scope_of_source=scopes,
    )


def _traits(reference: Reference, vintages: Vintages, scopes: dict[str, str]) -> pd.DataFrame:
    figures = reference.sector_emissions
    known = figures.assign(**{UNIQUE_ID: figures["area"] + "/" + figures["sector"]})
    known = known.drop_duplicates(UNIQUE_ID).set_index(UNIQUE_ID).sort_index()
    country = reference.clusters.set_index("cluster_id")["country"]
    cluster = known["kind"] == "cluster"
    newest = vintages.known(_EVERYTHING).drop_duplicates(UNIQUE_ID, keep="last").set_index(UNIQUE_ID)
    return pd.DataFrame(
        {
            "kind": np.where(cluster, "sector", "context"),
            "area": known["area"],
            "cluster_id": known["area"].where(cluster, ""),
            "country": known["area"].map(country).where(cluster, known["area"].str.slice(0, 2)),
            "sector": known["sector"],
            "scope_id": newest[SOURCE].map(scopes).reindex(known.index),
        },
        columns=list(TRAITS),
        index=known.index,
    )


def _declared(
    breaks: pd.DataFrame, vintages: Vintages, traits: pd.DataFrame, scopes: dict[str, str]
) -> pd.DataFrame:
    """One row a series and break it lives through: figures before it, and figures under its scheme after."""
    frame = vintages.frame
    scheme = frame[SOURCE].map(scopes)
    first = frame.groupby(UNIQUE_ID)[DS].min()
    found = []
    for row in breaks.itertuples():
        begin = pd.Timestamp(year=int(str(row.from_year)), month=1, day=1)
        after = frame.loc[(frame[DS] >= begin) & (scheme == row.scheme), UNIQUE_ID].unique()
        mine = traits.loc[after]
        mine = mine[_named(mine["country"], str(row.applies_to)) & _named(mine["sector"], str(row.sectors))]
        names = mine.index[(first.loc[mine.index] < begin).to_numpy()]
        found.append(pd.DataFrame({UNIQUE_ID: names, DS: begin, "break_id": str(row.break_id)}))
    joined = pd.concat(found, ignore_index=True)
    return joined.astype({DS: "datetime64[ns]"}).sort_values([UNIQUE_ID, DS, "break_id"], ignore_index=True)


def _named(values: pd.Series, cell: str) -> pd.Series:
    return pd.Series(data=True, index=values.index) if cell == "all" else values.isin(cell.split(";"))


def _marked(dense: Dense, breaks: pd.DataFrame) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    marked = np.zeros(dense.shape, dtype=bool)
    mine = breaks[breaks[UNIQUE_ID].isin(dense.row)]
    rows_ = np.array([dense.row[name] for name in mine[UNIQUE_ID]], dtype=np.int64)
    begin = dense.cadence.ordinal(mine[DS].to_numpy()) - dense.starts[rows_]
    columns = np.arange(dense.shape[1])[None, :]
    present = np.isfinite(dense.y[rows_]) & (columns >= begin[:, None])
    at = present.argmax(axis=1)
    real = present.any(axis=1) & (at > 0) & (begin > 0)
    marked[rows_[real], at[real]] = True
    return marked


def _reason(last: int, area: int) -> str:
    return (
        f"no figure after {last} while its area has figures to {area}: "
        "the plants closed, left the scheme, or could not be matched"
    )
