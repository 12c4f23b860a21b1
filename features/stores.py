"""Whether a folder is a store: asked before a job that only makes sense in one makes anything."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from features.errors import AskError

# What only the product makes, on the floors above too; locks and caches say nothing of what is kept.
_OURS: Final = frozenset(
    {
        *("promotions.jsonl", "retrains.jsonl", "findings.jsonl", "current.json", "previous.json"),
        *("state.db", "mlflow.db", "schedule.db", "lake", "models", "packs", "journal", "artifacts"),
        *("downloads", "cache", "bentoml", "meters"),
    }
)
_SAY_NOTHING: Final = frozenset({"lost+found", "retrain.lock", "upkeep.lock"})
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
    if _OURS & set(names) or (names and all(name.startswith(".restoring") for name in names)):
        return
    others = [name for name in names if name not in _SAY_NOTHING and not name.startswith(".")]
    if new and not others:
        return
    more = f" and {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
    held = f"only {', '.join(others[:_SHOWN])}{more}" if others else "nothing"
    raise AskError("no-store", found=f"{held} in {store}", expected=expected, remedy=_REMEDY)
