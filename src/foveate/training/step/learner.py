"""What a step works with: what stays the same during a run, and what it changes.

What it changes is built from a recipe, saved whole, and restored to go on bit by bit the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import SGD, Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveate.networks import build
from foveate.networks.built.stages import freeze, stages
from foveate.recipes.schema import Recipe, TrainingSection
from foveate.records import Classes
from foveate.training.data.reading import ValidationSet
from foveate.training.data.sampling import Passes, TrainingSet
from foveate.training.processes.consensus import Processes, Signals
from foveate.training.run.pace import Pace
from foveate.training.run.progress import Progress
from foveate.training.step.losses import deep_loss

Forward = Callable[[Tensor], tuple[Tensor, ...]]
"""Image B×C×H×W to logits, and side outputs where a network has them."""


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What stays the same during a run."""

    recipe: Recipe
    training: Sequence[TrainingSet]
    validation: Sequence[ValidationSet]
    fabric: Fabric
    folder: Path
    facts: Mapping[str, Any]
    """Of run.json, but for the progress."""
    mean: tuple[float, ...]
    """Of each channel inside the FOV, 0 to 255; likewise the deviation."""
    deviation: tuple[float, ...]
    classes: Classes
    signals: Signals = field(default_factory=Signals)

    @property
    def processes(self) -> Processes:
        """The run's, which hold the same setup but for their device."""
        return Processes(self.fabric, self.signals)

    def normalised(self, pixels: Tensor) -> Tensor:
        """B×C×H×W, 0 to 255, to about zero mean and unit deviation."""
        mean, deviation = (torch.tensor(v, device=pixels.device)[:, None, None] for v in (self.mean, self.deviation))
        return (pixels - mean) / deviation

    def loss(self, outputs: Sequence[Tensor], mask: Tensor, fov: Tensor) -> Tensor:
        """The recipe's loss of logits and side outputs, a scalar."""
        options = self.recipe.training
        return deep_loss(options.loss, outputs, mask, fov, options.side_weight)


def forward_of(network: nn.Module) -> Forward:
    """All outputs of a network that has several, else its only one."""
    if hasattr(network, "forward_all"):
        return cast("Forward", network.forward_all)
    return lambda image: (network(image),)


Tensors = tuple[Tensor, ...] | list[Tensor]

Scheduler = LambdaLR | OneCycleLR | ReduceLROnPlateau
"""The last steps once per epoch, on the validation; the others with the optimiser."""

FROM_THE_RECIPE = ("total_steps", "_schedule_phases")
"""What OneCycleLR saves though the recipe decides it: a run may be resumed with more epochs."""


@dataclass(frozen=True, slots=True)
class Learner:
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
    pace: Pace
    """How many epochs there will be; the recipe's, unless its hours are limited."""


def build_learner(recipe: Recipe, classes: Classes, initial: Mapping[str, Tensor] | None = None) -> Learner:
    """A fresh learner; the recipe's seed decides the first weights, unless given, and the order of all crops."""
    options = recipe.training
    network = fresh_network(recipe, classes)
    if initial is not None:
        network.load_state_dict(initial)
    freeze(network, options.freeze)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out
    optimiser = _optimiser(network, options)
    pace = Pace(options.epochs, options.epochs)
    return Learner(
        network,
        _average(network, options),
        optimiser,
        _scheduler(optimiser, options, pace),
        torch.Generator().manual_seed(options.seed),
        Passes(options.seed),
        Progress(),
        pace,
    )


def fresh_network(recipe: Recipe, classes: Classes) -> nn.Module:
    """The recipe's network for these classes, with the weights that its seed draws."""
    torch.manual_seed(recipe.training.seed)
    channels = recipe.preparation.channel_count
    return build(recipe.network.name, **recipe.network.options, in_channels=channels, classes=classes.channels)


def state_of(learner: Learner) -> dict[str, Any]:
    """Tensors and plain values from which `restore_learner` goes on."""
    return {name: part.state_dict() for name, part in _stateful(learner).items()} | {
        "progress": learner.progress.to_values(),
        "pace": learner.pace.to_values(),
        "generator": learner.generator.get_state(),
        "passes": dict(learner.passes.given),
    }


def restore_learner(learner: Learner, state: dict[str, Any]) -> None:
    """Bring a fresh learner to a saved state, in place."""
    scheduler = {key: value for key, value in state["scheduler"].items() if key not in FROM_THE_RECIPE}
    for name, part in _stateful(learner).items():
        part.load_state_dict(scheduler if name == "scheduler" else state[name])
    learner.generator.set_state(state["generator"])
    learner.passes.given.clear()
    learner.passes.given.update(state.get("passes", {}))  # runs from before there were any draw by chance
    learner.progress.restore(state["progress"])
    if "pace" in state:  # not in runs from before hours could be limited
        learner.pace.restore(state["pace"])


def _stateful(learner: Learner) -> dict[str, Any]:
    named = {
        "network": learner.network,
        "average": learner.average,
        "optimiser": learner.optimiser,
        "scheduler": learner.scheduler,
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


def _scheduler(optimiser: Optimizer, options: TrainingSection, pace: Pace) -> Scheduler:
    """The recipe's schedule, of every group on its own rate.

    A warm-up multiplies into all but plateau and one cycle, which rises by itself. Where hours are limited, the cosine
    goes by the pace.
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
            over = pace.share(step / options.steps_per_epoch) if options.hours else step / steps
            return rising * 0.5 * (1 + math.cos(math.pi * over))
        if options.schedule == "step":
            return rising * float(options.step_factor) ** (step // (options.step_epochs * options.steps_per_epoch))
        return rising

    return LambdaLR(optimiser, factor)
