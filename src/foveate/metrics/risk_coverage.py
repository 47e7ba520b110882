"""What error is left after the least certain pixels, or images, are set aside for a person to look at.

Geifman and El-Yaniv, NeurIPS 2017; the area is that of Geifman et al., ICLR 2019 (arXiv:1805.08206): the mean, over
all numbers of kept items, of the error among them. Items of equal certainty come in random order, and the mean over all
orders is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.curves import BINS, evenly
from foveate.metrics.pixels import counted_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask, Probability

_KINDS = 4


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """The curve, from the most certain items only to all, in at most 500 points, and the area under it."""

    certainty: tuple[float, ...]
    """Everything at least this certain is kept."""
    coverage: tuple[float, ...]
    """Share of the items that is kept, growing to 1."""
    risk: tuple[float, ...]
    """Mean error of those that are kept; for pixels the share that is wrong."""
    area: float
    """From all points, before any were left out."""
    f1: tuple[float | None, ...] = ()
    """For pixels, F1 of those that are kept; None where neither truth nor prediction is among them."""


def _zeros() -> NDArray[np.int64]:
    return np.zeros((_KINDS, BINS), dtype=np.int64)


@dataclass(slots=True, eq=False)
class Certainty:
    """Pixels counted by how certain they are: the probability of what the mask says, p in the mask and 1 - p beside it.

    In 65 536 bins as in `Histogram`, so its size doesn't depend on the number of images.
    """

    counts: NDArray[np.int64] = field(default_factory=_zeros)
    """4×65536: true negatives, false negatives, false positives, true positives."""

    def add(self, probability: Probability, mask: Mask, truth: Mask, within: Mask | None = None) -> None:
        """Count one image: `probability` H×W, 0 to 1; `mask`, `truth` and `within` H×W bool; in place.

        Only pixels where `within` is True are counted; all of them where it is None.
        Raises ValueError if a shape differs, a mask is not bool, or a counted probability is outside 0 to 1.
        """
        probability, (mask, truth) = counted_pixels(probability, within, mask=mask, truth=truth)
        bins = np.floor(probability.astype(np.float64) * (BINS - 1) + 0.5).astype(np.int64)
        bins = np.where(mask, bins, BINS - 1 - bins)
        kinds = 2 * mask.astype(np.int64) + truth
        self.counts += np.bincount((kinds * BINS + bins).ravel(), minlength=_KINDS * BINS).reshape(_KINDS, BINS)

    def merge(self, other: Certainty) -> None:
        """Add the counts of `other`, in place."""
        self.counts += other.counts

    def curve(self) -> RiskCoverage | None:
        """The curve over pixels; None if none was counted."""
        falling = np.flatnonzero(self.counts.any(axis=0))[::-1]
        if not falling.size:
            return None
        counts = self.counts[:, falling]
        items, wrong = counts.sum(axis=0), counts[1] + counts[2]
        kept, left = np.cumsum(items), np.cumsum(wrong)
        coverage, risk = kept / kept[-1], left / kept
        chosen = evenly(coverage, risk)
        return RiskCoverage(
            certainty=tuple((falling[chosen] / (BINS - 1)).tolist()),
            coverage=tuple(coverage[chosen].tolist()),
            risk=tuple(risk[chosen].tolist()),
            area=_area(items, wrong),
            f1=tuple(map(_f1, np.cumsum(counts[3])[chosen].tolist(), left[chosen].tolist())),
        )


def _f1(hits: int, errors: int) -> float | None:
    return 2 * hits / (2 * hits + errors) if hits or errors else None


def risk_coverage_of_images(certainties: Sequence[float | None], errors: Sequence[float | None]) -> RiskCoverage | None:
    """The curve over images; an image with an undefined value takes no part; None if none is left.

    Certainty may be the expected Dice, and the error 1 minus the true Dice.
    """
    pairs = [
        (certainty, error)
        for certainty, error in zip(certainties, errors, strict=True)
        if certainty is not None and error is not None
    ]
    if not pairs:
        return None
    values, index = np.unique([-certainty for certainty, _ in pairs], return_inverse=True)
    items = np.bincount(index)
    wrong = np.bincount(index, weights=[error for _, error in pairs])
    coverage, risk = np.cumsum(items) / len(pairs), np.cumsum(wrong) / np.cumsum(items)
    chosen = evenly(coverage, risk)
    certainty, kept, left = (tuple(column[chosen].tolist()) for column in (-values, coverage, risk))
    return RiskCoverage(certainty, kept, left, _area(items, wrong))


def _area(items: NDArray[np.int64], wrong: NDArray[np.float64] | NDArray[np.int64]) -> float:
    """From the number of items, and the sum of their errors, of each certainty, the most certain first.

    Of n items with the error e after N with E, the j-th adds (E + j e/n) / (N + j): over all j that is
    e + (E - N e/n) (H(N + n) - H(N)), with the harmonic numbers H.
    """
    from scipy.special import digamma  # type: ignore[import-untyped]

    end, total = np.cumsum(items), np.cumsum(wrong)
    start, before = end - items, total - wrong
    harmonic = digamma(end + 1.0) - digamma(start + 1.0)
    return float((wrong + (before - start * wrong / items) * harmonic).sum() / end[-1])
