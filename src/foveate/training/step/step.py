"""One optimiser step, of one batch or of several whose gradients are added up, in one process or in several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.training.data.sampling import Batch, draw_batch, drawn_by_chance
from foveate.training.processes.consensus import Processes
from foveate.training.step.gradients import add_up
from foveate.training.step.learner import Parts
from foveate.training.step.setting import Setting, forward_of


@dataclass(frozen=True, slots=True)
class Stepper:
    """The two ways to call a network in training."""

    step: Callable[[], float]
    """Draw crops, take one optimiser step, and return the loss before it."""
    probe: Callable[[int], None]
    """Forward and backward for that many crops of noise, without a step: does it fit into memory?"""


def stepper(parts: Parts, setting: Setting) -> Stepper:
    """Bring the parts to the device and return what trains them."""
    fabric, options, processes = setting.fabric, setting.recipe.training, setting.processes
    network, optimiser = fabric.to_device(parts.network), cast("Optimizer", fabric.setup_optimizers(parts.optimiser))
    forward = torch.compile(forward_of(network)) if options.compile else forward_of(network)
    if parts.average is not None:
        parts.average.to(fabric.device)

    def backward(batch: Batch, share: Tensor | float) -> Tensor:
        with fabric.autocast():
            outputs = forward(setting.normalised(batch.image * 255))
        loss = setting.loss(outputs, batch.mask, batch.fov) * share
        fabric.backward(loss)
        return loss.detach()

    def step() -> float:
        drawn = processes.together(lambda: _drawn(parts, setting))
        batches = _batches(drawn, options.batch // processes.count, processes.sum(drawn.fov.sum()))
        optimiser.zero_grad()
        loss = processes.together(lambda: torch.stack([backward(*each) for each in batches]).sum())
        loss = add_up(processes, network, loss)
        processes.together(update)
        return loss.item()

    def update() -> None:
        if options.gradient_clip:
            # A gradient that is not finite shows in the loss, which stops the run and names the step.
            fabric.clip_gradients(network, optimiser, max_norm=options.gradient_clip, error_if_nonfinite=False)
        optimiser.step()
        if not isinstance(parts.scheduler, ReduceLROnPlateau):
            parts.scheduler.step()
        if parts.average is not None:
            parts.average.update_parameters(parts.network)

    def probe(size: int) -> None:
        optimiser.zero_grad()
        image = torch.rand(size, len(setting.mean), options.crop, options.crop, device=fabric.device)
        image = image.contiguous(memory_format=torch.channels_last)
        inside = torch.ones_like(image[:, :1])
        backward(Batch(image, inside.expand(-1, len(setting.classes.names), -1, -1), inside), 1.0)

    return Stepper(step, probe)


def _drawn(parts: Parts, setting: Setting) -> Batch:
    """This process's crops of one optimiser step; all processes draw the places of all of them."""
    recipe, options, processes = setting.recipe, setting.recipe.training, setting.processes
    if processes.count > 1:
        _seed_dropout(parts.generator, processes.rank)
    return draw_batch(
        setting.training,
        size=options.crops_per_step,
        side=options.crop,
        augmentation=recipe.augmentation,
        generator=parts.generator,
        device=setting.fabric.device,
        own=_own(options.batch, options.accumulate, processes),
        draw=parts.passes.draw if options.draw == "without_replacement" else drawn_by_chance,
    )


def _own(batch: int, accumulate: int, processes: Processes) -> list[int]:
    """Which of a step's crops are this process's: its equal share of every batch."""
    share = batch // processes.count
    first = processes.rank * share
    return [number * batch + first + each for number in range(accumulate) for each in range(share)]


def _seed_dropout(generator: torch.Generator, rank: int) -> None:
    """Give each process another chance for dropout, which follows from the run's own: the state need not hold it."""
    ahead = torch.Generator()
    ahead.set_state(generator.get_state())
    torch.manual_seed(int(torch.randint(2**62, (1,), generator=ahead)) + rank)


def _batches(drawn: Batch, size: int, total: Tensor) -> list[tuple[Batch, Tensor]]:
    """The crops in batches, each with its share of all pixels that count in the step.

    Weighted so, a mean over the FOV is the one of all crops together, and its gradient is too.
    """
    total = total.clamp(min=1)
    pieces = zip(*(torch.split(each, size) for each in (drawn.image, drawn.mask, drawn.fov)), strict=True)
    return [(Batch(image, mask, fov), fov.sum() / total) for image, mask, fov in pieces]
