"""What the colours of a contact sheet mean: a swatch and a word each, flowing over as many lines as they need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from foveate.imaging.palette import Colour

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

    Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

SWATCH = 28
"""Width of a swatch with the space behind it, in pixels."""

Word = tuple[str, Colour]


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
