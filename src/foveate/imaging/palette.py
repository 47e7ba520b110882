"""Colours and numbers of classes, for people of every colour vision, and for the field of view."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

Colour = tuple[int, int, int]
"""Red, green, blue, 0 to 255."""

BACKGROUND: Colour = (0, 0, 0)
"""Of label images, where no class is."""

FOREGROUND: Colour = (86, 180, 233)
"""Sky blue of the palette by Okabe and Ito (2008): far from a fundus's reds for all colour vision."""

OUTLINE: Colour = (240, 228, 66)
"""Yellow of the same palette, for the edge of the field of view."""

_SEVERAL: tuple[Colour, ...] = (
    (230, 159, 0),
    FOREGROUND,
    (0, 158, 115),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
    OUTLINE,
)
"""Orange, sky blue, bluish green, blue, vermilion, reddish purple and, last, the yellow."""

_GOLDEN = (5**0.5 - 1) / 2
_BRIGHTNESS = (0.95, 0.7, 0.5)


def class_colours(count: int) -> tuple[Colour, ...]:
    """A colour for each of `count` classes, no two alike and none of them grey.

    One class is sky blue. Two to seven have the palette by Okabe and Ito (2008) in its own order without black, its
    yellow last. Further ones go round the circle of hues by steps of the golden ratio, in three brightnesses by turns;
    they can be told apart, but not by everyone.
    """
    if count == 1:
        return (FOREGROUND,)
    further = [_further(number) for number in range(len(_SEVERAL), count)]
    return (*_SEVERAL[:count], *further)


def classes_text(names: Sequence[str]) -> str:
    """Which number of a label image is which class."""
    return ", ".join(f"{number} {name}" for number, name in enumerate(["background", *names]))


def _further(number: int) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(number * _GOLDEN % 1, 0.75, _BRIGHTNESS[number % len(_BRIGHTNESS)])
    return round(255 * red), round(255 * green), round(255 * blue)
