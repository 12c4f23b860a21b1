"""What drives a forecast? The members of the blend and the booster's driver groups, in tonnes that add up."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError
from features.series.words import INITIATIVE, UNIQUE_ID, UNIT
from insights.drivers import BASE, FLOOR, Drivers, Members, blend_members, boosted_drivers
from models.boosted import BoostedFit
from serving.errors import shown
from serving.evidence import no_series
from serving.shelf import Rung, Standing

Float = npt.NDArray[np.float64]

SAYS: Final = "how the model came to its number; not what causes emissions"


def drivers_view(unique_id: str, standing: Standing, step: int = 1) -> dict[str, Any]:
    """How the champion came to its forecast of one step, tCO2e; of a sum, added up over its sectors.

    anchor + the members' contributions = centre, the point the bands are laid around; after_centre is what
    is left to the served mean: bands that lean, plants that may close, parts made to agree. The booster's
    contribution is told by driver group, weighted as in the blend: groups, base and floor add up to it.

    Raises:
        AskError: no such series, or a step out of range, or another forecaster than the champion speaks for
            the series (``drivers-unknown``).
        ModelError: the pack keeps no model (``model-not-kept``), or it cannot be read.
    """
    rung = standing.rungs.get(unique_id)
    if rung is None:
        raise no_series(unique_id, standing)
    pack, entry = rung.pack, rung.entry
    if not 1 <= step <= pack.steps:
        raise AskError(
            "step-out-of-range",
            found=f"step {step}",
            expected=f"a whole number from 1 to {pack.steps}",
            remedy="name a step of the forecast",
        )
    _refuse_without_champion(unique_id, rung)
    fitted, history = pack.kept.model
    names = leaves_of(rung)
    seen = history.take([history.row[name] for name in names])
    blend = blend_members(fitted, seen, step)
    place = next((k for k, member in enumerate(fitted.members) if isinstance(member, BoostedFit)), None)
    centre, mean = float(blend.centre[:, -1].sum()), float(rung.mean[step - 1])
    booster = None
    if place is not None and isinstance(member := fitted.members[place], BoostedFit):
        booster = _booster(boosted_drivers(member, seen, step), blend, place)
    return {
        UNIQUE_ID: unique_id,
        "kind": entry.kind,
        "unit": UNIT,
        "step": step,
        "ds": entry.ds[step - 1],
        "cutoff": entry.cutoff,
        "summed": names,
        "says": SAYS,
        "anchor": float(blend.anchor[:, -1].sum()),
        "members": _members(blend),
        "centre": centre,
        "booster": booster,
        "served_mean": mean,
        "after_centre": mean - centre,
        "made_by": rung.made_by,
        "model_version": pack.model_version,
        "as_of": pack.card["as_of"],
        "degraded": standing.degraded,
    }


def _refuse_without_champion(name: str, rung: Rung) -> None:
    if rung.level == "naive" or rung.plain:
        raise AskError(
            "drivers-unknown",
            found=f"{shown(name)}: {rung.made_by}",
            expected="a forecast of the champion: naive repeats the last figure, nothing drives it",
            remedy="ask for a series that the champion speaks for, or retrain",
        )


def leaves_of(rung: Rung) -> list[str]:
    """The series whose forecasts are summed; the series itself where none is."""
    entry = rung.entry
    if entry.kind not in ("cluster", INITIATIVE):
        return [entry.unique_id]
    every, whole = rung.pack.series.values(), entry.kind == INITIATIVE
    sectors = [item for item in every if item.kind == "sector"]
    return [item.unique_id for item in sectors if whole or item.cluster_id == entry.unique_id]


def _members(blend: Members) -> list[dict[str, Any]]:
    """Each member's share (of a single series), what it says, and what it moves the blend."""
    alone = len(blend.ids) == 1
    return [
        {
            "member": name,
            "weight": float(blend.weights[0, -1, k]) if alone else None,
            "forecast": float(blend.point[:, -1, k].sum()),
            "contribution": float(blend.contributions[:, -1, k].sum()),
        }
        for k, name in enumerate(blend.members)
    ]


def _booster(drivers: Drivers, blend: Members, place: int) -> dict[str, Any]:
    """The booster's contribution to the blend by driver group: TreeSHAP × its share, over all series."""
    weight = blend.weights[:, -1, place]
    moved = (drivers.contributions[:, -1] * weight[:, None]).sum(axis=0)
    told = dict(zip(drivers.groups, map(float, moved), strict=True))
    base, floor = told.pop(BASE), told.pop(FLOOR)
    # The anchor of the booster is the naive one but for seasonal cadences.
    offset = float(((drivers.anchor[:, -1] - blend.anchor[:, -1]) * weight).sum())
    ordered = sorted(told.items(), key=lambda item: (-abs(item[1]), item[0]))
    return {
        "contribution": float(blend.contributions[:, -1, place].sum()),
        "groups": [{"group": name, "contribution": value} for name, value in ordered],
        "base": base + offset,
        "floor_at_zero": floor,
    }
