from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.errors import ImageError, UsageError
from foveate.imaging import class_colours, overlay, read_mask, read_photograph
from foveate.imaging.overlay import Style

SKY_BLUE = (86, 180, 233)
YELLOW = (240, 228, 66)
IMAGE = np.random.default_rng(1).integers(0, 256, (60, 80, 3), dtype=np.uint8)
MASK = np.random.default_rng(2).random((60, 80)) < 0.2


fill = partial(overlay, style="fill")


@pytest.mark.parametrize("size", [(60, 80), (1500, 1600)])
def test_an_outline_lies_just_outside_and_leaves_every_pixel_of_the_mask_as_it_is(size: tuple[int, int]) -> None:
    mask = np.zeros(size, bool)
    mask[20:30, 10:40] = mask[40, 5:60] = True  # a block and a vessel of one pixel
    image = np.resize(IMAGE, (*size, 3))
    drawing = overlay(image, mask[None])
    thickness = round(max(1, min(size) / 1000))
    around = ndimage.binary_dilation(mask, iterations=thickness) & ~mask
    np.testing.assert_array_equal(drawing[~around], image[~around])
    expected = 0.2 * image[around] + 0.8 * np.array(SKY_BLUE)
    np.testing.assert_allclose(drawing[around], expected, atol=0.51)


@pytest.mark.parametrize("style", get_args(Style))
def test_opacity_says_how_much_of_the_photograph_is_hidden(style: Style) -> None:
    np.testing.assert_array_equal(overlay(IMAGE, MASK[None], style=style, opacity=0), IMAGE)
    drawn = (overlay(np.zeros_like(IMAGE), MASK[None], style=style) > 0).any(axis=2)
    assert drawn.any()
    np.testing.assert_array_equal(overlay(IMAGE, MASK[None], style=style, opacity=1)[drawn], [SKY_BLUE] * drawn.sum())
    half = overlay(IMAGE, MASK[None], style=style, opacity=0.5)
    np.testing.assert_allclose(half[drawn], (IMAGE[drawn].astype(int) + SKY_BLUE) / 2, atol=0.51)
    np.testing.assert_array_equal(half[~drawn], IMAGE[~drawn])


@pytest.mark.parametrize("wrong", [{"style": "dots"}, {"opacity": 1.1}, {"opacity": -0.1}, {"opacity": float("nan")}])
def test_another_style_or_opacity_is_refused_in_one_line(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=rf"{next(iter(wrong))} .*Use "):
        overlay(IMAGE, MASK[None], **wrong)


def test_a_field_of_view_that_is_the_whole_photograph_has_no_frame() -> None:
    whole = np.ones_like(MASK)
    np.testing.assert_array_equal(overlay(IMAGE, MASK[None], fov=whole), overlay(IMAGE, MASK[None]))


def test_only_the_foreground_moves_towards_one_colour_and_the_photograph_is_left_alone() -> None:
    before = IMAGE.copy()
    drawing = overlay(IMAGE, MASK[None], style="fill")
    np.testing.assert_array_equal(IMAGE, before)
    assert drawing.dtype == np.uint8
    np.testing.assert_array_equal(drawing[~MASK], IMAGE[~MASK])
    old, new = np.abs(IMAGE[MASK].astype(int) - SKY_BLUE), np.abs(drawing[MASK].astype(int) - SKY_BLUE)
    # Half a level of rounding where the two colours are the same already.
    assert (new <= old).all()
    np.testing.assert_allclose(new, 0.2 * old, atol=0.51)


def test_what_lies_under_the_mask_still_shows() -> None:
    dark, bright = np.zeros((60, 80, 3), np.uint8), np.full((60, 80, 3), 255, np.uint8)
    assert (fill(dark, MASK[None])[MASK].astype(int) < fill(bright, MASK[None])[MASK]).all()


def test_an_empty_mask_gives_the_photograph_and_a_full_one_colours_all_of_it() -> None:
    empty = np.zeros((60, 80), np.bool_)
    for style in get_args(Style):
        np.testing.assert_array_equal(overlay(IMAGE, empty[None], style=style), IMAGE)
    assert fill(np.zeros_like(IMAGE), ~empty[None]).all(axis=2).all()


def test_the_field_of_view_is_outlined_by_its_own_outermost_pixels() -> None:
    rows, columns = np.ogrid[:60, :80]
    fov = (rows - 30) ** 2 + (columns - 40) ** 2 < 25**2
    drawing = overlay(IMAGE, np.zeros_like(MASK)[None], fov=fov)
    edge = fov & ~(np.roll(fov, 1, 0) & np.roll(fov, -1, 0) & np.roll(fov, 1, 1) & np.roll(fov, -1, 1))
    assert (drawing[edge] == YELLOW).all()
    np.testing.assert_array_equal(drawing[~edge], IMAGE[~edge])


def test_a_field_of_view_that_is_cut_off_is_outlined_along_the_border() -> None:
    fov = np.ones_like(MASK)
    fov[0, 0] = False
    drawing = overlay(IMAGE, np.zeros_like(MASK)[None], fov=fov)
    assert (drawing[[0, -1]][:, 1:] == YELLOW).all()
    assert (drawing[1:, [0, -1]] == YELLOW).all()
    np.testing.assert_array_equal(drawing[2:-1, 2:-1], IMAGE[2:-1, 2:-1])


def test_the_outline_grows_with_the_image() -> None:
    large = np.zeros((2000, 1500, 3), np.uint8)
    fov = np.ones((2000, 1500), np.bool_)
    fov[0, 0] = False
    drawing = overlay(large, np.zeros((2000, 1500), np.bool_)[None], fov=fov)
    outlined = (drawing == YELLOW).all(axis=2)
    assert outlined[1000].sum() == 2 * 3
    assert outlined[:, 700].sum() == 2 * 3


def test_a_mask_or_field_of_view_of_another_size_is_refused() -> None:
    with pytest.raises(ImageError, match=r"the mask has shape \(60, 79\) but the image \(60, 80\)"):
        overlay(IMAGE, MASK[None][..., 1:])
    with pytest.raises(ImageError, match=r"the field of view has shape \(59, 80\)"):
        overlay(IMAGE, MASK[None], fov=MASK[1:])


def luminance(colours: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> float:
    """The mean relative luminance (WCAG 2.1), which every kind of colour vision perceives."""
    values = colours / 255
    linear = np.where(values <= 0.03928, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return float((linear @ [0.2126, 0.7152, 0.0722]).mean())


def test_drawn_vessels_stand_out_from_a_real_fundus_without_colour(shared_data: Path) -> None:
    folder = shared_data / "DRIVE" / "test"
    image = read_photograph(folder / "images" / "01_test.tif").pixels
    vessels = read_mask(folder / "1st_manual" / "01_manual1.gif")
    fov = read_mask(folder / "mask" / "01_test_mask.gif")
    drawing = fill(image, vessels[None])
    contrast = (luminance(drawing[vessels]) + 0.05) / (luminance(drawing[fov & ~vessels]) + 0.05)
    undrawn = (luminance(image[fov & ~vessels]) + 0.05) / (luminance(image[vessels]) + 0.05)
    assert contrast > undrawn
    # The vessels themselves are darker than the fundus: drawn, they are brighter.
    assert contrast > 1.5


def test_one_class_is_sky_blue_and_each_of_several_has_a_colour_of_its_own() -> None:
    classes = np.random.default_rng(3).integers(0, 4, (60, 80))
    masks = np.stack([classes == number for number in (1, 2, 3)])
    drawing = fill(IMAGE, masks)
    np.testing.assert_array_equal(drawing[classes == 0], IMAGE[classes == 0])
    for mask, colour in zip(masks, class_colours(3), strict=True):
        # Half a level of rounding.
        np.testing.assert_allclose(drawing[mask], 0.2 * IMAGE[mask] + 0.8 * np.array(colour), atol=0.51)


def test_a_small_class_on_a_large_one_stays_in_sight_whichever_comes_first() -> None:
    masks = np.zeros((2, 60, 80), bool)
    masks[0, 10:50, 10:70], masks[1, 20:40, 30:50] = True, True
    for small, both in ((1, masks), (0, masks[::-1])):
        drawing, colours = fill(IMAGE, both).astype(int), class_colours(2)
        below = 0.2 * IMAGE + 0.8 * np.array(colours[1 - small])
        np.testing.assert_allclose(
            drawing[masks[1]], (0.2 * below + 0.8 * np.array(colours[small]))[masks[1]], atol=0.7
        )


def test_one_pixel_vessels_of_a_real_photograph_stay_as_they_were_photographed_between_bright_lines(
    shared_data: Path,
) -> None:
    folder = shared_data / "DRIVE" / "test"
    image = read_photograph(folder / "images" / "01_test.tif").pixels
    vessels = read_mask(folder / "1st_manual" / "01_manual1.gif")
    drawing = overlay(image, vessels[None])
    np.testing.assert_array_equal(drawing[vessels], image[vessels])
    lines = (drawing != image).any(axis=2)
    assert (ndimage.binary_dilation(vessels) & ~vessels == lines).all()
    assert (luminance(drawing[lines]) + 0.05) / (luminance(image[vessels]) + 0.05) > 1.5
