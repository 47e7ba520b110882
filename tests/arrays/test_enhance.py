"""CLAHE against a slow textbook version, Kornia and scikit-image, and what must hold whatever the tiles are."""

from __future__ import annotations

from pathlib import Path

import kornia
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image as PillowImage
from skimage.color import rgb2lab
from skimage.exposure import equalize_adapthist

from foveate.arrays.enhance import enhance, equalize
from foveate.errors import UsageError
from foveate.records import Image, Mask

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]


@pytest.fixture(scope="module")
def photograph(shared_data: Path) -> Image:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "images" / "01_test.tif") as file:
        return np.asarray(file.convert("RGB"))


@pytest.fixture(scope="module")
def field(shared_data: Path) -> Mask:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "mask" / "01_test_mask.gif") as file:
        return np.asarray(file.convert("L")) >= 128


@pytest.fixture(scope="module")
def middle(photograph: Image) -> Grey:
    """A square of 320×320 inside the FOV, its green channel stretched to all of 0 to 255; tiles of 40×40."""
    green = photograph[132:452, 122:442, 1].astype(float)
    levels: Grey = np.rint((green - green.min()) * 255 / np.ptp(green)).astype(np.uint8)
    return levels


def disc(height: int, width: int) -> Mask:
    rows, columns = np.mgrid[:height, :width]
    inside: Mask = np.hypot(rows - height / 2 + 0.5, columns - width / 2 + 0.5) < min(height, width) / 2
    return inside


def noise(height: int, width: int, seed: int) -> Image:
    return np.random.default_rng(seed).normal(100, 30, (height, width, 3)).clip(0, 255).astype(np.uint8)


def clipped(shares: Floats, limit: float) -> Floats:
    """The shares, raised by one number where that leaves them below the limit, so that they sum up to 1; by halving."""
    low, high = 0.0, 1.0
    for _ in range(60):
        raised = (low + high) / 2
        low, high = (raised, high) if np.minimum(shares + raised, limit).sum() < 1 else (low, raised)
    return np.minimum(shares + high, limit)


def by_the_textbook(plane: Grey, inside: Mask, limit: float) -> Floats:
    """Pixel by pixel: the mappings of the four tiles around it, each by distance and by how much of it is inside."""
    height, width = plane.shape
    mappings: dict[tuple[int, int], tuple[float, Floats]] = {}
    tile_row, tile_column = ((np.arange(n) + 0.5) * 8 // n for n in plane.shape)
    for row in range(8):
        for column in range(8):
            here = np.outer(tile_row == row, tile_column == column)
            values = plane[here & inside].astype(int)
            if values.size:
                shares = clipped(np.bincount(values, minlength=256) / values.size, limit / 256)
                ranks = np.array([shares[:level].sum() + shares[level] / 2 for level in range(256)])
                mappings[row, column] = values.size / here.sum(), 255 * ranks
    result = np.zeros(plane.shape)
    for y, x in zip(*np.nonzero(inside), strict=True):
        down, across = (y + 0.5) * 8 / height, (x + 0.5) * 8 / width
        total = 0.0
        for (row, column), (share, mapping) in mappings.items():
            # Beyond the outermost centres there is but one tile to ask.
            near = max(0.0, 1 - abs(min(max(down, 0.5), 7.5) - row - 0.5))
            near *= max(0.0, 1 - abs(min(max(across, 0.5), 7.5) - column - 0.5))
            total += near * share
            result[y, x] += near * share * mapping[plane[y, x]]
        result[y, x] /= total
    return result


@pytest.mark.parametrize(("height", "width", "limit"), [(61, 53, 2.0), (40, 72, 1.3), (64, 64, 256.0), (5, 33, 4.0)])
def test_equalizing_does_what_the_textbook_says_pixel_by_pixel(height: int, width: int, limit: float) -> None:
    plane, inside = noise(height, width, seed=height)[..., 1], disc(height, width)
    # float32 has 24 bits: levels up to 255 to 2e-5, and a few additions.
    np.testing.assert_allclose(equalize(plane, inside, limit), by_the_textbook(plane, inside, limit), atol=2e-4)


def test_without_a_limit_kornia_equalizes_the_same(middle: Grey) -> None:
    def by_kornia(plane: Grey) -> Floats:
        levels = torch.from_numpy(plane.copy())[None].float() / 255
        found: Floats = 255 * kornia.enhance.equalize_clahe(levels, clip_limit=256.0, grid_size=(8, 8))[0].numpy()
        return found

    # Kornia puts a level at the upper end of its bin, so at the lower end in the negative: between them is the middle.
    expected = (by_kornia(middle) + 255 - by_kornia(255 - middle)) / 2
    found = equalize(middle, np.ones(middle.shape, bool), 256.0)
    # Its mappings are whole levels, rounded down, which the negative turns round: half a level at most.
    assert np.abs(found - expected).max() < 0.51


@pytest.mark.parametrize("limit", [2.08, 4.0])
def test_with_a_limit_scikit_image_equalizes_the_same(middle: Grey, limit: float) -> None:
    def by_scikit_image(plane: Grey) -> Floats:
        found: Floats = 255 * equalize_adapthist(plane, kernel_size=(40, 40), clip_limit=limit / 256)
        return found

    def error(of_limit: float) -> Floats:
        found = equalize(middle, np.ones(middle.shape, bool), of_limit)
        difference: Floats = np.abs((found - found.min()) * 255 / np.ptp(found) - expected)
        return difference

    # Its result is stretched to all levels, and as above it takes a bin's upper end. It also has 253 bins for 256
    # levels and interpolates half a pixel off, up to 0.9 of a level each at a slope of `limit`, and hands out what
    # exceeds the limit pixel by pixel.
    expected = (by_scikit_image(middle) + 255 - by_scikit_image(255 - middle)) / 2
    assert error(limit).max() < 8
    assert error(limit).mean() < 2
    # That is close enough to tell the limit itself.
    assert error(limit).mean() < min(error(limit * 0.8).mean(), error(limit * 1.25).mean())


def test_lightness_is_equalized_and_the_colour_stays(photograph: Image, field: Mask) -> None:
    result = enhance(photograph, field, channels="rgb", clahe=2.0)
    before, after = rgb2lab(photograph), rgb2lab(result)
    level = np.rint(2.55 * before[..., 0]).astype(np.uint8)
    expected = before[..., 0] + (equalize(level, field, 2.0) - level) / 2.55
    # Where a channel is at its end, sRGB has no colour as light as that; there are few such pixels.
    reached = field & ((result > 0) & (result < 255)).all(axis=2)
    assert reached.sum() > 0.98 * field.sum()
    # Rounding to 8 bits moves the darkest colours by up to one unit, all by much less on average.
    assert np.abs(after - before)[reached][:, 1:].max() < 1
    assert np.abs(after[..., 0] - expected)[reached].max() < 1
    assert np.abs(after[..., 0] - expected)[reached].mean() < 0.15
    # And there was something to see: ten times that.
    assert np.abs(after - before)[reached][:, 0].mean() > 1.5


@pytest.mark.parametrize("channels", ["rgb", "green"])
def test_equalizing_shows_the_vessels_with_more_contrast(
    photograph: Image, field: Mask, shared_data: Path, channels: str
) -> None:
    with PillowImage.open(shared_data / "DRIVE" / "test" / "1st_manual" / "01_manual1.gif") as file:
        vessels = np.asarray(file.convert("L")) >= 128
    contrast = []
    for clahe in (0.0, 2.0):
        green = enhance(photograph, field, channels=channels, clahe=clahe)[..., -2 if channels == "rgb" else 0]  # type: ignore[arg-type]
        contrast.append(green[field & ~vessels].mean() - green[vessels & field].mean())
    assert contrast[1] > 1.2 * contrast[0]


def test_switched_off_it_hands_on_the_colours_or_the_green_channel(photograph: Image, field: Mask) -> None:
    black = photograph * field[..., None]
    np.testing.assert_array_equal(enhance(photograph, field, channels="rgb", clahe=0), black)
    np.testing.assert_array_equal(enhance(photograph, field, channels="green", clahe=0), black[..., 1:2])


def test_a_limit_of_one_changes_nothing(photograph: Image, field: Mask) -> None:
    black = (photograph * field[..., None]).astype(int)
    np.testing.assert_array_equal(enhance(photograph, field, channels="green", clahe=1.0), black[..., 1:2])
    # To CIELAB and back by tables of 14 bits: one level.
    assert np.abs(enhance(photograph, field, channels="rgb", clahe=1.0) - black).max() <= 1


@pytest.mark.parametrize("clahe", [0.0, 2.0, 300.0])
@pytest.mark.parametrize("channels", ["rgb", "green"])
def test_what_lies_outside_has_no_influence_and_stays_black(channels: str, clahe: float) -> None:
    image, inside = noise(90, 77, seed=1), disc(90, 77)
    other = np.where(inside[..., None], image, 255 - image)
    result = enhance(image, inside, channels=channels, clahe=clahe)  # type: ignore[arg-type]
    assert result.shape == (90, 77, 3 if channels == "rgb" else 1)
    assert result.dtype == np.uint8
    assert result[inside].any()
    assert not result[~inside].any()
    np.testing.assert_array_equal(enhance(other, inside, channels=channels, clahe=clahe), result)  # type: ignore[arg-type]
    nothing = np.zeros_like(inside)
    assert not enhance(image, nothing, channels=channels, clahe=clahe).any()  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0, 7, 128, 255])
def test_a_flat_image_stays_flat_and_nearly_as_light(level: int) -> None:
    inside = disc(70, 83)
    result = enhance(np.full((70, 83, 3), level, np.uint8), inside, channels="green", clahe=2.0)[inside, 0]
    # A bin of 2/256 is one level wider than one of 1/256, and the level is in its middle.
    assert abs(int(result[0]) - level) <= 1
    np.testing.assert_array_equal(result, result[0])


@pytest.mark.parametrize("limit", [1.5, 256.0])
def test_within_a_tile_a_lighter_pixel_stays_lighter(limit: float) -> None:
    plane = noise(80, 80, seed=4)[..., 0]
    # Where all tiles are the same, their mappings are: the whole image has one.
    repeated = np.tile(plane[:10, :10], (8, 8))
    found = equalize(repeated, np.ones(repeated.shape, bool), limit)[:10, :10].ravel()
    order = np.argsort(repeated[:10, :10].ravel(), kind="stable")
    assert (np.diff(found[order]) >= -1e-4).all()  # rounding of float32 at 255
    steps = np.diff(repeated[:10, :10].ravel()[order].astype(int)) > 0
    assert (np.diff(found[order])[steps] > 0).all()


def test_a_negative_is_equalized_to_the_negative() -> None:
    plane, inside = noise(61, 90, seed=5)[..., 0], disc(61, 90)
    total = equalize(plane, inside, 3.0) + equalize(255 - plane, inside, 3.0)
    np.testing.assert_allclose(total[inside], 255, atol=1e-3)  # float32


def test_a_mirrored_image_is_equalized_to_the_mirrored_one() -> None:
    # Sides are multiples of 8: else a pixel may lie in the middle between two tiles, and one of them has it.
    image, inside = noise(64, 96, seed=6), disc(64, 96)
    inside[:20, :50] = False
    expected = enhance(image, inside, channels="rgb", clahe=2.0).astype(int)
    flipped = enhance(image[::-1, ::-1], inside[::-1, ::-1], channels="rgb", clahe=2.0)[::-1, ::-1]
    # One level, where float32 rounds a half differently.
    assert np.abs(flipped - expected).max() <= 1


@pytest.mark.parametrize("clahe", [-2.0, 0.5, float("nan")])
def test_a_limit_that_no_histogram_can_keep_is_refused(clahe: float) -> None:
    with pytest.raises(UsageError, match="clip limit"):
        enhance(noise(20, 20, seed=7), disc(20, 20), channels="green", clahe=clahe)
