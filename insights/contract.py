"""A contract to capture and store CO2 as cash flows: what makes it pay, who pays if it is late."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from features.errors import AskError, DataError

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]
# Discounted tonnes below which a support a tonne has no meaning.
_NO_TONNES: Final = 1e-6
_SERIES: Final = ("capex", "opex", "volumes", "fee", "price", "booked")


@dataclass(frozen=True)
class Contract:
    """One emitter's contract, built = checked. Rows are of ``years``, EUR or EUR a tonne or tonnes.

    Attributes:
        years: (H,) consecutive.
        capex, opex: (H,) EUR.
        volumes: (H,) t captured and handed over.
        fee: (H,) EUR a tonne of transport and storage.
        price: (H,) EUR a tonne that is not emitted: the carbon price path.
        support: EUR a tonne handed over.
        rate: discount rate a year.
        avoided: share of what is captured that is avoided: 1 less the energy penalty (DOMAIN C14).
        booked: (H,) t of capacity booked; the volumes themselves where nothing is booked.
        take: share of what is booked that is paid for in any case (take-or-pay), 0 to 1.
        backed: share of the operator's missing fees that the state makes good, 0 to 1.

    Raises:
        AskError: ``contract-implausible``.
    """

    years: Int
    capex: Float
    opex: Float
    volumes: Float
    fee: Float
    price: Float
    support: float
    rate: float
    booked: Float
    avoided: float = 1.0
    take: float = 0.0
    backed: float = 0.0

    def __post_init__(self) -> None:
        for name in _SERIES:
            values = getattr(self, name)
            if len(values) != len(self.years):
                raise _refused(name, f"{len(values)} years", f"{len(self.years)} years")
            if not np.isfinite(values).all() or (values < 0).any():
                raise _refused(name, f"{values.tolist()}"[:60], "finite and not below 0")
        for name in ("avoided", "take", "backed"):
            if not 0 <= getattr(self, name) <= 1:
                raise _refused(name, f"{getattr(self, name):g}", "a share from 0 to 1")
        if not -1 < self.rate < np.inf:
            raise _refused("rate", f"{self.rate:g}", "above -1")
        over = np.flatnonzero(self.volumes > self.booked * (1 + 1e-9))
        if len(over):
            year = int(self.years[over[0]])
            raise _refused("volumes", f"{self.volumes[over[0]]:g} t in {year}", "no more than is booked")

    @property
    def worth(self) -> Float:
        """(H,) what a EUR of each year is worth in the first."""
        return np.asarray((1.0 + self.rate) ** -(self.years - self.years[0]).astype(np.float64))

    @property
    def unused(self) -> Float:
        """(H,) t that are paid for and not handed over."""
        return np.asarray(np.maximum(self.take * self.booked - self.volumes, 0.0))

    def flows(self) -> dict[str, Float]:
        """(H,) EUR by what they are for, income above 0; ``net`` is their sum."""
        told = {
            "capex": 0.0 - self.capex,
            "opex": 0.0 - self.opex,
            "fee": 0.0 - self.fee * self.volumes,
            "fee_for_unused": 0.0 - self.fee * self.unused,
            "carbon": self.price * self.avoided * self.volumes,
            "support": self.support * self.volumes,
        }
        return {**told, "net": np.sum(list(told.values()), axis=0)}

    def npv(self) -> float:
        """Net present value in the first year, EUR."""
        return float(self.flows()["net"] @ self.worth)

    def break_even(self) -> float:
        """Support a tonne at which the NPV is 0: -NPV without support / discounted tonnes; below 0 where it
        pays without any.

        Raises:
            DataError: ``contract-without-volumes``: no tonne is handed over in any year.
        """
        tonnes = float(self.volumes @ self.worth)
        if tonnes < _NO_TONNES:
            raise DataError(
                "contract-without-volumes",
                found="no volume in any year, early or late",
                expected="a year in which CO2 is handed over",
                remedy="send volumes above 0, more years, or fewer years late",
                facts={"field": "volumes"},
            )
        return -replace(self, support=0.0).npv() / tonnes

    def late(self, years: int) -> Contract:
        """The same with volumes and opex ``years`` later; capex, capacity and prices stay where they are, and
        no more is handed over in a year than is booked for it."""
        volumes = np.minimum(_later(self.volumes, years), self.booked)
        return replace(self, volumes=volumes, opex=_later(self.opex, years))

    def shortfall(self) -> Shortfall:
        """Who pays for capacity that is booked and not used."""
        missing = self.fee * np.maximum(self.booked - self.volumes, 0.0)
        emitter = self.fee * self.unused
        state = self.backed * (missing - emitter)
        return Shortfall(self.years, missing, emitter, state, missing - emitter - state)


def _later(values: Float, years: int) -> Float:
    if years < 0:
        raise _refused("late_years", str(years), "0 or more")
    kept = max(len(values) - years, 0)
    return np.concatenate([np.zeros(len(values) - kept), values[:kept]])


def _refused(place: str, found: str, expected: str) -> AskError:
    return AskError(
        "contract-implausible",
        found=f"{place}: {found}",
        expected=expected,
        remedy=f"mend {place}",
        facts={"field": place},
    )


@dataclass(frozen=True)
class Shortfall:
    """Fees for booked capacity that is not used, EUR by year: missing = emitter + state + operator.

    Attributes:
        missing: (H,) what the operator counted on and no tonne brings.
        emitter: what take-or-pay makes the emitter pay all the same.
        state: what a guarantee makes good of the rest.
        operator: what stays with the network's operator.
    """

    years: Int
    missing: Float
    emitter: Float
    state: Float
    operator: Float

    def rows(self) -> list[dict[str, Any]]:
        """JSON-ready, a row a year."""
        names = ("missing", "emitter", "state", "operator")
        return [
            {"year": int(year), **{name: float(getattr(self, name)[k]) for name in names}}
            for k, year in enumerate(self.years)
        ]
