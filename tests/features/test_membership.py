from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from features.errors import DataError
from features.reference.tables import load
from features.series.boundary_files import read_boundaries
from features.series.membership import Boundary, assign, of_reference, redrawn
from tests.features.places import INSIDE, OUTSIDE, facility

BOX = shapely.box(4.0, 51.8, 4.5, 52.0)
TOML = """
[[cluster]]
id = "nl-rotterdam"
name = "Maasvlakte only"
country = "NL"
boxes = [[3.9, 51.9, 4.2, 52.0]]
exclude = ["eutl:NL_2"]

[[cluster]]
id = "in-kerala"
include = ["own:1", "own:2"]
"""


def frame(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows))


def test_edges_belong_and_lists_overrule_the_shape() -> None:
    sites = frame(
        facility("a:edge", at=(51.8, 4.0)), facility("a:in"), facility("a:out", at=OUTSIDE),
        facility("a:named", at=OUTSIDE), facility("a:sent-away"), facility("a:foreign", country="BE"),
        facility("a:nowhere", at=(float("nan"), float("nan"))),
    )  # fmt: skip
    one = Boundary("x", ("NL",), BOX, include=("a:named", "a:gone"), exclude=("a:sent-away",))
    found = assign(sites, [one])
    assert dict(zip(found.frame["facility_id"], found.frame["how"], strict=True)) == {
        "a:edge": "boundary", "a:in": "boundary", "a:named": "named",
    }  # fmt: skip
    assert found.unmatched == ("a:gone",)
    assert found.counts == {
        "members": 3, "by_boundary": 2, "by_name": 1, "excluded": 1, "without_point": 1,
    }  # fmt: skip


def test_a_facility_in_two_shapes_is_refused_until_a_list_decides() -> None:
    sites = frame(facility("a:in"))
    two = [Boundary("x", (), BOX), Boundary("y", (), BOX)]
    with pytest.raises(DataError, match="boundaries-overlap.*a:in in x and y"):
        assign(sites, two)
    named = [Boundary("x", (), BOX), Boundary("y", (), BOX, include=("a:in",))]
    assert assign(sites, named).cluster_of().to_dict() == {"a:in": "y"}
    both = [Boundary("x", include=("a:in",)), Boundary("y", include=("a:in",))]
    with pytest.raises(DataError, match="facility-named-twice"):
        assign(sites, both)


def test_nothing_to_assign_is_an_empty_membership() -> None:
    assert assign(frame(facility("a")).iloc[:0], [Boundary("x", (), BOX)]).frame.empty
    assert assign(frame(facility("a")), []).frame.empty


@given(st.lists(st.tuples(st.floats(51.0, 53.0), st.floats(3.0, 6.0)), min_size=1, max_size=20))
def test_a_box_takes_what_comparisons_take(points: list[tuple[float, float]]) -> None:
    sites = frame(*[facility(f"a:{k}", at=point) for k, point in enumerate(points)])
    expected = {f"a:{k}" for k, (lat, lon) in enumerate(points) if 51.8 <= lat <= 52.0 and 4.0 <= lon <= 4.5}
    assert set(assign(sites, [Boundary("x", (), BOX)]).frame["facility_id"]) == expected


def test_the_reference_boundaries_are_one_a_cluster() -> None:
    found = of_reference(load())
    assert len({b.cluster_id for b in found}) == len(found) == load().boundaries["cluster_id"].nunique()
    assert all(b.countries and b.shape is not None for b in found)


def test_a_toml_file_redraws_a_cluster_and_adds_one_by_ids(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(TOML)
    whole = redrawn(of_reference(load()), read_boundaries(path))
    sites = frame(
        facility("eutl:NL_1"), facility("eutl:NL_2"), facility("eutl:NL_3", at=(51.85, 4.4)),
        facility("own:1", at=(float("nan"), float("nan")), country="IN"),
    )  # fmt: skip
    found = assign(sites, whole)
    assert found.cluster_of().to_dict() == {"eutl:NL_1": "nl-rotterdam", "own:1": "in-kerala"}
    assert found.unmatched == ("own:2",)


def test_a_geojson_file_draws_a_polygon(tmp_path: Path) -> None:
    ring = [[4.0, 51.9], [4.2, 51.9], [4.1, 52.0], [4.0, 51.9]]
    feature = {"type": "Feature", "properties": {"cluster_id": "mine", "country": "NL", "exclude": ["a:2"]},
               "geometry": {"type": "Polygon", "coordinates": [ring]}}  # fmt: skip
    path = tmp_path / "own.geojson"
    path.write_text("\ufeff" + json.dumps({"type": "FeatureCollection", "features": [feature]}))
    (mine,) = read_boundaries(path)
    sites = frame(facility("a:1", at=INSIDE), facility("a:2", at=INSIDE), facility("a:3", at=(51.99, 4.01)))
    assert assign(sites, [mine]).cluster_of().to_dict() == {"a:1": "mine"}


BOWTIE = "[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]"


@pytest.mark.parametrize(
    ("text", "code", "word"),
    [
        ("[[cluster]\n", "boundary-file-unreadable", "own.toml"),
        ("x = 1\n", "boundary-file-unreadable", "no [[cluster]]"),
        ('[[cluster]]\nid = "A B"\n', "boundary-invalid", "'A B'"),
        ('[[cluster]]\nid = "a"\n', "boundary-invalid", "neither shape"),
        ('[[cluster]]\nid = "a"\nboxs = []\n', "boundary-invalid", "unknown key boxs"),
        ('[[cluster]]\nid = "a"\nboxes = [[4.5, 51.8, 4.0, 52.0]]\n', "boundary-invalid", "west below east"),
        ('[[cluster]]\nid = "a"\nboxes = [[4.0, 51.8, 4.5]]\n', "boundary-invalid", "cannot be read"),
        ('[[cluster]]\nid = "a"\nboxes = [[1.0, 51.0, 2.0, 95.0]]\n', "boundary-invalid", "out of range"),
        ('[[cluster]]\nid = "a"\nboxes = [[nan, 51.0, 2.0, 52.0]]\n', "boundary-invalid", "west below east"),
        ('[[cluster]]\nid = "a"\npolygons = [' + BOWTIE + "]\n", "boundary-invalid", "not valid"),
        (
            '[[cluster]]\nid = "a"\npolygons = [[[0.0, nan], [1.0, 1.0], [1.0, 0.0]]]\n',
            "boundary-invalid",
            "a",
        ),
        ('[[cluster]]\nid = "a"\ncountry = "Holland"\ninclude = ["x"]\n', "boundary-invalid", "Holland"),
        ('[[cluster]]\nid = "a"\ninclude = [1]\n', "boundary-invalid", "include"),
        (TOML + TOML, "boundary-invalid", "defined twice"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, code: str, word: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(DataError) as refusal:
        read_boundaries(path)
    assert refusal.value.code == code
    assert word in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", '{"features": 1}',
     '{"features": [{"properties": {"id": "a"}, "geometry": {"type": "Point"}}]}',
     '{"features": [{"properties": {"id": "a"}, "geometry": {"type": "Polygon", "coordinates": [[1, 2]]}}]}',
     '{"features": [{"properties": {"id": "a"}, "geometry": {"type": "Polygon", "coordinates": "x"}}]}',
     '{"features": [{"properties": {"id": "a"}, "geometry": 7}]}', "[" * 5000],
)  # fmt: skip
def test_bad_geojson_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.geojson"
    path.write_text(text)
    with pytest.raises(DataError, match="boundary-"):
        read_boundaries(path)
