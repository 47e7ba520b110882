"""What was measured drawn over its photograph, for people to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from foveate.records import Image

COLOURS = np.array([(70, 110, 255), (30, 160, 200), (40, 200, 130), (160, 220, 60), (253, 231, 37)], np.float64)
"""From low to high: blue over green to yellow, ever brighter, which people of every colour vision can order."""

UNKNOWN = (160, 160, 160)
FORK, CROSSING, END = (213, 94, 0), (204, 121, 167), (86, 180, 233)
"""Vermilion, reddish purple and sky blue of the palette by Okabe and Ito (2008)."""

DIMMED = 0.45
"""What is left of the photograph's brightness, so that the lines stand out."""

Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Nodes:
    """Where something is marked, rows and columns, M×2 each."""

    forks: Points
    crossings: Points
    ends: Points


def centreline_overlay(
    image: Image,
    lines: Sequence[tuple[Points, NDArray[np.float64]]],
    nodes: Nodes,
    title: str,
) -> Image:
    """The photograph (H×W×3), dimmed, with lines (N×2 rows and columns, N values) and nodes.

    Colours go from the 2nd to the 98th percentile of the values; NaN is grey. `title` says what they are.
    """
    canvas = PillowImage.fromarray(np.rint(image * DIMMED).astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    size = max(1, round(min(image.shape[:2]) / 400))
    values = np.concatenate([line_values for _, line_values in lines] or [np.zeros(0)])
    known = values[np.isfinite(values)]
    low, high = np.percentile(known, (2, 98)).tolist() if len(known) else (0.0, 1.0)
    for points, line_values in lines:
        for (start, end), colour in zip(_pieces(points), _colours(line_values, low, high), strict=False):
            draw.line([*start[::-1], *end[::-1]], fill=colour, width=size)
    _dots(draw, nodes.forks, 2.5 * size, FORK)
    _dots(draw, nodes.crossings, 3.5 * size, CROSSING)
    _dots(draw, nodes.ends, 2 * size, END)
    _legend(draw, canvas.width, f"{title}: {low:.3g} to {high:.3g}", 6 * size)
    return np.asarray(canvas)


def _pieces(points: Points) -> list[tuple[list[float], list[float]]]:
    return list(pairwise(points.tolist()))


def _colours(values: NDArray[np.float64], low: float, high: float) -> list[tuple[int, int, int]]:
    share = np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-9), 0, 1)
    at = np.arange(len(COLOURS)) / (len(COLOURS) - 1)
    mixed = np.stack([np.interp(share, at, channel) for channel in COLOURS.T], axis=1)
    mixed[~np.isfinite(values)] = UNKNOWN
    return [(red, green, blue) for red, green, blue in np.rint(mixed).astype(int).tolist()]


def _dots(draw: ImageDraw.ImageDraw, places: Points, radius: float, colour: tuple[int, int, int]) -> None:
    for row, column in places.tolist():
        draw.ellipse([column - radius, row - radius, column + radius, row + radius], outline=colour, width=2)


def _legend(draw: ImageDraw.ImageDraw, width: int, text: str, height: int) -> None:
    """A bar of all colours in the upper left corner, and beside it what they mean."""
    long = width // 5
    for column, colour in enumerate(_colours(np.linspace(0, 1, long), 0, 1)):
        draw.line([height + column, height, height + column, 2 * height], fill=colour)
    font = ImageFont.load_default(max(10, 2 * height))
    draw.text((height, 2.5 * height), text, font=font, fill=(255, 255, 255))
