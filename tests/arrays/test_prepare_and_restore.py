"""Preparing and restoring, each against the pattern itself evaluated at the pixels' centres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView
from foveate.arrays.prepare import BAND, Frame, Preparation, prepare, prepare_mask, restore

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.records import Mask

HEIGHT, WIDTH, ROW, COLUMN, DIAMETER = 700, 640, 340.3, 310.7, 600.0
SIZES = [300, 600, 777, 1024]
"""Working diameters: halved, kept, and enlarged by odd and by large factors."""

Places = NDArray[np.float64]


def framed(fov: FieldOfView, minimum: float, maximum: float) -> Frame:
    """Where the prepared image comes from, with these bounds of the field of view's diameter."""
    return Preparation(working_minimum=minimum, working_maximum=maximum).frame(fov)


def pattern(rows: Places, columns: Places) -> Places:
    """Smooth, without any symmetry, 0.1 to 0.9; the shortest wave has 75 pixels."""
    first = np.sin(2 * np.pi * (rows / 90 + columns / 210))
    second = np.cos(2 * np.pi * (rows / 230 - columns / 75))
    values: Places = 0.5 + 0.2 * first + 0.2 * second
    return values


def centres(length: int) -> Places:
    middles: Places = np.arange(length, dtype=np.float64) + 0.5
    return middles


def distance_from_centre(rows: Places, columns: Places) -> Places:
    distance: Places = np.hypot(rows - ROW, columns - COLUMN)
    return distance


@pytest.fixture(scope="module")
def fov() -> FieldOfView:
    mask = distance_from_centre(centres(HEIGHT)[:, None], centres(WIDTH)) <= DIAMETER / 2
    return FieldOfView.of_mask(mask, diameter=DIAMETER)


def own_places(frame: Frame) -> tuple[Places, Places]:
    """Where the centres of the prepared image's pixels lie in the photograph: rows (H×1) and columns (W)."""
    top, left, bottom, right = frame.box
    height, width = frame.working
    rows = top + centres(height) * (bottom - top) / height
    return rows[:, None], left + centres(width) * (right - left) / width


def shift(found: Places, expected: Places, within: Mask) -> Places:
    """By how many pixels (rows, columns) `found` lies off `expected`, by least squares on its gradient."""
    slopes = np.stack([np.gradient(expected, axis=axis)[within] for axis in (0, 1)], axis=1)
    moved: Places = np.linalg.lstsq(slopes, (expected - found)[within], rcond=None)[0]
    return moved


def test_the_shift_that_these_tests_measure_is_the_shift_there_is() -> None:
    rows, columns = centres(300)[:, None], centres(280)
    everywhere = np.ones((300, 280), bool)
    moved = shift(pattern(rows - 0.5, columns + 1), pattern(rows, columns), everywhere)
    np.testing.assert_allclose(moved, (0.5, -1), atol=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_a_prepared_pattern_lies_where_the_pattern_is(fov: FieldOfView, size: int) -> None:
    frame = framed(fov, size, size)
    grey = np.round(255 * pattern(centres(HEIGHT)[:, None], centres(WIDTH))).astype(np.uint8)
    prepared = prepare(np.repeat(grey[..., None], 3, axis=2), fov, frame)
    assert prepared.shape == (*frame.working, 3)
    expected = pattern(*own_places(frame))
    # Away from the rim, where the black outside bleeds in by the filter's width.
    inner = distance_from_centre(*own_places(frame)) < DIAMETER / 2 - 15
    found = prepared[..., 1] / 255
    # Half a level of rounding in the image, after the rows and after the columns; bicubic weights, whose
    # absolute values sum up to 1.25, pass on the first twice and the second once.
    assert np.abs(found - expected)[inner].max() < 0.5 * (1.25**2 + 1.25 + 1) / 255
    assert np.abs(shift(found, expected, inner)).max() < 0.01


@pytest.mark.parametrize("size", SIZES)
def test_restored_probabilities_lie_where_they_were_predicted(fov: FieldOfView, size: int) -> None:
    frame = framed(fov, size, size)
    restored = restore(pattern(*own_places(frame)).astype(np.float32), fov, frame)
    assert restored.shape == (HEIGHT, WIDTH)
    assert restored.dtype == np.float32
    rows, columns = centres(HEIGHT)[:, None], centres(WIDTH)
    expected = pattern(rows, columns)
    # Where the disc touches its box, there is nothing beyond to interpolate with.
    inner = distance_from_centre(rows, columns) < DIAMETER / 2 - 2
    # A tenth of a pixel where the pattern is steepest: a sampled filter's centre wanders by less than that.
    assert np.abs(restored - expected)[inner].max() < 0.1 * 0.2 * 2 * np.pi * (1 / 75 + 1 / 90)
    assert np.abs(shift(restored.astype(np.float64), expected, inner)).max() < 0.01
    assert not restored[~fov.mask].any()


def test_at_its_own_scale_a_photograph_is_only_cropped_and_blacked_out(fov: FieldOfView) -> None:
    image = np.random.default_rng(3).integers(1, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    frame = framed(fov, 512, 1024)
    top, left, bottom, right = fov.box
    expected = (image * fov.mask[..., None])[top:bottom, left:right]
    np.testing.assert_array_equal(prepare(image, fov, frame), expected)


@pytest.mark.parametrize("size", [300, 1024])
def test_what_lies_outside_the_field_of_view_never_reaches_the_network(fov: FieldOfView, size: int) -> None:
    frame = framed(fov, size, size)
    image = np.random.default_rng(4).integers(0, 256, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    other = np.where(fov.mask[..., None], image, 255 - image)
    np.testing.assert_array_equal(prepare(other, fov, frame), prepare(image, fov, frame))
    assert not prepare(np.full_like(image, 255), fov, frame)[:8, :8].any()


@pytest.mark.parametrize(
    ("diameter", "working"),
    [
        (256, 512),
        (501, 512),
        (503, 503),
        (512, 512),
        (700, 700),
        (1024, 1024),
        (1044, 1044),
        (1046, 1024),
        (4096, 1024),
    ],
)
def test_a_diameter_is_brought_between_the_bounds_unless_it_is_within_2_percent_of_them(
    diameter: float, working: float
) -> None:
    assert Preparation(working_minimum=512, working_maximum=1024).scale(diameter) * diameter == pytest.approx(
        working, rel=1e-12
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 900), (90, 7)])
def test_a_field_of_view_of_any_shape_has_a_frame_of_at_least_one_pixel(shape: tuple[int, int]) -> None:
    fov = FieldOfView.of_mask(np.ones(shape, bool))
    frame = framed(fov, 32, 64)
    assert min(frame.working) >= 1
    assert 32 <= max(frame.working) <= 64
    image = np.full((*shape, 3), 77, np.uint8)
    prepared = prepare(image, fov, frame)
    assert prepared.shape == (*frame.working, 3)
    np.testing.assert_array_equal(prepared, 77)
    np.testing.assert_array_equal(restore(np.ones(frame.working, np.float32), fov, frame), np.ones(shape))


def exact_shares(mask: Mask, working: tuple[int, int]) -> Places:
    """The share of foreground under each of H×W equal rectangles, by the lengths of overlap along each axis."""

    def overlaps(length: int, parts: int) -> Places:
        edges = np.linspace(0, length, parts + 1)
        pixels = np.arange(length)
        shared = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
        weights: Places = np.clip(shared, 0, None) * parts / length
        return weights

    shares: Places = overlaps(mask.shape[0], working[0]) @ mask @ overlaps(mask.shape[1], working[1]).T
    return shares


@pytest.mark.parametrize("factor", [1, 2, 3, 8])
def test_a_prepared_mask_holds_exact_shares_at_whole_factors(factor: int) -> None:
    mask = np.random.default_rng(factor).random((20 + 96, 30 + 144)) < 0.3
    field = np.zeros_like(mask)
    field[7:103, 11:155] = True
    frame = framed(FieldOfView.of_mask(field), 1, 144 / factor)
    parts = mask[7:103, 11:155].reshape(96 // factor, factor, 144 // factor, factor)
    prepared = prepare_mask(mask, frame)
    # A share is a number of pixels over factor²; Pillow weighs each pixel in float32.
    np.testing.assert_allclose(prepared, parts.mean(axis=(1, 3)), rtol=0, atol=1e-6)
    np.testing.assert_allclose(exact_shares(mask[7:103, 11:155], frame.working), prepared, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("size", "factor"), [(1024, 0.63), (512, 0.31), (1700, 1.04)])
def test_a_prepared_vessel_mask_holds_the_share_of_vessel_under_every_pixel(
    size: int, factor: float, shared_data: Path
) -> None:
    folder = shared_data / "HRF_half"
    with PillowImage.open(folder / "manual1" / "09_h.tif") as file:
        mask = np.asarray(file.convert("L")) >= 128
    with PillowImage.open(folder / "mask" / "09_h_mask.tif") as file:
        frame = framed(FieldOfView.of_mask(np.asarray(file.convert("L")) >= 128), size, size)
    top, left, bottom, right = frame.box
    assert frame.working[1] / (right - left) == pytest.approx(factor, abs=0.005)
    expected = exact_shares(mask[top:bottom, left:right], frame.working)
    mean_error = float(np.abs(prepare_mask(mask, frame) - expected).mean())
    # Vessels are 8 % of all pixels: a hundredth of that.
    assert mean_error < 0.01 * expected.mean()


def test_probabilities_that_are_brought_back_in_bands_are_those_of_the_whole() -> None:
    height, width = 2 * BAND + 37, 90
    inside = np.ones((height, width), bool)
    inside[:3] = inside[-5:] = False
    fov = FieldOfView.of_mask(inside)
    frame = Frame.of(fov, 0.43)
    small = np.random.default_rng(3).random(frame.working, np.float32)
    top, left, bottom, right = frame.box
    size = (right - left, bottom - top)
    whole = PillowImage.fromarray(small).resize(size, PillowImage.Resampling.BILINEAR)
    np.testing.assert_allclose(restore(small, fov, frame)[top:bottom, left:right], np.asarray(whole), atol=1e-6)
