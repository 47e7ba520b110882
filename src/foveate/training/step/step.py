"""One optimiser step of one batch or several, in one process or several, and what to do where memory runs out."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.recipes.schema import TrainingSection
from foveate.training.data.sampling import Batch, draw_batch, drawn_by_chance
from foveate.training.processes.consensus import Processes
from foveate.training.processes.place import is_out_of_memory
from foveate.training.step.learner import Learner, RunSetup, forward_of


@dataclass(frozen=True, slots=True)
class Stepper:
    """The two ways to call a network in training."""

    step: Callable[[], float]
    """Draw crops, take one optimiser step, and return the loss before it."""
    probe: Callable[[int], None]
    """Forward and backward for that many crops of noise, without a step: does it fit into memory?"""


def stepper(learner: Learner, setup: RunSetup) -> Stepper:
    """Bring the learner to the device and return what trains them."""
    fabric, options, processes = setup.fabric, setup.recipe.training, setup.processes
    network, optimiser = (
        fabric.to_device(learner.network),
        cast("Optimizer", fabric.setup_optimizers(learner.optimiser)),
    )
    forward = torch.compile(forward_of(network)) if options.compile else forward_of(network)
    if learner.average is not None:
        learner.average.to(fabric.device)

    def backward(batch: Batch, share: Tensor | float) -> Tensor:
        with fabric.autocast():
            outputs = forward(setup.normalised(batch.image * 255))
        loss = setup.loss(outputs, batch.mask, batch.fov) * share
        fabric.backward(loss)
        return loss.detach()

    def step() -> float:
        drawn = processes.together(lambda: _drawn(learner, setup))
        batches = _batches(drawn, options.batch // processes.count, processes.sum(drawn.fov.sum()))
        optimiser.zero_grad()
        loss = processes.together(lambda: torch.stack([backward(*piece) for piece in batches]).sum())
        loss = add_up(processes, network, loss)
        processes.together(update)
        return loss.item()

    def update() -> None:
        if options.gradient_clip:
            # A gradient that is not finite shows in the loss, which stops the run and names the step.
            fabric.clip_gradients(network, optimiser, max_norm=options.gradient_clip, error_if_nonfinite=False)
        optimiser.step()
        if not isinstance(learner.scheduler, ReduceLROnPlateau):
            learner.scheduler.step()
        if learner.average is not None:
            learner.average.update_parameters(learner.network)

    def probe(size: int) -> None:
        optimiser.zero_grad()
        image = torch.rand(size, len(setup.mean), options.crop, options.crop, device=fabric.device)
        image = image.contiguous(memory_format=torch.channels_last)
        inside = torch.ones_like(image[:, :1])
        backward(Batch(image, inside.expand(-1, len(setup.classes.names), -1, -1), inside), 1.0)

    return Stepper(step, probe)


def _drawn(learner: Learner, setup: RunSetup) -> Batch:
    """This process's crops of one optimiser step; all processes draw the places of all of them."""
    recipe, options, processes = setup.recipe, setup.recipe.training, setup.processes
    if processes.count > 1:
        _seed_dropout(learner.generator, processes.rank)
    return draw_batch(
        setup.training,
        size=options.crops_per_step,
        side=options.crop,
        augmentation=recipe.augmentation,
        generator=learner.generator,
        device=setup.fabric.device,
        own=_own(options.batch, options.accumulate, processes),
        draw=learner.passes.draw if options.draw == "without_replacement" else drawn_by_chance,
    )


def _own(batch: int, accumulate: int, processes: Processes) -> list[int]:
    """Which of a step's crops are this process's: its equal share of every batch."""
    share = batch // processes.count
    first = processes.rank * share
    return [number * batch + first + place for number in range(accumulate) for place in range(share)]


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
    pieces = zip(*(torch.split(part, size) for part in (drawn.image, drawn.mask, drawn.fov)), strict=True)
    return [(Batch(image, mask, fov), fov.sum() / total) for image, mask, fov in pieces]


def add_up(processes: Processes, network: nn.Module, loss: Tensor) -> Tensor:
    """The sum of the processes' losses; their sum of gradients and mean of statistics go into `network`."""
    if processes.count == 1:
        return loss
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    statistics = list(_statistics(network))
    # One flat sum, in the order of the parameters: the processes' numbers are added in the same order in every step,
    # also of a resumed run, and one message costs less than hundreds of small ones.
    changed = [loss, *gradients, *statistics]
    together = processes.sum(torch.cat([tensor.reshape(-1) for tensor in changed]))
    total, *pieces = torch.split(together, [tensor.numel() for tensor in changed])
    for gradient, piece in zip(gradients, pieces, strict=False):
        gradient.copy_(piece.view(gradient.shape))
    for statistic, piece in zip(statistics, pieces[len(gradients) :], strict=True):
        statistic.copy_(piece.view(statistic.shape) / processes.count)
    return total.view(())


def _statistics(network: nn.Module) -> Iterator[Tensor]:
    """What the forward pass changes; the layers of frozen stages stay as they are."""
    for module in network.modules():
        if module.training:
            yield from (buffer for buffer in module.buffers(recurse=False) if buffer.is_floating_point())


def advice(options: TrainingSection, probe: Callable[[int], None], processes: int = 1) -> str:
    """What to say after a step that did not fit: a batch that does, and how to keep the size of a step."""
    too_much = f"a batch of {options.batch} crops of {options.crop}×{options.crop} pixels does not fit into memory"
    size = fitting(options.batch // processes, probe) * processes
    if not size:
        return f"{too_much}, nor does a single one. Lower training.crop, or choose a smaller network."
    batches = -(-options.crops_per_step // size)
    return f"{too_much}; {size} would. Begin again with training.batch={size} training.accumulate={batches}."


def fitting(size: int, probe: Callable[[int], None]) -> int:
    """The largest of size / 2, size / 4, … that `probe` can be called with; 0 where there is none."""
    while size := size // 2:
        gc.collect()
        torch.cuda.empty_cache()
        try:
            probe(size)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        else:
            return size
    return 0
