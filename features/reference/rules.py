"""Rules between rows and between tables: what one cell alone cannot show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pandas as pd

from features.errors import DataError
from features.reference.targets import check_targets

Frames = Mapping[str, pd.DataFrame]
CITATION_MARK: Final = " | "
_OF_CLUSTERS: Final = (
    "boundaries", "targets", "claims", "projects", "published_history", "absent_series",
)  # fmt: skip


def check_all(frames: Frames) -> None:
    """Run every rule over the typed tables.

    Raises:
        DataError: the first rule broken, naming file and line.
    """
    rules: tuple[Callable[[Frames], None], ...] = (
        _sources_are_known,
        _clusters_are_known,
        _areas_are_known,
        _boxes_have_room,
        _every_cluster_is_answered,
        _publication_covers,
        _breaks_name_what_exists,
        _ranges_hold,
        check_targets,
    )
    for rule in rules:
        rule(frames)


def refuse(code: str, table: str, lines: Iterable[int], what: pd.Series, expected: str, remedy: str) -> None:
    """Raise a DataError if there is any guilty line; ``what`` says per row what was found."""
    guilty = list(lines)
    if guilty:
        raise DataError(
            code,
            found=f"{len(guilty)} rows of {table}.csv",
            expected=expected,
            offenders=[f"{table}.csv line {i + 2}: {what[i]}" for i in guilty],
            remedy=remedy,
        )


def _where(mask: pd.Series) -> list[int]:
    return [int(i) for i in mask.index[mask.fillna(value=False).astype(bool)]]


def _sources_are_known(frames: Frames) -> None:
    known = set(frames["sources"]["source_id"])
    for table, frame in frames.items():
        if "source" in frame.columns:
            cited = frame["source"].drop_duplicates()
            wrong = {cell for cell in cited if not known.issuperset(cell.split(CITATION_MARK))}
            refuse(
                "reference-source-unknown", table, _where(frame["source"].isin(wrong)), frame["source"],
                "sources that sources.csv lists", "add the source to sources.csv, or correct the citation",
            )  # fmt: skip


def _clusters_are_known(frames: Frames) -> None:
    known = frames["clusters"]["cluster_id"]
    for table in _OF_CLUSTERS:
        frame = frames[table]
        refuse(
            "reference-cluster-unknown", table, _where(~frame["cluster_id"].isin(known)), frame["cluster_id"],
            "clusters that clusters.csv lists", "correct the cluster_id, or add the cluster",
        )  # fmt: skip


def _areas_are_known(frames: Frames) -> None:
    frame = frames["sector_emissions"]
    area, kind = frame["area"], frame["kind"]
    unknown = (kind == "cluster") & ~area.isin(frames["clusters"]["cluster_id"])
    unknown |= (kind == "country") & ~area.str.fullmatch("[A-Z]{2}")
    unknown |= (kind == "state") & ~area.str.fullmatch("US-[A-Z]{2}")
    refuse(
        "reference-area-unknown", "sector_emissions", _where(unknown), area,
        "a cluster_id, a country code such as NL, or a state such as US-TX, as kind says",
        "correct the area or the kind",
    )  # fmt: skip


def _boxes_have_room(frames: Frames) -> None:
    frame = frames["boundaries"]
    flat = (frame["west"] >= frame["east"]) | (frame["south"] >= frame["north"])
    refuse(
        "reference-box-empty", "boundaries", _where(flat), frame["box_id"],
        "west below east and south below north", "swap the edges",
    )  # fmt: skip


def _every_cluster_is_answered(frames: Frames) -> None:
    clusters = frames["clusters"]["cluster_id"]
    rows = frames["sector_emissions"]
    with_series = set(rows.loc[rows["kind"] == "cluster", "area"])
    absent = set(frames["absent_series"]["cluster_id"])
    both = [name in with_series and name in absent for name in clusters]
    neither = [name not in with_series and name not in absent for name in clusters]
    refuse(
        "reference-cluster-unanswered", "clusters",
        _where(pd.Series(both) | pd.Series(neither)), clusters,
        "every cluster either with figures in sector_emissions.csv or listed in absent_series.csv, not both",
        "add its figures, or the reason why it has none",
    )  # fmt: skip


def _publication_covers(frames: Frames) -> None:
    rules, rows = frames["publication"], frames["sector_emissions"]
    dates = pd.to_datetime(
        {"year": 2023, "month": rules["month"].astype(int), "day": rules["day"].astype(int)}, errors="coerce"
    )
    refuse(
        "reference-date", "publication", _where(dates.isna()), rules["day"].astype(str),
        "a day that its month has", "correct month and day",
    )  # fmt: skip
    first = rules.groupby("source_id")["from_year"].min()
    covered = rows["source"].map(first)
    refuse(
        "reference-unpublished", "sector_emissions", _where(covered.isna() | (rows["year"] < covered)),
        rows["source"] + " " + rows["year"].astype(str),
        "a source and year for which publication.csv has a rule", "add the publication rule of that source",
    )  # fmt: skip


def _breaks_name_what_exists(frames: Frames) -> None:
    breaks, rows = frames["scope_breaks"], frames["sector_emissions"]
    schemes = set(frames["publication"]["scope_id"])
    countries = set(frames["clusters"]["country"]) | set(rows.loc[rows["kind"] == "country", "area"])
    sectors = set(rows["sector"])
    wrong = pd.Series(
        [
            row.scheme not in schemes
            or not _names(str(row.applies_to)) <= countries
            or not _names(str(row.sectors)) <= sectors
            for row in breaks.itertuples()
        ],
        dtype=bool,
    )
    refuse(
        "reference-break-unknown", "scope_breaks", _where(wrong), breaks["break_id"],
        "a scheme of publication.csv; countries and sectors that have figures, or all",
        "correct scheme, applies_to or sectors",
    )  # fmt: skip


def _names(cell: str) -> set[str]:
    return set() if cell == "all" else set(cell.split(";"))


def _ranges_hold(frames: Frames) -> None:
    factors, clusters = frames["factors"], frames["clusters"]
    outside = (factors["low"] > factors["value"]) | (factors["high"] < factors["value"])
    refuse(
        "reference-range", "factors", _where(outside), factors["key"],
        "low not above value, value not above high", "correct the row",
    )  # fmt: skip
    crossed = clusters["gdp_low"] > clusters["gdp_high"]
    early = (clusters["left"] != "") & (clusters["left"] < clusters["joined"])
    loose = clusters["baseline_mt"].notna() != (clusters["baseline_bound"] != "")
    refuse(
        "reference-range", "clusters", _where(crossed | early | loose), clusters["cluster_id"],
        "gdp_low not above gdp_high; left not before joined; baseline_bound with a baseline and only then",
        "correct the row",
    )  # fmt: skip
