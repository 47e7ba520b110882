"""What stays the same during a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from foveate.recipes.schema import Recipe
from foveate.records import Classes
from foveate.training.after.validation import Forward, ValidationSet
from foveate.training.data.sampling import TrainingSet
from foveate.training.processes.consensus import Processes, Signals
from foveate.training.step.losses import deep_loss


@dataclass(frozen=True, slots=True)
class Setting:
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
        """The run's, which hold the same setting but for their device."""
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
