"""Masks and measures drawn over their photograph, for people to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from foveate.errors import ImageError, UsageError
from foveate.imaging.palette import OUTLINE, class_colours

if TYPE_CHECKING:
    from foveate.records import Image, Mask, Masks


from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

if TYPE_CHECKING:
    from foveate.records import Image


Style = Literal["outline", "fill"]

OPACITY = 0.8
"""Of lines and fills, unless another is asked for."""
_LINE_SHARE = 1 / 1000
"""Thickness of the line around a mask as a share of the shorter side: one pixel for most photographs, so that it covers
no more than it must."""
_FIELD_SHARE = 1 / 500
"""The same of the field of view's, so that it looks the same at any size."""


def overlay(
    image: Image, masks: Masks, *, fov: Mask | None = None, style: Style = "outline", opacity: float = OPACITY
) -> Image:
    """The photograph (H×W×3) with each class's mask (K×H×W) drawn over it, and the field of view (H×W) outlined.

    "outline" draws a line around what a mask holds, just outside it, so that the photograph shows inside even where a
    vessel is one pixel wide; "fill" colours what it holds. `opacity`, 0 to 1, is how much of the photograph lines and
    fills hide. Colours are those of `class_colours`. Where classes lie over each other, the larger is drawn first, so
    that a smaller one within it stays in sight. A field of view that is the whole image has no line. Raises ImageError
    if the heights and widths differ, UsageError for another style or opacity.
    """
    check_style(style, opacity)
    for name, shape in (("mask", masks.shape[1:]), ("field of view", None if fov is None else fov.shape)):
        if shape is not None and shape != image.shape[:2]:
            raise ImageError(f"the {name} has shape {shape} but the image {image.shape[:2]}; give a matching pair")
    order = drawing_order([int(np.count_nonzero(mask)) for mask in masks])
    outlined = None if fov is None or fov.all() else np.pad(fov, 1)
    return drawn(image, masks, outlined, Pen.of(image.shape[:2], style, opacity), order)


@dataclass(frozen=True, slots=True)
class Pen:
    """How masks are drawn over an image of some size."""

    style: Style
    opacity: float
    line: int
    """Pixels, of the line around a mask."""
    edge: int
    """The same of the field of view's."""

    @classmethod
    def of(cls, size: tuple[int, int], style: Style, opacity: float) -> Pen:
        """For an image of that height and width."""
        return cls(style, opacity, *(max(1, round(min(size) * share)) for share in (_LINE_SHARE, _FIELD_SHARE)))

    @property
    def reach(self) -> int:
        """Rows above and below, on which the look of one depends."""
        return max(self.line, self.edge) + 1


def check_style(style: str, opacity: float) -> None:
    """Raise UsageError for a style or an opacity that there isn't."""
    if style not in ("outline", "fill"):
        raise UsageError(f"style '{style}': is unknown. Use outline or fill.")
    if not 0 <= opacity <= 1:
        raise UsageError(f"opacity {opacity:g}: is no share. Use a number from 0 to 1.")


def drawing_order(pixels: Sequence[int]) -> list[int]:
    """The numbers of classes whose masks have so many pixels, in the order in which they are drawn."""
    return [int(number) for number in np.argsort([-count for count in pixels], kind="stable")]


def drawn(image: Image, masks: Masks, outlined: Mask | None, pen: Pen, order: Sequence[int]) -> Image:
    """The image, or rows of it, with masks and an outline; `outlined` is the field of view with a pixel around it."""
    drawing = image.copy()
    colours = class_colours(len(masks))
    for number in order:
        mask = masks[number]
        if not mask.any():
            continue
        pixels = mask if pen.style == "fill" else ~mask & ~_inner(~mask, pen.line)
        blend = (1 - pen.opacity) * drawing[pixels] + pen.opacity * np.array(colours[number])
        drawing[pixels] = np.rint(blend).astype(np.uint8)
    if outlined is not None:
        drawing[outlined[1:-1, 1:-1] & ~_inner(outlined, pen.edge)[1:-1, 1:-1]] = OUTLINE
    return drawing


def _inner(region: Mask, thickness: int) -> Mask:
    """The region's pixels more than `thickness` steps (4-neighbours) from any pixel outside it."""
    for _ in range(thickness):
        inner = region.copy()
        inner[1:] &= region[:-1]
        inner[:-1] &= region[1:]
        inner[:, 1:] &= region[:, :-1]
        inner[:, :-1] &= region[:, 1:]
        region = inner
    return region


COLOURS = np.array([(70, 110, 255), (30, 160, 200), (40, 200, 130), (160, 220, 60), (253, 231, 37)], np.float64)
"""From low to high: blue over green to yellow, ever brighter, which people of every colour vision can order."""

UNKNOWN = (160, 160, 160)
JUNCTION, END = (213, 94, 0), (86, 180, 233)
"""Vermilion and sky blue of the palette by Okabe and Ito (2008)."""

DIMMED = 0.45
"""What is left of the photograph's brightness, so that the lines stand out."""

Points = NDArray[np.float64]


def centreline_overlay(
    image: Image,
    lines: Sequence[tuple[Points, NDArray[np.float64]]],
    junctions: Points,
    ends: Points,
    title: str,
) -> Image:
    """The photograph (H×W×3), dimmed, with lines (N×2 rows and columns, N values), junctions and ends (M×2).

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
    _dots(draw, junctions, 2.5 * size, JUNCTION)
    _dots(draw, ends, 2 * size, END)
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
