"""What a record says in numbers of an image's masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foveate.inference.segmentation import ExpectedF1

if TYPE_CHECKING:
    from foveate.inference.segmentation import Segmentation


@dataclass(frozen=True, slots=True)
class MaskTally:
    """Of one image."""

    height: int
    """Pixels, upright."""
    width: int
    areas: dict[str, float]
    """By class: the mask's share of the FOV's pixels."""
    expected_f1: dict[str, ExpectedF1] = field(default_factory=dict)
    """By class, where it was asked for and the mask is not empty."""


def tally_of(result: Segmentation, *, confidence: bool) -> MaskTally:
    """Of a segmentation that is in memory."""
    height, width = result.fov.shape
    inside = max(1, int(np.count_nonzero(result.fov)))
    shares = [round(int(np.count_nonzero(mask)) / inside, 6) for mask in result.masks]
    expected = result.expected_f1() if confidence else {}
    return MaskTally(height, width, dict(zip(result.classes.names, shares, strict=True)), expected)
