"""The ordered features a model reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CHANGES = 4


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
