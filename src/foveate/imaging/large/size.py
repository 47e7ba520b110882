"""How large an image says that it is, and whether that is too large."""

from __future__ import annotations

import struct
from pathlib import Path

from foveate.errors import ImageError
from foveate.imaging.decoding.samples import MIN_SIDE
from foveate.imaging.decoding.tiff_pages import Content, fields_of, form_of, full_picture, size_of
from foveate.imaging.large.content import opened


def check_pixels(height: int, width: int, most: int) -> None:
    """Raise ImageError for an image that is larger than it may be, or has a side that is too small."""
    if min(height, width) < MIN_SIDE:
        raise ImageError(f"is {width}×{height} pixels; at least {MIN_SIDE} on each side are needed")
    if height * width > most:
        raise ImageError(
            f"claims {width}×{height} pixels, over the limit of {most / 1e6:g} megapixels (--max-megapixels);"
            " raise that, or crop or shrink the image"
        )


def size_in_tiff(source: Path | bytes) -> tuple[int, int]:
    """Height and width of a TIFF's picture by its directory, (0, 0) where that can't be read."""
    with opened(source) as file, file.mapped() as content:
        return size_at(content, full_picture(content)[0])


def size_at(content: Content, start: int) -> tuple[int, int]:
    """The same of the picture whose directory begins at `start`."""
    form = form_of(content)
    try:
        _, width, height = size_of(content, fields_of(content, start, form)[0], form)
    except (struct.error, OverflowError):
        return 0, 0
    return height, width
