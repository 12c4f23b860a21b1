"""Handing service over by hand: ``forecarbon promote`` and ``forecarbon rollback``.

The pack is built before anything changes; then come the record, the pointer and the registry, in that
order. Killed in between, the same command run again ends what was begun.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from features.errors import AskError, ForecarbonError, ModelError
from features.files import one_at_a_time, read_json
from features.instants import to_second
from features.stores import expect_store
from models import saved
from training import promotions, registry
from training.promotions import Promotion
from training.tracking import open_tracker

Decision = Literal["promote", "roll-back"]
Serve = Callable[[Path], Callable[[], object]]
_WORD: Final = {"promote": "promoted by hand", "roll-back": "rolled back to"}


@dataclass(frozen=True)
class HandedOver:
    """What was done.

    Attributes:
        line: the line of the record that makes the version champion.
        changed: whether it is new; False where the version served already.
        registry: what the registry was found and made to be; a refusal in words if it did not follow.
    """

    line: Promotion
    changed: bool
    registry: str


def hand_over(
    *,
    store: Path,
    version: str,
    decision: Decision,
    who: str,
    now: datetime,
    serve: Serve,
    experiment: str,
    why: str = "",
) -> HandedOver:
    """Make a saved version the champion: record, served pack, registry alias.

    Args:
        version: a saved model; "" with "roll-back" is the champion before the present one.
        serve: builds the pack of a saved folder and gives back what publishes it.
        experiment: where a run is kept if the registry has lost the version.
        why: a reason in words, kept in the record.

    Raises:
        AskError: no store, no such version, nothing to roll back to, or another job holds the store.
        ModelError: the saved model cannot be read. The champion stays in either case.
    """
    expect_store(store, "to hand over")
    with one_at_a_time(store / "retrain.lock", "retrain"):
        target = version or _before(store)
        publish = serve(readable(store, target))
        standing = promotions.current(store)
        if standing is not None and standing.to_version == target:
            line, changed = standing, False
        else:
            line, changed = _line(store, target, decision, who, now, why), True
            promotions.append(store, line)
        publish()
        return HandedOver(line, changed, _followed(store, experiment))


def readable(store: Path, version: str) -> Path:
    """The folder of a saved version, read through once.

    Raises:
        AskError: no such version (``unknown-version``).
        ModelError: it cannot be read.
    """
    known = sorted(path.name for path in (store / "models").glob("[!.]*") if path.is_dir())
    if version not in known:
        near = difflib.get_close_matches(version, known, n=1, cutoff=0.3)
        raise AskError(
            "unknown-version",
            found=f"model version {version!r}",
            expected="one of " + (", ".join(known[-3:]) or "none: nothing is saved here"),
            remedy=f"did you mean {near[0]}? " if near else "see `forecarbon history`",
        )
    folder = registry.model_folder(store, version)
    saved.read(folder)
    return folder


def _before(store: Path) -> str:
    target = promotions.before_present(store)
    if not target:
        raise AskError(
            "nothing-before",
            found="no earlier champion on record",
            expected="one to roll back to",
            remedy="name a saved version with --to (see `forecarbon history`)",
        )
    return target


def _line(store: Path, version: str, decision: Decision, who: str, now: datetime, why: str) -> Promotion:
    """The new line; what a version was made from comes from its first promotion, or its own evidence."""
    lines = promotions.read(store)
    first = next((line for line in lines if line.to_version == version and line.decision == "promote"), None)
    standing = promotions.current(store)
    before = standing.to_version if standing else ""
    told = f"{version} {_WORD[decision]}" if decision == "promote" else f"{_WORD[decision]} {version}"
    sentence = f"{told} from {before or 'nothing'}, by {who}{f': {why}' if why else ''}."
    if first is not None:
        sentence += f" It was let in because: {first.sentence}"
    facts = _made_from(registry.model_folder(store, version), first)
    return Promotion(
        at=to_second(now),
        who=who,
        from_version=before,
        to_version=version,
        decision=decision,
        sentence=sentence,
        **facts,
    )


def _made_from(folder: Path, first: Promotion | None) -> dict[str, str]:
    names = (
        "verdict_id",
        "data_hash",
        "plan_fingerprint",
        "recipe_fingerprint",
        "run_id",
        "registry_version",
    )
    if first is not None:
        return {name: str(getattr(first, name)) for name in names}
    evidence: dict[str, Any] = {}
    if (folder / "evidence.json").exists():
        evidence = read_json(folder / "evidence.json")
    model, _ = saved.read(folder)
    known = {
        "verdict_id": str(evidence.get("verdict", {}).get("verdict_id", "")),
        "recipe_fingerprint": model.recipe.fingerprint(),
    }
    return {name: known.get(name, "") for name in names}


def _followed(store: Path, experiment: str) -> str:
    """Have the registry follow the record; whatever it answers, the record and the pointer stand."""
    try:
        return registry.settle(open_tracker(store=store, experiment=experiment)).action
    except (ForecarbonError, OSError) as fault:
        reason = fault.code if isinstance(fault, ModelError | AskError) else type(fault).__name__
    except Exception as fault:  # noqa: BLE001 - MLflow's errors are behind its fence; none may undo this
        reason = type(fault).__name__
    return f"not followed ({reason}); the next retrain, promote or rollback settles it"
