"""What a record says in numbers of an image's masks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foveate.inference.segmentation import ExpectedF1
from foveate.metrics.confidence import Correction, F1Sums, with_spread

if TYPE_CHECKING:
    from foveate.inference.segmentation import Segmentation
    from foveate.records import Classes, Mask, Masks, Probabilities


@dataclass(frozen=True, slots=True)
class MaskTally:
    """Of one image, or of all slices of a volume."""

    height: int
    """Pixels, upright."""
    width: int
    areas: dict[str, float]
    """By class: the mask's share of the FOV's pixels."""
    expected_f1: dict[str, ExpectedF1] = field(default_factory=dict)
    """By class, where it was asked for and the mask is not empty."""
    slices: int = 0
    """Of a volume; 0 for an image."""
    volumes_ml: dict[str, float] = field(default_factory=dict)
    """By class: the mask's millilitres, of a volume."""
    notes: tuple[str, ...] = ()
    """What had to be decided while it was made."""


def tally_of(result: Segmentation, *, confidence: bool) -> MaskTally:
    """Of a segmentation that is in memory."""
    height, width = result.fov.shape
    inside = max(1, int(np.count_nonzero(result.fov)))
    shares = [round(int(np.count_nonzero(mask)) / inside, 6) for mask in result.masks]
    expected = result.expected_f1() if confidence else {}
    return MaskTally(height, width, dict(zip(result.classes.names, shares, strict=True)), expected)


class Counting:
    """The same, added up over parts of an image, or over slices."""

    def __init__(self, classes: Classes, correction: Correction | None, *, confidence: bool) -> None:
        self._classes, self._correction, self._confidence = classes, correction, confidence
        self._inside = 0
        self.pixels = np.zeros(len(classes.names), np.int64)
        """Of the mask of each class."""
        self._sums = [[F1Sums() for _ in range(3)] for _ in classes.names]
        self._spread = False

    def add(self, masks: Masks, probabilities: Probabilities, inside: Mask, spread: Probabilities | None) -> None:
        """A part, all K×H×W but for the FOV (`inside`, H×W); `spread` is the deviation over several views."""
        self._inside += int(np.count_nonzero(inside))
        self.pixels += np.count_nonzero(masks, axis=(1, 2))
        self._spread = spread is not None
        if not self._confidence:
            return
        for number, (sums, mask) in enumerate(zip(self._sums, masks, strict=True)):
            probability = probabilities[number]
            sums[0].add(probability, mask, inside)
            if spread is not None:
                for side, one in zip((-1, 1), sums[1:], strict=True):
                    one.add((probability + side * spread[number]).clip(0, 1), mask, inside)

    def tally(self, height: int, width: int) -> MaskTally:
        """Of the whole, with that height and width."""
        shares = [round(int(pixels) / max(1, self._inside), 6) for pixels in self.pixels]
        expected = {}
        for name, sums in zip(self._classes.names, self._sums, strict=True):
            estimate, *leaning = (one.estimate() for one in sums)
            if not self._confidence or estimate is None:
                continue
            if self._spread:
                estimate = with_spread(estimate, [view or estimate for view in leaning])
            expected[name] = ExpectedF1.of(estimate, self._correction)
        return MaskTally(height, width, dict(zip(self._classes.names, shares, strict=True)), expected)
