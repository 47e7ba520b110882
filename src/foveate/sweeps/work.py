"""Work on a sweep: trial after trial, each of them one ordinary run for every seed and fold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna import Study
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import SQLAlchemyError

from foveate.datasets import DataSet
from foveate.datasets.splits import folds
from foveate.errors import OutputError, RecipeError, TrainingError, UsageError
from foveate.recipes.read import read_recipe_of_run
from foveate.recipes.schema import Recipe
from foveate.sweeps.place import RECIPE, alone, begin_or_join
from foveate.sweeps.schema import Sweep
from foveate.sweeps.space import recipe_of, runs_of, to_check, trials_of
from foveate.sweeps.storage import check_storage, hidden, open_study
from foveate.sweeps.take import Taken, list_grid, taken, tell_done, tell_failed, tell_stopped
from foveate.training.data.gather import FOLD_SEED, common_classes, has_own_validation
from foveate.training.processes.place import chosen_device, chosen_precision
from foveate.training.run.facts import FACTS, load_facts
from foveate.training.run.folder import RECIPE as OF_RUN
from foveate.training.run.folder import STATE, is_locked
from foveate.training.run.progress import Listener, Progress
from foveate.training.run.provenance import redacted
from foveate.training.run.tensors import load_state
from foveate.training.start import start
from foveate.training.step.first_weights import first_weights


@dataclass(frozen=True, slots=True)
class Work:
    """What the runs of a sweep share."""

    sweep: Sweep
    folder: Path
    data: Sequence[DataSet]
    device: str
    command: str
    initial: str | Path | None
    say: Callable[[str], None]
    listening: Callable[[Recipe], AbstractContextManager[Listener]]
    """Who hears how one run goes."""


def work_on(work: Work, *, storage: str | None, at_most: int | None) -> int:
    """Train trials until none is left, or `at_most` of them; returns how many.

    A trial whose training fails is marked so, and the others go on. Raises UsageError where the folder holds another
    sweep or the storage can't be used, DataError where a set has too few groups for the folds, OutputError or
    TrainingError where the disk is full or the storage fails: then, and after KeyboardInterrupt, the same call goes on.
    """
    address, initial = hidden(storage), _check(work)
    with alone(work.folder):
        if storage is not None:
            check_storage(storage)
        record = begin_or_join(work.folder, work.sweep, work.data, storage=address, initial=initial)
        study = open_study(work.folder, record["study"], storage)
        list_grid(study, work.sweep)
    try:
        return _train_all(work, study, at_most)
    except (StorageInternalError, SQLAlchemyError) as error:
        reason = redacted(str(error.__cause__ or error).splitlines()[0])
        raise OutputError(f"the storage of the trials has failed: {reason}. The same call goes on.") from error


def _train_all(work: Work, study: Study, at_most: int | None) -> int:
    done = 0
    while at_most is None or done < at_most:
        with taken(study, work.sweep, work.folder) as trial:
            if trial is None:
                break
            _train(work, trial)
            done += 1
    return done


def _train(work: Work, trial: Taken) -> None:
    """All runs of a trial, and what the storage is told of them."""
    settings = ", ".join(f"{name} = {value}" for name, value in trial.settings.items())
    work.say(f"trial {trial.number} ({trial.number + 1} of {trials_of(work.sweep)}): {settings}")
    scores: dict[str, float] = {}
    try:
        for name, overrides in runs_of(work.sweep):
            scores[name] = _score(work, trial, name, overrides)
            trial.trial.set_user_attr(name, scores[name])
    except (RecipeError, TrainingError) as error:
        if isinstance(error.__cause__, OutputError):  # a full disk is no fault of the trial's
            tell_stopped(trial)
            raise
        tell_failed(trial, str(error))
        work.say(f"trial {trial.number} failed: {error}")
    except (KeyboardInterrupt, OutputError):
        tell_stopped(trial)
        raise
    else:
        tell_done(trial, scores)


def _score(work: Work, trial: Taken, name: str, overrides: Sequence[str]) -> float:
    """Of one run, which is trained, or as much of it as is left: the best validation F1, or minus the loss."""
    folder = trial.folder / name
    resume = (folder / STATE).is_file()
    if resume:  # by its own recipe, which knows what its keys meant when it began
        recipe = read_recipe_of_run(str(folder / OF_RUN))
    else:
        recipe = recipe_of(work.sweep, trial.settings, str(work.folder / RECIPE), *overrides)
    if is_locked(folder):
        raise UsageError(f"{folder}: another process trains into it. Wait until it ends, then give the same call.")
    if not _is_finished(folder):
        work.say(f"trial {trial.number}, {name}")
        with work.listening(recipe) as listener:
            start(
                recipe,
                work.data,
                folder=folder,
                resume=resume,
                device=work.device,
                command=work.command,
                initial=work.initial,
                listener=listener,
            )
    progress = Progress()
    progress.restore(load_state(folder)["progress"])
    best = progress.best or progress.rows[-1]
    return best.mean_f1 if recipe.training.watch == "f1" else -best.validation_loss


def _is_finished(folder: Path) -> bool:
    return (folder / FACTS).is_file() and bool(load_facts(folder).get("progress", {}).get("ending"))


def _check(work: Work) -> str | None:
    """Find out before anything is trained what would end the sweep on the way; the SHA-256 of `--from`'s weights.

    Raises DataError where a set can't be parted, UsageError or ModelError where a trial can't begin with its weights.
    """
    device, classes = chosen_device(work.device), common_classes(work.data)
    recipes = [recipe_of(work.sweep, settings, work.sweep.recipe) for settings in to_check(work.sweep)]
    if work.sweep.folds:
        parted = [
            data_set for data_set in work.data if not all(has_own_validation(data_set, recipe) for recipe in recipes)
        ]
        for dataset in parted:
            folds(dataset.split("train"), work.sweep.folds, FOLD_SEED)
        if not parted:
            raise UsageError(
                "folds: every set has a validation part of its own, so that all folds would be the same."
                " Leave folds out, or set data.own_validation = false in [fixed]."
            )
    origin: dict[str, Any] = {}
    for recipe in {_beginning(recipe): recipe for recipe in recipes}.values():
        _, origin = first_weights(recipe, classes, work.initial)
    for recipe in recipes:
        chosen_precision(recipe.training.precision, device)
    sha256: str | None = origin.get("initial", {}).get("sha256")
    return sha256


def _beginning(recipe: Recipe) -> str:
    """What decides whether a run can begin with its weights, and whether its crops are large enough."""
    training, keys = recipe.training, ("encoder_weights", "freeze", "stage_rates", "crop", "batch")
    return repr((recipe.network, recipe.preparation.channels, *(getattr(training, key) for key in keys)))
