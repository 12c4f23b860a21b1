from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from features.errors import LawBroken
from features.reference.tables import load
from features.series.build import embedded
from features.series.cadence import YEAR
from features.series.hierarchy import (
    Hierarchy,
    align,
    align_history,
    cluster_history,
    cluster_totals,
    initiative_cutoff,
    initiative_history,
    initiative_total,
    total_history,
    total_paths,
)
from features.series.panel import Dense, Panel

NAN = float("nan")


def toy(rows: dict[str, tuple[int, list[float]]]) -> tuple[Dense, Hierarchy]:
    """Sectors `cluster/sector` -> (first year, figures)."""
    frame = pd.concat(
        pd.DataFrame(
            {"unique_id": k, "ds": pd.to_datetime([f"{a + i}-01-01" for i in range(len(v))]), "y": v}
        )
        for k, (a, v) in rows.items()
    )
    traits = pd.DataFrame({"kind": "sector", "cluster_id": [k.split("/")[0] for k in rows]}, index=list(rows))
    traits.loc[[k for k in rows if k[0].isupper()], "kind"] = "context"
    return Panel.of(frame, YEAR, traits).dense, Hierarchy.of(traits)


ROWS = {
    "eu/a": (2018, [1.0, 2.0, 3.0, 4.0, 5.0]),
    "eu/b": (2020, [10.0, NAN, 30.0]),
    "eu/old": (2018, [100.0, 200.0]),
    "us/a": (2019, [7.0, 8.0, 9.0, 10.0, 11.0]),
    "XX/a": (2018, [1e9, 1e9]),
}
LIVE = ("eu/a", "eu/b", "us/a")


def test_clusters_hold_their_sectors_and_no_context() -> None:
    _, tree = toy(ROWS)
    assert tree.clusters == ("eu", "us")
    assert tree.members == {"eu": ("eu/a", "eu/b", "eu/old"), "us": ("us/a",)}


def test_history_leaves_absent_sectors_out() -> None:
    dense, tree = toy(ROWS)
    totals = cluster_history(align_history(dense, 47, 8), dense.ids, tree)
    np.testing.assert_array_equal(totals[0], [NAN, 101, 202, 13, 4, 35, NAN, NAN])
    np.testing.assert_array_equal(totals[1], [NAN, NAN, 7, 8, 9, 10, 11, NAN])
    np.testing.assert_array_equal(initiative_history(totals), [NAN, NAN, 209, 21, 13, 45, NAN, NAN])
    assert initiative_cutoff(totals, 47) == 52
    np.testing.assert_array_equal(total_history(dense, tree, 47, 8)[2], initiative_history(totals))


def test_without_a_common_year_there_is_no_initiative() -> None:
    dense, tree = toy({"eu/a": (2000, [1.0]), "us/a": (2005, [1.0])})
    assert initiative_cutoff(cluster_history(align_history(dense, 30, 10), dense.ids, tree), 30) is None
    totals = total_paths(dense, ("eu/a", "us/a"), np.ones((2, 3, 4)), tree)
    assert totals.ids == ("eu", "us")


@settings(deadline=None)
@given(
    arrays(np.float64, (3, 4, 2), elements=st.floats(-1e6, 1e6)),
    st.lists(st.integers(40, 60), min_size=3, max_size=3),
    st.integers(38, 66),
    st.integers(1, 12),
)
def test_align_puts_every_value_at_its_period(
    values: np.ndarray[tuple[int, ...], np.dtype[np.float64]], ends: list[int], first: int, width: int
) -> None:
    laid = align(values, np.array(ends), first, width)
    for b in range(3):
        for j in range(width):
            h = first + j - ends[b] - 1
            expected = values[b, h] if 0 <= h < 4 else np.full(2, NAN)
            np.testing.assert_array_equal(laid[b, j], expected)


def test_a_total_with_a_missing_part_is_missing() -> None:
    _, tree = toy(ROWS)
    paths = np.ones((3, 2, 2))
    paths[1, 1, 0] = NAN
    totals = cluster_totals(paths, LIVE, tree)
    np.testing.assert_array_equal(totals[0], [[2, 2], [NAN, 2]])
    np.testing.assert_array_equal(totals[1], [[1, 1], [1, 1]])


def test_paths_add_up_and_known_figures_stand_in() -> None:
    dense, tree = toy(ROWS)
    paths = np.random.default_rng(3).uniform(1e3, 1e7, (3, 4, 50))
    totals = total_paths(dense, LIVE, paths, tree)
    assert totals.ids == ("eu", "us", "initiative")
    assert (totals.cutoffs + 1970).tolist() == [2022, 2023, 2022]
    np.testing.assert_allclose(totals.paths[0], paths[0] + paths[1], rtol=0, atol=1e-6)
    np.testing.assert_allclose(totals.paths[1], paths[2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(totals.paths[2, 0], totals.paths[0, 0] + 11.0, rtol=0, atol=1e-6)
    np.testing.assert_allclose(
        totals.paths[2, 1:], totals.paths[0, 1:] + totals.paths[1, :3], rtol=0, atol=1e-6
    )


def test_initiative_total_needs_every_cluster() -> None:
    history = np.array([[1.0, NAN], [NAN, NAN]])
    paths = np.array([[[9.0], [2.0]], [[3.0], [NAN]]])
    np.testing.assert_array_equal(initiative_total(history, paths), [[4.0], [NAN]])


def test_live_sectors_of_one_cluster_must_end_together() -> None:
    dense, tree = toy(ROWS)
    with pytest.raises(LawBroken) as refusal:
        total_paths(dense, (*LIVE, "eu/old"), np.ones((4, 2, 2)), tree)
    assert refusal.value.code == "cutoffs-differ-in-cluster"
    assert refusal.value.offenders == ("eu",)


def test_missing_paths_are_a_bug() -> None:
    dense, tree = toy(ROWS)
    paths = np.ones((3, 2, 2))
    paths[2, 0, 1] = NAN
    with pytest.raises(LawBroken) as refusal:
        total_paths(dense, LIVE, paths, tree)
    assert refusal.value.code == "total-not-finite"


@pytest.mark.parametrize("t", ["2014-11-30", "2019-05-01", "2022-05-01", "2026-11-23"])
def test_totals_of_the_embedded_figures_add_up_at_any_issue_time(t: str) -> None:
    series, now = embedded(load()), pd.Timestamp(t)
    dense = series.as_of(now)
    tree = Hierarchy.of(dense.traits.set_index(pd.Index(dense.ids)))
    ended = set(series.ended(now)["unique_id"])
    live = tuple(name for c in tree.clusters for name in tree.members[c] if name not in ended)
    paths = np.random.default_rng(1).lognormal(13, 1, (len(live), 6, 20))
    totals = total_paths(dense, live, paths, tree)
    assert totals.ids == (*tree.clusters, "initiative")
    assert len(tree.clusters) == 17
    for c, cluster in enumerate(tree.clusters):
        parts = [paths[i] for i, name in enumerate(live) if name.startswith(cluster + "/")]
        np.testing.assert_allclose(totals.paths[c], np.sum(parts, axis=0), rtol=0, atol=1e-6)
    slow = np.zeros((6, 20))
    known = total_history(dense, tree, 35, 60)
    for c in range(17):
        for h in range(6):
            year = int(totals.cutoffs[-1]) + 1 + h
            actual = known[c, year - 35]
            slow[h] += totals.paths[c, year - totals.cutoffs[c] - 1] if np.isnan(actual) else actual
    np.testing.assert_allclose(totals.paths[-1], slow, rtol=0, atol=1e-6)


def test_actual_totals_of_today_answer_an_earlier_forecast() -> None:
    series = embedded(load())
    dense = series.as_of(pd.Timestamp("2026-11-23"))
    tree = Hierarchy.of(dense.traits.set_index(pd.Index(dense.ids)))
    actual = total_history(dense, tree, 35, 20)
    rotterdam = load().sector_emissions.query("area == 'nl-rotterdam' and year == 2020")["tco2e"].sum()
    assert actual[tree.clusters.index("nl-rotterdam"), 15] == rotterdam
    assert np.isfinite(actual[-1]).tolist() == [2010 <= year <= 2022 for year in range(2005, 2025)]
