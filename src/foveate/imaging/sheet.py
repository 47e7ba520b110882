"""A contact sheet: many images on one page, each with the outlines of its masks and its name, and a legend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from foveate.errors import ImageError
from foveate.imaging.palette import OUTLINE, Colour, class_colours

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Case, Image, Mask, Masks


from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont


Word = tuple[str, Colour]
"""What a colour of the legend means."""
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

COLUMNS = 4
SIDE = 400
"""Height and width of the square, in pixels, that an image is fitted into."""
GAP = 16
LINE = 26
"""Height of a line of text."""
SWATCH = 28
"""Width of a swatch with the space behind it, in pixels."""
FINENESS = 3
"""Outlines are drawn this many times larger and then reduced, which makes them smooth."""

FIELD = ("field of view", OUTLINE)

PAPER, INK = (250, 250, 248), (30, 30, 34)
THIN = FINENESS + 1
"""Half the width, in the enlarged picture, of what is too thin to be outlined: it is tinted instead."""

TINT = 0.6
SHADE = 0.4
"""How dark a line's shadow is; it keeps the line in sight on a background of its own colour."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of the sheet; masks have its height and width."""

    image: Image
    masks: Masks
    """K×H×W, one for each class."""
    fov: Mask | None
    caption: str


def tile_of(case: Case) -> Tile:
    """A case as it is read."""
    return Tile(case.image, case.masks, case.fov, case.id)


def contact_sheet(tiles: Iterable[Tile], title: str, names: Sequence[str] = ("mask",)) -> Image:
    """The tiles in rows of four, with each class's mask and the field of view outlined and a caption each: H×W×3.

    `names` are the K classes', for the legend. Tiles are drawn small as they come and not kept. Raises ImageError for
    no tile, or a mask of another size than its image.
    """
    pictures, captions, words = [], [], list(zip(names, class_colours(len(names)), strict=True))
    for tile in tiles:
        pictures.append(PillowImage.fromarray(_drawn(tile)))
        captions.append(tile.caption)
        if tile.fov is not None and FIELD not in words:
            words.append(FIELD)
    if not pictures:
        raise ImageError("a contact sheet needs at least one image")
    columns = min(COLUMNS, max(2, len(pictures)))
    rows = [range(first, min(first + columns, len(pictures))) for first in range(0, len(pictures), columns)]
    heights = [max(pictures[number].height for number in row) for row in rows]
    width = GAP + columns * (SIDE + GAP)
    head = _head(title, words, width)
    page = PillowImage.new("RGB", (width, head.height + sum(heights) + len(rows) * (LINE + GAP)), PAPER)
    page.paste(head)
    pen, font, top = ImageDraw.Draw(page), _font(15), head.height
    for row, height in zip(rows, heights, strict=True):
        for column, number in enumerate(row):
            picture, middle = pictures[number], GAP + column * (SIDE + GAP) + SIDE // 2
            page.paste(picture, (middle - picture.width // 2, top + (height - picture.height) // 2))
            pen.text((middle, top + height + 5), _fitting(captions[number], font, SIDE), INK, font, anchor="ma")
        top += height + LINE + GAP
    return np.array(page)


def _head(title: str, words: Sequence[tuple[str, Colour]], width: int) -> PillowImage.Image:
    """The title on the left, and on the right what the colours mean; below it where that takes over half the width."""
    small, large, right = _font(15), _font(19), width - GAP
    lines = legend_lines(words, small, right - GAP, GAP)
    beside = len(lines) == 1 and line_width(lines[0], small, GAP) <= width / 2
    head = PillowImage.new("RGB", (width, GAP + (len(lines) + (not beside)) * LINE + GAP), PAPER)
    pen, middle = ImageDraw.Draw(head), GAP + LINE / 2
    free = right - GAP - beside * (line_width(lines[0], small, GAP) + GAP)
    pen.text((GAP, middle), _fitting(title, large, free), INK, large, anchor="lm")
    for number, line in enumerate(lines):
        draw_line(pen, line, right, middle + (number + (not beside)) * LINE, small, INK, GAP)
    return head


def _drawn(tile: Tile) -> Image:
    """The image, fitted into the square, with its outlines."""
    height, width = tile.image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = np.asarray(PillowImage.fromarray(tile.image).resize(size, PillowImage.Resampling.LANCZOS), np.float32)
    regions = [] if tile.fov is None else [(tile.fov, OUTLINE)]
    for region, colour in (*regions, *zip(tile.masks, class_colours(len(tile.masks)), strict=True)):
        if region.shape != (height, width):
            raise ImageError(f"{tile.caption}: a mask of {region.shape} doesn't fit an image of {(height, width)}")
        line, shadow, thin = _outline(region, size)
        cover = np.maximum(line, TINT * thin)
        picture = picture * (1 - SHADE * shadow) * (1 - cover) + cover * np.array(colour, np.float32)
    return np.rint(picture).astype(np.uint8)


def _outline(region: Mask, size: tuple[int, int]) -> tuple[NDArray[np.float32], ...]:
    """How much of each pixel of a picture of `size` (width, height) a line around the region covers, its shadow, and
    the parts of the region that are too thin for lines on both sides: 0 to 1, H×W×1.

    The line lies outside the region, and none runs along the picture's own edge. What is thin would vanish between
    two lines that are as wide as itself, and with it its surroundings.
    """
    enlarged = PillowImage.fromarray(region.astype(np.uint8) * np.uint8(255))
    fine = enlarged.resize((size[0] * FINENESS, size[1] * FINENESS), PillowImage.Resampling.BILINEAR)
    # Where the mask is reduced, a sixth of a pixel is enough: thin vessels would break.
    inside = np.asarray(fine) >= (128 if fine.width >= enlarged.width else 40)
    thick = _grown(~_grown(~inside, THIN), 3 * THIN) & inside
    line = _grown(thick, FINENESS) & ~inside
    shadow = _grown(thick | line, FINENESS) & ~inside
    thin = _grown(inside & ~thick, 1) & ~thick
    return _reduced(line, size), _reduced(shadow & ~thin, size), _reduced(thin, size)


def _grown(region: Mask, steps: int) -> Mask:
    """The region and what lies at most that many steps (4-neighbours) beside it."""
    for _ in range(steps):
        grown = region.copy()
        grown[1:] |= region[:-1]
        grown[:-1] |= region[1:]
        grown[:, 1:] |= region[:, :-1]
        grown[:, :-1] |= region[:, 1:]
        region = grown
    return region


def _reduced(region: Mask, size: tuple[int, int]) -> NDArray[np.float32]:
    picture = PillowImage.fromarray(region.astype(np.uint8) * np.uint8(255))
    return np.asarray(picture.resize(size, PillowImage.Resampling.BOX), np.float32)[..., None] / np.float32(255)


def _font(size: int) -> Font:
    return ImageFont.load_default(size)


def _fitting(text: str, font: Font, width: float) -> str:
    """The text, or as much of its end as fits into the width: ends tell names apart."""
    if font.getlength(text) <= width:
        return text
    return next(
        (f"…{text[start:]}" for start in range(1, len(text)) if font.getlength(f"…{text[start:]}") <= width), "…"
    )


def legend_lines(words: Sequence[Word], font: Font, width: int, gap: int) -> list[list[Word]]:
    """The words in as few lines of at most `width` pixels as they fit on in their order, `gap` pixels apart."""
    lines: list[list[Word]] = [[]]
    for word in words:
        if lines[-1] and line_width([*lines[-1], word], font, gap) > width:
            lines.append([])
        lines[-1].append(word)
    return lines


def line_width(words: Sequence[Word], font: Font, gap: int) -> float:
    """Of a line with these words, in pixels."""
    return sum(SWATCH + font.getlength(text) for text, _ in words) + gap * (len(words) - 1)


def draw_line(
    pen: ImageDraw.ImageDraw, words: Sequence[Word], right: float, middle: float, font: Font, ink: Colour, gap: int
) -> None:
    """Draw one line of words so that it ends at `right`, around the height `middle`."""
    left = right - line_width(words, font, gap)
    for text, colour in words:
        pen.rectangle((left, middle - 3, left + 20, middle + 2), fill=colour)
        pen.text((left + SWATCH, middle), text, ink, font, anchor="lm")
        left += SWATCH + font.getlength(text) + gap
