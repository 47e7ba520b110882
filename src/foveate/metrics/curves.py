"""Curves over all thresholds, from a histogram whose size doesn't depend on the number of images, and as few of
their points as show the curve's shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import DataError
from foveate.metrics.pixels import counted_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask, Probability

BINS = 65536
_STEPS = BINS - 1


def _zeros() -> NDArray[np.int64]:
    return np.zeros(BINS, dtype=np.int64)


@dataclass(slots=True, eq=False)
class Histogram:
    """Probabilities of the positive and of the negative pixels, counted in 65 536 bins.

    A probability p falls into bin floor(65535 p + 0.5), so pixels less than 1/65535 apart may tie.
    For probabilities that are multiples of 1/65535 (8-bit and 16-bit maps) all results are exact. `Levels` has the
    areas under the curves, whatever the range of the probabilities.
    """

    positives: NDArray[np.int64] = field(default_factory=_zeros)
    """65536 counts of pixels where the truth is True."""
    negatives: NDArray[np.int64] = field(default_factory=_zeros)
    """65536 counts of pixels where the truth is False."""

    def add(self, probability: Probability, truth: Mask, within: Mask | None = None) -> None:
        """Count one image: `probability` H×W, 0 to 1; `truth` and `within` H×W bool; in place.

        Only pixels where `within` is True are counted; all of them where it is None.
        Raises ValueError if a shape differs, a mask is not bool, or a counted probability is outside 0 to 1.
        """
        probability, (truth,) = counted_pixels(probability, within, truth=truth)
        # In float64 the product is exact for a float32 probability, so the bins' edges are sharp.
        bins = np.floor(probability.astype(np.float64) * _STEPS + 0.5).astype(np.int64)
        self.positives += np.bincount(bins[truth], minlength=BINS)
        self.negatives += np.bincount(bins[~truth], minlength=BINS)

    def merge(self, other: Histogram) -> None:
        """Add the counts of `other`, in place."""
        self.positives += other.positives
        self.negatives += other.negatives

    def best_threshold_f1(self) -> tuple[float, float]:
        """The threshold whose mask `probability >= threshold` has the highest F1 over all counted pixels.

        Returns (threshold, F1). The threshold is the lowest float32 of a bin, so that the mask has exactly
        this F1 in float32 and in float64. Where several bins reach the highest F1, the middle one is taken.
        Raises DataError if no positive pixel was counted.
        """
        f1 = self.f1_curve()
        best = np.flatnonzero(f1 == f1.max())
        chosen = int(best[len(best) // 2])
        return lowest_of(chosen), float(f1[chosen])

    def f1_curve(self) -> NDArray[np.float64]:
        """65536 values: the F1 of `probability >= lowest_of(bin)` over all counted pixels.

        Raises DataError if no positive pixel was counted.
        """
        total_positive = int(self.positives.sum())
        if not total_positive:
            raise DataError(
                "no foreground pixel in the masks, so no threshold can be chosen; check the validation masks."
            )
        hits, called = self._above()
        return 2 * hits / (called + total_positive)

    def _above(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Per bin, how many positives, and how many pixels of both kinds, lie in it or above it."""
        hits = np.cumsum(self.positives[::-1])[::-1]
        called = np.cumsum((self.positives + self.negatives)[::-1])[::-1]
        return hits, called


def lowest_of(index: int) -> float:
    """The smallest float32 that falls into the bin."""
    edge = max(index - 0.5, 0.0) / _STEPS
    nearest = np.float32(edge)
    return float(nearest if float(nearest) >= edge else np.nextafter(nearest, np.float32(1)))


MOST_POINTS = 500


@dataclass(frozen=True, slots=True)
class CurvePoints:
    """A curve, from the highest threshold to the lowest; every point is one of the full curve's."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float, ...]
    """Foreground is a probability of at least this; above 1 where nothing is."""


def roc_points(histogram: Histogram) -> CurvePoints | None:
    """ROC curve: x is 1 - specificity, y sensitivity, from (0, 0) to (1, 1).

    None where the curve is undefined, without positives or without negatives. See `evenly` for what is left out.
    """
    hits, false, thresholds = _called(histogram)
    if not hits[-1] or not false[-1]:
        return None
    nothing = float(np.nextafter(np.float32(1), np.float32(2)))
    x, y = (np.concatenate([[0.0], column / column[-1]]) for column in (false, hits))
    return _thinned(x, y, [nothing, *thresholds])


def precision_recall_points(histogram: Histogram) -> CurvePoints | None:
    """Precision–recall curve: x is recall, y precision, ending at recall 1 with the share of positives.

    It starts at the highest probability that any pixel has; a point at recall 0, where precision is undefined, isn't
    made up. None without positives. See `evenly` for what is left out.
    """
    hits, false, thresholds = _called(histogram)
    return _thinned(hits / hits[-1], hits / (hits + false), thresholds) if hits[-1] else None


def evenly(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of at most 500 of a curve's points, evenly spread along it, the first and the last among them.

    Length is measured as Σ |Δx| + |Δy|. From a point that is left out it is at most 1/499 of the whole curve's to the
    next that is chosen; for a ROC curve, whose length is 2, that is 0.004.
    """
    if x.size <= MOST_POINTS:
        return np.arange(x.size)
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    marks = np.linspace(0, length[-1], MOST_POINTS)
    chosen = np.searchsorted(length, marks[1:-1], side="right") - 1
    return np.unique(np.concatenate([[0], chosen, [x.size - 1]]))


def _called(histogram: Histogram) -> tuple[NDArray[np.int64], NDArray[np.int64], list[float]]:
    """True and false positives at each threshold at which they change, the highest first."""
    falling = np.flatnonzero(histogram.positives + histogram.negatives)[::-1]
    hits, false = np.cumsum(histogram.positives[falling]), np.cumsum(histogram.negatives[falling])
    if not falling.size:
        hits = false = np.zeros(1, dtype=np.int64)
    return hits, false, [lowest_of(index) for index in falling.tolist()]


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64], thresholds: list[float]) -> CurvePoints:
    chosen = evenly(x, y)
    return CurvePoints(
        tuple(x[chosen].tolist()),
        tuple(y[chosen].tolist()),
        tuple(thresholds[index] for index in chosen.tolist()),
    )
