"""How a pack lies on disk: names, format number and digests shared by its writer and its reader."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from features.errors import ModelError, of_system
from features.files import read_json

FORMAT: Final = 1
CARD: Final = "pack.json"
CLUSTERS: Final = "clusters.json"
HISTORY: Final = "history.parquet"
MODEL: Final = "model"
CURRENT: Final = "current.json"
PREVIOUS: Final = "previous.json"
PACKS: Final = "packs"
GRID: Final = tuple(round(k / 200, 3) for k in range(1, 200))
ARRAYS: Final = ("mean", "grid", "paths", "naive_mean", "naive_grid")
PLANT: Final = "plant"
PLANT_ARRAYS: Final = ("plant_mean", "plant_grid")
RETRAIN: Final = "run `forecarbon retrain`"


@dataclass(frozen=True)
class Pointer:
    """Which pack is served.

    Attributes:
        model_version: of the champion in the pack.
        pack: folder of the pack, relative to the store.
        digest: sha256 of its ``pack.json``, which holds the sha256 of every other file.
    """

    model_version: str
    pack: str
    digest: str

    def as_record(self) -> dict[str, str]:
        """JSON-ready fields."""
        return {"model_version": self.model_version, "pack": self.pack, "digest": self.digest}


def read_pointer(path: Path) -> Pointer | None:
    """The pointer stored at ``path``; None if there is none.

    Raises:
        ModelError: the file is there but is no pointer, or points outside ``packs/``.
    """
    try:
        record = read_json(path)
        pointer = Pointer(**{name: str(record[name]) for name in ("model_version", "pack", "digest")})
    except FileNotFoundError:
        return None
    except PermissionError as reason:
        raise of_system(reason) from None
    except (OSError, ValueError, KeyError, RecursionError) as reason:
        raise ModelError(
            "pointer-unreadable",
            found=f"{path.name}: {reason!r}",
            expected="model_version, pack and digest",
            remedy=RETRAIN,
        ) from None
    parts = Path(pointer.pack).parts
    if len(parts) != 2 or parts[0] != PACKS or parts[1].startswith("."):
        raise ModelError(
            "pointer-unreadable",
            found=f"{path.name} points to {pointer.pack!r}",
            expected=f"a folder directly under {PACKS}/",
            remedy=RETRAIN,
        )
    return pointer


def sha256_of(path: Path) -> str:
    """Hex sha256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_digests(folder: Path) -> dict[str, str]:
    """sha256 of every file below ``folder`` but the card itself, by relative name, sorted."""
    found = {
        item.relative_to(folder).as_posix(): sha256_of(item) for item in folder.rglob("*") if item.is_file()
    }
    found.pop(CARD, None)
    return dict(sorted(found.items()))


def text_digest(*parts: Any) -> str:
    """sha256 over the texts of ``parts``, with lengths so that no two lists of parts look alike."""
    whole = hashlib.sha256()
    for part in parts:
        raw = str(part).encode()
        whole.update(f"{len(raw)}:".encode() + raw)
    return whole.hexdigest()
