"""Which pack was built of a saved model, kept by the content of all that it is built from: a champion whose
pack is there already is then not read, nor its figures summed, to find that out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final

import pandas as pd

from features.files import read_json, write_json
from serving.layout import CARD, PACKS, sha256_of

FOLDER: Final = "made"
_MAKING: Final = ("features", "models", "serving")
_LIBRARIES: Final = ("numpy", "pandas", "scipy", "lightgbm", "statsmodels", "scikit-learn")
_ROOT: Final = Path(__file__).resolve().parent.parent


def key_of(model: Path) -> str:
    """Digest of every file of a saved model, of the reference tables, and of code and libraries; "" where
    one cannot be read, which whoever builds the pack will say."""
    whole = hashlib.sha256(json.dumps([f"{name}=={version(name)}" for name in _LIBRARIES]).encode())
    try:
        for name, path in _read(model):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            whole.update(json.dumps([name, content]).encode())
    except OSError:
        return ""
    return whole.hexdigest()


def _read(model: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(model.rglob("*")):
        if path.is_file():
            yield path.relative_to(model).as_posix(), path
    for floor in _MAKING:
        for path in sorted((_ROOT / floor).rglob("*")):
            if path.suffix in (".py", ".csv"):
                yield path.relative_to(_ROOT).as_posix(), path


def read(store: Path, key: str, model_version: str, now: pd.Timestamp) -> Path | None:
    """The pack kept under ``key``, if what is known at ``now`` (UTC without a zone) is what it holds."""
    if not key:
        return None
    try:
        record = read_json(store / FOLDER / f"{key}.json")
        pack = store / PACKS / str(record["pack"])
        alike = record["model_version"] == model_version and record["card"] == sha256_of(pack / CARD)
        known = pd.Timestamp(str(record["newest"])) <= now
    except (OSError, ValueError, KeyError):
        return None
    return pack if alike and known else None


def keep(store: Path, key: str, pack: Path, model_version: str, newest: pd.Timestamp) -> None:
    """Keep which pack was built, and when the ``newest`` figure that may be in it became known."""
    if not key:
        return
    try:
        record = {
            "pack": pack.name,
            "card": sha256_of(pack / CARD),
            "model_version": model_version,
            "newest": newest.isoformat(),
        }
        write_json(store / FOLDER / f"{key}.json", record)
    except OSError:
        return  # a full disk is no failure: it is then built again, and found to be there
