"""What drives a forecast adds up to the blend, for a series and for a sum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import pytest

from features.errors import AskError, ModelError
from models.engine import fit_panel
from models.recipe import champion_recipe
from models.saved import write
from serving.driven import drivers_view
from serving.shelf import Shelf, Standing
from tests.serving.synthetic import Kit, figures
from tests.serving.whole import Outlooker

ADDS: Final = 1e-9


@pytest.fixture(scope="module")
def blended(tmp_path_factory: pytest.TempPathFactory) -> Standing:
    """A standing whose pack keeps a real, small blend."""
    place = tmp_path_factory.mktemp("blended")
    dense, _ = figures()
    fitted = fit_panel(dense, champion_recipe(seasonal=False, reach=3, origins=4, trees=8))
    write(fitted, dense, place / "model")
    Kit(champion=Outlooker()).publish(place / "store", fitted=fitted, model_folder=place / "model")
    shelf = Shelf(place / "store")
    shelf.refresh()
    return shelf.standing


@pytest.mark.parametrize("name", ["aa-north/power", "aa-north", "initiative"])
@pytest.mark.parametrize("step", [1, 3, 30])
def test_members_and_drivers_add_up_to_the_centre(blended: Standing, name: str, step: int) -> None:
    view = drivers_view(name, blended, step)
    json.dumps(view, allow_nan=False)
    whole = view["anchor"] + sum(member["contribution"] for member in view["members"])
    assert whole == pytest.approx(view["centre"], rel=ADDS)
    assert view["centre"] + view["after_centre"] == pytest.approx(view["served_mean"])
    booster = view["booster"]
    groups = sum(row["contribution"] for row in booster["groups"])
    told = groups + booster["base"] + booster["floor_at_zero"]
    assert told == pytest.approx(booster["contribution"], abs=ADDS * view["centre"])
    mine = next(member for member in view["members"] if member["member"] == "boosted")
    assert mine["contribution"] == booster["contribution"]


def test_a_sum_is_the_sum_of_its_sectors(blended: Standing) -> None:
    whole = drivers_view("aa-north", blended, 2)
    assert whole["summed"] == ["aa-north/power", "aa-north/steel"]
    parts = [drivers_view(name, blended, 2) for name in whole["summed"]]
    assert whole["centre"] == pytest.approx(sum(part["centre"] for part in parts))
    for k, member in enumerate(whole["members"]):
        assert member["contribution"] == pytest.approx(sum(p["members"][k]["contribution"] for p in parts))
        assert member["weight"] is None
        assert 0 <= parts[0]["members"][k]["weight"] <= 1


def test_drivers_that_cannot_be_told(blended: Standing, standing: Standing, tmp_path: Path) -> None:
    for name, step, code in (("nowhere", 1, "unknown-series"), ("aa-north", 0, "step-out-of-range"),
                             ("aa-north", 31, "step-out-of-range")):  # fmt: skip
        with pytest.raises(AskError) as told:
            drivers_view(name, blended, step)
        assert told.value.code == code
    with pytest.raises(ModelError, match="model-not-kept"):
        drivers_view("aa-north", standing, 1)
    Kit(champion=Outlooker(broken=("bb-south/power",))).publish(tmp_path / "broken")
    shelf = Shelf(tmp_path / "broken")
    shelf.refresh()
    with pytest.raises(AskError, match="drivers-unknown"):
        drivers_view("bb-south/power", shelf.standing, 1)
