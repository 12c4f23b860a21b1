"""Bridges between boundaries: the ratio of two totals over the years both cover, with its spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri, stdtrit

from features.errors import AskError, DataError
from features.series.words import CLUSTER_ID, SCOPE

Float = npt.NDArray[np.float64]

# With fewer overlap years a ratio has no spread worth the name, and no forecast may cross on it.
FEWEST_OVERLAP: Final = 3
# Central share of a forecast for the ratio of another year.
LEVEL: Final = 0.8
_NODES: Final = 401
_TONNES_PER_MT: Final = 1e6


@dataclass(frozen=True)
class Bridge:
    """How tonnes of one boundary are read as tonnes of another, in one cluster.

    Attributes:
        cluster_id: the cluster.
        from_scope: scope of the series that is forecast ("eu-ets").
        to_scope: scope of the published total ("rotterdam-co2-registered").
        gas_scope: what the published total counts, in words.
        years: overlap years, sorted.
        ratios: published total ÷ own total of each of these years.
        evidence: of each published figure ("read", "derived", "recalled").
        later: (year, tCO2e) of the totals that were published of years after the newest own one.
    """

    cluster_id: str
    from_scope: str
    to_scope: str
    gas_scope: str
    years: tuple[int, ...]
    ratios: tuple[float, ...]
    evidence: tuple[str, ...]
    later: tuple[tuple[int, float], ...] = ()

    @property
    def ratio(self) -> float:
        """Geometric mean of the ratios."""
        return float(np.exp(np.log(self.ratios).mean()))

    @property
    def spread(self) -> float:
        """Standard deviation of the logarithm of the ratios; NaN with one year."""
        return float(np.std(np.log(self.ratios), ddof=1)) if len(self.ratios) > 1 else float("nan")

    @property
    def thin(self) -> bool:
        """Fewer overlap years than a spread needs."""
        return len(self.years) < FEWEST_OVERLAP

    def ratio_quantiles(self, probability: Float) -> Float:
        """Quantiles of the ratio of a year that was not seen: Student's t in the logarithm.

        Scale: spread × √(1 + 1/n), n - 1 degrees of freedom.

        Raises:
            AskError: the bridge is thin.
        """
        if self.thin:
            raise self._too_thin()
        n = len(self.ratios)
        scale = self.spread * np.sqrt(1 + 1 / n)
        return np.asarray(self.ratio * np.exp(scale * stdtrit(n - 1, probability)))

    def named(self) -> dict[str, Any]:
        """The bridge as JSON-ready fields: an answer that crosses it carries them."""
        low, high = (None, None)
        if not self.thin:
            low, high = map(float, self.ratio_quantiles(np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])))
        return {
            "cluster_id": self.cluster_id,
            "from_scope": self.from_scope,
            "to_scope": self.to_scope,
            "gas_scope": self.gas_scope,
            "ratio": self.ratio,
            "ratio_low": low,
            "ratio_high": high,
            "level": LEVEL * 100,
            "spread": None if np.isnan(self.spread) else self.spread,
            "years": list(self.years),
            "evidence": list(self.evidence),
        }

    def as_record(self) -> dict[str, Any]:
        """All of it, JSON-ready: what ``of_record`` reads."""
        later = [[year, total] for year, total in self.later]
        return {**self.named(), "ratios": list(self.ratios), "later": later}

    @staticmethod
    def of_record(record: Mapping[str, Any]) -> Bridge:
        """The bridge that ``as_record`` wrote."""
        return Bridge(
            cluster_id=str(record["cluster_id"]),
            from_scope=str(record["from_scope"]),
            to_scope=str(record["to_scope"]),
            gas_scope=str(record["gas_scope"]),
            years=tuple(map(int, record["years"])),
            ratios=tuple(map(float, record["ratios"])),
            evidence=tuple(map(str, record["evidence"])),
            later=tuple((int(year), float(total)) for year, total in record.get("later", ())),
        )

    def _too_thin(self) -> AskError:
        return AskError(
            "bridge-too-thin",
            found=f"{len(self.years)} years in which {self.from_scope} and {self.to_scope} overlap",
            expected=f"at least {FEWEST_OVERLAP} years",
            offenders=list(self.years),
            remedy="add published totals for more years, or read the forecast in its own boundary",
        )


def bridge(
    published: pd.DataFrame,
    own: pd.DataFrame,
    *,
    cluster: str,
    to_scope: str,
    from_scope: str,
    since: int = 0,
) -> Bridge:
    """The bridge from the total of ``from_scope`` to the published total of ``to_scope``.

    Only figures of exactly these scopes are used: a published series that changed its gases or its
    reach is two scopes, and one is never used for the other.

    Args:
        published: the reference table published_history (value_mt, million tonnes).
        own: cluster totals: cluster_id, year, scope_id, tco2e (see ``facilities.totals``).
        cluster: the cluster.
        to_scope: scope_id of the published total.
        from_scope: scope_id of the own total.
        since: first year to compare: that of the own series' last declared scope break.

    Raises:
        AskError: no published total of that scope (``scope-unknown``), or no common year
            (``bridge-without-overlap``).
        DataError: the published figures of one scope count unlike gases, or a total is not above zero.
    """
    theirs = published[(published[CLUSTER_ID] == cluster) & (published[SCOPE] == to_scope)]
    if theirs.empty:
        known = published.loc[published[CLUSTER_ID] == cluster, SCOPE].unique()
        raise AskError(
            "scope-unknown",
            found=f"scope {to_scope!r} for {cluster}",
            expected="one of " + (", ".join(map(str, known)) or "none: no total is published here"),
            remedy="ask for a scope from the list, or add the published totals",
        )
    gases = sorted(theirs["gas_scope"].unique())
    if len(gases) > 1:
        raise _mixed(cluster, to_scope, gases)
    mine = own[(own[CLUSTER_ID] == cluster) & (own[SCOPE] == from_scope) & (own["year"] >= since)]
    both = theirs.merge(mine[["year", "tco2e"]], on="year").sort_values("year")
    if both.empty:
        raise AskError(
            "bridge-without-overlap",
            found=f"{to_scope} in {_years(theirs)}, {from_scope} in {_years(mine)}",
            expected="at least one year in both",
            remedy="ingest newer records, or name a published scope that reaches back",
        )
    theirs_t, mine_t = (
        both["value_mt"].to_numpy(dtype=float) * _TONNES_PER_MT,
        both["tco2e"].to_numpy(dtype=float),
    )
    if not (np.isfinite(theirs_t * mine_t).all() and (theirs_t > 0).all() and (mine_t > 0).all()):
        raise _mixed(cluster, to_scope, ["a total that is not above zero"])
    ratios = theirs_t / mine_t
    years = tuple(int(year) for year in both["year"])
    after = theirs[theirs["year"] > mine["year"].max()].sort_values("year")
    later = zip(after["year"].astype(int), after["value_mt"].astype(float) * _TONNES_PER_MT, strict=True)
    return Bridge(
        cluster, from_scope, to_scope, str(gases[0]), years, tuple(map(float, ratios)),
        tuple(map(str, both["evidence"])), tuple((int(year), float(total)) for year, total in later),
    )  # fmt: skip


def cross_paths(paths: Float, scope: str, over: Bridge, rng: np.random.Generator) -> Float:
    """Sample paths (…, P) of scope ``scope``, tCO2e, read in the bridge's other scope.

    Each path draws one ratio and keeps it for all steps: what the boundary leaves out does not come and
    go from year to year, so sums over years stay lawful. Draws are stratified over the paths.

    Raises:
        AskError: the paths are of another scope (``bridge-of-another-scope``), or the bridge is thin.
    """
    _same_scope(scope, over)
    count = paths.shape[-1]
    strata = (rng.permutation(count) + rng.random(count)) / count
    return np.asarray(paths * over.ratio_quantiles(strata))


def cross_quantiles(values: Float, levels: Float, scope: str, over: Bridge) -> Float:
    """Quantiles (…, Q) at ``levels`` of scope ``scope``, tCO2e, read in the bridge's other scope.

    The forecast is taken as independent of the ratio. Between its quantiles it is interpolated in
    normal scores, beyond the outermost ones extended in the same way; no clock and no dice.

    Args:
        values: non-negative, non-decreasing along the last axis.
        levels: (Q,) two or more, increasing, in (0, 1).
        scope: of the forecast.
        over: the bridge.

    Raises:
        AskError: as ``cross_paths``.
    """
    _same_scope(scope, over)
    middles = (np.arange(_NODES) + 0.5) / _NODES
    ratio = over.ratio_quantiles(middles)
    score, at = ndtri(levels), ndtri(middles)
    flat = np.asarray(values, dtype=float).reshape(-1, len(levels))
    out = np.empty_like(flat)
    for k, row in enumerate(flat):
        products = np.sort(np.outer(np.maximum(_extended(at, score, row), 0.0), ratio), axis=None)
        out[k] = np.quantile(products, levels)
    return out.reshape(np.shape(values))


def _extended(at: Float, score: Float, row: Float) -> Float:
    inner = np.interp(at, score, row)
    slope_low = (row[1] - row[0]) / (score[1] - score[0])
    slope_high = (row[-1] - row[-2]) / (score[-1] - score[-2])
    inner = np.where(at < score[0], row[0] + slope_low * (at - score[0]), inner)
    return np.asarray(np.where(at > score[-1], row[-1] + slope_high * (at - score[-1]), inner))


def _same_scope(scope: str, over: Bridge) -> None:
    if scope != over.from_scope:
        raise AskError(
            "bridge-of-another-scope",
            found=f"a forecast of scope {scope}",
            expected=f"a forecast of scope {over.from_scope}, from which this bridge leads",
            remedy="name a bridge that begins at the scope of the forecast",
        )


def _mixed(cluster: str, scope: str, gases: list[str]) -> DataError:
    return DataError(
        "published-scope-mixed",
        found=f"{cluster} {scope}: {'; '.join(gases)}",
        expected="one gas scope, and totals above zero, in one published scope",
        remedy="give figures that count something else a scope_id of their own",
    )


def _years(frame: pd.DataFrame) -> str:
    years = frame["year"].astype(int)
    return f"{years.min()} to {years.max()}" if len(years) else "no year"
