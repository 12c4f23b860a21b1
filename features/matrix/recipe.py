"""The ordered features a model reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from features.errors import LawBroken

CHANGES = 4
# What each column tells, in a reader's words. A column without a group is refused: explanations add up only
# if every column has its place.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "recent-changes": ("change_1", "change_2", "change_3", "change_4"),
    "trend": ("slope",),
    "place-in-own-past": (
        "over_mean_3", "over_mean_5", "over_mean", "over_max", "over_min", "share_of_max",
    ),
    "volatility": ("level_in_scale",),
    "size": ("log_level",),
    "age": ("age",),
    "standstills": ("zeros",),
    "calendar": ("season_gap", "season_change_1", "season_change_2", "phase"),
    "step": ("step",),
}  # fmt: skip
GROUP_OF_TRAIT: Final[Mapping[str, str]] = {
    "sector": "sector", "country": "country", "kind": "kind", "state": "state",
}  # fmt: skip
OTHER_TRAITS: Final = "other-traits"


@dataclass(frozen=True)
class FeatureRecipe:
    """Which static traits enter, and with which codes.

    Attributes:
        traits: trait columns, in order.
        codes: for each trait, its known values; code = place, -1 = unknown.
        seasonal: whether seasonal features are made.
        level: usual size of a series of the panel, tCO2e; ``log_level`` is measured in it, so that
            the unit of the panel does not matter.
    """

    traits: tuple[str, ...]
    codes: tuple[tuple[str, ...], ...]
    seasonal: bool
    level: float

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the matrix columns, in order; traits are numbered in the order of ``traits``."""
        changes = tuple(f"change_{k + 1}" for k in range(CHANGES))
        levels = (
            "over_mean_3", "over_mean_5", "over_mean", "over_max", "over_min", "share_of_max",
            "slope", "level_in_scale", "log_level", "age", "zeros",
        )  # fmt: skip
        season = ("season_gap", "season_change_1", "season_change_2", "phase") if self.seasonal else ()
        return changes + levels + season + self.categorical + ("step",)

    @property
    def categorical(self) -> tuple[str, ...]:
        """Columns that are codes, not amounts."""
        # A trait is a column of the caller's and may be called anything, "step" for one.
        return tuple(f"trait_{k + 1}" for k in range(len(self.traits)))

    @property
    def groups(self) -> tuple[str, ...]:
        """The driver group of each of ``columns``, in order.

        Raises:
            LawBroken: a column that no group names.
        """
        group_of = {column: group for group, names in GROUPS.items() for column in names}
        traits = (GROUP_OF_TRAIT.get(name, OTHER_TRAITS) for name in self.traits)
        group_of |= dict(zip(self.categorical, traits, strict=True))
        strange = [column for column in self.columns if column not in group_of]
        if strange:
            raise LawBroken(
                "feature-without-group",
                found=f"{len(strange)} features in no driver group",
                expected="every feature in a group of features.matrix.recipe.GROUPS",
                offenders=strange,
                remedy="name the group of the new feature beside the recipe",
            )
        return tuple(group_of[column] for column in self.columns)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "traits": list(self.traits),
            "codes": [list(values) for values in self.codes],
            "seasonal": self.seasonal,
            "level": self.level,
        }

    @staticmethod
    def of_record(record: dict[str, Any]) -> FeatureRecipe:
        """Inverse of ``as_record``."""
        return FeatureRecipe(
            traits=tuple(record["traits"]),
            codes=tuple(tuple(values) for values in record["codes"]),
            seasonal=bool(record["seasonal"]),
            level=float(record["level"]),
        )
