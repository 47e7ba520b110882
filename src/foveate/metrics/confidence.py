"""How good a mask probably is, from its probabilities alone, without a truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.pixels import check_masks

if TYPE_CHECKING:
    from foveate.records import Mask, Probability

LEVEL = 0.95


def _deviations() -> float:
    """Of a normal distribution, to each side of its middle, that hold `LEVEL` of it."""
    import statistics  # brings fractions and decimals along, which a mask without its expected F1 has no use for

    return statistics.NormalDist().inv_cdf((1 + LEVEL) / 2)


@dataclass(frozen=True, slots=True)
class Correction:
    """What validation images teach about the expected F1 of other images like them."""

    shift: float = 0.0
    """To be added to the expected F1: the mean of what the true one differs by."""
    margin: float = 0.0
    """Half the width to be added to the interval, not negative."""


@dataclass(frozen=True, slots=True)
class F1Estimate:
    """The Dice coefficient that a mask would have on average over truths drawn from the probabilities."""

    value: float
    deviation: float
    """Its standard deviation over truths whose pixels are drawn independently of each other. Real errors come
    in whole vessels and regions, so true scores scatter far more."""

    def interval(self, correction: Correction | None = None) -> tuple[float, float]:
        """(low, high) within 0 to 1: 1.96 deviations to each side of the value.

        With the correction that `fit_correction` makes, the interval is shifted and widened, and holds the true F1 of
        95 % of images that are drawn as the validation images were. Without, it says only how far independent pixels
        would scatter, and most true scores lie outside.
        """
        correction = correction or Correction()
        centre, width = self.value + correction.shift, _deviations() * self.deviation + correction.margin
        return max(0.0, centre - width), min(1.0, centre + width)


def expected_f1(probability: Probability, mask: Mask, within: Mask | None = None) -> F1Estimate | None:
    """Expected F1 of `mask` if each pixel is foreground with its `probability`, independently; None if 0/0.

    `probability` H×W, 0 to 1, and calibrated; `mask` and `within` H×W bool; only pixels within are counted.
    The value is the ratio of expectations 2 Σ p m / (Σ p + Σ m), the soft Dice of Milletari et al., 3DV 2016, without
    squares; it differs from the expectation of the ratio by terms of order 1 / Σ p. The deviation is the first-order
    one of a ratio (delta method). Raises ValueError if a shape differs or a mask is not bool.
    """
    sums = F1Sums()
    sums.add(probability, mask, within)
    return sums.estimate()


@dataclass(slots=True)
class F1Sums:
    """What the expected F1 of a mask comes from, added up over parts of an image."""

    overlap: float = 0.0
    total: float = 0.0
    inside: float = 0.0
    """Variances of the mask's pixels."""
    variances: float = 0.0

    def add(self, probability: Probability, mask: Mask, within: Mask | None = None) -> None:
        """A part, as `expected_f1` takes it."""
        check_masks(probability.shape, mask=mask, within=within)
        if within is not None:
            probability, mask = probability[within], mask[within]
        found = probability[mask]
        self.overlap += float(found.sum(dtype=np.float64))
        self.total += float(probability.sum(dtype=np.float64)) + found.size
        self.inside += _variance(found)
        self.variances += _variance(probability)

    def estimate(self) -> F1Estimate | None:
        """The expected F1 of all parts; None if 0/0."""
        if not self.total:
            return None
        ratio = self.overlap / self.total
        # Var(A - r T) for A the pixels of both and T the sum of the sizes: in A's pixels 1 - r counts, elsewhere r.
        variance = (1 - ratio) ** 2 * self.inside + ratio**2 * (self.variances - self.inside)
        return F1Estimate(2 * ratio, 2 * math.sqrt(max(variance, 0.0)) / self.total)


def _variance(probability: Probability) -> float:
    """The sum of p (1 - p) of pixels, added in float64 a piece at a time."""
    total = 0.0
    for piece in np.array_split(probability.reshape(-1), probability.size // 2**18 + 1):
        p = piece.astype(np.float64)
        # Not p @ p: NumPy's BLAS would wake threads for it, which go on spinning beside what is done next.
        total += float(p.sum() - np.einsum("i,i", p, p))
    return total


def with_spread(expected: F1Estimate, views: Sequence[F1Estimate]) -> F1Estimate:
    """The same value, with the scatter between several views of the image (flips, rotations) added to the deviation.

    `views` are the expected F1s of the one mask by each view's probabilities, or by probabilities that lean to either
    side by their deviation over the views; the deviation over those that there are is added (division by their number,
    as in `arrays.augmented`), which for two is half of what lies between them. Variances add up.
    """
    import statistics

    spread = statistics.pstdev(view.value for view in views)
    return F1Estimate(expected.value, math.hypot(expected.deviation, spread))


def fit_correction(expected: Sequence[F1Estimate], true: Sequence[float]) -> Correction:
    """The correction by n validation images, two at least, whose expected and true F1 are given.

    The shift is the mean difference; the margin comes from by how much each true value lies outside its interval when
    the others make the shift: of these the ceil(0.95 (n + 1))-th smallest (jackknife: Barber et al., Annals of
    Statistics 49(1), 2021, section 1). For 95 % that takes 19 images; with fewer the largest is taken, which holds
    about n of n + 1 new ones. Raises ValueError if the numbers of values differ or are below two.
    """
    n = len(expected)
    if n < 2 or n != len(true):
        raise ValueError(f"{n} expected values for {len(true)} true ones; expected as many, and two at least")
    deviations = _deviations()
    differences = [value - estimate.value for estimate, value in zip(expected, true, strict=True)]
    total = math.fsum(differences)
    outside = sorted(
        abs(difference - (total - difference) / (n - 1)) - deviations * estimate.deviation
        for estimate, difference in zip(expected, differences, strict=True)
    )
    return Correction(total / n, max(0.0, outside[min(math.ceil(LEVEL * (n + 1)), n) - 1]))
