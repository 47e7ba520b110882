"""Prepared training cases, and batches of crops drawn from them.

Axes: B images, C channels, K classes, H rows, W columns. A case is (C + K + 1)×H×W uint8, 0 to 255, in main memory: the
image's channels, the share of each class, the FOV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from foveate.recipes.schema import AugmentationSection
from foveate.training.data.augmentation import draw_placement, recolour
from foveate.training.data.resampling import resample


@dataclass(frozen=True, slots=True)
class Batch:
    """B crops of S×S pixels; floats from 0 to 1."""

    image: Tensor
    """B×C×S×S."""
    mask: Tensor
    """B×K×S×S, share of each class."""
    fov: Tensor
    """B×1×S×S, 1 where the loss counts."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The prepared cases of one data set, and how often it is drawn."""

    name: str
    weight: float
    cases: tuple[Tensor, ...]
    channels: int = 3
    """C, of the image."""


Draw = Callable[[Sequence[TrainingSet], int, torch.Generator], Iterator[Tensor]]
"""Sets, how many crops, and chance, to the case of each crop."""


def drawn_by_chance(sets: Sequence[TrainingSet], size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """The cases of `size` crops, each drawn as if it were the only one: sets by their weights, cases evenly."""
    weights = torch.tensor([data.weight for data in sets], dtype=torch.float64)
    for number in torch.multinomial(weights, size, replacement=True, generator=generator).tolist():
        cases = sets[number].cases
        yield cases[int(torch.randint(len(cases), (1,), generator=generator))]


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


def draw_batch(
    sets: Sequence[TrainingSet],
    *,
    size: int,
    side: int,
    augmentation: AugmentationSection,
    generator: torch.Generator,
    device: torch.device,
    own: Sequence[int] | None = None,
    draw: Draw = drawn_by_chance,
) -> Batch:
    """`size` crops of `side` pixels, made on `device`, of the cases that `draw` chooses.

    All other chance comes from `generator` (on the CPU). Where `own` numbers some of them, all are drawn, and those are
    made, bit by bit as they are among all.
    """
    cases, placements, channels = [], [], sets[0].channels
    for case in draw(sets, size, generator):
        cases.append(case)
        placements.append(draw_placement(case, side, augmentation, generator, channels))
    batch = resample(cases, placements, side, device, own) / 255
    fov = batch[:, -1:]
    image = recolour(batch[:, :channels], augmentation, generator, size=size, own=own) * (fov > 0)
    return Batch(
        image.contiguous(memory_format=torch.channels_last), batch[:, channels:-1].contiguous(), (fov > 0.5).float()
    )
