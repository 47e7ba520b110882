"""What runs a network: the same few facts whether they are asked for or were got, and whatever the backend."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, get_args

from foveate.errors import UsageError, unknown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Backend = Literal["onnxruntime", "openvino", "torch"]
Device = Literal["cpu", "cuda", "mps", "directml", "coreml"]
Precision = Literal["f32", "bf16"]

NAMES = {
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "torch": "PyTorch",
    "cpu": "processor",
    "cuda": "CUDA",
    "mps": "MPS",
    "directml": "DirectML",
    "coreml": "Core ML",
    "f32": "float32",
    "bf16": "bfloat16",
}
"""For people."""


@dataclass(frozen=True, slots=True)
class Execution:
    """By what a network is run, where, how exactly, and by how many threads; 0: one for each core."""

    backend: Backend = "onnxruntime"
    device: Device = "cpu"
    precision: Precision = "f32"
    threads: int = 0

    def __str__(self) -> str:
        return ", ".join(NAMES[word] for word in (self.backend, self.device, self.precision))


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked of an execution; "auto" leaves it open."""

    backend: Backend | Literal["auto"] = "auto"
    device: Device | Literal["auto"] = "auto"
    precision: Precision | Literal["auto"] = "auto"
    threads: int = 0

    def __post_init__(self) -> None:
        for name, kind in (("backend", Backend), ("device", Device), ("precision", Precision)):
            if getattr(self, name) not in (known := ("auto", *get_args(kind))):
                raise UsageError(unknown(name, str(getattr(self, name)), known))


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Session(Protocol):
    """A network that is ready to run."""

    @property
    def execution(self) -> Execution:
        """What it runs by."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (0 to 255) to probabilities N×K×H×W (0 to 1). Raises ModelError where it fails on them."""
