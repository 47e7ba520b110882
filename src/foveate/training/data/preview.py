"""What a network gets to see of a data set: one crop of each case as training would draw it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from foveate.datasets import DataSet
from foveate.imaging.sheet import Tile
from foveate.recipes.schema import Recipe
from foveate.records import CaseEntry
from foveate.training.data.preparation import preparation_of, prepared
from foveate.training.data.sampling import TrainingSet, draw_batch


def augmented_tiles(recipe: Recipe, data: DataSet, entries: Sequence[CaseEntry]) -> Iterator[Tile]:
    """One prepared and augmented crop of each case, by the recipe's seed; its mask is where half a pixel is foreground.

    Raises DataError for an image without a field of view.
    """
    generator = torch.Generator().manual_seed(recipe.training.seed)
    preparation = preparation_of(recipe.data)
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
