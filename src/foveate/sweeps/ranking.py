"""Which settings were how good: one row per trial, the best first, as a table and as CSV."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

from foveate.errors import UsageError
from foveate.imaging import write_csv
from foveate.sweeps.place import RECIPE, TABLE, load_record, sweep_in, trial_folder
from foveate.sweeps.schema import Sweep
from foveate.sweeps.space import AxisValue, axes, recipe_of, runs_of
from foveate.sweeps.storage import hidden, open_study
from foveate.sweeps.take import REASON
from foveate.training.run.folder import is_locked
from foveate.training.run.provenance import HIDDEN

State = Literal["done", "running", "stopped", "waiting", "failed"]
STATES: Mapping[TrialState, State] = {
    TrialState.COMPLETE: "done",
    TrialState.RUNNING: "stopped",
    TrialState.WAITING: "waiting",
    TrialState.FAIL: "failed",
}


@dataclass(frozen=True, slots=True)
class RankedTrial:
    """One trial."""

    number: int
    state: State
    settings: dict[str, AxisValue]
    scores: dict[str, float]
    """Of each run that is done, by its folder: validation F1, or loss."""
    reason: str
    """Why it failed, where it did."""

    @property
    def mean(self) -> float | None:
        """Over the runs."""
        return statistics.fmean(self.scores.values()) if self.scores else None

    @property
    def deviation(self) -> float | None:
        """Standard deviation between the runs, with n − 1 below; None for fewer than two."""
        return statistics.stdev(self.scores.values()) if len(self.scores) > 1 else None


@dataclass(frozen=True, slots=True)
class Ranking:
    """All trials of a sweep."""

    measure: Literal["F1", "loss"]
    axes: tuple[str, ...]
    runs: tuple[str, ...]
    """Names of a trial's runs."""
    rows: tuple[RankedTrial, ...]
    """The done ones first, by their score; then the others, by number."""


def ranking_of(folder: Path, storage: str | None) -> Ranking:
    """The ranking of the sweep in a folder as it is now.

    Raises UsageError where there is none, or its storage can't be used; `storage` may be left out unless its address
    has a password, which is kept nowhere.
    """
    sweep, record = sweep_in(folder), load_record(folder)
    recorded = record["storage"]
    if storage is None and recorded is not None and HIDDEN in recorded:
        raise UsageError(f"{folder}: give its --storage, {recorded}, with the password.")
    if hidden(storage) not in (None, recorded):
        raise UsageError(f"{folder}: its sweep began with another --storage. Give the same, or none.")
    study = open_study(folder, record["study"], storage or recorded)
    watch = recipe_of(sweep, {}, str(folder / RECIPE)).training.watch
    rows = [_row(trial, sweep, folder, 1 if watch == "f1" else -1) for trial in study.get_trials(deepcopy=False)]
    return Ranking(
        measure="F1" if watch == "f1" else "loss",
        axes=tuple(axis.name for axis in axes(sweep)),
        runs=tuple(name for name, _ in runs_of(sweep)),
        rows=tuple(sorted(rows, key=lambda row: _place(row, 1 if watch == "f1" else -1))),
    )


def _row(trial: FrozenTrial, sweep: Sweep, folder: Path, sign: int) -> RankedTrial:
    state, drawn = STATES[trial.state], trial.params or trial.system_attrs.get("fixed_params", {})
    if state == "stopped" and is_locked(trial_folder(folder, trial.number)):
        state = "running"
    return RankedTrial(
        number=trial.number,
        state=state,
        settings={axis.name: axis.exact(drawn[axis.name]) for axis in axes(sweep) if axis.name in drawn},
        scores={name: sign * trial.user_attrs[name] for name, _ in runs_of(sweep) if name in trial.user_attrs},
        reason=trial.user_attrs.get(REASON, ""),
    )


def _place(row: RankedTrial, sign: int) -> tuple[bool, float, int]:
    done = row.state == "done"
    return not done, -sign * row.mean if done and row.mean is not None else 0.0, row.number


def write_table(ranking: Ranking, folder: Path) -> Path:
    """Write sweep.csv, one row per trial in the ranking's order. Raises OutputError."""
    rows: list[list[object]] = [["trial", "state", ranking.measure, "std", "n", *ranking.axes, *ranking.runs, "reason"]]
    for row in ranking.rows:
        scores = [_number(row.scores.get(name)) for name in ranking.runs]
        settings = [row.settings.get(name, "") for name in ranking.axes]
        summary = [_number(row.mean), _number(row.deviation), len(row.scores)]
        rows.append([row.number, row.state, *summary, *settings, *scores, row.reason])
    write_csv(rows, folder / TABLE)
    return folder / TABLE


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.5f}"
