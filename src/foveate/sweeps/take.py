"""Which trial a process works on next: one that another left behind when it was killed, else a new one.

The storage says which trials there are; the lock in a trial's folder says whether somebody works on one. It is the
operating system's own and ends with its process, so that a trial is free the moment its process is gone: no heartbeat
has to be missed first, and a process that merely sleeps loses nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from foveate.sweeps.place import alone, trial_folder
from foveate.sweeps.schema import Sweep
from foveate.sweeps.space import Axis, AxisValue, axes, grid, trials_of
from foveate.training.run.existing import runs_below
from foveate.training.run.folder import is_locked, locked

REASON, ATTEMPTS = "reason", "attempts"
"""Of a trial's attributes in the storage: why it failed; how often it was begun, and with how many epochs done."""
NO_ATTEMPT = [0, -1]
TOO_MANY = 3
"""Attempts without one more epoch, after which a trial is given up."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A trial that nobody else works on."""

    study: optuna.Study
    trial: Trial
    settings: dict[str, AxisValue]
    folder: Path

    @property
    def number(self) -> int:
        """From 0, in the order of the storage."""
        return int(self.trial.number)


def list_grid(study: optuna.Study, sweep: Sweep) -> None:
    """Put those trials of a grid in the storage that aren't there yet; for use inside of `alone`."""
    if sweep.method == "grid":
        for settings in grid(sweep)[len(study.get_trials(deepcopy=False)) :]:
            study.enqueue_trial(settings)


@contextmanager
def taken(study: optuna.Study, sweep: Sweep, folder: Path) -> Iterator[Taken | None]:
    """A trial to work on, kept from the others meanwhile; None where every one is done or in work."""
    with ExitStack() as held:
        with alone(folder):
            taken_trial = _next(study, sweep, folder)
            if taken_trial is not None:
                held.enter_context(locked(taken_trial.folder))
        yield taken_trial


def _next(study: optuna.Study, sweep: Sweep, folder: Path) -> Taken | None:
    for left in _left_behind(study, folder):
        place = trial_folder(folder, left.number)
        taken_trial = _drawn(_sampling(study, sweep, left.number), left, sweep, place)
        if _is_worth_it(taken_trial):
            return taken_trial
        tell_failed(taken_trial, f"its process ended {TOO_MANY} times without finishing one more epoch")
    trials = study.get_trials(deepcopy=False)
    waiting = [trial.number for trial in trials if trial.state == TrialState.WAITING]
    if not waiting and len(trials) >= trials_of(sweep):
        return None
    number = min(waiting, default=len(trials))
    taken_trial = _drawn(_sampling(study, sweep, number), None, sweep, trial_folder(folder, number))
    _is_worth_it(taken_trial)
    return taken_trial


def _left_behind(study: optuna.Study, folder: Path) -> list[FrozenTrial]:
    """Trials that were begun and aren't done, and that nobody works on."""
    running = (TrialState.RUNNING,)
    begun = [trial.number for trial in study.get_trials(deepcopy=False, states=running)]
    free = {number for number in begun if not is_locked(trial_folder(folder, number))}
    # Asked once more: a process tells how its trial ended before it lets go of the lock.
    return [trial for trial in study.get_trials(deepcopy=False, states=running) if trial.number in free]


def _sampling(study: optuna.Study, sweep: Sweep, number: int) -> optuna.Study:
    """The study, about to draw by the trial's own chance: the same trials come however many processes draw them."""
    kind = optuna.samplers.TPESampler if sweep.method == "tpe" else optuna.samplers.RandomSampler
    study.sampler = kind(seed=number)
    return study


def _drawn(study: optuna.Study, begun: FrozenTrial | None, sweep: Sweep, place: Path) -> Taken:
    """A trial with all its settings; one that was begun keeps what it has."""
    trial = study.ask() if begun is None else Trial(study, begun._trial_id)
    return Taken(study, trial, {axis.name: axis.exact(_draw(trial, axis)) for axis in axes(sweep)}, place)


def _draw(trial: Trial, axis: Axis) -> AxisValue:
    numbers = axis.numbers
    if numbers is None:
        return str(trial.suggest_categorical(axis.name, list(axis.choices)))
    if numbers.whole:
        step = int(numbers.step or 1)
        return trial.suggest_int(axis.name, int(numbers.low), int(numbers.high), step=step, log=numbers.log)
    return trial.suggest_float(axis.name, numbers.low, numbers.high, step=numbers.step, log=numbers.log)


def _is_worth_it(taken_trial: Taken) -> bool:
    """Count the attempt; False after too many in which nothing was gained, as with one that takes all memory."""
    count, before = taken_trial.trial.user_attrs.get(ATTEMPTS, NO_ATTEMPT)
    done = sum(run.epochs for run in runs_below(taken_trial.folder))
    count = count + 1 if done == before else 1
    taken_trial.trial.set_user_attr(ATTEMPTS, [count, done])
    return bool(count <= TOO_MANY)


def tell_stopped(taken_trial: Taken) -> None:
    """The attempt ended in good order: it doesn't count."""
    taken_trial.trial.set_user_attr(ATTEMPTS, NO_ATTEMPT)


def tell_failed(taken_trial: Taken, reason: str) -> None:
    """The trial has no score, for a reason in one sentence."""
    taken_trial.trial.set_user_attr(REASON, reason)
    taken_trial.study.tell(taken_trial.number, state=TrialState.FAIL)


def tell_done(taken_trial: Taken, scores: Mapping[str, float]) -> None:
    """The trial's score is the mean over its runs."""
    taken_trial.study.tell(taken_trial.number, sum(scores.values()) / len(scores))
