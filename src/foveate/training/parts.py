"""What a run consists of while it runs: built from a recipe, saved whole, restored to go on bit by bit the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Adam, AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR, ReduceLROnPlateau
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from foveate.networks import build
from foveate.recipes.schema import Recipe, TrainingSection


@dataclass(slots=True)
class Progress:
    """What changes from epoch to epoch besides tensors."""

    epoch: int = 0
    """Epochs that are done."""
    best_f1: float = -1.0
    stale: int = 0
    """Epochs since the best one."""

    def note(self, mean_f1: float) -> bool:
        """Take in an epoch's validation F1; True where it is the best so far."""
        best = mean_f1 > self.best_f1
        self.stale = 0 if best else self.stale + 1
        self.best_f1 = max(mean_f1, self.best_f1)
        return best


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything that a step changes."""

    network: nn.Module
    average: AveragedModel | None
    """The moving average of the weights, where the recipe asks for one."""
    optimiser: Optimizer
    scheduler: LambdaLR | ReduceLROnPlateau
    generator: torch.Generator
    """All chance in sampling and augmentation; on the CPU whatever the device."""
    progress: Progress


def build_parts(recipe: Recipe, initial: Mapping[str, Tensor] | None = None) -> Parts:
    """Fresh parts; the recipe's seed decides the first weights, unless given, and the order of all crops."""
    options = recipe.training
    network = fresh_network(recipe)
    if initial is not None:
        network.load_state_dict(initial)
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch leaves it out
    optimiser = _optimiser(network, options)
    return Parts(
        network,
        _average(network, options),
        optimiser,
        _scheduler(optimiser, options),
        torch.Generator().manual_seed(options.seed),
        Progress(),
    )


def fresh_network(recipe: Recipe) -> nn.Module:
    """The recipe's network with the weights that its seed draws."""
    torch.manual_seed(recipe.training.seed)
    return build(recipe.network.name, **recipe.network.options)


def state_of(parts: Parts) -> dict[str, Any]:
    """Tensors and plain values from which `restore_parts` goes on."""
    return {name: part.state_dict() for name, part in _stateful(parts).items()} | {
        "epoch": parts.progress.epoch,
        "best_f1": parts.progress.best_f1,
        "stale": parts.progress.stale,
        "generator": parts.generator.get_state(),
    }


def restore_parts(parts: Parts, state: dict[str, Any]) -> None:
    """Bring fresh parts to a saved state, in place."""
    for name, part in _stateful(parts).items():
        part.load_state_dict(state[name])
    parts.generator.set_state(state["generator"])
    parts.progress.epoch, parts.progress.best_f1 = state["epoch"], state["best_f1"]
    parts.progress.stale = state["stale"]


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
    decay = get_ema_multi_avg_fn(options.average)  # type: ignore[no-untyped-call]
    return AveragedModel(network, multi_avg_fn=decay, use_buffers=True)


def _optimiser(network: nn.Module, options: TrainingSection) -> Optimizer:
    kinds: dict[str, type[Adam]] = {"adam": Adam, "adamw": AdamW}
    kind = kinds[options.optimiser]
    return kind(network.parameters(), lr=options.learning_rate, betas=(0.9, 0.999), weight_decay=options.weight_decay)


def _scheduler(optimiser: Optimizer, options: TrainingSection) -> LambdaLR | ReduceLROnPlateau:
    """Plateau steps once per epoch on the validation F1; the others step with the optimiser."""
    if options.schedule == "plateau":
        return ReduceLROnPlateau(optimiser, mode="max", factor=0.1, patience=options.plateau_patience)
    steps = options.epochs * options.steps_per_epoch

    def factor(step: int) -> float:
        rising = min(1.0, (step + 1) / options.warm_up) if options.warm_up else 1.0
        falling = 0.5 * (1 + math.cos(math.pi * step / steps)) if options.schedule == "cosine" else 1.0
        return rising * falling

    return LambdaLR(optimiser, factor)
