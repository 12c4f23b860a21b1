"""A recipe: everything that decides how a forecast is made, apart from the figures."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from features.errors import AskError
from models.arima import Final


@dataclass(frozen=True)
class Recipe:
    """How a forecast is made.

    Attributes:
        name: what it is called in scores and answers.
        members: forecasters blended, the anchor first.
        reach: longest step replayed, weighted and calibrated; later steps are extended from it.
        origins: how many past cutoffs are replayed.
        anchor: weight of the first member before anything is learnt; the rest share what is left by standing
            (see ``models.blend``).
        pull: how strongly weights are held to that prior (0 = not at all).
        memory: weight of a replayed cutoff relative to the one after it.
        arima_final: who has the last word in ARIMA.
        exits: whether plants may close (see ``models.exits``).
        totals: who forecasts a total by itself, as far as it is a member; nobody: sums of parts alone
            (see ``models.totals``).
        totals_anchor: the anchor of these.
        trees, rate, leaves: of the booster.
        seed: of every random draw.
    """

    name: str
    members: tuple[str, ...]
    reach: int = 8
    origins: int = 10
    anchor: float = 0.4
    pull: float = 0.1
    memory: float = 0.8
    arima_final: Final = "grid"
    exits: bool = True
    totals: tuple[str, ...] = ("naive", "trend")
    totals_anchor: float = 0.35
    trees: int = 60
    rate: float = 0.06
    leaves: int = 15
    seed: int = 1

    def as_record(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {**asdict(self), "members": list(self.members), "totals": list(self.totals)}

    @staticmethod
    def of_record(record: dict[str, Any]) -> Recipe:
        """Inverse of ``as_record``.

        Raises:
            AskError: an unknown key.
        """
        known = {f.name for f in fields(Recipe)}
        strange = sorted(set(record) - known)
        if strange:
            raise AskError(
                "recipe-unknown-key",
                found="keys " + ", ".join(strange),
                expected="keys among " + ", ".join(sorted(known)),
                remedy="correct the spelling, or remove the key",
            )
        held: dict[str, Any] = {
            name: tuple(told) if name in ("members", "totals") else told for name, told in record.items()
        }
        return Recipe(**held)

    def fingerprint(self) -> str:
        """First 16 hex digits of the SHA-256 of the record."""
        text = json.dumps(self.as_record(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def alone(self, member: str) -> Recipe:
        """The recipe of one member by itself, bands and all."""
        return replace(self, name=member, members=(member,))


def champion_recipe(seasonal: bool, **settings: Any) -> Recipe:
    """The blend of record: naive-anchored; a seasonal cadence leans on the season before and on smoothing."""
    made: dict[str, Any] = {"members": ("naive", "trend", "arima", "boosted", "level")}
    if seasonal:
        # Chosen on the power of US states before 2013: naive and the booster added error there.
        made = {"members": ("seasonal-naive", "damped", "theta", "arima", "trend"), "anchor": 0.1}
    return Recipe(**{"name": "blend", **made, **settings})
