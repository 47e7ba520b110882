"""Regions of known size."""

from __future__ import annotations

import numpy as np
import pytest

from foveate.morphometry.image import measure_regions
from foveate.morphometry.shape import regions

ROWS, COLUMNS = np.mgrid[:200, :240]


def test_a_disc_has_its_area_perimeter_and_diameters() -> None:
    (found,) = regions((ROWS - 90) ** 2 + (COLUMNS - 100) ** 2 <= 60**2)
    assert (found.row, found.column) == (90, 100)
    assert found.area == pytest.approx(np.pi * 60**2, rel=0.01)
    assert found.perimeter == pytest.approx(2 * np.pi * 60, rel=0.02)
    assert (found.feret_least, found.feret_most) == pytest.approx((121, 121), abs=1.5)
    assert found.irregularity == pytest.approx(1, abs=0.03)


def test_the_diameters_of_a_turned_rectangle_are_its_diagonal_and_its_shorter_side() -> None:
    along = (ROWS - 100) * np.sin(0.5) + (COLUMNS - 120) * np.cos(0.5)
    across = (ROWS - 100) * np.cos(0.5) - (COLUMNS - 120) * np.sin(0.5)
    (found,) = regions((np.abs(along) <= 70) & (np.abs(across) <= 30))
    assert found.feret_most == pytest.approx(np.hypot(140, 60), rel=0.01)
    assert found.feret_least == pytest.approx(60, rel=0.03)
    assert found.solidity == pytest.approx(1, abs=0.03)


def test_a_star_is_less_solid_and_more_irregular_than_a_disc() -> None:
    angle, distance = np.arctan2(ROWS - 100, COLUMNS - 120), np.hypot(ROWS - 100, COLUMNS - 120)
    (found,) = regions(distance <= 50 + 30 * np.cos(7 * angle))
    assert found.solidity < 0.8
    assert found.irregularity > 2


def test_the_largest_region_comes_first_and_slices_make_a_volume() -> None:
    mask = np.zeros((60, 60), bool)
    mask[5:10, 5:10] = True
    mask[20:40, 20:50] = True
    values = measure_regions(mask, np.ones_like(mask), slice_distance=3.0).values
    assert (values["regions"], values["area"], values["largest_area"]) == (2, 625, 600)
    assert values["volume"] == 3 * 625
    assert np.isnan(measure_regions(mask & False, np.ones_like(mask)).values["largest_area"])
