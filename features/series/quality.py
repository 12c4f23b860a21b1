"""The score card of a series: how far its figures can be relied on, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.instants import naive_utc
from features.series.build import SeriesSet
from features.series.cadence import Cadence
from features.series.facilities import SUMS
from features.series.words import DS, SOURCE, UNIQUE_ID, Y

Float = npt.NDArray[np.float64]

VERIFIED, REPORTED, ESTIMATED, UNGRADED = "verified", "reported", "estimated", "ungraded"
# By the first words of a scope: checked by an accredited verifier; reported by the operator and checked
# by the agency; worked out from activity or satellite data.
GRADES: Final[Mapping[str, str]] = {
    "eu-ets": VERIFIED,
    "uk-ets": VERIFIED,
    "us-ghgrp": REPORTED,
    "climate-trace": ESTIMATED,
}
CARD: Final = (
    "source", "source_grade", "periods", "completeness", "age_days", "breaks", "share_imputed",
    "contributors", "agreement", "agreement_years", "agreement_with",
)  # fmt: skip
_FROM_BEST: Final = (VERIFIED, REPORTED, ESTIMATED, UNGRADED)
_DAY: Final = np.timedelta64(1, "D")


def grade(scope: str) -> str:
    """The grade of a scope's source: "verified", "reported", "estimated" or "ungraded"."""
    return next((word for start, word in GRADES.items() if scope.startswith(start)), UNGRADED)


def cards(
    series: SeriesSet,
    t: pd.Timestamp,
    *,
    summed: pd.DataFrame | None = None,
    agreement: pd.DataFrame | None = None,
    imputed: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """One card a series, as known at ``t``; index unique_id, columns ``CARD``.

    * completeness: periods with a figure ÷ periods from the first figure to the newest of its area, so
      that a series which ended early is not called complete.
    * age_days: days from the end of the period of the newest figure to ``t``.
    * source, source_grade: of the newest figure.
    * breaks: declared scope breaks between its first and its newest figure.
    * share_imputed: share of its periods filled by repair (``imputed``); of estimated sources, all.
    * contributors: facilities in the newest figure (<NA> where not told).
    * agreement: median ratio of the larger to the smaller of two sources, minus one, over the years
      both cover; NaN where no other source is held. agreement_years says how many, agreement_with which.

    A card widens no band and changes no forecast: it travels beside it.

    Args:
        series: the series and their vintages.
        t: the instant.
        summed: ``facilities.sums`` at ``t``, for the contributors.
        agreement: see ``compared``.
        imputed: share by unique_id of what repair filled, 0 where absent.
    """
    known = series.vintages.known(naive_utc(t)).dropna(subset=[Y])
    cadence = series.vintages.cadence
    newest = known.drop_duplicates(UNIQUE_ID, keep="last").set_index(UNIQUE_ID)
    spans = known.groupby(UNIQUE_ID)[DS].agg(["min", "max", "size"])
    first, last = (cadence.ordinal(spans[edge].to_numpy(dtype="datetime64[ns]")) for edge in ("min", "max"))
    area = series.traits["area"].reindex(spans.index)
    reach = pd.Series(last, index=spans.index).groupby(area).transform("max").to_numpy()
    scope = newest[SOURCE].map(series.scope_of_source).reindex(spans.index)
    grades = scope.map(grade)
    filled = pd.Series(dict(imputed or {}), dtype=float).reindex(spans.index).fillna(0.0)
    card = pd.DataFrame(
        {
            "source": scope,
            "source_grade": grades,
            "periods": spans["size"],
            "completeness": spans["size"] / (reach - first + 1),
            "age_days": _age(last, cadence, t),
            "breaks": _breaks(series.breaks, spans),
            "share_imputed": filled.where(grades != ESTIMATED, 1.0),
            "contributors": _contributors(series.traits, newest, summed),
        },
        index=spans.index,
    )
    return card.join(_agreed(agreement, spans.index)).loc[:, list(CARD)]


def aged(card: pd.DataFrame, series: SeriesSet, t: pd.Timestamp) -> pd.DataFrame:
    """The ``cards`` of ``series`` at ``t``, from those of an instant at which all that ``t`` knows was known:
    time passes for their age alone."""
    known = series.vintages.known(naive_utc(t)).dropna(subset=[Y])
    cadence, newest = series.vintages.cadence, known.groupby(UNIQUE_ID)[DS].max().reindex(card.index)
    last = cadence.ordinal(newest.to_numpy(dtype="datetime64[ns]"))
    return card.assign(age_days=_age(last, cadence, t))


def compared(one: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """How well two tables of sums agree where both have a figure of one sector and year.

    Args:
        one: area, sector, year, tco2e, source of the series (see ``facilities.sums``).
        other: the same columns of another source or scope.

    Returns:
        index unique_id; agreement, agreement_years, agreement_with (see ``cards``).
    """
    need = [name for name in SUMS if name not in ("kind", "installations")]
    key = ["area", "sector", "year"]
    both = one[need].merge(other[need], on=key, suffixes=("", "_other"))
    both = both[(both["tco2e"] > 0) & (both["tco2e_other"] > 0) & (both[SOURCE] != both[f"{SOURCE}_other"])]
    gap = np.abs(np.log(both["tco2e"].astype(float) / both["tco2e_other"].astype(float)))
    rows = both.assign(gap=gap, **{UNIQUE_ID: both["area"] + "/" + both["sector"]})
    told = rows.groupby(UNIQUE_ID).agg(
        agreement=("gap", "median"),
        agreement_years=("gap", "size"),
        agreement_with=(f"{SOURCE}_other", "last"),
    )
    return told.assign(agreement=np.expm1(told["agreement"]))


def of_total(parts: pd.DataFrame, weights: Mapping[str, float]) -> dict[str, Any]:
    """The card of a sum as JSON-ready fields, from the cards of its parts.

    Weighted by the parts' newest figures: completeness and share_imputed. The worst of the parts:
    source_grade, age_days, breaks. Added: contributors (None where one is not told). periods is that of
    the longest part. No agreement: it is told of the parts alone.

    Args:
        parts: rows of ``cards``, one or more.
        weights: unique_id -> tCO2e of the newest figure.
    """
    shares = np.array([max(weights.get(str(name), 0.0), 0.0) for name in parts.index])
    shares = shares / shares.sum() if shares.sum() > 0 else np.full(len(parts), 1 / len(parts))
    counted = parts["contributors"]
    return {
        "source": " + ".join(sorted(set(parts["source"].astype(str)))),
        "source_grade": max(parts["source_grade"], key=_FROM_BEST.index),
        "periods": int(parts["periods"].max()),
        "completeness": float(shares @ parts["completeness"].to_numpy(dtype=float)),
        "age_days": int(parts["age_days"].max()),
        "breaks": int(parts["breaks"].max()),
        "share_imputed": float(shares @ parts["share_imputed"].to_numpy(dtype=float)),
        "contributors": None if counted.isna().any() else int(counted.sum()),
        "agreement": None,
        "agreement_years": 0,
        "agreement_with": "",
    }


def of_own(y: Float, source: str) -> dict[str, Any]:
    """The card of rows that a caller sent, (T,) from the first to the newest: what can be said of them."""
    held = np.isfinite(y)
    return {
        **dict.fromkeys(CARD),
        "source": source,
        "source_grade": UNGRADED,
        "periods": int(held.sum()),
        "completeness": float(held.mean()) if len(y) else 0.0,
        "agreement_years": 0,
        "agreement_with": "",
    }


def as_records(cards: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """unique_id -> its row of ``cards`` as JSON-ready fields; what is not known is None."""
    names = [str(name) for name in cards.columns]
    told = [_plain(cards[name]) for name in cards.columns]
    rows = zip(*told, strict=True) if told else [()] * len(cards)
    return {
        str(unique_id): dict(zip(names, row, strict=True))
        for unique_id, row in zip(cards.index, rows, strict=True)
    }


def _plain(column: pd.Series) -> list[Any]:
    """Python values, None for what is missing."""
    values, missing = column.tolist(), column.isna().tolist()
    return [
        None if gone else (value.item() if isinstance(value, np.generic) else value)
        for value, gone in zip(values, missing, strict=True)
    ]


def _age(last: npt.NDArray[np.int64], cadence: Cadence, t: pd.Timestamp) -> npt.NDArray[np.int64]:
    """(B,) days from the end of each one's last period to ``t``."""
    return np.asarray((naive_utc(t).to_datetime64() - cadence.instant(last + 1)) // _DAY)


def _breaks(breaks: pd.DataFrame, spans: pd.DataFrame) -> pd.Series:
    own = breaks[breaks[UNIQUE_ID].isin(spans.index)]
    begin, end = own[UNIQUE_ID].map(spans["min"]), own[UNIQUE_ID].map(spans["max"])
    inside = own[(own[DS] > begin) & (own[DS] <= end)]
    return inside.groupby(UNIQUE_ID).size().reindex(spans.index).fillna(0).astype("int64")


def _contributors(traits: pd.DataFrame, newest: pd.DataFrame, summed: pd.DataFrame | None) -> pd.Series:
    empty = pd.Series(pd.NA, index=newest.index, dtype="Int64")
    empty[traits["kind"].reindex(newest.index) == "plant"] = 1
    if summed is None:
        return empty
    name = summed["area"] + "/" + summed["sector"]
    key = pd.MultiIndex.from_arrays([name, summed["year"].astype("int64")])
    count = pd.Series(summed["installations"].to_numpy(dtype="int64"), index=key)
    asked = pd.MultiIndex.from_arrays([newest.index, newest[DS].dt.year.astype("int64")])
    told = pd.Series(count.reindex(asked).to_numpy(), index=newest.index).astype("Int64")
    return told.fillna(empty)


def _agreed(agreement: pd.DataFrame | None, index: pd.Index) -> pd.DataFrame:
    told = agreement if agreement is not None else pd.DataFrame(columns=list(CARD[-3:]))
    filled = told.reindex(index)
    return filled.assign(
        agreement=filled["agreement"].astype(float),
        agreement_years=filled["agreement_years"].fillna(0).astype("int64"),
        agreement_with=filled["agreement_with"].fillna("").astype(str),
    )
