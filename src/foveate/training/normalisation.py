"""What pixels are normalised by: it belongs to the weights, which have learnt from images that were brought so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any

from foveate.networks.built.pretrained import DEVIATION, MEAN
from foveate.training.samples import TrainingSet, channel_statistics


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
