"""Real cut or lost output? Activity, mix and intensity effects of the past and of a forecast (LMDI-I).

With emissions V_i and activity A_i of parts i: Q = Σ A_i, S_i = A_i / Q, I_i = V_i / A_i, so V = Σ Q·S_i·I_i.
The activity effect is what the level of output did, the mix (structure) effect what its shift between parts
did, the intensity effect what emissions per unit of output did. Formulas and the limits at zero:
``insights.lmdi``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError
from insights.lmdi import Split, effects, ends_of

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

ACTIVITY, MIX, INTENSITY = "activity", "mix", "intensity"
WITH_MIX: Final = (ACTIVITY, MIX, INTENSITY)
WITHOUT_MIX: Final = (ACTIVITY, INTENSITY)
LEVELS: Final = (0.1, 0.5, 0.9)
# A cause is named where more than half of all that pulled the same way is its own, and told for sure where
# at least this share of the draws names the same one.
MAIN: Final = 0.5
SURE: Final = 0.8
# Changes below this share of the start are told as none.
STILL: Final = 0.005
DRAWS: Final = 4000
_OF_FALL: Final = {ACTIVITY: "lost-output", MIX: "shifted-mix", INTENSITY: "real-cut"}
_OF_RISE: Final = {ACTIVITY: "more-output", MIX: "shifted-mix", INTENSITY: "dirtier-output"}


@dataclass(frozen=True)
class ForecastSplit:
    """A forecast's change from the last figures, step by step.

    Attributes:
        factors: (K,) names.
        levels: (Q,) quantile levels.
        mean: (K, H) mean effects, tCO2e; they add up to ``change_mean``.
        quantiles: (K, H, Q) of the effects over the paths. Quantiles do not add up.
        change_mean, change_quantiles: (H,), (H, Q) of the change of the sum.
        below_zero: (K, H) share of paths on which the factor lowers emissions.
        samples: (K, H, P) effects path by path; on each they add up exactly.
    """

    factors: tuple[str, ...]
    levels: tuple[float, ...]
    mean: Float
    quantiles: Float
    change_mean: Float
    change_quantiles: Float
    below_zero: Float
    samples: Float


def activity_split(
    emissions: Float, activity: Float, parts: tuple[str, ...], *, chained: bool = True, mix: bool = True
) -> Split:
    """Activity, mix and intensity effects of the change of a sum, tCO2e.

    Args:
        emissions: (N, T, …) tCO2e of the parts by period, two periods or more; may be negative.
        activity: (N, T, …) their output, not negative, in one unit for all parts. NaN in both: the part is
            not there in that period, and comes or goes through the mix.
        parts: (N,) names.
        chained: from each period to the next, effects (K, N, T − 1, …); else first to last, (K, N, …).
        mix: False where the parts' units differ: two factors, each part's own activity and intensity.

    Raises:
        DataError: ``activity-missing``, ``emissions-missing``, ``activity-negative``,
            ``emissions-without-activity`` (no product of factors has such a figure), ``figure-not-finite``.
    """
    tonnes, output = _checked(np.asarray(emissions, float), np.asarray(activity, float), parts)
    start, end = ends_of(tonnes, axis=1, chained=chained)
    output_0, output_t = ends_of(output, axis=1, chained=chained)
    before, after = (
        _factors(start, output_0, end, output_t, mix),
        _factors(end, output_t, start, output_0, mix),
    )
    names = WITH_MIX if mix else WITHOUT_MIX
    return Split(names, parts, start, end, effects(before, after, start, end))


def _factors(tonnes: Float, output: Float, other_tonnes: Float, other_output: Float, mix: bool) -> Float:
    """(K, N, …) factors at one end; what has no value there is as at the other end: no effect."""
    intensity = _ratio(tonnes, output, _ratio(other_tonnes, other_output, np.ones_like(tonnes)))
    if not mix:
        return np.stack([output, intensity])
    total, other = (np.broadcast_to(of.sum(axis=0), of.shape) for of in (output, other_output))
    share = _ratio(output, total, _ratio(other_output, other, np.ones_like(output)))
    return np.stack([total, share, intensity])


def _ratio(top: Float, bottom: Float, otherwise: Float) -> Float:
    return np.asarray(np.where(bottom > 0, top / np.where(bottom > 0, bottom, 1.0), otherwise))


def _checked(tonnes: Float, output: Float, parts: tuple[str, ...]) -> tuple[Float, Float]:
    """Both with 0 where the part is absent."""
    if tonnes.shape != output.shape:
        raise DataError(
            "shapes-differ",
            found=f"emissions {tonnes.shape}, activity {output.shape}",
            expected="both of one shape: parts, periods",
            remedy="give one activity for every emission",
        )
    absent = np.isnan(tonnes) & np.isnan(output)
    tonnes, output = np.where(absent, 0.0, tonnes), np.where(absent, 0.0, output)
    for code, wrong, expected, remedy in (
        ("figure-not-finite", np.isinf(tonnes) | np.isinf(output), "finite figures", "correct the figure"),
        ("activity-missing", np.isnan(output), "an activity wherever there are emissions",
         "add the activity, or leave both out where the part did not exist"),
        ("emissions-missing", np.isnan(tonnes), "emissions wherever there is an activity",
         "add the emissions, or leave both out where the part did not exist"),
        ("activity-negative", output < 0, "activity of zero or more", "correct the sign"),
        ("emissions-without-activity", (output == 0) & (tonnes != 0),
         "activity above zero wherever emissions are not zero: their intensity would have no value",
         "join the part with another, or measure its activity by something that was not zero"),
    ):  # fmt: skip
        if wrong.any():
            guilty = np.flatnonzero(wrong.any(axis=tuple(range(1, wrong.ndim))))
            raise DataError(
                code,
                found=f"{int(wrong.sum())} such figures",
                expected=expected,
                offenders=[parts[i] for i in guilty],
                remedy=remedy,
            )
    return tonnes, output


def forecast_split(
    emissions: Float,
    activity: Float,
    paths: Float,
    ahead: Float,
    parts: tuple[str, ...],
    *,
    levels: tuple[float, ...] = LEVELS,
    mix: bool = True,
) -> ForecastSplit:
    """The change from the last figures to each step of a forecast, split on every sample path.

    Args:
        emissions, activity: (N,) the last figures of the parts.
        paths: (N, H, P) joint sample paths of their emissions, tCO2e.
        ahead: (N, H) activity as a scenario has it, or (N, H, P) its own joint paths.
        parts: (N,) names.
        levels: quantile levels to tell.

    Raises:
        DataError: as ``activity_split``; a path with emissions where the scenario has no activity is one.
    """
    drawn = np.asarray(paths, dtype=float)
    output = np.broadcast_to(ahead if np.ndim(ahead) == 3 else np.asarray(ahead)[:, :, None], drawn.shape)
    start, output_0 = (
        np.broadcast_to(np.asarray(of, float)[:, None, None], drawn.shape) for of in (emissions, activity)
    )
    split = activity_split(
        np.stack([start, drawn], axis=1), np.stack([output_0, output], axis=1), parts, chained=False, mix=mix
    )
    samples, change = split.totals, split.change
    return ForecastSplit(
        factors=split.factors,
        levels=levels,
        mean=samples.mean(axis=2),
        quantiles=np.moveaxis(np.quantile(samples, levels, axis=2), 0, 2),
        change_mean=change.mean(axis=1),
        change_quantiles=np.quantile(change, levels, axis=1).T,
        below_zero=(samples < 0).mean(axis=2),
        samples=samples,
    )


def activity_scenario(activity: Float, yearly: Float | float, steps: int) -> Float:
    """(N, steps) activity that grows from (N,) by a share a year, one for all parts or (N,)."""
    growth = np.broadcast_to(1.0 + np.asarray(yearly, dtype=float), np.shape(activity))
    return np.asarray(activity)[:, None] * growth[:, None] ** np.arange(1, steps + 1)


def uncertain_totals(
    emissions: Float,
    activity: Float,
    parts: tuple[str, ...],
    *,
    emissions_spread: float,
    activity_spread: float,
    mix: bool = True,
    draws: int = DRAWS,
    seed: int = 1,
) -> Float:
    """(K, draws) effects from the first to the last period when the figures are uncertain.

    Args:
        emissions, activity: (N, T) as in ``activity_split``.
        emissions_spread, activity_spread: standard deviations of the logarithm (0.05 is about 5%), drawn for
            every part and period by itself: what errors have in common over the years moves no change, so
            this is the careful side.

    Raises:
        AskError: a spread that is negative or above 1 (``spread-out-of-range``).
        DataError: as ``activity_split``.
    """
    for name, spread in (("emissions_spread", emissions_spread), ("activity_spread", activity_spread)):
        if not 0 <= spread <= 1:
            raise AskError(
                "spread-out-of-range", found=f"{name} {spread}", expected="a share from 0 to 1",
                remedy="give the standard deviation as a share: 0.05 for 5%",
            )  # fmt: skip
    ends = [np.asarray(of, float)[:, [0, -1], None] for of in (emissions, activity)]
    rng = np.random.default_rng(seed)
    shape = (len(parts), 2, draws)
    noisy = [
        of * np.exp(spread * rng.standard_normal(shape))
        for of, spread in zip(ends, (emissions_spread, activity_spread), strict=True)
    ]
    return activity_split(noisy[0], noisy[1], parts, chained=False, mix=mix).totals


def real_or_lost_output(
    factors: tuple[str, ...], totals: Float, start: float, samples: Float | None = None
) -> dict[str, Any]:
    """The plain answer: was it a real cut (intensity), lost output (activity) or a shift of the mix?

    Of a fall, the factors that lowered emissions share in all that was lowered; the one with more than half
    gives the code: "real-cut", "lost-output", "shifted-mix"; else "several-causes". Of a rise alike:
    "dirtier-output", "more-output". Below half a percent of the start: "no-change".

    Args:
        factors: (K,) names; totals: (K,) effects, tCO2e; start: the sum before, tCO2e.
        samples: (K, P) effects under uncertainty (``uncertain_totals``, ``ForecastSplit.samples[:, h]``).

    Returns:
        code, change, effects and shares by factor; with samples also the quantiles and the share of draws
        below zero of each effect, the share of draws that give the same code, and whether that is sure;
        without them these are None: the answer is as exact as the figures, whose error is not known.
    """
    code = str(_codes(factors, np.asarray(totals)[:, None], start)[0])
    pulls = _pulls(np.asarray(totals)[:, None])[:, 0]
    answer: dict[str, Any] = {
        "code": code,
        "change": float(np.sum(totals)),
        "effects": dict(zip(factors, map(float, totals), strict=True)),
        "shares": dict(zip(factors, map(float, pulls), strict=True)),
        "levels": None, "quantiles": None, "below_zero": None, "same_code": None, "sure": None,
    }  # fmt: skip
    if samples is None:
        return answer
    same = float(np.mean(_codes(factors, samples, start) == code))
    told = np.quantile(samples, LEVELS, axis=1).T
    return {
        **answer,
        "levels": list(LEVELS),
        "quantiles": {name: row.tolist() for name, row in zip(factors, told, strict=True)},
        "below_zero": dict(zip(factors, (samples < 0).mean(axis=1).tolist(), strict=True)),
        "same_code": same,
        "sure": same >= SURE,
    }


def _pulls(totals: Float) -> Float:
    """(K, P) share of each factor in all that pulled the way of the change; 0 for those that pulled back."""
    way = np.sign(totals.sum(axis=0))
    pull = np.maximum(totals * way, 0.0)
    whole = pull.sum(axis=0)
    return np.asarray(pull / np.where(whole > 0, whole, 1.0))


def _codes(factors: tuple[str, ...], totals: Float, start: float) -> npt.NDArray[np.str_]:
    change, pulls = totals.sum(axis=0), _pulls(totals)
    first = pulls.argmax(axis=0)
    falls = np.array([_OF_FALL[name] for name in factors])[first]
    rises = np.array([_OF_RISE[name] for name in factors])[first]
    named = np.where(change < 0, falls, rises)
    named = np.where(pulls.max(axis=0) > MAIN, named, "several-causes")
    return np.where(np.abs(change) < STILL * abs(start), "no-change", named)
