"""Whether a folder is a store: asked before a job that only makes sense in one makes anything."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.errors import AskError

# What the product makes, on the floors above too.
_OURS: Final = frozenset(
    {
        *("promotions.jsonl", "retrains.jsonl", "findings.jsonl", "current.json", "previous.json"),
        *("state.db", "mlflow.db", "schedule.db", "lake", "packs", "meters"),
    }
)
# Anybody may have folders of these names, and clearing up would empty them: ours stand beside a lock, or hold
# a model that was saved with its figures.
_ANYBODYS: Final = frozenset({"models", "artifacts", "journal", "downloads", "cache", "bentoml"})
_SAVED: Final = "models/*/history.parquet"
_LOCKS: Final = frozenset({"retrain.lock", "upkeep.lock"})
_SAY_NOTHING: Final = _LOCKS | {"lost+found"}
_SHOWN: Final = 3
_REMEDY: Final = (
    "name it with --store or FORECARBON_STORE; `forecarbon retrain` makes one, and `forecarbon restore` "
    "puts one back"
)


def expect_store(store: Path, what_for: str, *, new: bool = False) -> None:
    """Refuse a folder that is no store; nothing is made.

    Args:
        what_for: as in "a store to back up".
        new: an empty folder will do, as a fresh volume is one.

    Raises:
        AskError: no such folder, nothing in it, or things of somebody else (``no-store``).
    """
    expected = f"a store {what_for}: a folder with what Forecarbon keeps, its record, models and lake"
    if not store.is_dir():
        raise AskError("no-store", found=f"nothing at {store}", expected=expected, remedy=_REMEDY)
    try:
        names = sorted(path.name for path in store.iterdir())
    except PermissionError:
        return  # whoever reads it says whose it is
    locked = bool(_ANYBODYS & set(names) and _LOCKS & set(names))
    ours = _OURS & set(names) or locked or any(store.glob(_SAVED))
    if ours or (names and all(name.startswith(".restoring") for name in names)):
        return
    others = [name for name in names if name not in _SAY_NOTHING and not name.startswith(".")]
    if new and not others:
        return
    more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
    held = f"only {', '.join(others[:_SHOWN])}{more}" if others else "nothing"
    raise AskError("no-store", found=f"{held} in {store}", expected=expected, remedy=_REMEDY)
