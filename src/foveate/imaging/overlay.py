"""Masks drawn over their photograph, for people to judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError
from foveate.imaging.palette import OUTLINE, class_colours

if TYPE_CHECKING:
    from foveate.records import Image, Mask, Masks

_ALPHA = 0.8
_OUTLINE_SHARE = 1 / 500
"""Thickness of the outline as a share of the shorter side, so that it looks the same at any size."""


def overlay(image: Image, masks: Masks, *, fov: Mask | None = None) -> Image:
    """The photograph (H×W×3) with each class's mask (K×H×W) blended in, and the field of view (H×W) outlined.

    Colours are those of `class_colours`. Where classes lie over each other, the larger is drawn first, so that a
    smaller one within it stays in sight. Raises ImageError if the heights and widths differ.
    """
    for name, shape in (("mask", masks.shape[1:]), ("field of view", None if fov is None else fov.shape)):
        if shape is not None and shape != image.shape[:2]:
            raise ImageError(f"the {name} has shape {shape} but the image {image.shape[:2]}; give a matching pair")
    drawing = image.copy()
    colours = class_colours(len(masks))
    for number in np.argsort([-np.count_nonzero(mask) for mask in masks], kind="stable"):
        mask = masks[number]
        blend = (1 - _ALPHA) * drawing[mask] + _ALPHA * np.array(colours[number])
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
