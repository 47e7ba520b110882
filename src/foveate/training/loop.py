"""The loop: functions over a recipe, on Lightning Fabric for device and precision."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau

from foveate.arrays.prepare import WorkingSize
from foveate.errors import TrainingError
from foveate.recipes.schema import Recipe
from foveate.training.losses import deep_loss
from foveate.training.parts import Parts, build_parts, restore_parts, state_of
from foveate.training.run_folder import BEST, LAST, NetworkFacts, load_state, save_state, save_weights
from foveate.training.samples import TrainingSet, channel_statistics, draw_batch
from foveate.training.validation import Exportable, Validation, ValidationSet, in_torch, validate

Forward = Callable[[Tensor], tuple[Tensor, ...]]
"""Image to logits, and side outputs where a network has them."""

OnStep = Callable[[int, int, float], None]
"""Epoch and step in the epoch, both from 0, and the step's loss."""


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch, for the log and for people."""

    epoch: int
    """From 1."""
    loss: float
    """Mean over the steps."""
    learning_rate: float
    validation: Validation
    best: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same during a run."""

    recipe: Recipe
    training: Sequence[TrainingSet]
    validation: Sequence[ValidationSet]
    fabric: Fabric
    folder: Path
    mean: tuple[float, ...]
    """Of each channel inside the FOV, 0 to 255; likewise the deviation."""
    deviation: tuple[float, ...]


def train(
    recipe: Recipe,
    training: Sequence[TrainingSet],
    validation: Sequence[ValidationSet],
    *,
    fabric: Fabric,
    folder: Path,
    initial: Mapping[str, Tensor] | None,
    resume: bool,
    on_step: OnStep,
    on_epoch: Callable[[EpochReport], None],
) -> str:
    """Train into `folder`, from `initial` weights if given, epoch by epoch, and say why it ended.

    Every epoch ends with a validation, both weight files and the resumable state on disk. Raises TrainingError
    when the loss is not a number any more.
    """
    setting = Setting(recipe, training, validation, fabric, folder, *channel_statistics(training))
    parts = build_parts(recipe, initial)
    if resume:
        restore_parts(parts, load_state(folder))
    step = _stepper(parts, setting)
    options, progress = recipe.training, parts.progress
    while progress.epoch < options.epochs:
        if options.patience and progress.stale >= options.patience:
            return f"stopped early: no better validation F1 for {options.patience} epochs"
        started = time.monotonic()
        loss = _train_epoch(step, setting, parts, on_step)
        progress.epoch += 1
        rate = parts.optimiser.param_groups[0]["lr"]
        found, best = _finish_epoch(setting, parts)
        on_epoch(EpochReport(progress.epoch, loss, rate, found, best, time.monotonic() - started))
    return f"all {options.epochs} epochs done"


def _stepper(parts: Parts, setting: Setting) -> Callable[[], Tensor]:
    """A function that draws a batch, takes one optimiser step, and returns the loss before it."""
    fabric, recipe, options = setting.fabric, setting.recipe, setting.recipe.training
    network, optimiser = fabric.setup(parts.network, parts.optimiser)
    if hasattr(parts.network, "forward_all"):
        network.mark_forward_method("forward_all")
        forward: Forward = network.forward_all
    else:

        def forward(image: Tensor) -> tuple[Tensor, ...]:
            return (network(image),)

    if parts.average is not None:
        parts.average.to(fabric.device)
    mean, deviation = (torch.tensor(v, device=fabric.device)[:, None, None] for v in (setting.mean, setting.deviation))

    def step() -> Tensor:
        batch = draw_batch(
            setting.training,
            size=options.batch,
            side=options.crop,
            augmentation=recipe.augmentation,
            generator=parts.generator,
        )
        outputs = forward((batch.image * 255 - mean) / deviation)
        loss = deep_loss(options.loss, outputs, batch.mask, batch.fov, options.side_weight)
        optimiser.zero_grad()
        fabric.backward(loss)
        if options.gradient_clip:
            fabric.clip_gradients(network, optimiser, max_norm=options.gradient_clip)
        optimiser.step()
        if isinstance(parts.scheduler, LambdaLR):
            parts.scheduler.step()
        if parts.average is not None:
            parts.average.update_parameters(parts.network)
        return loss.detach()

    return step


def _train_epoch(step: Callable[[], Tensor], setting: Setting, parts: Parts, on_step: OnStep) -> float:
    """All steps of one epoch; the mean loss."""
    options, epoch = setting.recipe.training, parts.progress.epoch
    steps = options.steps_per_epoch
    parts.network.train()
    total = 0.0
    for number in range(steps):
        loss = step().item()
        if not math.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss} at step {number + 1} of epoch {epoch + 1}."
                " Lower training.learning_rate or set training.gradient_clip."
            )
        total += loss
        on_step(epoch, number, loss)
    return total / steps


def _finish_epoch(setting: Setting, parts: Parts) -> tuple[Validation, bool]:
    """Validate, tell the scheduler, write weights and state; the validation, and whether it is the best so far."""
    recipe, progress = setting.recipe, parts.progress
    kept: nn.Module = parts.average.module if parts.average is not None else parts.network
    device = setting.fabric.device
    model = Exportable(kept.eval(), setting.mean, setting.deviation).to(device)
    working_size = WorkingSize(recipe.data.working_minimum, recipe.data.working_maximum)
    found = validate(setting.validation, in_torch(model, device), working_size)
    if isinstance(parts.scheduler, ReduceLROnPlateau):
        parts.scheduler.step(found.mean_f1)
    best = progress.note(found.mean_f1)
    facts = NetworkFacts(
        recipe.network.name,
        recipe.network.options,
        setting.mean,
        setting.deviation,
        found.threshold,
        found.f1,
        progress.epoch,
    )
    save_weights(setting.folder / LAST, kept.state_dict(), facts)
    if best:
        save_weights(setting.folder / BEST, kept.state_dict(), facts)
    save_state(setting.folder, state_of(parts))
    return found, best
