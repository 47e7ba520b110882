"""Masks drawn over their photograph, for people to judge."""

from __future__ import annotations

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
    if style not in ("outline", "fill"):
        raise UsageError(f"style '{style}': is unknown. Use outline or fill.")
    if not 0 <= opacity <= 1:
        raise UsageError(f"opacity {opacity:g}: is no share. Use a number from 0 to 1.")
    for name, shape in (("mask", masks.shape[1:]), ("field of view", None if fov is None else fov.shape)):
        if shape is not None and shape != image.shape[:2]:
            raise ImageError(f"the {name} has shape {shape} but the image {image.shape[:2]}; give a matching pair")
    drawing = image.copy()
    colours, line = class_colours(len(masks)), _pixels(image, _LINE_SHARE)
    for number in np.argsort([-np.count_nonzero(mask) for mask in masks], kind="stable"):
        drawn = masks[number] if style == "fill" else ~masks[number] & ~_inner(~masks[number], line)
        blend = (1 - opacity) * drawing[drawn] + opacity * np.array(colours[number])
        drawing[drawn] = np.rint(blend).astype(np.uint8)
    if fov is not None and not fov.all():
        drawing[fov & ~_inner(np.pad(fov, 1), _pixels(image, _FIELD_SHARE))[1:-1, 1:-1]] = OUTLINE
    return drawing


def _pixels(image: Image, share: float) -> int:
    return max(1, round(min(image.shape[:2]) * share))


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
