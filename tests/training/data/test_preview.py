"""What a preview shows is what training draws: the same crop, of each case once."""

from __future__ import annotations

import numpy as np

from foveate.datasets import open_set
from foveate.recipes.read import read_recipe
from foveate.training.data.sampling import augmented_tiles

SIDE = 128


def test_each_case_is_shown_once_by_its_name_with_its_mask() -> None:
    data = open_set("synthetic:2")
    recipe = read_recipe("region-guided-vessels", [f"training.crop={SIDE}"])
    tiles = list(augmented_tiles(recipe, data, data.split("train")))
    assert [tile.caption for tile in tiles] == [entry.id for entry in data.split("train")]
    for tile in tiles:
        assert tile.fov is not None
        assert tile.image.shape == (SIDE, SIDE, 3)
        assert tile.masks.shape == (1, *tile.fov.shape) == (1, SIDE, SIDE)
        green = tile.image[..., 1].astype(float)
        inside, mask = tile.fov, tile.masks[0]
        assert green[mask & inside].mean() < green[~mask & inside].mean()  # vessels are dark


def test_the_seed_of_the_recipe_decides() -> None:
    data = open_set("synthetic:1")
    first, again, other = (
        next(augmented_tiles(read_recipe("region-guided-vessels", [f"training.seed={seed}"]), data, data.entries))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first.image, again.image)
    assert (first.image != other.image).any()
