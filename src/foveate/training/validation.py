"""Validation: the same path from photograph to probability as in use, so that a threshold chosen here holds there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from foveate.arrays.fov import FieldOfView, FovRule, field_of_view
from foveate.arrays.prepare import STRIDE, Frame, Network, WorkingSize, predict, prepare_mask
from foveate.errors import DataError
from foveate.metrics.curves import Histogram
from foveate.metrics.threshold import best_common_threshold
from foveate.records import Case, Probability

Forward = Callable[[Tensor], tuple[Tensor, ...]]
"""Image B×3×H×W to logits, and side outputs where a network has them."""

Loss = Callable[[Sequence[Tensor], Tensor, Tensor], Tensor]
"""Those outputs, mask and FOV, both B×1×H×W and 0 to 1, to a scalar."""


@dataclass(frozen=True, slots=True)
class ValidationSet:
    """The validation cases of one data set, in memory, with the FOV found in each."""

    name: str
    cases: tuple[tuple[Case, FieldOfView], ...]

    @classmethod
    def of(cls, name: str, cases: Sequence[Case], rule: FovRule) -> ValidationSet:
        """Look for the FOV of every case once. Raises DataError for an image without one."""
        found = tuple((case, field_of_view(case.image, rule)) for case in cases)
        for case, fov in found:
            if not fov.diameter:
                raise DataError(f"{case.id}: {fov.note}. Take it out of the training part.")
        return cls(name, found)


@dataclass(frozen=True, slots=True)
class Validation:
    """What one validation found; F1 is pooled over a set's pixels inside its FOV, at native size."""

    threshold: float
    """The one threshold with the highest mean of the sets' F1."""
    f1: dict[str, float]
    """By set, at that threshold."""
    loss: float
    """At working size, inside the FOV: the mean over a set's images, then over the sets."""

    @property
    def mean_f1(self) -> float:
        """Every set counts the same."""
        return sum(self.f1.values()) / len(self.f1)


def validate(
    sets: Sequence[ValidationSet], forward: Forward, loss: Loss, *, working_size: WorkingSize, device: torch.device
) -> Validation:
    """Predict every case, measure its loss, and choose the threshold."""
    histograms, losses = [], []
    for data in sets:
        histogram, of_set = Histogram(), []
        for case, fov in data.cases:
            probability, of_case = _predicted(case, fov, forward, loss, working_size, device)
            histogram.add(probability, case.mask, fov.mask if case.fov is None else case.fov)
            of_set.append(of_case)
        histograms.append(histogram)
        losses.append(fmean(of_set))
    threshold, scores = best_common_threshold(histograms)
    return Validation(threshold, dict(zip((data.name for data in sets), scores, strict=True)), fmean(losses))


def _predicted(
    case: Case, fov: FieldOfView, forward: Forward, loss: Loss, working_size: WorkingSize, device: torch.device
) -> tuple[Probability, float]:
    """The probability of a case at native size, and its loss, by one pass through the network."""
    losses = []

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            outputs = forward(torch.from_numpy(batch).to(device, memory_format=torch.channels_last))
            losses.append(loss(outputs, *_targets(case, fov, working_size, device)).item())
            probability: NDArray[np.float32] = torch.sigmoid(outputs[0]).float().cpu().numpy()
            return probability

    probability = predict(case.image, fov, network, working_size)
    return probability, losses[0]


def _targets(case: Case, fov: FieldOfView, working_size: WorkingSize, device: torch.device) -> tuple[Tensor, Tensor]:
    """Share of foreground and FOV, each 1×1×H×W at the size that the network sees; padding is outside the FOV."""
    frame = Frame.of(fov, working_size)
    counted = fov.mask if case.fov is None else case.fov & fov.mask
    mask, inside = (torch.from_numpy(prepare_mask(each, frame))[None, None] for each in (case.mask, counted))
    height, width = frame.working
    padding = (0, -width % STRIDE, 0, -height % STRIDE)
    return pad(mask, padding).to(device), (pad(inside, padding) > 0.5).float().to(device)


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
