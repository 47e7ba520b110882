"""What counts of two masks: the pixels inside the field of view, cut out as small as they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask, Probability


def check_masks(shape: tuple[int, ...], **masks: Mask | None) -> None:
    """Raise ValueError, with the mask's name, unless every given mask is bool and of this shape."""
    for name, mask in masks.items():
        if mask is not None and (mask.shape != shape or mask.dtype != np.bool_):
            raise ValueError(f"{name} is {mask.dtype} {mask.shape}, expected bool {shape}")


def check_probability(probability: Probability) -> None:
    """Raise ValueError unless every value, of an array of any shape, is in 0 to 1."""
    if probability.size and not (probability.min() >= 0 and probability.max() <= 1):
        raise ValueError("a probability is not in 0 to 1")


def counted_pixels(probability: Probability, within: Mask | None, **masks: Mask) -> tuple[Probability, list[Mask]]:
    """Probabilities (H×W) and masks (each H×W bool) where `within` (H×W bool) is True, flat; where it is None, all.

    Raises ValueError if a shape differs, a mask is not bool, or a probability that counts is outside 0 to 1.
    """
    check_masks(probability.shape, **masks, within=within)
    counted = list(masks.values())
    if within is not None:
        probability, counted = probability[within], [mask[within] for mask in counted]
    check_probability(probability)
    return probability, counted


def cut(prediction: Mask, truth: Mask, within: Mask | None) -> tuple[Mask, Mask]:
    """Both H×W masks, emptied where `within` (H×W bool) is False, in the smallest box that holds what is left.

    What lies outside the box is background in both, so a measure that takes everything beyond the border for
    background gives the same inside the box as in the whole image. Where nothing is left, the box is one pixel.
    Raises ValueError if a shape differs or an array is not bool.
    """
    check_masks(truth.shape, prediction=prediction, truth=truth, within=within)
    if within is not None:
        prediction, truth = prediction & within, truth & within
    either = prediction | truth
    box = _extent(np.flatnonzero(either.any(axis=1))), _extent(np.flatnonzero(either.any(axis=0)))
    return prediction[box], truth[box]


def covered(mask: Mask, offsets: tuple[tuple[int, int], ...]) -> Mask:
    """Where all of a pixel's neighbours at these (row, column) offsets are in the mask (H×W bool).

    An erosion: nothing beyond the border is in the mask.
    """
    margin = max(max(abs(row), abs(column)) for row, column in offsets)
    padded = np.pad(mask, margin)
    height, width = mask.shape
    inside = mask.copy()
    for row, column in offsets:
        top, left = margin + row, margin + column
        inside &= padded[top : top + height, left : left + width]
    return inside


def _extent(places: NDArray[np.intp]) -> slice:
    return slice(int(places[0]), int(places[-1]) + 1) if places.size else slice(0, 1)
