"""The field of view of photographs with something bright at the picture's edge, drawn over a disc that is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageDraw

from foveate.arrays.fov import find_fov

if TYPE_CHECKING:
    from foveate.records import Image, Mask

HEIGHT, WIDTH = 300, 340
RADIUS = 130

Colour = tuple[int, int, int]
Draw = Callable[[ImageDraw.ImageDraw, Colour], None]

COLOURS: tuple[Colour, ...] = ((255, 255, 255), (200, 200, 200), (0, 0, 160), (90, 90, 90))


def photograph(radius: float = RADIUS, centre: float = WIDTH / 2) -> tuple[Image, Mask]:
    """A lit disc on black with darker lines in it, and the disc."""
    rows, columns = np.arange(HEIGHT)[:, None] + 0.5, np.arange(WIDTH) + 0.5
    inside = np.hypot(rows - HEIGHT / 2, columns - centre) <= radius
    line = (np.abs((rows + columns / 3) % 40 - 20) < 2) & inside
    pixels = np.where(inside[..., None], np.array([190, 90, 45]), 0)
    pixels[line] = (120, 45, 30)
    return pixels.astype(np.uint8), inside


def frame(width: int) -> Draw:
    def draw(on: ImageDraw.ImageDraw, colour: Colour) -> None:
        on.rectangle((0, 0, WIDTH - 1, HEIGHT - 1), outline=colour, width=width)

    return draw


def inset_frame(on: ImageDraw.ImageDraw, colour: Colour) -> None:
    on.rectangle((6, 6, WIDTH - 7, HEIGHT - 7), outline=colour, width=3)


def bars(*sides: str) -> Draw:
    boxes = {
        "top": (0, 0, WIDTH, 14),
        "bottom": (0, HEIGHT - 15, WIDTH, HEIGHT),
        "left": (0, 0, 30, HEIGHT),
        "right": (WIDTH - 31, 0, WIDTH, HEIGHT),
    }

    def draw(on: ImageDraw.ImageDraw, colour: Colour) -> None:
        for side in sides:
            on.rectangle(boxes[side], fill=colour)

    return draw


def corner_marks(on: ImageDraw.ImageDraw, colour: Colour) -> None:
    for x in (1, WIDTH - 20):
        for y in (1, HEIGHT - 20):
            on.rectangle((x, y, x + 18, y + 18), fill=colour)


def text(on: ImageDraw.ImageDraw, colour: Colour) -> None:
    on.text((2, 2), "OD 12.03.1998", fill=colour)
    on.text((WIDTH - 80, HEIGHT - 12), "Macula 45", fill=colour)


def broken_bars(on: ImageDraw.ImageDraw, colour: Colour) -> None:
    """Bars over most of the edge, above and below."""
    on.rectangle((0, 0, 290, 10), fill=colour)
    on.rectangle((50, HEIGHT - 11, WIDTH, HEIGHT), fill=colour)


DRAWN: dict[str, Draw] = {
    **{f"frame of {width}": frame(width) for width in (1, 3, 8, 15)},
    "inset frame": inset_frame,
    "a bar above": bars("top"),
    "a bar at the left": bars("left"),
    "bars above and below": bars("top", "bottom"),
    "bars at both sides": bars("left", "right"),
    "bars above and right": bars("top", "right"),
    "corner marks": corner_marks,
    "text": text,
    "broken bars": broken_bars,
}


def drawn_over(pixels: Image, draw: Draw, colour: Colour) -> tuple[Image, Mask]:
    """The photograph with something drawn over it, and where that is."""
    picture, where = PillowImage.fromarray(pixels), PillowImage.new("RGB", (WIDTH, HEIGHT))
    draw(ImageDraw.Draw(picture), colour)
    draw(ImageDraw.Draw(where), (255, 255, 255))
    return np.asarray(picture), np.asarray(where)[..., 0] > 0


def iou(one: Mask, other: Mask) -> float:
    return float(np.count_nonzero(one & other) / np.count_nonzero(one | other))


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("name", DRAWN)
def test_the_disc_is_found_whatever_bright_thing_is_at_the_edge(name: str, colour: Colour) -> None:
    pixels, inside = photograph()
    framed, _ = drawn_over(pixels, DRAWN[name], colour)
    found = find_fov(framed)
    # Half a pixel of the radius is .992 of the area.
    assert iou(found.mask, inside) > 0.992
    assert found.diameter == pytest.approx(2 * RADIUS, abs=1)


@pytest.mark.parametrize("radius", [150, 165])
@pytest.mark.parametrize("name", ["frame of 3", "frame of 15", "bars above and below", "a bar above"])
def test_a_disc_that_reaches_under_a_frame_is_cut_where_the_frame_begins(name: str, radius: int) -> None:
    pixels, inside = photograph(radius)
    framed, frame_at = drawn_over(pixels, DRAWN[name], (255, 255, 255))
    found = find_fov(framed)
    assert iou(found.mask, inside & ~frame_at) > 0.992
    assert not (found.mask & frame_at).any()


@pytest.mark.parametrize("size", [2, 4])
def test_a_frame_around_a_photograph_that_is_searched_at_a_smaller_size_is_left_out(size: int) -> None:
    pixels, inside = photograph()
    framed, _ = drawn_over(pixels, frame(1), (255, 255, 255))
    large = np.asarray(PillowImage.fromarray(framed).resize((WIDTH * size, HEIGHT * size), 0))
    assert iou(find_fov(large).mask, inside.repeat(size, 0).repeat(size, 1)) > 0.992


def two_discs() -> Image:
    one, _ = photograph(70, 80)
    other, _ = photograph(70, 260)
    return np.maximum(one, other)


def square() -> Image:
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[60:240, 90:260] = (190, 90, 45)
    return pixels


def bitten() -> Image:
    """A square that the dark comes into from one side."""
    pixels = square()
    pixels[120:180, 90:180] = 0
    return pixels


@pytest.mark.parametrize("name", [None, *DRAWN])
@pytest.mark.parametrize("draw", [two_discs, square, bitten])
def test_no_black_pixel_is_in_a_field_of_view_that_is_no_disc(draw: Callable[[], Image], name: str | None) -> None:
    pixels, over = drawn_over(draw(), (lambda on, colour: None) if name is None else DRAWN[name], (255, 255, 255))
    eye = (draw().max(axis=2) > 0) & ~over
    found = find_fov(pixels).mask
    assert not (found & (pixels.max(axis=2) == 0)).any()
    assert (found & eye)[eye].mean() > 0.99


@pytest.mark.parametrize("name", ["frame of 3", "bars above and below", "corner marks"])
def test_a_black_picture_with_something_bright_at_its_edge_has_nothing_black_in_its_field_of_view(name: str) -> None:
    pixels, bright = drawn_over(np.zeros((HEIGHT, WIDTH, 3), np.uint8), DRAWN[name], (255, 255, 255))
    assert not (find_fov(pixels).mask & ~bright).any()
