from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.series.coordinates import VERDICTS, country_boxes, mend

BOXES = country_boxes()


def frame(*points: tuple[str, float, float]) -> pd.DataFrame:
    rows = [(f"x:{k}", country, lat, lon) for k, (country, lat, lon) in enumerate(points)]
    return pd.DataFrame(rows, columns=["facility_id", "country", "lat", "lon"])


@pytest.mark.parametrize(
    ("country", "lat", "lon", "verdict", "place"),
    [
        ("NL", 51.9, 4.1, "kept", (51.9, 4.1)),
        ("NL", 4.1, 51.9, "repaired-swapped", (51.9, 4.1)),
        ("US", 29.7, 95.2, "repaired-sign", (29.7, -95.2)),
        ("US", 95.2, 29.7, "repaired-swapped-and-sign", (29.7, -95.2)),
        ("AU", 32.2, 115.8, "repaired-sign", (-32.2, 115.8)),
        ("FR", 16.23, -61.55, "kept", (16.23, -61.55)),
        ("GB", 36.13, -5.35, "kept", (36.13, -5.35)),
        ("NL", 0.0, 0.0, "refused-zero", None),
        ("NL", 40.7, -74.0, "refused-outside", None),
        ("NL", 5190.0, 410.0, "refused-outside", None),
        ("NL", float("inf"), 4.1, "refused-outside", None),
        ("NL", float("nan"), 4.1, "absent", None),
        ("ZZ", 10.0, 10.0, "unchecked-country", (10.0, 10.0)),
        ("ZZ", 95.0, 10.0, "refused-outside", None),
    ],
)
def test_a_point_is_kept_repaired_or_refused(
    country: str, lat: float, lon: float, verdict: str, place: tuple[float, float] | None
) -> None:
    mended = mend(frame((country, lat, lon)), BOXES)
    assert mended.counts[verdict] == 1
    assert sum(mended.counts.values()) == 1
    found = mended.facilities.loc[0, ["lat", "lon"]].to_numpy(dtype=float)
    np.testing.assert_allclose(found, place if place else (np.nan, np.nan))


def test_two_equally_mild_repairs_are_no_repair() -> None:
    """A country on both sides of the equator: either sign may have been lost."""
    boxes = pd.DataFrame(
        [("a", "ZZ", 5.0, 10.0, 9.0, 12.0), ("b", "ZZ", -9.0, -12.0, -5.0, -10.0)],
        columns=["box_id", "country", "west", "south", "east", "north"],
    )
    mended = mend(frame(("ZZ", 11.0, -7.0), ("ZZ", -11.0, 7.0)), boxes)
    assert mended.counts["refused-ambiguous"] == 2


def test_changes_tell_what_was_found() -> None:
    changes = mend(frame(("NL", 51.9, 4.1), ("NL", 4.1, 51.9)), BOXES).changes
    assert changes.to_dict("records") == [
        {"facility_id": "x:1", "verdict": "repaired-swapped", "lat_found": 4.1, "lon_found": 51.9,
         "lat": 51.9, "lon": 4.1}
    ]  # fmt: skip


@given(
    st.lists(st.tuples(st.sampled_from(["NL", "US", "FR", "BR", "ZZ"]), st.floats(), st.floats()), max_size=8)
)
def test_whatever_comes_every_point_has_one_verdict_and_lies_in_its_country(
    points: list[tuple[str, float, float]],
) -> None:
    given_frame = frame(*points)
    mended = mend(given_frame, BOXES)
    assert tuple(mended.counts) == VERDICTS
    assert sum(mended.counts.values()) == len(points)
    again = mend(mended.facilities, BOXES)
    assert again.counts["kept"] + again.counts["absent"] + again.counts["unchecked-country"] == len(points)
    assert given_frame.equals(frame(*points)), "the caller's frame is changed"


def test_every_country_of_the_reference_has_a_box() -> None:
    from features.reference.tables import load

    assert set(load().clusters["country"]) <= set(BOXES["country"])
    clusters = load().clusters.dropna(subset=["lat", "lon"])
    points = frame(*zip(clusters["country"], clusters["lat"], clusters["lon"], strict=True))
    assert mend(points, BOXES).counts["kept"] == len(clusters)
    assert ((BOXES["west"] < BOXES["east"]) & (BOXES["south"] < BOXES["north"])).all()
