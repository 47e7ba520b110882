"""Prepared training cases, and batches of crops drawn from them, for a step or to look at.

Axes: B images, C channels, K classes, H rows, W columns. A case is (C + K + 1)×H×W uint8, 0 to 255, in main memory: the
image's channels, the share of each class, the FOV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from foveate.datasets import DataSet
from foveate.imaging.sheet import Tile
from foveate.recipes.schema import AugmentationSection, Recipe
from foveate.records import CaseEntry
from foveate.training.data.augmentation import draw_placement, recolour, resample
from foveate.training.data.reading import prepared


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


@dataclass(frozen=True, slots=True)
class Passes:
    """How far a run has gone through its sets; the order of each pass follows from the seed, the set and its number."""

    seed: int
    given: dict[str, int] = field(default_factory=dict)
    """How many crops each set has given so far, by its name; part of a run's state."""

    def draw(self, sets: Sequence[TrainingSet], size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """The cases (C + K + 1)×H×W of `size` crops, in an order by chance, which parts a step's crops into batches.

        The sets take turns: next comes the one that lacks most of what it should have given, by its weight.
        """
        chosen = [self._next(sets) for _ in range(size)]
        for place in torch.randperm(size, generator=generator).tolist():
            yield chosen[place]

    def _next(self, sets: Sequence[TrainingSet]) -> Tensor:
        total, count = sum(data.weight for data in sets), sum(self.given.values()) + 1
        data = max(sets, key=lambda one_set: count * one_set.weight / total - self.given.get(one_set.name, 0))
        number, place = divmod(self.given.get(data.name, 0), len(data.cases))
        self.given[data.name] = self.given.get(data.name, 0) + 1
        return data.cases[self._order(data, number)[place]]

    def _order(self, data: TrainingSet, number: int) -> list[int]:
        """Of a set's cases, in one pass through them."""
        # By the pass's own chance, not the run's: to go on in the middle of a pass, the state need only hold a count.
        chance = np.random.default_rng([self.seed, number, *data.name.encode()])
        order: list[int] = chance.permutation(len(data.cases)).tolist()
        return order


def augmented_tiles(recipe: Recipe, data: DataSet, entries: Sequence[CaseEntry]) -> Iterator[Tile]:
    """One prepared and augmented crop of each case, by the recipe's seed; its mask is where half a pixel is foreground.

    Raises DataError for an image without a field of view.
    """
    generator = torch.Generator().manual_seed(recipe.training.seed)
    preparation = recipe.preparation
    for entry in entries:
        alone = TrainingSet(data.name, 1.0, (prepared(entry, preparation),), preparation.channel_count)
        batch = draw_batch(
            [alone],
            size=1,
            side=recipe.training.crop,
            augmentation=recipe.augmentation,
            generator=generator,
            device=torch.device("cpu"),
        )
        pixels = np.rint(255 * batch.image[0].permute(1, 2, 0).numpy()).astype(np.uint8)
        shown = np.broadcast_to(pixels, (*pixels.shape[:2], 3))
        yield Tile(shown, batch.mask[0].numpy() >= 0.5, batch.fov[0, 0].numpy() > 0.5, entry.id)
