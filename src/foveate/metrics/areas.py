"""Intervals of the areas under the curves, from so few bins of each image that those of all images can be kept.

The 65 536 bins of `Histogram` are joined to 112, four for each doubling of the odds. How the pixels lie inside such a
bin is told by the histogram of all images, and taken to be the same in every resample: then the areas of all images
together are exact, and those of a resample almost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.bootstrap import interval
from foveate.metrics.curves import BINS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.metrics.bootstrap import Interval
    from foveate.metrics.curves import Histogram

_BY_DOUBLING = 4


def _joined() -> NDArray[np.int64]:
    """The number of the joined bin of each of the 65 536."""
    levels = np.arange(BINS)
    from_end = np.minimum(levels, BINS - 1 - levels)
    steps = np.floor(_BY_DOUBLING * np.log2(from_end + 1)).astype(np.int64)
    rising = np.where(levels < BINS // 2, steps, 2 * steps.max() + 1 - steps)
    return np.unique(rising, return_inverse=True)[1]


_JOINED = _joined()
JOINED_BINS = int(_JOINED[-1]) + 1


def joined(histogram: Histogram) -> NDArray[np.float64]:
    """2·112 counts: of positives, then of negatives."""
    return np.concatenate([_by_bin(histogram.positives), _by_bin(histogram.negatives)])


def area_intervals(
    together: Histogram, rows: Sequence[NDArray[np.float64]], groups: Sequence[str] | None = None
) -> dict[str, Interval | None]:
    """The intervals of ROC AUC and average precision over all images, by name, as `interval` finds them.

    `rows` are the images' `joined` counts, `together` is the histogram of the same images.
    """
    areas = _Areas.of(together)
    return {
        "roc_auc": interval(np.array(rows), areas.roc_auc, groups),
        "average_precision": interval(np.array(rows), areas.average_precision, groups),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Areas:
    """The areas as functions of joined counts, and what they take for the same in every resample."""

    outranked: NDArray[np.float64]
    """Of the negatives in a bin, the share that its positives rank above; a tie counts one half."""
    ahead: NDArray[np.float64]
    """The share of a bin's pixels that its positives' precision counts; one half where they are spread evenly."""
    left: NDArray[np.float64]
    """What this precision lacks of the true one."""

    @classmethod
    def of(cls, together: Histogram) -> _Areas:
        """As in the histogram of all images."""
        positives, negatives = together.positives.astype(np.float64), together.negatives.astype(np.float64)
        own, others = _by_bin(positives), _by_bin(negatives)
        below, called = np.cumsum(others) - others, _above(positives + negatives) + positives + negatives
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = _by_bin(positives * (np.cumsum(negatives) - negatives / 2))
            outranked = _share((pairs / own - below) / others)
            precision = _by_bin(positives * (_above(positives) + positives) / np.maximum(called, 1)) / own
            # Solves precision = (T + a p) / (T + F + a (p + n)) for a, with T and F above the bin, p and n in it.
            ahead = (precision * _above(own + others) - _above(own)) / (own - precision * (own + others))
        found = cls(outranked, _share(ahead), np.zeros_like(own))
        return replace(found, left=np.where(own > 0, precision - found._precision(own, others), 0))

    def roc_auc(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×224 counts."""
        positives, negatives = np.split(sums, 2, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives + self.outranked * negatives
        area: NDArray[np.float64] = (positives * below).sum(axis=1) / positives.sum(axis=1) / negatives.sum(axis=1)
        return area

    def average_precision(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×224 counts."""
        positives, negatives = np.split(sums, 2, axis=1)
        found = positives * self._precision(positives, negatives)
        area: NDArray[np.float64] = found.sum(axis=1) / positives.sum(axis=1)
        return area

    def _precision(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the positives of each bin, from the counts of the bins, along the last axis."""
        hits = _above(positives) + self.ahead * positives
        called = hits + _above(negatives) + self.ahead * negatives
        return np.divide(hits, called, out=np.zeros_like(hits), where=called > 0) + self.left


def _by_bin(counts: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
    return np.bincount(_JOINED, counts, JOINED_BINS).astype(np.float64, copy=False)


def _above(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many lie above each bin, along the last axis."""
    above: NDArray[np.float64] = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1] - counts
    return above


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1; one half where any would do."""
    return np.where(np.isfinite(values), values, 0.5).clip(0, 1)
