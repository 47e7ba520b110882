"""Connected components: the same as SciPy's, down to the numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.arrays.components import label, sizes
from foveate.records import Mask

Connectivity = Literal[4, 8]


def by_scipy(mask: Mask, connectivity: Connectivity) -> tuple[NDArray[np.int32], int]:
    labels, count = ndimage.label(mask, np.ones((3, 3)) if connectivity == 8 else None)
    return labels, count


def spiral(size: int) -> Mask:
    """One line from a corner to the middle, a pixel wide with a pixel between its turns."""
    mask = np.zeros((size, size), bool)
    row, column, down, across = 0, 0, 0, 1
    for length in (size - 1, *(n for pair in range(size - 1, 1, -2) for n in (pair, pair))):
        for _ in range(length):
            mask[row, column] = True
            row, column = row + down, column + across
        down, across = across, -down
    return mask


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("name", ["01", "19"])
def test_vessels_fall_into_the_components_that_scipy_finds(
    shared_data: Path, name: str, connectivity: Connectivity
) -> None:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "1st_manual" / f"{name}_manual1.gif") as file:
        vessels = np.asarray(file.convert("L")) >= 128
    for mask in (vessels, ~vessels):
        labels, count = label(mask, connectivity)
        expected, number = by_scipy(mask, connectivity)
        assert count == number > 1
        assert labels.dtype == np.int32
        np.testing.assert_array_equal(labels, expected)
        np.testing.assert_array_equal(sizes(labels, count), np.bincount(expected.ravel()))


@pytest.mark.parametrize("connectivity", [4, 8])
def test_small_random_masks_of_any_shape_and_density_are_labelled_as_scipy_does(connectivity: Connectivity) -> None:
    random = np.random.default_rng(0)
    for _ in range(500):
        mask = random.random(random.integers(1, 12, 2)) < random.random()
        labels, count = label(mask, connectivity)
        expected, number = by_scipy(mask, connectivity)
        assert count == number
        np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("connectivity", [4, 8])
@pytest.mark.parametrize("density", [0.407, 0.593])
def test_components_that_wind_through_a_whole_random_mask_are_found(density: float, connectivity: Connectivity) -> None:
    # At these densities, the percolation thresholds for 8 and 4 neighbours, components are as ragged as they get.
    mask = np.random.default_rng(1).random((400, 300)) < density
    labels, count = label(mask, connectivity)
    expected, number = by_scipy(mask, connectivity)
    assert count == number
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("connectivity", [4, 8])
def test_a_spiral_is_one_component_and_what_lies_between_its_turns_another(connectivity: Connectivity) -> None:
    mask = spiral(101)
    assert 0.45 < mask.mean() < 0.55
    assert label(mask, connectivity)[1] == 1
    assert label(~mask, connectivity)[1] == 1
    assert label(mask[::-1], connectivity)[1] == 1
    # Cut through in one place, it falls in two.
    cut = mask.copy()
    cut[50, 0] = False
    assert label(cut, connectivity)[1] == 2


def test_pixels_that_touch_at_a_corner_are_one_component_of_eight_neighbours_and_two_of_four() -> None:
    for mask in (np.eye(2, dtype=bool), np.eye(2, dtype=bool)[::-1]):
        assert label(mask, 8)[1] == 1
        assert label(mask, 4)[1] == 2


@pytest.mark.parametrize("connectivity", [4, 8])
def test_empty_full_and_single_pixel_masks(connectivity: Connectivity) -> None:
    labels, count = label(np.zeros((7, 9), bool), connectivity)
    assert count == 0
    assert not labels.any()
    assert sizes(labels, count).tolist() == [63]
    labels, count = label(np.ones((7, 9), bool), connectivity)
    assert count == 1
    assert (labels == 1).all()
    assert sizes(labels, count).tolist() == [0, 63]
    single = np.zeros((7, 9), bool)
    single[6, 8] = True
    labels, count = label(single, connectivity)
    assert count == 1
    np.testing.assert_array_equal(labels, single)


def test_the_end_of_a_row_does_not_touch_the_beginning_of_the_next() -> None:
    mask = np.zeros((3, 6), bool)
    mask[0, 5] = mask[1, 0] = mask[2, 5] = True
    assert label(mask, 8)[1] == 3


def test_a_mask_that_is_a_view_of_another_is_labelled_as_its_copy(shared_data: Path) -> None:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "1st_manual" / "02_manual1.gif") as file:
        vessels = np.asarray(file.convert("L")) >= 128
    for view in (vessels.T, vessels[::-1], vessels[::2, 1::3]):
        np.testing.assert_array_equal(label(view)[0], label(view.copy())[0])
        np.testing.assert_array_equal(label(view)[0], by_scipy(view, 8)[0])
