"""One step of several processes: their gradients added up, and the running statistics of batch norm averaged.

Not by PyTorch's DistributedDataParallel: it needs a gradient for every parameter, which side outputs without a weight
don't have; and it lays its sums out anew after the first step, so that of more than two processes a resumed run would
add up in another order than an unbroken one.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from foveate.training.processes.consensus import Processes


def add_up(processes: Processes, network: nn.Module, loss: Tensor) -> Tensor:
    """The sum of the processes' losses; their sum of gradients and mean of statistics go into `network`."""
    if processes.count == 1:
        return loss
    gradients = [each.grad for each in network.parameters() if each.grad is not None]
    statistics = list(_statistics(network))
    changed = [loss, *gradients, *statistics]
    together = processes.sum(torch.cat([each.reshape(-1) for each in changed]))
    total, *pieces = torch.split(together, [each.numel() for each in changed])
    for each, piece in zip(gradients, pieces, strict=False):
        each.copy_(piece.view(each.shape))
    for each, piece in zip(statistics, pieces[len(gradients) :], strict=True):
        each.copy_(piece.view(each.shape) / processes.count)
    return total.view(())


def _statistics(network: nn.Module) -> Iterator[Tensor]:
    """What the forward pass changes; the layers of frozen stages stay as they are."""
    for module in network.modules():
        if module.training:
            yield from (buffer for buffer in module.buffers(recurse=False) if buffer.is_floating_point())
