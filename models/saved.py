"""The saved model: a folder of plain files that opens anywhere, or refuses with a reason.

``model.json`` (recipe, weights, bands, dependence, versions, checksums of the others and of itself),
``booster.txt`` and ``recursive.txt`` (LightGBM's own text), ``history.parquet``, ``traits.parquet`` and
``breaks.parquet``.
Nothing in it is executed when it is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from features.errors import ForecarbonError, LawBroken, ModelError
from features.files import read_json, whole_folder, write_json
from features.series.cadence import named
from features.series.panel import Dense, Panel, long_frame
from models.fitted import FittedRecipe
from models.parts import model_of, parts_of

FORMAT: Final = 4
_LIBRARIES: Final = ("numpy", "pandas", "lightgbm", "statsmodels", "scikit-learn")
_REMEDY: Final = "retrain (forecarbon retrain); never edit a saved model by hand"


def write(
    model: FittedRecipe,
    history: Dense,
    folder: Path,
    evidence: Mapping[str, Any] | None = None,
    beside: Callable[[Path], None] | None = None,
) -> None:
    """Write ``folder`` whole or not at all, read it back, and compare the forecasts bit for bit.

    Args:
        model: what is saved.
        history: the figures it answers from.
        folder: must not exist yet.
        evidence: why it may serve (scores, verdict, commit), kept beside it in ``evidence.json``.
        beside: writes further files into the folder, which count among the model's own.

    Raises:
        LawBroken: what was read back forecasts otherwise.
    """
    with whole_folder(folder) as scratch:
        if evidence is not None:
            write_json(scratch / "evidence.json", evidence)
        if beside is not None:
            beside(scratch)
        _write_files(model, history, scratch)
        if not _alike((model, history), read(scratch)):
            raise LawBroken(
                "saved-model-differs",
                found="other forecasts after writing and reading the model",
                expected="the same forecasts bit for bit",
                remedy="report this; the champion in service is untouched",
            )


def read(folder: Path) -> tuple[FittedRecipe, Dense]:
    """The model and the history it answers from.

    Raises:
        ModelError: a missing, altered or incompatible file.
    """
    try:
        record = read_json(folder / "model.json")
        _check(record, folder)
        history = _read_history(folder, record)
        return model_of(record, lambda name: (folder / name).read_text()), history
    except (OSError, ValueError, KeyError, TypeError, ForecarbonError) as fault:
        if isinstance(fault, ModelError):
            raise
        raise ModelError(
            "model-unreadable",
            found=f"{type(fault).__name__}: {fault}",
            expected=f"a saved model of format {FORMAT} in {folder.name}",
            remedy=_REMEDY,
        ) from fault


def _alike(one: tuple[FittedRecipe, Dense], other: tuple[FittedRecipe, Dense]) -> bool:
    """Whether two models say the very same of their histories.

    A member that has learnt nothing, as ARIMA, which chooses anew for every history, says the same of the
    same; so does what is made of equal words with equal weights and bands. Only what has learnt is asked.
    """
    (model, history), (again, its_history) = one, other
    steps = model.recipe.reach
    told, read_back = parts_of(model)[0], parts_of(again)[0]
    if told["totals"] != read_back["totals"]:
        return False  # no curve shows them
    if not _same(history, its_history) or told != read_back:
        return np.array_equal(model.curves(history, steps), again.curves(its_history, steps))
    learnt = ((a, b) for a, b in zip(model.members, again.members, strict=True) if a != b)
    return all(np.array_equal(a.forecast(history, steps), b.forecast(its_history, steps)) for a, b in learnt)


def _same(one: Dense, other: Dense) -> bool:
    """Whether all that a member can read in two histories is equal."""
    arrays = (
        np.array_equal(getattr(one, name), getattr(other, name), equal_nan=name == "y")
        for name in ("y", "lengths", "starts", "breaks")
    )
    traits = (dense.traits.reset_index(drop=True) for dense in (one, other))
    named = (one.ids, one.cadence) == (other.ids, other.cadence)
    return named and all(arrays) and next(traits).equals(next(traits))


def _write_files(model: FittedRecipe, history: Dense, folder: Path) -> None:
    long = long_frame(history)
    rows, columns = np.nonzero(history.breaks)
    breaks = pd.DataFrame({"row": rows, "column": columns})
    long.to_parquet(folder / "history.parquet", index=False)
    breaks.to_parquet(folder / "breaks.parquet", index=False)
    history.traits.assign(unique_id=list(history.ids)).to_parquet(folder / "traits.parquet", index=False)
    told, boosters = parts_of(model)
    for name, text in boosters.items():
        (folder / name).write_text(text)
    record = {
        "format": FORMAT,
        **told,
        "cadence": history.cadence.name,
        "libraries": {name: version(name) for name in _LIBRARIES},
    }
    record["files"] = {
        p.relative_to(folder).as_posix(): _sha256(p) for p in sorted(folder.rglob("*")) if p.is_file()
    }
    write_json(folder / "model.json", {**record, "digest": _digest(record)})


def _digest(record: dict[str, Any]) -> str:
    """SHA-256 of a record without its own digest."""
    plain = {name: value for name, value in record.items() if name != "digest"}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _check(record: dict[str, Any], folder: Path) -> None:
    if record.get("format") != FORMAT:
        raise ModelError(
            "model-format",
            found=f"saved model of format {record.get('format')}",
            expected=f"format {FORMAT}",
            remedy=_REMEDY,
        )
    altered = [name for name, digest in record["files"].items() if _sha256(folder / name) != digest]
    if record["digest"] != _digest(record):
        altered.append("model.json")
    if altered:
        raise ModelError(
            "model-altered",
            found=f"{len(altered)} files that differ from their checksum",
            expected="the files as they were written",
            offenders=altered,
            remedy=_REMEDY,
        )


def _read_history(folder: Path, record: dict[str, Any]) -> Dense:
    traits = pd.read_parquet(folder / "traits.parquet").set_index("unique_id")
    panel = Panel.of(pd.read_parquet(folder / "history.parquet"), named(record["cadence"]), traits)
    dense = panel.dense
    order = [dense.row[name] for name in traits.index]
    dense = dense.take(order)
    breaks = pd.read_parquet(folder / "breaks.parquet")
    dense.breaks[breaks["row"].to_numpy(), breaks["column"].to_numpy()] = True
    return dense


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
