"""Masks drawn over their photograph, for people to judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from foveate.errors import ImageError, UsageError
from foveate.imaging.palette import OUTLINE, class_colours

if TYPE_CHECKING:
    from foveate.records import Image, Mask, Masks

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
