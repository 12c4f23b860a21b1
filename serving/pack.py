"""Building and publishing what serving reads, from the champion of the store.

The only door from serving to training: ``training.registry``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from features.errors import DataError, ModelError
from features.files import read_json, write_json
from features.instants import naive_utc
from serving import made
from serving.beside import Beside
from serving.crossing import bridge_records
from serving.facts import with_places
from serving.layout import CARD, CURRENT, PACKS, PREVIOUS, RETRAIN, Pointer, read_pointer, sha256_of
from serving.opened import open_pack
from serving.written import Evidence, write_pack

if TYPE_CHECKING:
    from features.reference.tables import Reference
    from features.series.basis import Basis

EVIDENCE: Final = "evidence.json"


def build_and_publish(*, store: Path, now: datetime) -> Path:
    """Build the champion's pack on its figures known at ``now``, and point serving to it.

    The same champion on the same figures gives the same pack, which is then left as it is.

    Raises:
        ModelError: no champion, its folder cannot be read, or there is no room for the pack; what was
            served before is served on.
    """
    from training.registry import champion_folder

    folder = champion_folder(store)
    if folder is None:
        raise ModelError(
            "no-champion",
            found="no champion in the store",
            expected="one that passed the gate",
            remedy=RETRAIN,
        )
    key = made.key_of(folder)
    pack = made.read(store, key, folder.name, naive_utc(now))
    if pack is not None and _published(store, pack):
        return pack
    try:
        pack = build(folder, store=store, now=now)
        publish(store, pack)
    except OSError as fault:
        raise ModelError(
            "pack-unwritten",
            found=f"{type(fault).__name__}: {fault}",
            expected=f"room in the store for the forecasts of {folder.name}",
            remedy="make room and run again: the champion is on record, what was served is served on",
        ) from fault
    newest = _newest(folder)
    if newest is not None and newest <= naive_utc(now):
        made.keep(store, key, pack, folder.name, newest)
    return pack


def _newest(folder: Path) -> pd.Timestamp | None:
    """When the newest figure beside a saved model became known: from then on its pack is one and the same.
    None where it keeps no figures: the embedded ones become known one by one."""
    from features.series.basis_files import FOLDER
    from features.series.words import KNOWN_AT

    path = folder / FOLDER / "vintages.parquet"
    if not path.exists():
        return None
    return pd.Timestamp(pd.read_parquet(path, columns=[KNOWN_AT])[KNOWN_AT].max())


def _published(store: Path, pack: Path) -> bool:
    """Whether serving points to ``pack``; False where it does not open, and is then built again."""
    try:
        publish(store, pack)
    except (ModelError, OSError):
        return False
    return True


def build(folder: Path, *, store: Path, now: datetime) -> Path:
    """The pack below ``store`` of the saved model in ``folder``; nothing is published.

    Raises:
        ModelError: the folder cannot be read.
    """
    from features.reference.tables import load
    from features.series.basis import bridges_of
    from models.engine import fit_panel
    from models.saved import read

    reference = load()
    fitted, _ = read(folder)
    basis = basis_of(folder, reference, naive_utc(now))
    history = basis.series.as_of(naive_utc(now))
    return write_pack(
        store=store,
        model_version=folder.name,
        fitted=fitted,
        naive=lambda: fit_panel(history, fitted.recipe.alone("naive")),
        history=history,
        series_set=basis.series,
        reference=replace(reference, clusters=with_places(reference.clusters, basis.places)),
        created_at=now,
        model_folder=folder,
        evidence=evidence_of(folder),
        beside=Beside(basis.quality, bridge_records(bridges_of(basis, reference)), basis.names),
    )


def rebuild(store: Path, model_version: str, *, scratch: Path, now: datetime) -> Path:
    """Below ``scratch``, the pack that a saved model of ``store`` had at ``now``.

    Raises:
        ModelError: the saved model is gone or cannot be read.
    """
    from training.registry import model_folder

    folder = model_folder(store, model_version)
    if not folder.is_dir():
        raise ModelError(
            "model-missing",
            found=f"neither the pack nor the saved model of {model_version}",
            expected="one of them in the store",
            remedy="restore store/models or store/packs from a copy",
        )
    return build(folder, store=scratch, now=now)


def basis_of(folder: Path, reference: Reference, t: pd.Timestamp) -> Basis:
    """The figures a saved model was judged on: its own, or the embedded ones where it keeps none.

    Raises:
        ModelError: they cannot be read.
    """
    from features.series.basis import of_embedded
    from features.series.basis_files import FOLDER, read_basis

    if not (folder / FOLDER).exists():
        return of_embedded(reference, t)
    try:
        return read_basis(folder)
    except (OSError, ValueError, KeyError, DataError) as why:
        raise ModelError(
            "model-unreadable",
            found=f"{folder.name}: {type(why).__name__}: {why}",
            expected="the figures beside a saved model as they were written",
            remedy=RETRAIN,
        ) from why


def evidence_of(folder: Path) -> Evidence:
    """Scores, verdict and commit kept beside a saved model in ``evidence.json``; empty without it."""
    path = folder / EVIDENCE
    return Evidence(**read_json(path)) if path.exists() else Evidence()


def publish(store: Path, pack: Path) -> Pointer:
    """Point serving to ``pack``; the pointer of another champion before it becomes ``previous.json``.

    Raises:
        ModelError: the pack does not open; the old pointer stays.
    """
    card = read_json(pack / CARD)
    pointer = Pointer(str(card["model_version"]), f"{PACKS}/{pack.name}", sha256_of(pack / CARD))
    open_pack(store, pointer)
    try:
        before = read_pointer(store / CURRENT)
    except ModelError:
        before = None
    if before == pointer:
        return pointer
    if before is not None and before.model_version != pointer.model_version:
        write_json(store / PREVIOUS, before.as_record())
    write_json(store / CURRENT, pointer.as_record())
    return pointer
