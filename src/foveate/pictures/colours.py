"""Colours of pictures: what became of a pixel, and which line is whose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from foveate.imaging.palette import Colour

Palette = Literal["safe", "paper"]
"""For every colour vision, or as the papers have it."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The colour of each kind of pixel that is not background in both."""

    true_positive: Colour
    false_negative: Colour
    false_positive: Colour
    missed: Colour
    """Of a false negative that is drawn alone, over the photograph."""


OUTCOMES: Mapping[Palette, Outcomes] = MappingProxyType(
    {
        "safe": Outcomes((86, 180, 233), (240, 228, 66), (213, 94, 0), missed=(240, 228, 66)),
        "paper": Outcomes((0, 255, 0), (255, 0, 0), (0, 0, 255), missed=(0, 255, 0)),
    }
)
"""safe: sky blue, yellow and vermilion of the palette by Okabe and Ito (2008), the three of it that are farthest from
each other for normal, protan, deutan and tritan vision and stand out from black and from a dimmed fundus.
paper: green, red and blue of 003's analytic masks; missed vessels in 000's green (its Figure 4)."""

DIMMED = 0.45
"""Brightness of a photograph under coloured outcomes: vermilion would drown in a fundus at its own."""

NOT_COUNTED: Colour = (52, 52, 58)
"""Where nothing is counted: outside the field of view."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Lines on white: blue, vermilion, bluish green, reddish purple, orange and sky blue by Okabe and Ito."""

DASHES = ("-", "--", "-.", ":")
"""By turns, so that a line is known without its colour."""

INK, MUTED, GRID, HUMAN = "#1b1f24", "#59616b", "#e4e7ea", "#000000"


def series_colour(number: int) -> str:
    """Of the n-th line, from 0."""
    return SERIES[number % len(SERIES)]


def series_dash(number: int) -> str:
    """Of the n-th line, from 0."""
    return DASHES[number % len(DASHES)]
