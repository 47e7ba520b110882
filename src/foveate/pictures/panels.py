"""Pictures side by side on one page, with titles, a legend and the small print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from foveate.errors import ImageError
from foveate.imaging.sheet import INK, PAPER, draw_line, legend_lines, line_width

if TYPE_CHECKING:
    from foveate.imaging.palette import Colour
    from foveate.records import Image

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SMALLEST_WIDTH = 560
"""Of the page, in pixels: titles and small print need that much."""


@dataclass(frozen=True, slots=True)
class Panel:
    """One picture, H×W×3, and the words above it."""

    title: str
    image: Image


def panels(row: Sequence[Panel], words: Sequence[tuple[str, Colour]], note: str) -> Image:
    """The pictures in a row at their own size, what the colours mean, and what was counted: H×W×3.

    Raises ImageError if their heights differ.
    """
    height = row[0].image.shape[0]
    if any(panel.image.shape[0] != height for panel in row):
        raise ImageError("panels of different heights; give pictures of one image")
    own = sum(panel.image.shape[1] for panel in row)
    gap = max(10, height // 45)
    width = max(own + gap * (len(row) + 1), SMALLEST_WIDTH)
    size = max(16, min(height, width) // 34, width // 80)
    medium, small = ImageFont.load_default(size), ImageFont.load_default(round(size * 0.85))
    lines, notes = (
        legend_lines(words, medium, width - 2 * gap, gap) if words else [],
        _wrapped(note, small, width - 2 * gap),
    )
    line = round(size * 1.6)
    top = gap + line
    page = PillowImage.new("RGB", (width, top + height + gap + line * len(lines) + line * len(notes) + gap), PAPER)
    pen, left = ImageDraw.Draw(page), (width - own - gap * (len(row) - 1)) // 2
    for panel in row:
        page.paste(PillowImage.fromarray(panel.image), (left, top))
        pen.text((left, top - line // 3), panel.title, INK, medium, anchor="ls")
        left += panel.image.shape[1] + gap
    below = top + height + gap
    for number, pieces in enumerate(lines):
        draw_line(pen, pieces, gap + line_width(pieces, medium, gap), below + (number + 0.5) * line, medium, INK, gap)
    below += line * len(lines)
    for number, text in enumerate(notes):
        pen.text((gap, below + (number + 0.5) * line), text, INK, small, anchor="lm")
    return np.array(page)


def _wrapped(text: str, font: Font, width: float) -> list[str]:
    """The text in lines of at most that width; a word that is longer has a line of its own."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
