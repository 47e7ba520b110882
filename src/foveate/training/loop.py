"""The loop: a function over a recipe, on Lightning Fabric for device and precision."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveate.errors import TrainingError
from foveate.networks import build
from foveate.recipes.schema import Recipe, TrainingSection
from foveate.training.losses import deep_loss
from foveate.training.run_folder import BEST, LAST, NetworkFacts, load_state, save_state, save_weights
from foveate.training.samples import TrainingSet, channel_statistics, draw_batch
from foveate.training.validation import Exportable, Validation, ValidationSet, WorkingSize, in_torch, validate


@dataclass(frozen=True, slots=True)
class EpochReport:
    """One epoch, for the log and for people."""

    epoch: int
    loss: float
    learning_rate: float
    validation: Validation
    best: bool
    seconds: float


@dataclass(slots=True)
class Progress:
    """What changes from epoch to epoch besides tensors."""

    epoch: int = 0
    best_f1: float = -1.0
    stale: int = 0
    """Epochs since the best one."""


OnStep = Callable[[int, int, float], None]
"""Epoch, step in the epoch, loss."""


def train(
    recipe: Recipe,
    training: Sequence[TrainingSet],
    validation: Sequence[ValidationSet],
    *,
    fabric: Fabric,
    folder: Path,
    resume: bool,
    on_step: OnStep,
    on_epoch: Callable[[EpochReport], None],
) -> str:
    """Train into `folder`, epoch by epoch, and say why it ended. Raises TrainingError when the loss is not a number.

    Every epoch ends with a validation, both weight files and the resumable state on disk.
    """
    import time

    options = recipe.training
    mean, deviation = channel_statistics(training)
    torch.manual_seed(options.seed)
    generator = torch.Generator().manual_seed(options.seed)
    network_options = recipe.network.model_dump(exclude={"name"})
    network = build(recipe.network.name, **network_options)
    average = _average(network, options)
    optimiser = _optimiser(network, options)
    scheduler = _scheduler(optimiser, options)
    progress = Progress()
    parts = {"network": network, "average": average, "optimiser": optimiser, "scheduler": scheduler}
    if resume:
        progress = _restore(load_state(folder), parts, generator)
    network = network.to(memory_format=torch.channels_last)
    wrapped, wrapped_optimiser = fabric.setup(network, optimiser)
    wrapped.mark_forward_method("forward_all")
    if average is not None:
        average.to(fabric.device)
    kept = average.module if average is not None else network
    normalise = Exportable(nn.Identity(), mean, deviation).to(fabric.device)
    working_size = WorkingSize(recipe.data.working_minimum, recipe.data.working_maximum)

    while progress.epoch < options.epochs:
        started = time.monotonic()
        network.train()
        total = 0.0
        steps = math.ceil(options.samples_per_epoch / options.batch)
        for step in range(steps):
            batch = draw_batch(
                training,
                size=options.batch,
                side=options.crop,
                augmentation=recipe.augmentation,
                generator=generator,
            )
            outputs = wrapped.forward_all((batch.image * 255 - normalise.mean) / normalise.deviation)
            loss = deep_loss(options.loss, outputs, batch.mask, batch.fov, options.side_weight)
            value = loss.item()
            if not math.isfinite(value):
                raise TrainingError(
                    f"the loss is {value} at step {step + 1} of epoch {progress.epoch + 1}."
                    " Lower training.learning_rate or set training.gradient_clip."
                )
            wrapped_optimiser.zero_grad()
            fabric.backward(loss)
            if options.gradient_clip:
                fabric.clip_gradients(wrapped, wrapped_optimiser, max_norm=options.gradient_clip)
            wrapped_optimiser.step()
            if isinstance(scheduler, LambdaLR):
                scheduler.step()
            if average is not None:
                average.update_parameters(network)
            total += value
            on_step(progress.epoch, step, value)
        progress.epoch += 1
        kept.eval()
        found = validate(
            validation, in_torch(Exportable(kept, mean, deviation).to(fabric.device), fabric.device), working_size
        )
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduler.step(found.mean_f1)
        best = found.mean_f1 > progress.best_f1
        progress.best_f1, progress.stale = (found.mean_f1, 0) if best else (progress.best_f1, progress.stale + 1)
        facts = NetworkFacts(
            recipe.network.name, network_options, mean, deviation, found.threshold, found.f1, progress.epoch
        )
        save_weights(folder / LAST, kept.state_dict(), facts)
        if best:
            save_weights(folder / BEST, kept.state_dict(), facts)
        save_state(folder, _state(progress, parts, generator))
        rate = optimiser.param_groups[0]["lr"]
        on_epoch(
            EpochReport(progress.epoch, total / steps, rate, found, best, time.monotonic() - started)
        )
        if options.patience and progress.stale >= options.patience:
            return f"stopped early: no better validation F1 for {options.patience} epochs"
    return f"all {options.epochs} epochs done"


def _average(network: nn.Module, options: TrainingSection) -> AveragedModel | None:
    if not options.average:
        return None
    return AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(options.average), use_buffers=True)


def _optimiser(network: nn.Module, options: TrainingSection) -> Optimizer:
    kinds: dict[str, type[torch.optim.Adam]] = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    return kinds[options.optimiser](
        network.parameters(), lr=options.learning_rate, betas=(0.9, 0.999), weight_decay=options.weight_decay
    )


def _scheduler(optimiser: Optimizer, options: TrainingSection) -> LambdaLR | ReduceLROnPlateau:
    """Plateau steps once per epoch on the validation F1; the others step with the optimiser."""
    if options.schedule == "plateau":
        return ReduceLROnPlateau(optimiser, mode="max", factor=0.1, patience=options.plateau_patience)
    steps = options.epochs * math.ceil(options.samples_per_epoch / options.batch)

    def factor(step: int) -> float:
        rising = min(1.0, (step + 1) / options.warm_up) if options.warm_up else 1.0
        falling = 0.5 * (1 + math.cos(math.pi * step / steps)) if options.schedule == "cosine" else 1.0
        return rising * falling

    return LambdaLR(optimiser, factor)


def _state(progress: Progress, parts: dict[str, Any], generator: torch.Generator) -> dict[str, Any]:
    state = {name: part.state_dict() for name, part in parts.items() if part is not None}
    return state | {
        "epoch": progress.epoch,
        "best_f1": progress.best_f1,
        "stale": progress.stale,
        "generator": generator.get_state(),
    }


def _restore(state: dict[str, Any], parts: dict[str, Any], generator: torch.Generator) -> Progress:
    for name, part in parts.items():
        if part is not None:
            part.load_state_dict(state[name])
    generator.set_state(state["generator"])
    return Progress(state["epoch"], state["best_f1"], state["stale"])
