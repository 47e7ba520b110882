"""The field of view of images whose light is known exactly, and of images that have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from foveate.arrays.fov import SEARCH_SIZE, FieldOfView, find_fov

if TYPE_CHECKING:
    from foveate.records import Image, Mask


def disc(height: int, width: int, row: float, column: float, radius: float) -> Mask:
    rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width) + 0.5
    inside: Mask = np.hypot(rows - row, columns - column) <= radius
    return inside


def lit(mask: Mask) -> Image:
    """A reddish light over a black border."""
    return np.where(mask[..., None], np.array([180, 90, 40]), 0).astype(np.uint8)


def iou(one: Mask, other: Mask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


@pytest.mark.parametrize("centre", [(210.0, 260.0), (231.7, 244.2), (205.3, 250.9)])
def test_a_drawn_disc_is_found_to_a_tenth_of_a_pixel(centre: tuple[float, float]) -> None:
    found = find_fov(lit(disc(430, 510, *centre, 190.0)))
    assert found.diameter == pytest.approx(2 * 190, abs=0.1)
    middle = np.argwhere(found.mask).mean(axis=0) + 0.5
    np.testing.assert_allclose(middle, centre, rtol=0, atol=0.1)


def test_a_disc_in_an_image_that_is_searched_at_a_smaller_size_is_found_to_a_pixel_of_that_size() -> None:
    found = find_fov(lit(disc(1290, 1530, 631.7, 744.2, 570.0)))
    pixel = 1530 / SEARCH_SIZE
    assert found.diameter == pytest.approx(2 * 570, abs=pixel)
    middle = np.argwhere(found.mask).mean(axis=0) + 0.5
    np.testing.assert_allclose(middle, (631.7, 744.2), rtol=0, atol=pixel / 2)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_disc_that_the_camera_cuts_flat_is_found_cut(axis: int) -> None:
    drawn = disc(500, 500, 250, 250, 220)
    cut = drawn.copy()
    (cut if axis == 0 else cut.T)[:110] = False
    found = find_fov(lit(cut))
    assert found.diameter == pytest.approx(2 * 220, rel=0.005)
    # One row of the cut is .003 of the area, half a pixel of the radius .005.
    assert iou(found.mask, cut) > 0.992 > iou(drawn, cut)


def test_a_disc_with_a_dark_wedge_inside_stays_a_disc() -> None:
    drawn = disc(500, 500, 250, 250, 220)
    shadowed = lit(drawn)
    shadowed[300:, 240:300] = 0
    assert iou(find_fov(shadowed).mask, drawn) > 0.99


@pytest.mark.parametrize("box", [(50, 80, 250, 320), (20, 100, 280, 360)])
def test_a_square_field_of_view_is_taken_as_it_is_with_a_note(box: tuple[int, int, int, int]) -> None:
    top, left, bottom, right = box
    square = np.zeros((300, 400), bool)
    square[top:bottom, left:right] = True
    found = find_fov(lit(square))
    np.testing.assert_array_equal(found.mask, square)
    assert found.box == box
    assert found.diameter == max(bottom - top, right - left)
    assert "not a disc" in found.note


@pytest.mark.parametrize("shape", [(480, 640, 3), (16, 16, 3), (17, 300, 3)])
@pytest.mark.parametrize("level", [0, 5])
def test_a_black_image_has_an_empty_field_of_view_and_says_so(shape: tuple[int, int, int], level: int) -> None:
    found = find_fov(np.full(shape, level, np.uint8))
    assert found.mask.shape == shape[:2]
    assert not found.mask.any()
    assert (found.diameter, found.box) == (0.0, (0, 0, 0, 0))
    assert "black" in found.note


@pytest.mark.parametrize("shape", [(300, 200, 3), (16, 16, 3), (16, 2000, 3)])
def test_an_image_lit_to_its_corners_is_taken_whole_with_a_note(shape: tuple[int, int, int]) -> None:
    found = find_fov(np.random.default_rng(1).integers(60, 256, shape).astype(np.uint8))
    assert found.mask.all()
    assert found.mask.shape == shape[:2]
    assert "no dark border" in found.note


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(16, 1600), (1600, 16), (16, 13000), (16, 30000), (30000, 16)])
def test_a_long_thin_image_with_light_in_it_never_fails_nor_comes_back_empty(shape: tuple[int, int]) -> None:
    ramp = np.linspace(0, 255, max(shape)).astype(np.uint8)
    image = np.broadcast_to((ramp if shape[1] > shape[0] else ramp[:, None])[..., None], (*shape, 3))
    found = find_fov(np.ascontiguousarray(image))
    assert found.mask.shape == shape
    assert found.mask[-1, -1]
    assert found.diameter > 0


def test_a_mask_becomes_a_field_of_view_with_its_box_and_longer_side() -> None:
    mask = np.zeros((40, 50), bool)
    mask[3:10, 20:49] = True
    fov = FieldOfView.of_mask(mask)
    assert (fov.box, fov.diameter, fov.note) == ((3, 20, 10, 49), 29.0, "")
    assert FieldOfView.of_mask(mask, diameter=31.5).diameter == 31.5
    assert FieldOfView.of_mask(np.zeros((4, 5), bool)).box == (0, 0, 0, 0)
