"""Validation: the same path from photograph to probability as in use, so that a threshold chosen here holds there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from foveate.arrays.fov import FieldOfView, find_fov
from foveate.arrays.prepare import Network, WorkingSize, predict
from foveate.metrics.curves import Histogram
from foveate.metrics.threshold import best_common_threshold
from foveate.records import Case


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation cases of one data set, in memory, with the FOV found in each."""

    name: str
    cases: tuple[tuple[Case, FieldOfView], ...]

    @classmethod
    def of(cls, name: str, cases: Sequence[Case]) -> ValidationSet:
        """Find the FOV of every case once."""
        return cls(name, tuple((case, find_fov(case.image)) for case in cases))


@dataclass(frozen=True, slots=True)
class Validation:
    """What one validation found; F1 is pooled over a set's pixels inside its FOV, at native size."""

    threshold: float
    """The one threshold with the highest mean of the sets' F1."""
    f1: dict[str, float]
    """By set, at that threshold."""

    @property
    def mean_f1(self) -> float:
        """Every set counts the same."""
        return sum(self.f1.values()) / len(self.f1)


def validate(sets: Sequence[ValidationSet], network: Network, working_size: WorkingSize) -> Validation:
    """Predict every case and choose the threshold."""
    histograms = []
    for data in sets:
        histogram = Histogram()
        for case, fov in data.cases:
            probability = predict(case.image, fov, network, working_size)
            histogram.add(probability, case.mask, fov.mask if case.fov is None else case.fov)
        histograms.append(histogram)
    threshold, scores = best_common_threshold(histograms)
    return Validation(threshold, dict(zip((data.name for data in sets), scores, strict=True)))


class Exportable(nn.Module):
    """A network with its normalisation and its sigmoid: pixels B×3×H×W (0 to 255) to probabilities B×K×H×W."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], deviation: Sequence[float]) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Probabilities B×K×H×W."""
        return torch.sigmoid(self.network((image - self.mean) / self.deviation))


def in_torch(model: nn.Module, device: torch.device) -> Network:
    """The model as the function from array to array that `arrays.prepare` calls, in float32."""

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            tensor = torch.from_numpy(batch).to(device, memory_format=torch.channels_last)
            probability: NDArray[np.float32] = model(tensor).float().cpu().numpy()
            return probability

    return run
