"""What a run consists of while it runs: built from a recipe, saved whole, restored to go on bit by bit the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveate.networks import build
from foveate.networks.built.stages import freeze, stages
from foveate.recipes.schema import Recipe, TrainingSection
from foveate.records import Classes
from foveate.training.passes import Passes
from foveate.training.preparation import preparation_of
from foveate.training.progress import Progress

Tensors = tuple[Tensor, ...] | list[Tensor]

Scheduler = LambdaLR | OneCycleLR | ReduceLROnPlateau
"""The last steps once per epoch, on the validation; the others with the optimiser."""

FROM_THE_RECIPE = ("total_steps", "_schedule_phases")
"""What OneCycleLR saves though the recipe decides it: a run may be resumed with more epochs."""


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a step changes."""

    network: nn.Module
    average: AveragedModel | None
    """The moving average of the weights, where the recipe asks for one."""
    optimiser: Optimizer
    scheduler: Scheduler
    generator: torch.Generator
    """All chance in sampling and augmentation; on the CPU whatever the device."""
    passes: Passes
    """How far the sets have been gone through, where cases are drawn without replacement."""
    progress: Progress


def build_parts(recipe: Recipe, classes: Classes, initial: Mapping[str, Tensor] | None = None) -> Parts:
    """Fresh parts; the recipe's seed decides the first weights, unless given, and the order of all crops."""
    options = recipe.training
    network = fresh_network(recipe, classes)
    if initial is not None:
        network.load_state_dict(initial)
    freeze(network, options.freeze)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out
    optimiser = _optimiser(network, options)
    return Parts(
        network,
        _average(network, options),
        optimiser,
        _scheduler(optimiser, options),
        torch.Generator().manual_seed(options.seed),
        Passes(options.seed),
        Progress(),
    )


def fresh_network(recipe: Recipe, classes: Classes) -> nn.Module:
    """The recipe's network for these classes, with the weights that its seed draws."""
    torch.manual_seed(recipe.training.seed)
    channels = preparation_of(recipe.data).channel_count
    return build(recipe.network.name, **recipe.network.options, in_channels=channels, classes=classes.channels)


def state_of(parts: Parts) -> dict[str, Any]:
    """Tensors and plain values from which `restore_parts` goes on."""
    return {name: part.state_dict() for name, part in _stateful(parts).items()} | {
        "progress": parts.progress.to_values(),
        "generator": parts.generator.get_state(),
        "passes": dict(parts.passes.given),
    }


def restore_parts(parts: Parts, state: dict[str, Any]) -> None:
    """Bring fresh parts to a saved state, in place."""
    scheduler = {key: value for key, value in state["scheduler"].items() if key not in FROM_THE_RECIPE}
    for name, part in _stateful(parts).items():
        part.load_state_dict(scheduler if name == "scheduler" else state[name])
    parts.generator.set_state(state["generator"])
    parts.passes.given.clear()
    parts.passes.given.update(state.get("passes", {}))  # runs from before there were any draw by chance
    parts.progress.restore(state["progress"])


def _stateful(parts: Parts) -> dict[str, Any]:
    named = {
        "network": parts.network,
        "average": parts.average,
        "optimiser": parts.optimiser,
        "scheduler": parts.scheduler,
    }
    return {name: part for name, part in named.items() if part is not None}


def _average(network: nn.Module, options: TrainingSection) -> AveragedModel | None:
    if not options.average:
        return None

    def average(averaged: Tensors, current: Tensors, steps: Tensor | int) -> None:
        """In place; `steps` were averaged before, which the state holds."""
        rising = (1 + int(steps)) / (10 + int(steps)) if options.average_warm_up else 1.0
        take = get_ema_multi_avg_fn(min(options.average, rising))  # type: ignore[no-untyped-call]
        take(averaged, current, steps)

    return AveragedModel(network, multi_avg_fn=average, use_buffers=True)


def _optimiser(network: nn.Module, options: TrainingSection) -> Optimizer:
    weights, rate, decay = _groups(network, options), options.learning_rate, options.weight_decay
    if options.optimiser == "sgd":
        return SGD(weights, lr=rate, momentum=options.momentum, weight_decay=decay)
    kinds: dict[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
    return kinds[options.optimiser](weights, lr=rate, betas=(0.9, 0.999), weight_decay=decay)


def _groups(network: nn.Module, options: TrainingSection) -> list[dict[str, Any]]:
    """All parameters, or where stages have rates of their own one group for each stage that learns."""
    if not options.stage_rates:
        return [{"params": list(network.parameters())}]
    parameters = dict(network.named_parameters())
    groups = []
    for stage, names in stages(network).items():
        of_stage = [parameters[name] for name in names if name in parameters]
        if any(parameter.requires_grad for parameter in of_stage):
            rate = options.learning_rate * options.stage_rates.get(stage, 1.0)
            groups.append({"params": of_stage, "lr": rate})
    return groups


def _scheduler(optimiser: Optimizer, options: TrainingSection) -> Scheduler:
    """The recipe's schedule, of every group on its own rate.

    A warm-up multiplies into all but plateau and one cycle, which rises by itself.
    """
    steps = options.epochs * options.steps_per_epoch
    if options.schedule == "plateau":
        return ReduceLROnPlateau(
            optimiser,
            mode="max" if options.watch == "f1" else "min",
            factor=options.plateau_factor,
            patience=options.plateau_patience,
        )
    if options.schedule == "one_cycle":
        return OneCycleLR(optimiser, max_lr=[group["lr"] for group in optimiser.param_groups], total_steps=steps)

    def factor(step: int) -> float:
        rising = min(1.0, (step + 1) / options.warm_up) if options.warm_up else 1.0
        if options.schedule == "cosine":
            return rising * 0.5 * (1 + math.cos(math.pi * step / steps))
        if options.schedule == "step":
            return rising * float(options.step_factor) ** (step // (options.step_epochs * options.steps_per_epoch))
        return rising

    return LambdaLR(optimiser, factor)
