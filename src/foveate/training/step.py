"""One optimiser step, of one batch or of several whose gradients are added up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.training.parts import Parts
from foveate.training.samples import Batch, draw_batch
from foveate.training.setting import Setting, forward_of
from foveate.training.validation import Forward


@dataclass(frozen=True, slots=True)
class Stepper:
    """The two ways to call a network in training."""

    step: Callable[[], float]
    """Draw crops, take one optimiser step, and return the loss before it."""
    probe: Callable[[int], None]
    """Forward and backward for that many crops of noise, without a step: does it fit into memory?"""


def stepper(parts: Parts, setting: Setting) -> Stepper:
    """Bring the parts to the device and return what trains them."""
    fabric, options = setting.fabric, setting.recipe.training
    network, optimiser = fabric.setup(parts.network, parts.optimiser)
    if hasattr(parts.network, "forward_all"):
        network.mark_forward_method("forward_all")
    forward: Forward = forward_of(network)
    if options.compile:
        forward = torch.compile(forward)
    if parts.average is not None:
        parts.average.to(fabric.device)

    def backward(batch: Batch, share: Tensor | float) -> Tensor:
        loss = setting.loss(forward(setting.normalised(batch.image * 255)), batch.mask, batch.fov) * share
        fabric.backward(loss)
        return loss.detach()

    def step() -> float:
        drawn = _drawn(parts, setting)
        optimiser.zero_grad()
        loss = sum((backward(batch, share) for batch, share in _batches(drawn, options.batch)), start=torch.zeros(()))
        if options.gradient_clip:
            fabric.clip_gradients(network, optimiser, max_norm=options.gradient_clip)
        optimiser.step()
        if not isinstance(parts.scheduler, ReduceLROnPlateau):
            parts.scheduler.step()
        if parts.average is not None:
            parts.average.update_parameters(parts.network)
        return loss.item()

    def probe(size: int) -> None:
        optimiser.zero_grad()
        image = torch.rand(size, len(setting.mean), options.crop, options.crop, device=fabric.device)
        image = image.contiguous(memory_format=torch.channels_last)
        backward(Batch(image, image[:, :1], torch.ones_like(image[:, :1])), 1.0)

    return Stepper(step, probe)


def _drawn(parts: Parts, setting: Setting) -> Batch:
    """All crops of one optimiser step."""
    recipe, options = setting.recipe, setting.recipe.training
    return draw_batch(
        setting.training,
        size=options.crops_per_step,
        side=options.crop,
        augmentation=recipe.augmentation,
        generator=parts.generator,
    )


def _batches(drawn: Batch, size: int) -> list[tuple[Batch, Tensor | float]]:
    """The crops in batches, each with its share of the pixels that count.

    Weighted so, a mean over the FOV is the one of all crops together, and its gradient is too.
    """
    if len(drawn.image) == size:
        return [(drawn, 1.0)]
    total = drawn.fov.sum().clamp(min=1)
    pieces = zip(*(torch.split(each, size) for each in (drawn.image, drawn.mask, drawn.fov)), strict=True)
    return [(Batch(image, mask, fov), fov.sum() / total) for image, mask, fov in pieces]
