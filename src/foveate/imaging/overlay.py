"""A mask drawn over its photograph, for people to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError

if TYPE_CHECKING:
    from foveate.records import Image, Mask

FOREGROUND = (86, 180, 233)
"""Sky blue of the palette by Okabe and Ito (2008): far from a fundus's reds for all colour vision."""

OUTLINE = (240, 228, 66)
"""Yellow of the same palette, for the edge of the field of view."""

_ALPHA = 0.8
_OUTLINE_SHARE = 1 / 500
"""Thickness of the outline as a share of the shorter side, so that it looks the same at any size."""


def overlay(image: Image, mask: Mask, *, fov: Mask | None = None) -> Image:
    """The photograph (H×W×3) with the mask's foreground (H×W) blended in and the field of view outlined.

    Raises ImageError if the heights and widths differ.
    """
    for name, drawn in (("mask", mask), ("field of view", fov)):
        if drawn is not None and drawn.shape != image.shape[:2]:
            raise ImageError(
                f"the {name} has shape {drawn.shape} but the image {image.shape[:2]}; give a matching pair"
            )
    drawing = image.copy()
    blend = (1 - _ALPHA) * image[mask] + _ALPHA * np.array(FOREGROUND)
    drawing[mask] = np.rint(blend).astype(np.uint8)
    if fov is not None:
        drawing[_inner_edge(fov, max(1, round(min(fov.shape) * _OUTLINE_SHARE)))] = OUTLINE
    return drawing


def _inner_edge(region: Mask, thickness: int) -> Mask:
    """The region's pixels at most `thickness` steps (4-neighbours) from its outside or the border."""
    inside = np.pad(region, 1)
    for _ in range(thickness):
        inner = inside.copy()
        inner[1:] &= inside[:-1]
        inner[:-1] &= inside[1:]
        inner[:, 1:] &= inside[:, :-1]
        inner[:, :-1] &= inside[:, 1:]
        inside = inner
    return region & ~inside[1:-1, 1:-1]
