"""Validation: the same path from photograph to probability as in use, so that a threshold chosen here holds there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import pad

from foveate.arrays.decide import decisive
from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import STRIDE, Network, Preparation, predict, prepare_mask
from foveate.errors import TrainingError
from foveate.metrics.curves import BINS, Histogram
from foveate.metrics.threshold import best_thresholds, check_foreground
from foveate.records import Case, Classes, Mask, Masks, Probabilities
from foveate.training.data.reading import ValidationSet
from foveate.training.processes.consensus import Processes
from foveate.training.run.progress import f1_by_set
from foveate.training.step.learner import Forward
from foveate.training.step.losses import Loss


@dataclass(frozen=True, slots=True)
class Validation:
    """What one validation found; F1 is pooled over a set's pixels inside its FOV, at native size."""

    thresholds: tuple[float, ...]
    """Of each class that may overlap others, else the one of all: those with the highest mean of the sets' F1."""
    class_f1: dict[str, dict[str, float | None]]
    """By set and class, at the thresholds; None for a class that is in none of the set's masks."""
    loss: float
    """At working size, inside the FOV: the mean over a set's images, then over the sets."""

    @property
    def mean_f1(self) -> float:
        """Every set counts the same."""
        return fmean(f1_by_set(self.class_f1).values())


@dataclass(frozen=True, slots=True)
class Validator:
    """How validation images are brought to a network, and what comes of them."""

    forward: Forward
    """From pixels B×C×H×W, 0 to 255."""
    loss: Loss
    preparation: Preparation
    classes: Classes
    device: torch.device

    def predicted(self, case: Case, fov: FieldOfView) -> tuple[Probabilities, float]:
        """The probabilities of a case at native size, and its loss, by one pass through the network."""
        losses = []

        def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
            with torch.inference_mode():
                outputs = self.forward(torch.from_numpy(batch).to(self.device, memory_format=torch.channels_last))
                losses.append(self.loss(outputs, *self._targets(case, fov)).item())
                probability: NDArray[np.float32] = probabilities(outputs[0], self.classes).float().cpu().numpy()
                return probability

        return predict(case.image, fov, network, self.preparation, len(self.classes.names)), losses[0]

    def _targets(self, case: Case, fov: FieldOfView) -> tuple[Tensor, Tensor]:
        """Shares of the classes 1×K×H×W and FOV 1×1×H×W at the size that the network sees; padding is outside it."""
        frame = self.preparation.frame(fov)
        counted = fov.mask if case.fov is None else case.fov & fov.mask
        masks = torch.from_numpy(np.stack([prepare_mask(mask, frame) for mask in case.masks]))[None]
        inside = torch.from_numpy(prepare_mask(counted, frame))[None, None]
        height, width = frame.working
        padding = (0, -width % STRIDE, 0, -height % STRIDE)
        return pad(masks, padding).to(self.device), (pad(inside, padding) > 0.5).float().to(self.device)


def check_validation(sets: Sequence[ValidationSet], classes: Classes, processes: Processes) -> None:
    """Raise DataError where `validate` couldn't choose thresholds, before an epoch has been spent on finding out."""
    own = processes.together(lambda: np.stack([_present(data.cases, len(classes.names)) for data in sets]))
    present = processes.sum_of_arrays(own.astype(np.int32)) > 0
    check_foreground(present, classes)


def _present(cases: Iterable[tuple[Case, FieldOfView]], classes: int) -> NDArray[np.bool_]:
    """Which of the classes are in any of the masks, inside the FOV; few masks need be looked at mostly."""
    present = np.zeros(classes, bool)
    for case, fov in cases:
        present |= (case.masks & _within(case, fov)).any(axis=(1, 2))
        if present.all():
            break
    return present


def _within(case: Case, fov: FieldOfView) -> Mask:
    """Where pixels count: the set's FOV, else the one found."""
    return fov.mask if case.fov is None else case.fov


def validate(sets: Sequence[ValidationSet], validator: Validator, processes: Processes) -> Validation:
    """Predict every case in the process that has it, measure its loss, and choose the thresholds."""
    own = processes.together(lambda: _counted(sets, validator))
    counts, losses = (processes.sum_of_arrays(sums) for sums in own)
    histograms = [[Histogram(*of_class) for of_class in of_set] for of_set in counts]
    thresholds, scores = best_thresholds(histograms, validator.classes)
    class_f1 = {
        data.name: dict(zip(validator.classes.names, row, strict=True)) for data, row in zip(sets, scores, strict=True)
    }
    return Validation(thresholds, class_f1, fmean(total / number for total, number in losses.tolist()))


def _counted(sets: Sequence[ValidationSet], validator: Validator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Histograms, sets×K×2×65536, and of each set the sum and the number of its losses."""
    counts, losses = np.zeros((len(sets), len(validator.classes.names), 2, BINS), np.int64), []
    for data, of_set in zip(sets, counts, strict=True):
        histograms, losses_of_set = [Histogram(*of_class) for of_class in of_set], list[float]()
        for case, fov in data.cases:
            at_native_size, loss = validator.predicted(case, fov)
            if not np.isfinite(at_native_size).all():
                raise TrainingError(
                    f"after this epoch's last step the network's answer to {case.id} is not a number."
                    " Lower training.learning_rate or set training.gradient_clip."
                )
            _count(histograms, decisive(at_native_size, validator.classes), case.masks, _within(case, fov))
            losses_of_set.append(loss)
        losses.append((fsum(losses_of_set), len(losses_of_set)))
    return counts, np.array(losses)


def _count(histograms: Sequence[Histogram], values: Probabilities, masks: Masks, within: Mask) -> None:
    for histogram, of_class, mask in zip(histograms, values, masks, strict=True):
        histogram.add(of_class, mask, within)


def probabilities(logits: Tensor, classes: Classes) -> Tensor:
    """Of the classes, B×K×H×W: by a softmax without the background's channel, or by sigmoids."""
    return torch.softmax(logits, dim=1)[:, 1:] if classes.softmax else torch.sigmoid(logits)


class Exportable(nn.Module):
    """A network with its normalisation and what makes probabilities: pixels B×C×H×W (0 to 255) to B×K×H×W."""

    mean: torch.Tensor
    deviation: torch.Tensor

    def __init__(self, network: nn.Module, mean: Sequence[float], deviation: Sequence[float], classes: Classes) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.register_buffer("mean", torch.tensor(mean)[:, None, None])
        self.register_buffer("deviation", torch.tensor(deviation)[:, None, None])

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Probabilities B×K×H×W."""
        return probabilities(self.network((image - self.mean) / self.deviation), self.classes)


def in_torch(model: nn.Module, device: torch.device) -> Network:
    """The model as the function from array to array that `arrays.prepare` calls, in float32."""

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            tensor = torch.from_numpy(batch).to(device, memory_format=torch.channels_last)
            probability: NDArray[np.float32] = model(tensor).float().cpu().numpy()
            return probability

    return run
