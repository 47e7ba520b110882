"""A contact sheet: many images on one page, each with the outlines of its masks and its name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from foveate.errors import ImageError
from foveate.imaging.overlay import FOREGROUND, OUTLINE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Case, Image, Mask

COLUMNS = 4
SIDE = 400
"""Height and width of the square, in pixels, that an image is fitted into."""
GAP = 16
LINE = 26
"""Height of a line of text."""
FINENESS = 3
"""Outlines are drawn this many times larger and then reduced, which makes them smooth."""

PAPER, INK = (250, 250, 248), (30, 30, 34)
SHADE = 0.4
"""How dark a line's shadow is; it keeps the line in sight on a background of its own colour."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One image of the sheet; masks have its height and width."""

    image: Image
    mask: Mask
    fov: Mask | None
    caption: str


def tile_of(case: Case) -> Tile:
    """A case as it is read."""
    return Tile(case.image, case.mask, case.fov, case.id)


def contact_sheet(tiles: Iterable[Tile], title: str) -> Image:
    """The tiles in rows of four, with mask and field of view outlined and a caption each: H×W×3.

    Tiles are drawn small as they come and not kept. Raises ImageError for no tile, or a mask of another size than its
    image.
    """
    pictures, captions, fov = [], [], False
    for tile in tiles:
        pictures.append(PillowImage.fromarray(_drawn(tile)))
        captions.append(tile.caption)
        fov = fov or tile.fov is not None
    if not pictures:
        raise ImageError("a contact sheet needs at least one image")
    columns = min(COLUMNS, max(2, len(pictures)))
    rows = [range(first, min(first + columns, len(pictures))) for first in range(0, len(pictures), columns)]
    heights = [max(pictures[number].height for number in row) for row in rows]
    size = GAP + columns * (SIDE + GAP), GAP + LINE + GAP + sum(heights) + len(rows) * (LINE + GAP)
    page = PillowImage.new("RGB", size, PAPER)
    pen, font, top = ImageDraw.Draw(page), _font(15), GAP + LINE + GAP
    for row, height in zip(rows, heights, strict=True):
        for column, number in enumerate(row):
            picture, middle = pictures[number], GAP + column * (SIDE + GAP) + SIDE // 2
            page.paste(picture, (middle - picture.width // 2, top + (height - picture.height) // 2))
            pen.text((middle, top + height + 5), _fitting(captions[number], font, SIDE), INK, font, anchor="ma")
        top += height + LINE + GAP
    _write_head(pen, title, page.width, fov=fov)
    return np.array(page)


def _write_head(pen: ImageDraw.ImageDraw, title: str, width: int, *, fov: bool) -> None:
    """The title on the left, and on the right what the colours mean."""
    middle, right, font = GAP + LINE / 2, float(width - GAP), _font(15)
    for words, colour in (("field of view", OUTLINE), ("mask", FOREGROUND))[0 if fov else 1 :]:
        right -= pen.textlength(words, font)
        pen.text((right, middle), words, INK, font, anchor="lm")
        pen.rectangle((right - 28, middle - 3, right - 8, middle + 2), fill=colour)
        right -= 28 + GAP
    large = _font(19)
    pen.text((GAP, middle), _fitting(title, large, right - GAP), INK, large, anchor="lm")


def _drawn(tile: Tile) -> Image:
    """The image, fitted into the square, with its outlines."""
    height, width = tile.image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = np.asarray(PillowImage.fromarray(tile.image).resize(size, PillowImage.Resampling.LANCZOS), np.float32)
    for region, colour in ((tile.fov, OUTLINE), (tile.mask, FOREGROUND)):
        if region is None:
            continue
        if region.shape != (height, width):
            raise ImageError(f"{tile.caption}: a mask of {region.shape} doesn't fit an image of {(height, width)}")
        line, shadow = _outline(region, size)
        picture = picture * (1 - SHADE * shadow) * (1 - line) + line * np.array(colour, np.float32)
    return np.rint(picture).astype(np.uint8)


def _outline(region: Mask, size: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much of each pixel of a picture of `size` (width, height) a line around the region covers, and its shadow:
    0 to 1, H×W×1.

    The line lies outside the region, so that what is inside of a thin one stays in sight, and none runs along the
    picture's own edge.
    """
    enlarged = PillowImage.fromarray(region.astype(np.uint8) * np.uint8(255))
    fine = enlarged.resize((size[0] * FINENESS, size[1] * FINENESS), PillowImage.Resampling.BILINEAR)
    # Where the mask is reduced, less than half a pixel is enough: thin vessels would break.
    inside = np.asarray(fine) >= (128 if fine.width >= enlarged.width else 64)
    line = _grown(inside, FINENESS)
    shadow = _grown(line, FINENESS)
    return _reduced(line & ~inside, size), _reduced(shadow & ~inside, size)


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


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
    """The text, or as much of its end as fits into the width: ends tell names apart."""
    if font.getlength(text) <= width:
        return text
    return next(
        (f"…{text[start:]}" for start in range(1, len(text)) if font.getlength(f"…{text[start:]}") <= width), "…"
    )
