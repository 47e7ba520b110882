"""The machine that is to train, as far as a plan depends on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from foveate.training.data.cache import free_memory
from foveate.training.run.provenance import hardware


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a plan is to be carried out."""

    device: str
    """As `--device` has it: cpu, cuda, cuda:1, mps."""
    name: str
    """Of the GPU, else of the processor."""
    cores: int
    """Threads that PyTorch computes with on the CPU."""
    memory: int
    """Bytes that are free where it computes."""


def this_machine(device: torch.device) -> Machine:
    """The machine that runs this, training on that device."""
    facts = hardware(device)
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()
    return Machine(str(device), facts.get("gpu", facts["processor"]), torch.get_num_threads(), int(free))
