"""Training cases in memory, and batches of crops drawn from them.

Axes: B images, C channels, H rows, W columns. A case is 5×H×W uint8: red, green, blue, share of vessel, FOV, 0 to 255.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from foveate.arrays.fov import FieldOfView, FovRule, field_of_view
from foveate.arrays.prepare import Frame, WorkingSize, prepare, prepare_mask
from foveate.datasets import DataSet
from foveate.errors import DataError
from foveate.recipes.schema import AugmentationSection
from foveate.records import Case, CaseEntry
from foveate.training.augmentation import draw_placement, recolour, resample


@dataclass(frozen=True, slots=True)
class Batch:
    """B crops of S×S pixels; floats from 0 to 1."""

    image: Tensor
    """B×3×S×S."""
    mask: Tensor
    """B×1×S×S, share of vessel."""
    fov: Tensor
    """B×1×S×S, 1 where the loss counts."""


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The prepared cases of one data set, and how often it is drawn."""

    name: str
    weight: float
    cases: tuple[Tensor, ...]


def load_training_set(
    data: DataSet,
    entries: Sequence[CaseEntry],
    *,
    rule: FovRule,
    working_size: WorkingSize,
    weight: float,
    device: torch.device,
) -> TrainingSet:
    """Read and prepare every case once; raises DataError for an image without a field of view."""
    cases = tuple(_prepared(entry.load(), rule, working_size).to(device) for entry in entries)
    return TrainingSet(data.name, weight, cases)


def _prepared(case: Case, rule: FovRule, working_size: WorkingSize) -> Tensor:
    fov = field_of_view(case.image, rule)
    if not fov.diameter:
        raise DataError(f"{case.id}: {fov.note}. Take it out of the training set.")
    frame = Frame.of(fov, working_size)
    counted = fov if case.fov is None else FieldOfView.of_mask(case.fov & fov.mask)
    planes = [np.round(255 * prepare_mask(mask, frame)).astype(np.uint8) for mask in (case.mask, counted.mask)]
    pixels = prepare(case.image, fov, frame).transpose(2, 0, 1)
    return torch.from_numpy(np.concatenate((pixels, np.stack(planes))))


def channel_statistics(sets: Sequence[TrainingSet]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel inside the FOV, 0 to 255; every set counts the same."""
    means, squares = [], []
    for data in sets:
        inside = torch.cat([case[:3, case[4] > 127].double() for case in data.cases], dim=1)
        means.append(inside.mean(dim=1))
        squares.append(inside.square().mean(dim=1))
    mean = torch.stack(means).mean(dim=0)
    deviation = (torch.stack(squares).mean(dim=0) - mean.square()).sqrt()
    return tuple(mean.tolist()), tuple(deviation.tolist())


def draw_batch(
    sets: Sequence[TrainingSet], *, size: int, side: int, augmentation: AugmentationSection, generator: torch.Generator
) -> Batch:
    """`size` crops of `side` pixels; all chance comes from `generator` (on the CPU)."""
    weights = torch.tensor([data.weight for data in sets], dtype=torch.float64)
    chosen = torch.multinomial(weights, size, replacement=True, generator=generator).tolist()
    crops = []
    for number in chosen:
        cases = sets[number].cases
        case = cases[int(torch.randint(len(cases), (1,), generator=generator))]
        crops.append(resample(case, side, draw_placement(case, side, augmentation, generator)))
    batch = torch.cat(crops) / 255
    image = recolour(batch[:, :3], augmentation, generator) * (batch[:, 4:] > 0)
    return Batch(image.contiguous(memory_format=torch.channels_last), batch[:, 3:4], (batch[:, 4:] > 0.5).float())
