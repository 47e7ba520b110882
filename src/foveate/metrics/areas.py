"""Intervals of the areas under the curves, from so few bins of each image that those of all images can be kept.

Of all images 2**18 bins are kept, as fine as that allows. For a resample they are joined to at most 128, of about the
same share of the pixels wherever these lie, so that probabilities that differ little are told apart, too. How the
pixels lie inside such a bin is told by the `Levels` of all images, and taken to be the same in every resample: then the
areas of all images together are exact, and those of a resample almost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.bootstrap import interval
from foveate.metrics.levels import COARSEST, FINEST, MOST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.metrics.bootstrap import Interval
    from foveate.metrics.levels import Levels

JOINED_BINS = 128


@dataclass(slots=True)
class LevelsOfImages:
    """The levels of each image, all of one fineness, so coarse that there are at most 2**18 bins of all together."""

    images: list[Levels] = field(default_factory=list)
    fineness: int = FINEST

    def add(self, levels: Levels) -> None:
        """Keep one more image."""
        fineness = min(self.fineness, levels.fineness)
        images = [*self.images, levels]
        while sum(each.bins(fineness) for each in images) > MOST and fineness > COARSEST:
            fineness -= 1
        self.fineness, self.images = fineness, [each.coarser(fineness) for each in images]


def area_intervals(
    together: Levels, kept: LevelsOfImages, groups: Sequence[str] | None = None
) -> dict[str, Interval | None]:
    """The intervals of ROC AUC and average precision over all images, by name, as `interval` finds them.

    `together` has the levels of the same images, merged.
    """
    shared = min(together.fineness, kept.fineness)
    bins = _Bins.of(together.coarser(shared))
    areas = _Areas.of(together, bins.of_each(together))
    rows = np.array([bins.row(each.coarser(shared)) for each in kept.images])
    return {
        "roc_auc": interval(rows, areas.roc_auc, groups),
        "average_precision": interval(rows, areas.average_precision, groups),
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Bins:
    """Which levels of one fineness are joined: few bins, each with the same share of all pixels as far as that goes."""

    places: NDArray[np.int64]
    fineness: int
    numbers: NDArray[np.int64]
    """Of the bin of each place, from 0, rising."""

    @classmethod
    def of(cls, levels: Levels) -> _Bins:
        """Positives and negatives weigh the same, however rare one kind is."""
        kinds = levels.positives / max(1, levels.positives.sum()), levels.negatives / max(1, levels.negatives.sum())
        share = (kinds[0] + kinds[1]) / 2
        wanted = np.floor(JOINED_BINS * (np.cumsum(share) - share / 2)).astype(np.int64)
        return cls(levels.places, levels.fineness, np.unique(wanted, return_inverse=True)[1])

    def of_each(self, levels: Levels) -> NDArray[np.int64]:
        """The numbers of the bins of levels that are as fine or finer, all of which are known."""
        return self.numbers[np.searchsorted(self.places, levels.places >> (levels.fineness - self.fineness))]

    def row(self, levels: Levels) -> NDArray[np.float64]:
        """Counts by bin: of positives, then of negatives."""
        numbers, count = self.of_each(levels), int(self.numbers.max(initial=-1)) + 1
        return np.concatenate([_by_bin(each, numbers, count) for each in (levels.positives, levels.negatives)])


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
    def of(cls, together: Levels, numbers: NDArray[np.int64]) -> _Areas:
        """As in all images together, whose levels lie in the bins of these numbers."""
        positives, negatives = together.positives.astype(np.float64), together.negatives.astype(np.float64)
        count = int(numbers.max(initial=-1)) + 1
        own, others = _by_bin(positives, numbers, count), _by_bin(negatives, numbers, count)
        below, called = np.cumsum(others) - others, _above(positives + negatives) + positives + negatives
        with np.errstate(divide="ignore", invalid="ignore"):
            pairs = _by_bin(positives * (np.cumsum(negatives) - negatives / 2), numbers, count)
            outranked = _share((pairs / own - below) / others)
            precision = _by_bin(positives * (_above(positives) + positives) / called, numbers, count) / own
            # Solves precision = (T + a p) / (T + F + a (p + n)) for a, with T and F above the bin, p and n in it.
            ahead = (precision * _above(own + others) - _above(own)) / (own - precision * (own + others))
        found = cls(outranked, _share(ahead), np.zeros_like(own))
        return replace(found, left=np.where(own > 0, precision - found._precision(own, others), 0))

    def roc_auc(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×2K counts, of K bins."""
        positives, negatives = np.split(sums, 2, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives + self.outranked * negatives
        area: NDArray[np.float64] = (positives * below).sum(axis=1) / positives.sum(axis=1) / negatives.sum(axis=1)
        return area

    def average_precision(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×2K counts, of K bins."""
        positives, negatives = np.split(sums, 2, axis=1)
        found = positives * self._precision(positives, negatives)
        area: NDArray[np.float64] = found.sum(axis=1) / positives.sum(axis=1)
        return area

    def _precision(self, positives: NDArray[np.float64], negatives: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the positives of each bin, from the counts of the bins, along the last axis."""
        hits = _above(positives) + self.ahead * positives
        called = hits + _above(negatives) + self.ahead * negatives
        return np.divide(hits, called, out=np.zeros_like(hits), where=called > 0) + self.left


def _by_bin(
    counts: NDArray[np.float64] | NDArray[np.int64], numbers: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    return np.bincount(numbers, counts, count).astype(np.float64, copy=False)


def _above(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """How many lie above each bin, along the last axis."""
    above: NDArray[np.float64] = np.cumsum(counts[..., ::-1], axis=-1)[..., ::-1] - counts
    return above


def _share(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """From 0 to 1; one half where any would do."""
    return np.where(np.isfinite(values), values, 0.5).clip(0, 1)
