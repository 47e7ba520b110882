"""Areas under curves from counts whose bins are as fine as the probabilities ask for, and their intervals.

The areas themselves are ranks: they come from the `Levels` of all images together, exact for up to 2**18 different
probabilities. Their intervals need the areas of 10 000 resamples of images. By ranks, too, each would weigh every level
of every image: for 20 images of DRIVE's size 13 seconds at the 14 000 levels as which all of them can be kept, minutes
at the 190 000 that there are, for each class and scope. Joined to at most 128 bins it is one matrix product, 0.3
seconds; `tests/metrics/test_areas.py` says how near its ends come. Bins have about the same
share of the pixels wherever these lie, so that probabilities that differ little are told apart, too. How the pixels lie
inside such a bin is told by the `Levels` of all images, and taken to be the same in every resample: then the areas of
all images together are exact, and those of a resample almost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.bootstrap import interval
from foveate.metrics.pixels import counted_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.metrics.bootstrap import BootstrapInterval
    from foveate.records import Mask, Probability

FINEST = 40
"""At 2**-40 of log odds no two float32 probabilities tie."""
COARSEST = -10
"""Everything is in two bins: of probabilities below and from one half on."""
MOST = 2**18
"""Bins with pixels; where there are more, every two of the grid are joined."""
_END = 1000.0
"""Log odds of the probabilities 0 and 1: beyond those of all others."""


def _none() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Levels:
    """The positive and the negative pixels of each bin that has any, the lowest first.

    Bin k holds the probabilities p with k <= 2**fineness ln(p / (1 - p)) < k + 1. At most 2**18 bins are kept: where
    pixels fill more, the grid gets coarser by halves. So up to 262 144 different probabilities, as in 8-bit and 16-bit
    maps, and in narrow ranges of others, give areas that are exact. For others, with p_k positives and n_k negatives in
    bin k, of P and N in all, and T_k, F_k of them in the bins above k, the areas differ from the exact ones by at most

    - ROC AUC: sum_k p_k n_k / (2 P N), half the share of (positive, negative) pairs that tie;
    - average precision: sum_k (p_k / P) (u_k - v_k), with u_k = (T_k + p_k) / (T_k + p_k + F_k) and
      v_k = (T_k + 1) / (T_k + 1 + F_k + n_k), as the precision at every positive of bin k is in v_k to u_k.
    """

    places: NDArray[np.int64]
    """The N bins' numbers, rising."""
    positives: NDArray[np.int64]
    """N counts of pixels where the truth is True."""
    negatives: NDArray[np.int64]
    """N counts of pixels where the truth is False."""
    fineness: int

    @classmethod
    def empty(cls) -> Levels:
        """Of no pixel."""
        return cls(_none(), _none(), _none(), FINEST)

    @classmethod
    def of(cls, probability: Probability, truth: Mask, within: Mask | None = None) -> Levels:
        """One image: `probability` H×W, 0 to 1; `truth` and `within` H×W bool.

        Only pixels where `within` is True are counted; all of them where it is None.
        Raises ValueError if a shape differs, a mask is not bool, or a counted probability is outside 0 to 1.
        """
        probability, (truth,) = counted_pixels(probability, within, truth=truth)
        positive, positives = np.unique(probability[truth], return_counts=True)
        negative, negatives = np.unique(probability[~truth], return_counts=True)
        places = np.concatenate([_places(positive), _places(negative)])
        zeros = np.zeros_like
        counts = np.concatenate([positives, zeros(negatives)]), np.concatenate([zeros(positives), negatives])
        return cls(*_sorted(places, *counts), FINEST)._small_enough()

    def merged(self, other: Levels) -> Levels:
        """Both together."""
        fineness = min(self.fineness, other.fineness)
        own, added = self.coarser(fineness), other.coarser(fineness)
        columns = ((own.places, added.places), (own.positives, added.positives), (own.negatives, added.negatives))
        return Levels(*_sorted(*map(np.concatenate, columns)), fineness)._small_enough()

    def coarser(self, fineness: int) -> Levels:
        """In bins of 2**-`fineness`; itself where these are no wider."""
        if fineness >= self.fineness:
            return self
        places = self.places >> (self.fineness - fineness)
        return Levels(*_joined(places, self.positives, self.negatives), fineness)

    @property
    def roc_auc(self) -> float | None:
        """Area under the ROC curve by the trapezoid rule; None without positives or without negatives."""
        total_positive, total_negative = int(self.positives.sum()), int(self.negatives.sum())
        if not total_positive or not total_negative:
            return None
        # The area is the chance that a positive ranks above a negative, a tie counting one half.
        below = np.cumsum(self.negatives) - 0.5 * self.negatives
        return float(self.positives.astype(np.float64) @ below) / (total_positive * total_negative)

    @property
    def average_precision(self) -> float | None:
        """Sum of precision times the gain in recall, thresholds descending; None without positives.

        Not interpolated: the step-wise sum that scikit-learn's `average_precision_score` takes.
        """
        total_positive = int(self.positives.sum())
        if not total_positive:
            return None
        hits = np.cumsum(self.positives[::-1])[::-1]
        called = np.cumsum((self.positives + self.negatives)[::-1])[::-1]
        return float(self.positives @ (hits / called)) / total_positive

    def bins(self, fineness: int) -> int:
        """How many have pixels, of 2**-`fineness`, which is no finer than they are."""
        places = self.places >> (self.fineness - fineness)
        return int(np.count_nonzero(np.diff(places))) + bool(places.size)

    def _small_enough(self) -> Levels:
        fineness = self.fineness
        while self.bins(fineness) > MOST and fineness > COARSEST:
            fineness -= 1
        return self.coarser(fineness)


def _places(probability: NDArray[np.float32]) -> NDArray[np.int64]:
    p = probability.astype(np.float64)
    with np.errstate(divide="ignore"):
        odds = np.log(p) - np.log1p(-p)
    places: NDArray[np.int64] = np.floor(np.ldexp(odds.clip(-_END, _END), FINEST)).astype(np.int64)
    return places


def _sorted(
    places: NDArray[np.int64], positives: NDArray[np.int64], negatives: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    # Two rising runs one after the other, which a stable sort merges in one pass.
    order = np.argsort(places, kind="stable")
    return _joined(places[order], positives[order], negatives[order])


def _joined(
    places: NDArray[np.int64], positives: NDArray[np.int64], negatives: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Each place once, with the sums of its counts; places must not fall."""
    ends = np.flatnonzero(np.diff(places, append=places[-1:] + 1))
    sums = [np.diff(np.cumsum(counts)[ends], prepend=0) for counts in (positives, negatives)]
    return places[ends], sums[0], sums[1]


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
        while sum(image.bins(fineness) for image in images) > MOST and fineness > COARSEST:
            fineness -= 1
        self.fineness, self.images = fineness, [image.coarser(fineness) for image in images]


def area_intervals(
    together: Levels, kept: LevelsOfImages, groups: Sequence[str] | None = None
) -> dict[str, BootstrapInterval | None]:
    """The intervals of ROC AUC and average precision over all images, by name, as `interval` finds them.

    `together` has the levels of the same images, merged.
    """
    shared = min(together.fineness, kept.fineness)
    bins = _Bins.of(together.coarser(shared))
    areas = _Areas.of(together, bins.of_each(together))
    rows = np.array([bins.row(image.coarser(shared)) for image in kept.images])
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
        return np.concatenate([_by_bin(counts, numbers, count) for counts in (levels.positives, levels.negatives)])


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
        areas = cls(outranked, _share(ahead), np.zeros_like(own))
        return replace(areas, left=np.where(own > 0, precision - areas._precision(own, others), 0))

    def roc_auc(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×2K counts, of K bins."""
        positives, negatives = np.split(sums, 2, axis=1)
        below = np.cumsum(negatives, axis=1) - negatives + self.outranked * negatives
        area: NDArray[np.float64] = (positives * below).sum(axis=1) / positives.sum(axis=1) / negatives.sum(axis=1)
        return area

    def average_precision(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """R areas of R×2K counts, of K bins."""
        positives, negatives = np.split(sums, 2, axis=1)
        summands = positives * self._precision(positives, negatives)
        area: NDArray[np.float64] = summands.sum(axis=1) / positives.sum(axis=1)
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
