"""Areas under curves from counts whose bins are as fine as the probabilities ask for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.scope import check_masks, check_probability

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
        check_masks(probability.shape, truth=truth, within=within)
        if within is not None:
            probability, truth = probability[within], truth[within]
        check_probability(probability)
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
    return np.floor(np.ldexp(odds.clip(-_END, _END), FINEST)).astype(np.int64)


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
