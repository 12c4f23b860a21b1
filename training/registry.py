"""The registry: saved folders as versions of one registered model, and who carries the champion alias.

The promotion record decides; the registry is made to agree with it. ``champion`` and
``champion_folder`` read the record alone and never import MLflow.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import pandas as pd

from features.errors import ModelError
from training import promotions
from training.promotions import Promotion
from training.tracking import Tracker, answering, client_of, quiet_mlflow

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

NAME: Final = "forecarbon"
ALIAS: Final = "champion"
VERSION_TAG: Final = "model_version"
ABOUT: Final = (
    "Forecasts of yearly emissions by industrial cluster and sector, tCO2e. The alias 'champion' is the "
    "version that serves; every version says in a sentence why it was let in."
)
_READS: Final = (
    "mlflow", "numpy", "pandas", "pandera", "pyarrow", "scipy", "lightgbm", "statsmodels", "scikit-learn",
)  # fmt: skip


@dataclass(frozen=True)
class Settled:
    """What ``settle`` found and did, and the registry's number of the champion ("" if there is none)."""

    action: Literal["nothing-promoted", "agrees", "alias-set", "restored"]
    registry_version: str


def champion(store: Path) -> Promotion | None:
    """The promotion that made the present champion, None before the first."""
    return promotions.current(store)


def champion_folder(store: Path) -> Path | None:
    """The saved model folder of the champion; None before the first, or if the folder is gone."""
    now = champion(store)
    if now is None:
        return None
    folder = model_folder(store, now.to_version)
    return folder if folder.is_dir() else None


def model_folder(store: Path, model_version: str) -> Path:
    """Where the saved folder of a model version lies."""
    return store / "models" / model_version


def log_model(tracker: Tracker, run_id: str, folder: Path, *, example: pd.DataFrame) -> str:
    """Log a saved model folder into a run, to be opened by ``training.loader``.

    ``example`` is a frame that ``predict`` takes: unique_id, steps, and perhaps ds and y.

    Returns: address of the logged model ("models:/m-…").
    """
    mlflow = quiet_mlflow()
    with _fluent(tracker), warnings.catch_warnings(), mlflow.start_run(run_id=run_id):
        warnings.simplefilter("ignore")  # MLflow's remarks on its own type hints
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="training.loader",
            data_path=str(folder),
            pip_requirements=[f"{name}=={version(name)}" for name in _READS],
            signature=_signature(),
            input_example=example,
        )
    return str(logged.model_uri)


def register(
    tracker: Tracker,
    *,
    model_uri: str,
    run_id: str,
    model_version: str,
    sentence: str,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Make a logged model a version of the registered model; a second call finds the first's version.

    Returns: the registry's number.
    """
    client = client_of(tracker)
    found = _registered(client, model_version)
    if found:
        return found
    if not client.search_registered_models(f"name = '{NAME}'"):
        client.create_registered_model(NAME, description=ABOUT)
    with _fluent(tracker):  # the store looks the logged model up through the global address
        made = client.create_model_version(
            NAME,
            source=model_uri,
            run_id=run_id,
            tags={VERSION_TAG: model_version, **(tags or {})},
            description=sentence,
            model_id=model_uri.removeprefix("models:/"),
        )
    return str(made.version)


def promote(tracker: Tracker, promotion: Promotion) -> bool:
    """Append the promotion to the record, then hand over the alias. Safe to run again.

    Returns: False if the registry fell silent after the record was written; the next ``settle`` makes it
        agree.

    Raises:
        ModelError: the saved folder or the registered version is missing; nothing is recorded.
            Or the record cannot be written to.
        LawBroken: the promotion does not follow the present champion.
    """
    folder = model_folder(tracker.store, promotion.to_version)
    registered = _registered(client_of(tracker), promotion.to_version)
    if not folder.is_dir() or not registered:
        raise ModelError(
            "promotion-without-model",
            found="no saved folder" if not folder.is_dir() else "no registered version",
            expected=f"{promotion.to_version} saved and registered before it is promoted",
            remedy="run retrain again",
        )
    try:
        promotions.append(tracker.store, promotion)
    except OSError as fault:
        raise _unwritable(fault) from fault
    try:
        with answering(tracker.uri):
            settle(tracker)
    except ModelError:
        return False
    return True


def _unwritable(fault: OSError) -> ModelError:
    return ModelError(
        "promotion-unwritten",
        found=f"{type(fault).__name__}: {fault}",
        expected=f"room for a line in {promotions.FILE}",
        remedy="make room in the store and run again; what serves is untouched",
    )


def settle(tracker: Tracker) -> Settled:
    """Make the registry agree with the promotion record, after a kill or the loss of its database.

    Raises:
        ModelError: the champion on record is neither registered nor on disk.
    """
    client = client_of(tracker)
    now = champion(tracker.store)
    carrier = _carrier(client)
    if now is None:
        if carrier:
            client.delete_registered_model_alias(NAME, ALIAS)
        return Settled("nothing-promoted", "")
    registered = _registered(client, now.to_version)
    if registered and registered == carrier:
        return Settled("agrees", registered)
    action: Literal["alias-set", "restored"] = "alias-set" if registered else "restored"
    number = registered or _restore(tracker, now)
    client.set_registered_model_alias(NAME, ALIAS, number)
    client.update_model_version(NAME, number, description=now.sentence)
    return Settled(action, number)


def _restore(tracker: Tracker, now: Promotion) -> str:
    """Register the champion's saved folder anew, in a run of its own."""
    folder = champion_folder(tracker.store)
    if folder is None:
        raise ModelError(
            "champion-lost",
            found=f"neither folder nor registered version of {now.to_version}",
            expected="the champion on record to be on disk",
            remedy="restore store/models from a copy, or roll back to a version that exists",
        )
    client = client_of(tracker)
    run = client.create_run(
        tracker.experiment_id, run_name=f"restored {now.to_version}", tags={VERSION_TAG: now.to_version}
    )
    run_id = str(run.info.run_id)
    example = pd.DataFrame({"unique_id": ["nl-rotterdam/refining"], "steps": [8]})
    uri = log_model(tracker, run_id, folder, example=example)
    return register(
        tracker, model_uri=uri, run_id=run_id, model_version=now.to_version, sentence=now.sentence
    )


def _registered(client: MlflowClient, model_version: str) -> str:
    """Registry number of a model version, "" if it has none. Numbers may change; the tag does not."""
    found = client.search_model_versions(f"name = '{NAME}' and tag.{VERSION_TAG} = '{model_version}'")
    return str(max((int(item.version) for item in found), default=""))


def _carrier(client: MlflowClient) -> str:
    found = client.search_registered_models(f"name = '{NAME}'")
    return str(found[0].aliases.get(ALIAS, "")) if found else ""


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, DataType, ParamSchema, ParamSpec, Schema, TensorSpec

    asked: list[ColSpec | TensorSpec] = [
        ColSpec(DataType.string, "unique_id"),
        ColSpec(DataType.long, "steps"),
        ColSpec(AnyType(), "ds", required=False),  # type: ignore[no-untyped-call]  # dates or their text
        ColSpec(DataType.double, "y", required=False),
    ]
    kinds = {
        "unique_id": DataType.string, "ds": DataType.datetime, "quantile": DataType.double,
        "cutoff": DataType.datetime, "step": DataType.long, "yhat": DataType.double,
    }  # fmt: skip
    answer: list[ColSpec | TensorSpec] = [ColSpec(kind, name) for name, kind in kinds.items()]
    levels = ParamSpec("levels", DataType.double, [80.0, 95.0], shape=(-1,))
    return ModelSignature(inputs=Schema(asked), outputs=Schema(answer), params=ParamSchema([levels]))


def collect(tracker: Tracker) -> None:
    """Run `mlflow gc` in this process, where MLflow is loaded already: that takes it seconds.

    It takes all that is deleted, what a person deleted in MLflow's pages too.
    """
    quiet_mlflow()
    from mlflow.cli import gc

    words = ["--backend-store-uri", tracker.uri, "--tracking-uri", tracker.uri]
    with _fluent(tracker), redirect_stdout(StringIO()):  # it prints a line a run
        gc.main(words, standalone_mode=False)


@contextmanager
def _fluent(tracker: Tracker) -> Iterator[None]:
    """MLflow's global address set for the block alone: it also writes it into the environment, where
    the next tracker would take it for the user's wish."""
    mlflow = quiet_mlflow()
    before = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(tracker.uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(None)
        if before is not None:
            os.environ["MLFLOW_TRACKING_URI"] = before
