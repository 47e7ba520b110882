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
from foveate.training.divergence import Descent
from foveate.training.keep import commit, kept_network, publish, restore, same_everywhere
from foveate.training.memory import advice, is_out_of_memory
from foveate.training.parts import Parts
from foveate.training.preparation import preparation_of
from foveate.training.progress import WATCHED, EpochRow
from foveate.training.setting import Setting, forward_of
from foveate.training.step import Stepper, stepper
from foveate.training.validation import Looker, Validation, validate

OnStep = Callable[[int, int, float], None]
"""Epoch and step in the epoch, both from 0, and the step's loss."""


def train(
    setting: Setting,
    parts: Parts,
    state: dict[str, Any] | None,
    *,
    on_start: Callable[[], None],
    on_step: OnStep,
    on_epoch: Callable[[EpochRow], None],
    on_event: Callable[[str], None],
) -> str:
    """Train from `state`, or from the parts as they are, epoch by epoch, and say why it ended.

    `on_start` is called when the folder holds what a run can go on from. Every epoch ends with a validation and with
    everything on disk. Raises TrainingError when the loss is not a number any more, or memory runs out.
    """
    steps = stepper(parts, setting)
    if state is not None:
        restore(setting, parts, state)
    same_everywhere(setting, parts)
    options, progress, processes = setting.recipe.training, parts.progress, setting.processes

    def keep() -> None:
        commit(setting, parts)
        publish(setting, parts)

    def tell(events: Sequence[str]) -> None:
        on_epoch(progress.rows[-1])
        for event in events:
            on_event(event)

    processes.by_first(keep)
    processes.by_first(on_start)
    while not (ending := _ending(options, parts)):
        heard = len(progress.events)
        _epoch(steps, setting, parts, on_step)
        processes.by_first(keep)
        processes.by_first(partial(tell, progress.events[heard:]))
    processes.by_first(lambda: publish(setting, parts, ending=ending))
    return ending


def _ending(options: TrainingSection, parts: Parts) -> str:
    """Why the run is over; '' while it isn't."""
    progress = parts.progress
    if progress.epoch >= options.epochs:
        return f"all {options.epochs} epochs done"
    if options.patience and progress.stale >= options.patience:
        best = progress.best
        return (
            f"stopped early after epoch {progress.epoch}: no better {WATCHED[options.watch]} for {options.patience}"
            f" epochs, since epoch {best.epoch if best else 0}"
        )
    return ""


def _epoch(steps: Stepper, setting: Setting, parts: Parts, on_step: OnStep) -> None:
    """Train, validate, tell the scheduler, and add a row to the progress."""
    options, progress = setting.recipe.training, parts.progress
    started, rate_before = time.monotonic(), _learning_rate(parts)
    loss = _mean_loss(steps, setting, parts, on_step)
    trained, rate = time.monotonic(), _learning_rate(parts)
    found = _validation(setting, parts)
    if isinstance(parts.scheduler, ReduceLROnPlateau):
        parts.scheduler.step(found.mean_f1 if options.watch == "f1" else found.loss)
    progress.rows.append(
        EpochRow(
            epoch=progress.epoch + 1,
            loss=loss,
            validation_loss=found.loss,
            class_f1=found.class_f1,
            thresholds=found.thresholds,
            learning_rate=rate,
            best=progress.is_better(options.watch, mean_f1=found.mean_f1, loss=found.loss),
            images_per_second=options.steps_per_epoch * options.crops_per_step / (trained - started),
            seconds=time.monotonic() - started,
        )
    )
    _note_lower_rate(rate_before, setting, parts)


def _mean_loss(steps: Stepper, setting: Setting, parts: Parts, on_step: OnStep) -> float:
    """All steps of one epoch."""
    options, progress = setting.recipe.training, parts.progress
    epoch, count = progress.epoch, options.steps_per_epoch
    stages.train(parts.network)
    total = 0.0
    for number in range(count):
        loss = _one_step(steps, setting)
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
        found, lowest = (f"{each:.3g}" for each in (descent.average, descent.lowest))
        return f"the loss diverges: its average is {found}, more than training.divergence = {factor:g} times {lowest},"
    return ""


def _one_step(steps: Stepper, setting: Setting) -> float:
    try:
        return steps.step()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
    # Not inside of `except`: the error's traceback holds the tensors of the step.
    raise TrainingError(advice(setting.recipe.training, steps.probe, setting.processes.count))


def _validation(setting: Setting, parts: Parts) -> Validation:
    network = kept_network(parts).eval().to(setting.fabric.device)
    try:
        looker = Looker(
            lambda pixels: forward_of(network)(setting.normalised(pixels)),
            setting.loss,
            preparation_of(setting.recipe.data),
            setting.classes,
            setting.fabric.device,
        )
        return validate(setting.validation, looker, setting.processes)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        raise TrainingError(
            f"a whole validation image does not fit into memory ({error}). Lower data.working_maximum."
        ) from error


def _note_lower_rate(before: float, setting: Setting, parts: Parts) -> None:
    """Add the reason to the events if the next epoch begins with a lower learning rate for one."""
    options, now = setting.recipe.training, _learning_rate(parts)
    reasons = {
        "plateau": f"no better {WATCHED[options.watch]} for more than {options.plateau_patience} epochs",
        "step": f"the schedule lowers it every {options.step_epochs} epochs",
    }
    if now < before and options.schedule in reasons:
        parts.progress.events.append(
            f"epoch {parts.progress.epoch}: learning rate from {before:.3g} to {now:.3g}: {reasons[options.schedule]}"
        )


def _learning_rate(parts: Parts) -> float:
    """The largest of the stages'."""
    return max(float(group["lr"]) for group in parts.optimiser.param_groups)
