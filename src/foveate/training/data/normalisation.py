"""What pixels are normalised by: it belongs to the weights, which have learnt from images that were brought so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

import torch
from torch import Tensor

from foveate.networks.built.pretrained import DEVIATION, MEAN
from foveate.training.data.sampling import TrainingSet


def channel_statistics(sets: Sequence[TrainingSet]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel inside the FOV, 0 to 255; every set counts the same."""
    levels = torch.arange(256, dtype=torch.float64)
    shares = torch.stack([_shares_of_levels(data) for data in sets]).mean(dim=0)
    mean = shares @ levels
    deviation = (shares @ levels.square() - mean.square()).clamp(min=0).sqrt()
    return tuple(mean.tolist()), tuple(deviation.tolist())


def _shares_of_levels(data: TrainingSet) -> Tensor:
    """C×256: how much of each channel inside the FOV has which level. Counted, as a copy of all cases may be large."""
    counts = torch.zeros(data.channels, 256, dtype=torch.float64)
    for case in data.cases:
        inside = case[-1] > 127
        for channel in range(data.channels):
            counts[channel] += torch.bincount(case[channel][inside].int(), minlength=256)
    return counts / counts.sum(dim=1, keepdim=True)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Pixels, 0 to 255, become (pixel − mean) / deviation, each channel by its own."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    source: str
    """Whose they are, in words."""

    @classmethod
    def of_imagenet(cls, channels: int) -> Normalisation:
        """What pretrained encoders expect. A single channel, which stands for all three, has the mean of theirs."""
        mean, deviation = (tuple(255 * value for value in values) for values in (MEAN, DEVIATION))
        if channels == 1:
            mean, deviation = (fmean(mean),), (fmean(deviation),)
        return cls(mean, deviation, "ImageNet's, as the encoder's weights expect")

    @classmethod
    def of_images(cls, sets: Sequence[TrainingSet]) -> Normalisation:
        """The training images' own, inside the FOV; every set counts the same."""
        return cls(*channel_statistics(sets), "the training images' own")

    @classmethod
    def recorded(cls, values: Mapping[str, Any]) -> Normalisation:
        """As a run's facts have it."""
        return cls(tuple(values["mean"]), tuple(values["deviation"]), values["source"])

    def to_values(self) -> dict[str, Any]:
        """For a run's facts."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """For people."""
        mean, deviation = (", ".join(f"{value:.1f}" for value in values) for values in (self.mean, self.deviation))
        return f"images are normalised by a mean of {mean} and a deviation of {deviation}: {self.source}"
