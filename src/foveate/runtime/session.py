"""What runs a network: the same few facts whether they are asked for or were got, and whatever the backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Backend = Literal["onnxruntime"]
Device = Literal["cpu"]
Precision = Literal["float32"]


@dataclass(frozen=True, slots=True)
class Execution:
    """By what a network is run, where, how exactly, and by how many threads; 0: one for each core."""

    backend: Backend = "onnxruntime"
    device: Device = "cpu"
    precision: Precision = "float32"
    threads: int = 0

    def __str__(self) -> str:
        names = {"onnxruntime": "ONNX Runtime", "cpu": "processor"}
        return f"{names[self.backend]}, {names[self.device]}, {self.precision}"


class Session(Protocol):
    """A network that is ready to run."""

    @property
    def execution(self) -> Execution:
        """What it runs by."""

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Pixels N×C×H×W (0 to 255) to probabilities N×K×H×W (0 to 1). Raises ModelError where it fails on them."""
