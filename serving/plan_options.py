"""Options of a plan with what may befall them: the caller's chances, or the registry's weak priors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from features.errors import AskError
from features.reference.tables import load
from insights.options import Option
from insights.projects import CERTAIN, ENDED, Counts, Draws, Risk, counts_of, drawn
from insights.scenario import SEED
from serving.crossing import dice_of
from serving.errors import shown
from serving.plan_ask import OptionAsk

Float = npt.NDArray[np.float64]


def option_of(each: OptionAsk, series: str, paths: int) -> Option:
    """An option; with a chance of not being built or of being late its tonnes differ from path to path.

    Draws are the caller's chances, alike for every option of a name and series, and independent of the
    emissions and of one another; what a project of the registry leaves out is drawn as in a scenario, so
    that weak priors go together.

    Raises:
        AskError: ``plan-implausible``: slips that do not add up to 1; ``unknown-project``, ``project-ended``.
    """
    tonnes = np.array(each.tonnes, dtype=np.float64)
    money = (each.capex, each.opex, each.savings, each.life)
    slip = np.array([1.0] if each.slip is None else each.slip)
    if abs(slip.sum() - 1.0) > 1e-6:
        raise AskError(
            "plan-implausible",
            found=f"options.{each.name}.slip: {slip.sum():g} in all",
            expected="chances of being 0, 1, 2, … years late that add up to 1",
            remedy=f"mend options.{each.name}.slip",
            facts={"field": f"options.{each.name}.slip"},
        )
    if each.project_id is None and each.built == 1.0 and len(slip) == 1:
        return Option(each.name, tonnes, each.earliest, *money)
    befalls = _own(each, series, slip, paths)
    if each.project_id is not None:
        befalls = _with_priors(each, befalls, paths)
    late, most = befalls.late, int(befalls.late.max(initial=0))
    place = np.arange(len(tonnes) + most)[:, None] - late[None, :]
    delivered = np.where(place >= 0, tonnes[np.clip(place, 0, len(tonnes) - 1)], 0.0) * befalls.built
    return Option(each.name, delivered, each.earliest, *money)


def _own(each: OptionAsk, series: str, slip: Float, paths: int) -> Draws:
    """The caller's chances, drawn."""
    dice = np.random.default_rng(dice_of(series, f"plan/{each.name}"))
    built = dice.random(paths) < each.built
    late = np.searchsorted(np.cumsum(slip / slip.sum()), dice.random(paths), side="right")
    return Draws(late.clip(max=len(slip) - 1).astype(np.int64), built, np.ones(paths))


def _with_priors(each: OptionAsk, own: Draws, paths: int) -> Draws:
    """The parts the caller left out, by the registry's weak priors, with the draw scenarios use."""
    prior = drawn(Risk(), str(each.project_id), SEED, paths, _counts(each))
    if "built" not in each.model_fields_set:
        own = replace(own, built=prior.built)
    return own if each.slip is not None else replace(own, late=prior.late)


def _counts(each: OptionAsk) -> Counts:
    """The registry's counts, if the project is one that may come to be."""
    table = load().projects
    stages = dict(zip(table["project_id"].tolist(), table["stage"].tolist(), strict=True))
    stage = stages.get(each.project_id)
    if stage is None or stage in ENDED:
        field = f"options.{each.name}.project_id"
        raise AskError(
            "unknown-project" if stage is None else "project-ended",
            found=f"{field}: {shown(each.project_id)}" + ("" if stage is None else f", which is {stage}"),
            expected="a project of the registry that is to come",
            remedy="see the projects of GET /v1/insights/initiative, or tell built and slip instead",
            facts={"field": field},
        )
    return counts_of(table)


def risks_of(options: Sequence[OptionAsk]) -> list[dict[str, Any]]:
    """Where each option's chances come from: the caller, the weak priors, or nothing can go wrong."""
    prior = any(each.project_id for each in options)
    counts = counts_of(load().projects).as_record() if prior else None
    told = []
    for each in options:
        missing = CERTAIN if each.project_id is None else "weak-prior"
        told.append(
            {
                "option": each.name,
                "project_id": each.project_id,
                "built": "own" if "built" in each.model_fields_set else missing,
                "slip": missing if each.slip is None else "own",
                "priors": counts if each.project_id is not None else None,
            }
        )
    return told
