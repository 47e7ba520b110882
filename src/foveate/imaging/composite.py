"""Composites of ImageJ and OME-TIFF: colour pictures whose channels are pages of one TIFF file."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foveate.errors import ImageError


@dataclass(frozen=True, slots=True)
class Composite:
    """How many pages of each kind a description claims."""

    channels: int
    others: int
    """Depths times times."""


def composite_of(description: object, samples_per_pixel: int) -> Composite | None:
    """What a TIFF's ImageDescription says of its pages; None where they are not channels of one picture."""
    text = description if isinstance(description, str) else ""
    if samples_per_pixel != 1:
        return None
    if text.startswith("ImageJ="):
        sizes = [_count(rf"^{axis}=(\d+)", text) for axis in ("channels", "slices", "frames")]
    elif "<OME" in text:
        sizes = [_count(rf'\bSize{axis}="(\d+)"', text) for axis in "CZT"]
    else:
        return None
    found = Composite(sizes[0], sizes[1] * sizes[2])
    return found if found.channels > 1 else None


def check_composite(composite: Composite, pages: int) -> None:
    """Refuse what isn't red, green and blue of one picture in a page each: ImageError says how to save it."""
    if composite != Composite(3, 1) or pages != composite.channels:
        stack = f" in {composite.others} depths or times" if composite.others > 1 else ""
        raise ImageError(
            f"is a composite of {composite.channels} channels{stack}, each a picture of its own, of which only red,"
            " green and blue of one picture are read; save it as RGB (in ImageJ: Image > Type > RGB Color)"
        )


def _count(pattern: str, text: str) -> int:
    match = re.search(pattern, text, re.MULTILINE)
    return int(match[1][:9]) if match else 1
