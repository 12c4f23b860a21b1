"""Rules of the targets table: a percent and a level of one target must tell one story."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

import pandas as pd

from features.errors import DataError


@dataclass(frozen=True)
class Target:
    """One row of targets.csv; Mt and years, None where unknown."""

    line: int
    target_id: str
    cluster_id: str
    kind: str
    value: float
    base_year: int | None
    base_mt: float | None
    target_year: int
    scope: str
    scope_id: str
    in_force: bool

    def left(self, base_mt: float | None) -> tuple[float, float] | None:
        """The Mt this target leaves and the rounding hidden in it; None where the base is needed."""
        if self.kind == "level":
            return self.value, half_digit(self.value)
        if self.kind == "net-zero" or base_mt is None:
            return None
        if self.kind == "reduction":
            return base_mt - self.value, half_digit(self.value) + half_digit(base_mt)
        share = 1 - self.value / 100
        return share * base_mt, share * half_digit(base_mt) + base_mt * half_digit(self.value) / 100

    def __str__(self) -> str:
        return f"{self.kind} {self.value:g} ({self.target_id})"


def check_targets(frames: Mapping[str, pd.DataFrame]) -> None:
    """Each target plausible on its own, one in force of each kind and year, no two contradicting.

    Raises:
        DataError: naming the line of targets.csv.
    """
    rows = frames["targets"].to_dict("records")
    targets = [_of(row, line) for line, row in enumerate(rows, start=2)]
    for target in targets:
        _alone(target)
    _base_is_published(targets, frames["published_history"])
    active = [target for target in targets if target.in_force]
    for first, second in combinations(active, 2):
        if (first.cluster_id, first.target_year) == (second.cluster_id, second.target_year):
            _one_in_force(first, second)
            same = (first.base_year, first.scope) == (second.base_year, second.scope)
            if same and first.base_year is not None:
                _agree(first, second)


def half_digit(value: float) -> float:
    """Half a unit of the last printed digit: what a printed figure may have been rounded by."""
    exponent = Decimal(repr(float(value))).normalize().as_tuple().exponent
    return 0.5 * 10.0 ** -max(0, -int(exponent)) if isinstance(exponent, int) else 0.0


def _of(row: Mapping[Hashable, object], line: int) -> Target:
    base_year = _known(row["base_year"])
    return Target(
        line=line,
        target_id=str(row["target_id"]),
        cluster_id=str(row["cluster_id"]),
        kind=str(row["kind"]),
        value=float(str(row["value"])),
        base_year=None if base_year is None else int(base_year),
        base_mt=_known(row["base_value_mt"]),
        target_year=int(str(row["target_year"])),
        scope=str(row["scope"]),
        scope_id=str(row["scope_id"]),
        in_force=bool(row["in_force"]),
    )


def _known(cell: object) -> float | None:
    return None if str(cell) in ("nan", "<NA>", "None") else float(str(cell))


def _refuse(target: Target, code: str, *, found: str, expected: str, remedy: str) -> DataError:
    place = f"targets.csv line {target.line}: {target.target_id}"
    return DataError(code, found=found, expected=expected, offenders=[place], remedy=remedy)


def _alone(target: Target) -> None:
    wrong: tuple[str, str] | None = None
    left = target.left(target.base_mt)
    if target.kind == "percent" and not 0 < target.value <= 100:
        wrong = f"a cut of {target.value:g} percent", "above 0 and at most 100 percent"
    elif target.kind == "net-zero" and target.value != 0:
        wrong = f"a net-zero target of {target.value:g}", "0; a level where something is left"
    elif target.base_year is not None and target.base_year >= target.target_year:
        wrong = f"base year {target.base_year}, target year {target.target_year}", "the base year first"
    elif left is not None and left[0] < -left[1]:
        wrong = f"a cut that leaves {left[0]:g} Mt", "a cut not above its base"
    if wrong is not None:
        raise _refuse(
            target, "target-implausible", found=wrong[0], expected=wrong[1], remedy="correct the row"
        )


def _one_in_force(first: Target, second: Target) -> None:
    if first.kind == second.kind:
        raise _refuse(
            second,
            "target-in-force-twice",
            found=f"{second} in force beside {first}",
            expected="one target in force of each cluster, kind and year",
            remedy="set in_force to false for one of them and say why in its note",
        )


def _base_is_published(targets: list[Target], published: pd.DataFrame) -> None:
    known = {(r.cluster_id, r.scope_id, r.year): float(str(r.value_mt)) for r in published.itertuples()}
    scopes = set(published["scope_id"])
    for target in targets:
        if target.scope_id and target.scope_id not in scopes:
            raise _refuse(
                target,
                "target-scope-unknown",
                found=f"scope_id {target.scope_id!r}",
                expected="a scope of published_history.csv, or nothing",
                remedy="correct the scope_id",
            )
        figure = known.get((target.cluster_id, target.scope_id, target.base_year))
        if figure is not None and target.base_mt is not None and figure != target.base_mt:
            raise _refuse(
                target,
                "target-base-contradicts",
                found=f"base value {target.base_mt:g} Mt",
                expected=f"{figure:g} Mt, the figure of published_history.csv for {target.base_year}",
                remedy="correct the one that is wrong",
            )


def _agree(first: Target, second: Target) -> None:
    bases = [target.base_mt for target in (first, second) if target.base_mt is not None]
    if len(set(bases)) > 1:
        raise _refuse(
            second,
            "target-base-contradicts",
            found=f"base values {bases[0]:g} and {bases[1]:g} Mt for {first.base_year}",
            expected="one base value for one base year and scope",
            remedy="correct the one that is wrong",
        )
    base = bases[0] if bases else None
    here, there = first.left(base), second.left(base)
    if here is None or there is None or abs(here[0] - there[0]) <= here[1] + there[1] + 1e-9:
        return
    slip = _slip(first, there, base) or _slip(second, here, base)
    raise _refuse(
        second,
        "target-contradicts",
        found=f"{second} leaves {there[0]:.4g} Mt, {first} leaves {here[0]:.4g} Mt{slip}",
        expected="two tellings of one target that agree within their rounding",
        remedy="correct the value or its kind; give targets of unlike scope their own scope",
    )


def _slip(target: Target, other: tuple[float, float], base: float | None) -> str:
    """The classic slip, named: a level to reach read as a reduction, or the other way round."""
    near = other[1] + half_digit(target.value)
    if target.kind == "reduction" and abs(target.value - other[0]) <= near:
        return f"; {target.value:g} Mt looks like the level to reach, read as a reduction"
    if target.kind == "level" and base is not None and abs(base - target.value - other[0]) <= near:
        return f"; {target.value:g} Mt looks like the reduction, read as the level to reach"
    return ""
