"""Which of a run's processes this one is, on which device it computes, and in which precision.

Told without PyTorch as far as that goes: a wrong name is an error before anything is imported or read. What is asked
for is there, or the run doesn't begin.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import TYPE_CHECKING

from foveate.errors import UsageError

if TYPE_CHECKING:
    import torch

LAUNCHED = "TORCHELASTIC_RUN_ID"
"""Only `torchrun` sets it; the other names may be a batch system's, around a process that is the only one."""


@dataclass(frozen=True, slots=True)
class Rank:
    """One process among those of a run."""

    number: int
    """From 0; that one writes the run's folder and speaks."""
    count: int
    on_machine: int
    """Number among the processes of its machine, and of its GPU."""
    per_machine: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Rank:
        """Of a process that `torchrun` has started, else the only one."""
        if LAUNCHED not in environment:
            return ALONE
        return cls(*(int(environment[key]) for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")))


ALONE = Rank(0, 1, 0, 1)
"""The only process of a run."""


KNOWN = re.compile(r"auto|cpu|cuda(:\d+)?|mps")


def check_device_name(name: str) -> None:
    """Raise UsageError for a name that no device has."""
    if not KNOWN.fullmatch(name):
        raise UsageError(f"--device {name}: choose auto, cpu, cuda, a GPU by its number as cuda:1, or mps.")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether PyTorch says so, of a GPU or of the main memory."""
    import torch

    return isinstance(error, torch.OutOfMemoryError) or "DefaultCPUAllocator: can't allocate memory" in str(error)


WITH_BF16 = ("avx512_bf16", "amx_bf16")
"""Instructions of processors that may be faster in bf16 than in float32; without them bf16 is several times slower."""

TRIALS = 20
"""Convolutions that are timed in each format."""


def chosen_device(asked: str) -> torch.device:
    """The device of a name: `cpu`, `cuda` (the first GPU), `cuda:1`, `mps` (Apple's), or `auto`: cuda, else cpu.

    Raises UsageError for another name, and for a device that isn't here.
    """
    check_device_name(asked)
    import torch

    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(asked)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(f"--device {asked}: PyTorch finds no CUDA device here. Use --device cpu or auto.")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        there = ", ".join(f"cuda:{number}" for number in range(torch.cuda.device_count()))
        raise UsageError(f"--device {asked}: there is no such GPU here. Choose {there}, or cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise UsageError(f"--device {asked}: PyTorch finds no Apple GPU here. Use --device cpu or auto.")
    return device


@dataclass(frozen=True, slots=True)
class Precision:
    """Of the training steps."""

    name: str
    """As Lightning Fabric has it: 32-true, bf16-mixed or 16-mixed."""
    note: str = ""
    """What to say of it; '' where it is what was asked for, and fits the device."""


def chosen_precision(asked: str, device: torch.device, begun: str | None = None, *, rank: Rank = ALONE) -> Precision:
    """What a recipe asks for on a device; a run that goes on keeps the one that it has `begun` with.

    `auto` is bf16-mixed where that is fast, else 32-true. A processor that has instructions for it is tried, but by
    several processes, whose measurements might differ. Raises UsageError for 16-mixed without a GPU of CUDA's.
    """
    if asked == "16-mixed" and device.type != "cuda":
        raise UsageError(
            "training.precision = '16-mixed' needs a GPU, as a CPU is slower in it. Use auto, bf16-mixed or 32-true."
        )
    fast, why = _bf16_on(device)
    if asked == "auto" and begun is None:
        if fast and device.type == "cpu" and rank.count == 1:
            times = time_in_bf16()
            fast, why = times < 1, f"{why}, and a convolution takes {times:.2f} times as long in bf16 as in float32"
        return Precision("bf16-mixed" if fast else "32-true", f"precision {'bf16-mixed' if fast else '32-true'}: {why}")
    name = begun or asked
    slow = f"precision {name} will be slow: {why}. Begin with training.precision=auto or 32-true for more speed."
    return Precision(name, slow if name == "bf16-mixed" and not fast else "")


def fast_in_bf16(device: torch.device) -> bool:
    """Whether a device has instructions for bf16, as far as is known."""
    return _bf16_on(device)[0]


def _bf16_on(device: torch.device) -> tuple[bool, str]:
    """Whether a device is fast in bf16, and how that is known."""
    import torch

    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return fast, f"this GPU {'has' if fast else 'lacks'} bf16"
    if device.type != "cpu":
        return False, "only CUDA's GPUs and some processors are known to be fast in bf16"
    # PyTorch's own public answer, the same on every system; older versions have none, and are taken to be slow.
    capabilities: Mapping[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    has = [name for name in WITH_BF16 if capabilities.get(name)]
    return bool(has), f"this processor has {has[0]}" if has else f"this processor has neither {' nor '.join(WITH_BF16)}"


@cache
def time_in_bf16() -> float:
    """How long forward and backward pass of a convolution take on this processor in bf16, as times what they take in
    float32: instructions for it alone don't say that it is faster. The best of `TRIALS` of each, in turn."""
    import torch

    generator = torch.Generator().manual_seed(0)
    image = torch.randn(4, 32, 64, 64, generator=generator).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(32, 32, 3, 3, generator=generator).contiguous(memory_format=torch.channels_last)
    best: dict[torch.dtype, float] = {}
    for _ in range(TRIALS + 1):  # the first makes things ready
        for kind in (torch.float32, torch.bfloat16):
            inputs, weights = (tensor.to(kind).requires_grad_() for tensor in (image, weight))
            began = time.perf_counter()
            outputs = torch.nn.functional.conv2d(inputs, weights, padding=1)
            torch.autograd.grad(outputs, (inputs, weights), torch.ones_like(outputs))
            best[kind] = min(best.get(kind, inf), time.perf_counter() - began)
    return best[torch.bfloat16] / best[torch.float32]
