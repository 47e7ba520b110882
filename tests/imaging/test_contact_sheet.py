"""A contact sheet shows each image where it belongs, with lines around its masks and none inside."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.errors import ImageError
from foveate.imaging.palette import FOREGROUND, OUTLINE, class_colours
from foveate.imaging.sheet import GAP, LINE, PAPER, SIDE, Tile, contact_sheet
from foveate.records import Image, Masks

NO_MASK: Masks = np.zeros((1, SIDE, SIDE), bool)


def plain(colour: tuple[int, int, int], height: int = SIDE, width: int = SIDE) -> Image:
    return np.full((height, width, 3), colour, np.uint8)


def box(sheet: Image, row: int, column: int, height: int = SIDE) -> Image:
    """The part of the sheet where a tile lies, if all rows are of that height."""
    top, left = GAP + LINE + GAP + row * (height + LINE + GAP), GAP + column * (SIDE + GAP)
    return sheet[top : top + height, left : left + SIDE]


def share_of(colour: tuple[int, int, int], pixels: Image) -> float:
    """How many of the pixels are nearly of that colour."""
    return float((np.abs(pixels.astype(int) - colour).max(axis=-1) < 40).mean())


def test_images_lie_in_rows_of_four_in_their_order() -> None:
    colours = [(40 * number, 30, 200 - 30 * number) for number in range(6)]
    sheet = contact_sheet([Tile(plain(colour), NO_MASK, None, str(colour)) for colour in colours], "six")
    for number, colour in enumerate(colours):
        assert (box(sheet, *divmod(number, 4)) == colour).all()
    assert (box(sheet, 1, 2) == PAPER).all()
    assert (box(sheet, 1, 3) == PAPER).all()


@pytest.mark.parametrize(("height", "width"), [(100, 200), (900, 450), (16, 16)])
def test_an_image_of_any_size_fills_its_place_without_being_squeezed(height: int, width: int) -> None:
    sheet = contact_sheet([Tile(plain((200, 0, 0), height, width), np.zeros((1, height, width), bool), None, "")], "")
    red = (sheet == (200, 0, 0)).all(axis=-1)
    rows, columns = np.flatnonzero(red.any(axis=1)), np.flatnonzero(red.any(axis=0))
    expected = (SIDE * height // max(height, width), SIDE * width // max(height, width))
    assert (int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1) == expected
    assert red.sum() == expected[0] * expected[1]


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_a_line_runs_around_the_mask_and_another_around_the_field_of_view(scale: float) -> None:
    side = round(SIDE * scale)
    rows, columns = np.mgrid[:side, :side] / side
    distance = np.hypot(rows - 0.5, columns - 0.5)
    tile = Tile(plain((0, 0, 0), side, side), distance[None] < 0.2, distance < 0.4, "rings")
    drawn = box(contact_sheet([tile], ""), 0, 0)
    rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
    distance, sector = np.hypot(rows, columns), (np.arctan2(rows, columns) * 30 / np.pi).astype(int)
    # Within 3 pixels of each circle's pixels, all the way round: a line and its shadow. Nothing anywhere else.
    for colour, radius in ((FOREGROUND, 0.2), (OUTLINE, 0.4)):
        near = np.abs(distance - radius) < (3 + 1 / scale) / SIDE
        for number in np.unique(sector):
            brightest = drawn[near & (sector == number)].max(axis=0)
            assert (brightest > 0.5 * np.array(colour)).all()  # an oblique line covers no pixel whole
            assert (brightest <= colour).all()
        drawn = np.where(near[..., None], 0, drawn)
    assert not drawn.any()


def test_a_vessel_stays_in_sight_between_its_lines() -> None:
    mask = NO_MASK.copy()
    mask[..., 200:204] = True
    drawn = box(contact_sheet([Tile(plain((150, 50, 20)), mask, None, "")], ""), 0, 0)
    assert (drawn[10:-10, 201:203] == (150, 50, 20)).all()
    assert share_of(FOREGROUND, drawn[10:-10, [199, 204]]) == 1


def test_a_vessel_of_one_pixel_in_a_large_image_is_tinted_without_gaps() -> None:
    side = 8 * SIDE
    rows, columns = np.arange(side)[:, None], np.arange(side)
    mask = np.abs(columns - 0.4 * side - rows / 10) < 0.5
    image = np.zeros((side, side, 3), np.uint8)
    drawn = box(contact_sheet([Tile(image, mask[None], None, "")], ""), 0, 0)
    assert (drawn.max(axis=(1, 2)) > 60).all()


@pytest.mark.parametrize("width", [1, 2])
def test_a_thin_vessel_is_tinted_and_its_surroundings_stay_in_sight(width: int) -> None:
    mask, image = NO_MASK.copy(), plain((150, 50, 20))
    mask[..., 200 : 200 + width] = True
    drawn = box(contact_sheet([Tile(image, mask, None, "")], ""), 0, 0)[10:-10]
    changed = np.flatnonzero((drawn != (150, 50, 20)).any(axis=(0, 2)))
    assert set(range(200, 200 + width)) <= set(changed) <= set(range(199, 201 + width))
    # Its own colour shows through.
    tinted = drawn[:, 200 : 200 + width].reshape(-1, 3).astype(int)
    for channel in range(3):
        low, high = sorted((FOREGROUND[channel], (150, 50, 20)[channel]))
        assert (low < tinted[:, channel]).all()
        assert (tinted[:, channel] < high).all()


def test_the_picture_s_own_edge_is_no_outline() -> None:
    whole = np.ones((SIDE, SIDE), bool)
    assert (box(contact_sheet([Tile(plain((9, 90, 9)), whole[None], whole, "")], ""), 0, 0) == (9, 90, 9)).all()


def test_captions_differ_and_long_ones_keep_to_their_place() -> None:
    def caption(text: str) -> Image:
        sheet = contact_sheet([Tile(plain((0, 0, 0)), NO_MASK, None, text)] * 2, "")
        below = sheet[GAP + LINE + GAP + SIDE :]
        assert (below[:, :GAP] == PAPER).all()
        assert (below[:, GAP + SIDE : GAP + SIDE + GAP] == PAPER).all()
        return below

    assert (caption("drive_21") != caption("drive_22")).any()
    assert (caption("x" * 200 + "_1") != caption("x" * 200 + "_2")).any()


def test_the_field_of_view_is_explained_only_where_there_is_one() -> None:
    tile = Tile(plain((0, 0, 0)), NO_MASK, None, "")
    for fov, explained in ((None, False), (NO_MASK[0], True)):
        head = contact_sheet([tile, Tile(tile.image, tile.masks, fov, "")], "")[: GAP + LINE]
        assert bool((head == OUTLINE).all(axis=-1).any()) is explained
        assert (head == FOREGROUND).all(axis=-1).any()


def test_the_images_given_are_left_as_they_are_and_none_is_refused() -> None:
    image = plain((1, 2, 3))
    contact_sheet([Tile(image, ~NO_MASK, None, "")], "")
    assert (image == (1, 2, 3)).all()
    with pytest.raises(ImageError, match="at least one"):
        contact_sheet([], "")
    with pytest.raises(ImageError, match="eye"):
        contact_sheet([Tile(image, NO_MASK[:, 1:], None, "eye")], "")


def test_a_sheet_is_an_ordinary_picture() -> None:
    sheet = contact_sheet([Tile(plain((1, 2, 3)), NO_MASK, None, "a")], "title")
    assert sheet.dtype == np.uint8
    assert PillowImage.fromarray(sheet).mode == "RGB"


def test_each_class_is_outlined_in_its_colour_and_named_in_the_legend() -> None:
    masks = np.zeros((3, SIDE, SIDE), bool)
    for number in range(3):
        masks[number, 100:300, 30 + 120 * number : 100 + 120 * number] = True
    names = ("artery", "vein", "crossing")
    sheet = contact_sheet([Tile(plain((0, 0, 0)), masks, None, "a")], "t", names)
    drawn, head = box(sheet, 0, 0), sheet[: GAP + LINE]
    for number, colour in enumerate(class_colours(3)):
        edges = [29 + 120 * number, 100 + 120 * number]
        assert share_of(colour, drawn[110:290, edges]) == 1
        assert (head == colour).all(axis=-1).any()
        elsewhere = np.delete(drawn, [column + step for column in edges for step in (-1, 0, 1)], axis=1)
        assert share_of(colour, elsewhere) < 0.02  # the short sides
    other = contact_sheet([Tile(plain((0, 0, 0)), masks, None, "a")], "t", ("vein", "artery", "crossing"))
    assert (head != other[: GAP + LINE]).any()


def test_a_legend_that_is_long_flows_over_lines_and_hides_no_image() -> None:
    names = [f"a long name of class {number}" for number in range(12)]
    masks = np.zeros((12, SIDE, SIDE), bool)
    colour = (1, 2, 3)
    sheet = contact_sheet([Tile(plain(colour), masks, NO_MASK[0], "a")], "title", names)
    rows = np.flatnonzero((sheet[:, GAP : GAP + SIDE] == colour).all(axis=(1, 2)))
    assert len(rows) == SIDE
    head = sheet[: rows[0]]
    for each in (*class_colours(12), OUTLINE):
        assert (head == each).all(axis=-1).sum() >= 5 * 20
    assert (head[:, :GAP] == PAPER).all()
    assert (head[:, -GAP:] == PAPER).all()
