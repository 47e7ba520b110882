"""Where a mask is right and where it is wrong, pixel by pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError
from foveate.pictures.colours import NOT_COUNTED, OUTCOMES, Palette

if TYPE_CHECKING:
    from foveate.imaging.palette import Colour
    from foveate.records import Image, Mask


def analytic_mask(prediction: Mask, truth: Mask, within: Mask | None = None, *, palette: Palette = "safe") -> Image:
    """True positives, false negatives and false positives on black, and grey where nothing is counted: H×W×3.

    All arrays are H×W bool; `within` is what counts, None for everything. Raises ImageError if their sizes differ.
    """
    _check_sizes(prediction.shape, truth, within)
    colours = OUTCOMES[palette]
    drawing = np.zeros((*truth.shape, 3), np.uint8)
    drawing[prediction & truth] = colours.true_positive
    drawing[~prediction & truth] = colours.false_negative
    drawing[prediction & ~truth] = colours.false_positive
    if within is not None:
        drawing[~within] = NOT_COUNTED
    return drawing


def missed(
    image: Image, prediction: Mask, truth: Mask, within: Mask | None = None, *, palette: Palette = "safe"
) -> Image:
    """The photograph (H×W×3) with what the prediction (H×W) missed drawn over it; what doesn't count is left out.

    Raises ImageError if sizes differ.
    """
    _check_sizes(image.shape[:2], prediction, truth, within)
    gone = truth & ~prediction
    drawing = image.copy()
    drawing[gone if within is None else gone & within] = OUTCOMES[palette].missed
    return drawing


def words(palette: Palette, *, with_grey: bool) -> list[tuple[str, Colour]]:
    """What the colours of an analytic mask mean."""
    colours = OUTCOMES[palette]
    outcomes = [
        ("true positive", colours.true_positive),
        ("false negative (missed)", colours.false_negative),
        ("false positive", colours.false_positive),
    ]
    return [*outcomes, ("not counted", NOT_COUNTED)] if with_grey else outcomes


def missed_words(palette: Palette) -> list[tuple[str, Colour]]:
    """What the colour of missed vessels means."""
    return [("false negative (missed)", OUTCOMES[palette].missed)]


def _check_sizes(size: tuple[int, ...], *masks: Mask | None) -> None:
    for mask in masks:
        if mask is not None and mask.shape != size:
            raise ImageError(f"a mask of {mask.shape} doesn't fit one of {size}; give masks of one image")
