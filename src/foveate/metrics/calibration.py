"""Whether probabilities mean what they say: of the pixels given 0.7, seven in ten should be foreground."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.pixels import counted_pixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask, Probability

RELIABILITY_BINS = 15
"""Of equal width; bin k is k/15 <= p < (k+1)/15, the last one with 1."""

FOCAL_GAMMA = 2.0
FOCAL_ALPHA = 0.25

_SMALLEST = float(np.finfo(np.float32).eps)


def _zeros() -> NDArray[np.float64]:
    return np.zeros(RELIABILITY_BINS)


@dataclass(slots=True, eq=False)
class CalibrationSums:
    """Sums over pixels, from which all follows; their size doesn't depend on the number of images.

    Bins are of the probability of foreground, not of the confidence in the likelier of the two.
    """

    pixels: NDArray[np.float64] = field(default_factory=_zeros)
    """15 numbers of pixels; whole, and exact up to 2**53."""
    positives: NDArray[np.float64] = field(default_factory=_zeros)
    """15 numbers of pixels where the truth is True."""
    probabilities: NDArray[np.float64] = field(default_factory=_zeros)
    """15 sums of the pixels' probabilities."""
    squares: float = 0.0
    """Sum of squared differences of probability and truth."""
    log_losses: float = 0.0
    focal_losses: float = 0.0

    def add(self, probability: Probability, truth: Mask, within: Mask | None = None) -> None:
        """Count one image: `probability` H×W, 0 to 1; `truth` and `within` H×W bool; in place.

        Only pixels where `within` is True are counted; all of them where it is None.
        Raises ValueError if a shape differs, a mask is not bool, or a counted probability is outside 0 to 1.
        """
        probability, (truth,) = counted_pixels(probability, within, truth=truth)
        p, y = probability.ravel().astype(np.float64), truth.ravel()
        bins = np.minimum((p * RELIABILITY_BINS).astype(np.int64), RELIABILITY_BINS - 1)
        self.pixels += np.bincount(bins, minlength=RELIABILITY_BINS)
        self.positives += np.bincount(bins[y], minlength=RELIABILITY_BINS)
        self.probabilities += np.bincount(bins, weights=p, minlength=RELIABILITY_BINS)
        self._add_losses(np.where(y, p, 1 - p), y)

    def merge(self, other: CalibrationSums) -> None:
        """Add the sums of `other`, in place."""
        for attribute in fields(self):
            setattr(self, attribute.name, getattr(self, attribute.name) + getattr(other, attribute.name))

    @property
    def total(self) -> int:
        """The number of pixels."""
        return int(self.pixels.sum())

    @property
    def brier(self) -> float | None:
        """Mean squared difference of probability and truth, Brier (1950), of the foreground; None without pixels."""
        return self.squares / self.total if self.total else None

    @property
    def log_loss(self) -> float | None:
        """Mean of -ln p_t, p_t being the probability of what is true, no smaller than 2**-23; None without pixels."""
        return self.log_losses / self.total if self.total else None

    @property
    def focal_loss(self) -> float | None:
        """Mean of -a_t (1 - p_t)**2 ln p_t, a_t being 0.25 for foreground and 0.75 for background; None without pixels.

        Lin et al., ICCV 2017 (arXiv:1708.02002), equation 5; the logarithm as in `log_loss`.
        """
        return self.focal_losses / self.total if self.total else None

    @property
    def expected_calibration_error(self) -> float | None:
        """Mean over pixels of |share of foreground - mean probability| of their bin; None without pixels.

        Naeini et al., AAAI 2015; Guo et al., ICML 2017, equation 3, for the probability of foreground.
        """
        return float(np.abs(self.positives - self.probabilities).sum()) / self.total if self.total else None

    def diagram(self) -> list[tuple[int, float | None, float | None]]:
        """Per bin, lowest first: number of pixels, their mean probability, their share of foreground.

        The last two are None for a bin without pixels.
        """
        rows = zip(self.pixels.tolist(), self.probabilities.tolist(), self.positives.tolist(), strict=True)
        return [(int(n), total / n, positive / n) if n else (0, None, None) for n, total, positive in rows]

    def _add_losses(self, true: NDArray[np.float64], truth: NDArray[np.bool_]) -> None:
        """`true` has each pixel's probability of what the truth says."""
        wrong = 1 - true
        logs = -np.log(np.maximum(true, _SMALLEST))
        focal = wrong**FOCAL_GAMMA * logs
        self.squares += float(np.square(wrong).sum())
        self.log_losses += float(logs.sum())
        self.focal_losses += float(FOCAL_ALPHA * focal[truth].sum() + (1 - FOCAL_ALPHA) * focal[~truth].sum())
