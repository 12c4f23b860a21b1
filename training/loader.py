"""How MLflow opens a saved model folder: it calls ``_load_pyfunc``. No MLflow and no pickle here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import pandas as pd

from features.errors import AskError
from features.series.panel import Dense, Panel
from features.series.words import DS, MAX_STEPS, STEP, UNIQUE_ID, Y
from models.forecast import Outlook, quantiles_of_levels

STEPS: Final = "steps"
DEFAULT_LEVELS: Final = (80.0, 95.0)


class Fitted(Protocol):
    """What the folder holds, as far as predicting goes."""

    def outlook(self, history: Dense, steps: int, levels: tuple[float, ...]) -> Outlook:
        """Quantiles (``levels`` between 0 and 1) of ``steps`` periods after each history."""
        ...


@dataclass(frozen=True)
class Champion:
    """A fitted recipe and the histories it was saved with."""

    fitted: Fitted
    history: Dense

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Forecast the series named.

        ``model_input`` has ``unique_id`` and ``steps`` (1 to 30), a row a series; or, with ``ds`` and
        ``y`` (tCO2e) too, the caller's own history, a row a period. ``params`` may give ``levels``,
        central coverages in percent (80 and 95 otherwise).

        Returns: the Forecast frame: unique_id, ds, quantile, cutoff, step, yhat (tCO2e), in the order
            in which the series were first named.

        Raises:
            AskError: steps out of range, a series nobody knows, a level outside 0 to 100.
            DataError: own rows that are no series.
        """
        levels = quantiles_of_levels([float(v) for v in (params or {}).get("levels", DEFAULT_LEVELS)])
        asked = _asked(model_input)
        own = _own_rows(model_input)
        given = set(own[UNIQUE_ID])
        known = [name for name in asked.index if name not in given]
        self._refuse_unknown(known)
        parts = []
        if known:
            rows = self.history.take([self.history.row[name] for name in known])
            parts.append(self._forecast(rows, asked, levels))
        if given:
            parts.append(self._forecast(self._dense(own), asked, levels))
        place = {name: i for i, name in enumerate(asked.index)}
        together = pd.concat(parts, ignore_index=True)
        order = together[UNIQUE_ID].map(place).argsort(kind="stable")
        return together.iloc[order].reset_index(drop=True)

    def _forecast(self, history: Dense, asked: pd.Series[int], levels: tuple[float, ...]) -> pd.DataFrame:
        most = int(asked.loc[list(history.ids)].max())
        frame = self.fitted.outlook(history, most, levels).frame()
        return frame[frame[STEP] <= frame[UNIQUE_ID].map(asked)]

    def _dense(self, own: pd.DataFrame) -> Dense:
        traits = self.history.traits.set_axis(pd.Index(self.history.ids, name=UNIQUE_ID))
        return Panel.of(own, cadence=self.history.cadence, traits=traits).dense

    def _refuse_unknown(self, names: list[str]) -> None:
        unknown = [name for name in names if name not in self.history.row]
        if unknown:
            raise AskError(
                "unknown-series",
                found=f"{len(unknown)} series the model was not trained on, without history",
                expected="a unique_id of the model, or own rows with ds and y",
                offenders=unknown,
                remedy="check the names, or give the history of these series",
            )


def _asked(frame: pd.DataFrame) -> pd.Series[int]:
    """Steps asked for by series, in order of first mention; the largest counts."""
    steps = frame.groupby(frame[UNIQUE_ID].astype(str), sort=False)[STEPS].max()
    wrong = steps[~steps.between(1, MAX_STEPS)]
    if len(wrong) or not len(steps):
        raise AskError(
            "steps-out-of-range",
            found=f"{len(wrong)} series with other steps" if len(wrong) else "no rows",
            expected=f"1 to {MAX_STEPS} steps for at least one series",
            offenders=[f"{name}: {value}" for name, value in wrong.items()],
            remedy="ask for a number of steps in that range",
        )
    return steps.astype(int)


def _own_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows that carry a period: unique_id, ds (datetime64[ns]), y."""
    if DS not in frame.columns or Y not in frame.columns:
        return pd.DataFrame({UNIQUE_ID: [], DS: [], Y: []})
    rows = frame.loc[frame[DS].notna(), [UNIQUE_ID, DS, Y]]
    try:
        stamps = pd.to_datetime(rows[DS], format="ISO8601").astype("datetime64[ns]")
    except (ValueError, TypeError) as wrong:
        raise AskError(
            "date-unreadable",
            found=f"a ds that is no date ({wrong})",
            expected="dates such as 2022-01-01",
            remedy="write ds as ISO dates",
        ) from None
    return pd.DataFrame({UNIQUE_ID: rows[UNIQUE_ID].astype(str), DS: stamps, Y: rows[Y]})


def _load_pyfunc(path: str) -> Champion:
    """MLflow's door: the saved model folder at ``path``, ready to predict.

    Raises:
        ModelError: the folder is no model of ours, or damaged.
    """
    from models.saved import read  # brings the boosters' library, so only when a model is opened

    fitted, history = read(Path(path))
    return Champion(fitted=fitted, history=history)
