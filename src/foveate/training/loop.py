"""The loop: functions over a recipe, on Lightning Fabric for device and precision."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.errors import TrainingError
from foveate.networks.built import stages
from foveate.recipes.schema import TrainingSection
from foveate.training.after.validation import Validation, Validator, validate
from foveate.training.keep import commit, kept_network, publish, restore, same_everywhere
from foveate.training.processes.place import is_out_of_memory
from foveate.training.run.progress import WATCHED, Descent, EpochRow, OnStep
from foveate.training.step.learner import Learner, RunSetup, forward_of
from foveate.training.step.step import Stepper, advice, stepper


def train(
    setup: RunSetup,
    learner: Learner,
    state: dict[str, Any] | None,
    *,
    on_start: Callable[[], None],
    on_step: OnStep,
    on_epoch: Callable[[EpochRow], None],
    on_event: Callable[[str], None],
) -> str:
    """Train from `state`, or from the learner as it is, epoch by epoch, and say why it ended.

    `on_start` is called when the folder holds what a run can go on from. Every epoch ends with a validation and with
    everything on disk. Raises TrainingError when the loss is not a number any more, or memory runs out.
    """
    steps = stepper(learner, setup)
    if state is not None:
        restore(setup, learner, state)
    same_everywhere(setup, learner)
    options, progress, processes = setup.recipe.training, learner.progress, setup.processes

    def keep() -> None:
        commit(setup, learner)
        publish(setup, learner)

    def tell(events: Sequence[str]) -> None:
        on_epoch(progress.rows[-1])
        for event in events:
            on_event(event)

    processes.by_first(keep)
    processes.by_first(on_start)
    _keep_pace(setup, learner)  # a run may go on with other hours
    while not (ending := _ending(options, learner)):
        heard = len(progress.events)
        _epoch(steps, setup, learner, on_step)
        processes.by_first(keep)
        processes.by_first(partial(tell, progress.events[heard:]))
    processes.by_first(lambda: publish(setup, learner, ending=ending))
    return ending


def _ending(options: TrainingSection, learner: Learner) -> str:
    """Why the run is over; '' while it isn't."""
    progress = learner.progress
    if progress.epoch >= options.epochs:
        return f"all {options.epochs} epochs done"
    if progress.epoch >= learner.pace.epochs:
        spent = sum(row.seconds for row in progress.rows) / 3600
        return (
            f"the time is over: {progress.epoch} of {options.epochs} epochs done in {spent:.2f} hours, and another one"
            f" would not end within training.hours = {options.hours:g}"
        )
    if options.patience and progress.stale >= options.patience:
        best = progress.best
        return (
            f"stopped early after epoch {progress.epoch}: no better {WATCHED[options.watch]} for {options.patience}"
            f" epochs, since epoch {best.epoch if best else 0}"
        )
    return ""


def _epoch(steps: Stepper, setup: RunSetup, learner: Learner, on_step: OnStep) -> None:
    """Train, validate, tell the scheduler, and add a row to the progress."""
    options, progress = setup.recipe.training, learner.progress
    started, rate_before = time.monotonic(), _learning_rate(learner)
    loss = _mean_loss(steps, setup, learner, on_step)
    trained, rate = time.monotonic(), _learning_rate(learner)
    validation = _validation(setup, learner)
    if isinstance(learner.scheduler, ReduceLROnPlateau):
        learner.scheduler.step(validation.mean_f1 if options.watch == "f1" else validation.loss)
    progress.rows.append(
        EpochRow(
            epoch=progress.epoch + 1,
            loss=loss,
            validation_loss=validation.loss,
            class_f1=validation.class_f1,
            thresholds=validation.thresholds,
            learning_rate=rate,
            best=progress.is_better(options.watch, mean_f1=validation.mean_f1, loss=validation.loss),
            images_per_second=options.steps_per_epoch * options.crops_per_step / (trained - started),
            seconds=time.monotonic() - started,
        )
    )
    _note_lower_rate(rate_before, setup, learner)
    _keep_pace(setup, learner)


def _keep_pace(setup: RunSetup, learner: Learner) -> None:
    """Where hours are limited, let there be as many epochs as they hold, by the first process's clock."""
    options, progress, pace = setup.recipe.training, learner.progress, learner.pace
    if not options.hours:
        return
    before = pace.epochs
    pace.fit([row.seconds for row in progress.rows], options.hours * 3600)
    pace.restore(setup.processes.from_first(pace.to_values()))
    if pace.epochs != before:
        progress.events.append(
            f"epoch {progress.epoch}: {pace.epochs} epochs in place of {before} fit into training.hours ="
            f" {options.hours:g}"
        )


def _mean_loss(steps: Stepper, setup: RunSetup, learner: Learner, on_step: OnStep) -> float:
    """All steps of one epoch."""
    options, progress = setup.recipe.training, learner.progress
    epoch, count = progress.epoch, options.steps_per_epoch
    stages.train(learner.network)
    total = 0.0
    for number in range(count):
        loss = _one_step(steps, setup)
        if wrong := _wrong(loss, progress.descent, options.divergence):
            raise TrainingError(
                f"{wrong} at step {number + 1} of epoch {epoch + 1}."
                " Lower training.learning_rate or set training.gradient_clip."
            )
        total += loss
        on_step(epoch, number, loss)
    return total / count


def _wrong(loss: float, descent: Descent, factor: float) -> str:
    """What is wrong with a step's loss; '' where nothing is."""
    if not math.isfinite(loss):
        return f"the loss is {loss}"
    descent.add(loss)
    if descent.diverges(factor):
        average, lowest = (f"{value:.3g}" for value in (descent.average, descent.lowest))
        return (
            f"the loss diverges: its average is {average}, more than training.divergence = {factor:g} times {lowest},"
        )
    return ""


def _one_step(steps: Stepper, setup: RunSetup) -> float:
    try:
        return steps.step()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Not inside of `except`: the error's traceback holds the tensors of the step.
    raise TrainingError(advice(setup.recipe.training, steps.probe, setup.processes.count))


def _validation(setup: RunSetup, learner: Learner) -> Validation:
    network = kept_network(learner).eval().to(setup.fabric.device)
    try:
        validator = Validator(
            lambda pixels: forward_of(network)(setup.normalised(pixels)),
            setup.loss,
            setup.recipe.preparation,
            setup.classes,
            setup.fabric.device,
        )
        return validate(setup.validation, validator, setup.processes)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"a whole validation image does not fit into memory ({error}). Lower preparation.working_maximum."
        ) from error


def _note_lower_rate(before: float, setup: RunSetup, learner: Learner) -> None:
    """Add the reason to the events if the next epoch begins with a lower learning rate for one."""
    options, now = setup.recipe.training, _learning_rate(learner)
    reasons = {
        "plateau": f"no better {WATCHED[options.watch]} for more than {options.plateau_patience} epochs",
        "step": f"the schedule lowers it every {options.step_epochs} epochs",
    }
    if now < before and options.schedule in reasons:
        learner.progress.events.append(
            f"epoch {learner.progress.epoch}: learning rate from {before:.3g} to {now:.3g}: {reasons[options.schedule]}"
        )


def _learning_rate(learner: Learner) -> float:
    """The largest of the stages'."""
    return max(float(group["lr"]) for group in learner.optimiser.param_groups)
