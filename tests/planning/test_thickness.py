"""Thickness is that of what was drawn, whatever way it lies."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt  # type: ignore[import-untyped]

from foveate.drawn import draw
from foveate.planning.thickness import thickness

ROUNDING = 1.0
"""Pixels: a drawn edge lies on the grid."""

SLANT = 1 / np.cos(np.pi / 8)
"""What no line along rows, columns or diagonals shows less of."""


def bar(width: float, degrees: float, side: int = 201) -> NDArray[np.bool_]:
    """A bar of that width through the middle, from edge to edge."""
    down, across = np.mgrid[:side, :side] - side // 2
    angle = np.deg2rad(degrees)
    inside: NDArray[np.bool_] = np.abs(down * np.cos(angle) - across * np.sin(angle)) < width / 2
    return inside


@pytest.mark.parametrize("width", [1, 2, 3, 8, 25])
@pytest.mark.parametrize("turned", [False, True])
def test_a_bar_along_the_grid_has_its_exact_width(width: int, turned: bool) -> None:
    mask = np.zeros((60, 90), bool)
    mask[10 : 10 + width, 5:85] = True
    assert thickness(mask.T if turned else mask) == width


@pytest.mark.parametrize("degrees", [20, 45, 70, 110, 135, 160])
@pytest.mark.parametrize("width", [5, 15])
def test_a_slanting_bar_has_its_width_within_the_slant_of_four_directions(width: float, degrees: float) -> None:
    assert width - ROUNDING <= thickness(bar(width, degrees)) <= SLANT * width + ROUNDING


def test_half_of_the_length_is_thinner_however_much_area_the_thick_part_has() -> None:
    mask = np.zeros((100, 300), bool)
    mask[10:13, :200] = True
    mask[40:90, :90] = True
    assert thickness(mask) == 3
    assert 0.6 * 50 < thickness(mask[20:]) <= 50


def test_drawn_vessels_are_as_thick_as_the_distance_to_their_background_says() -> None:
    mask = draw(0).mask
    # Every pixel is two by two, so that the ridge of a bar lies as far from the background as the bar is wide.
    distance = distance_transform_edt(np.pad(mask, 1).repeat(2, 0).repeat(2, 1))
    shifted = [np.roll(distance, (down, across), (0, 1)) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    ridge = distance[(distance > 0) & (distance >= np.max(shifted, axis=0))]
    assert thickness(mask) == pytest.approx(np.median(ridge), abs=ROUNDING)


def test_an_empty_mask_has_no_thickness() -> None:
    assert thickness(np.zeros((5, 5), bool)) == 0
