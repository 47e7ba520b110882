"""How many pixels of a mask agree with the truth, by kind, and the usual rates, each None where it is 0/0."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foveate.metrics.pixels import check_masks

if TYPE_CHECKING:
    from foveate.records import Mask


@dataclass(frozen=True, slots=True)
class Confusion:
    """The four pixel counts. They add up over images, exactly (Python integers don't overflow)."""

    true_positive: int = 0
    false_positive: int = 0
    false_negative: int = 0
    true_negative: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positive + other.true_positive,
            self.false_positive + other.false_positive,
            self.false_negative + other.false_negative,
            self.true_negative + other.true_negative,
        )


def count(prediction: Mask, truth: Mask, within: Mask | None = None) -> Confusion:
    """Count the pixels of `prediction` against `truth`, both H×W bool.

    Only pixels where `within` (H×W bool) is True are counted; all of them where it is None.
    Raises ValueError if a shape differs or an array is not bool.
    """
    check_masks(truth.shape, prediction=prediction, truth=truth, within=within)
    if within is not None:
        prediction, truth = prediction[within], truth[within]
    agreed = int(np.count_nonzero(prediction & truth))
    predicted = int(np.count_nonzero(prediction))
    actual = int(np.count_nonzero(truth))
    return Confusion(
        true_positive=agreed,
        false_positive=predicted - agreed,
        false_negative=actual - agreed,
        true_negative=truth.size - predicted - actual + agreed,
    )


Numbers = TypeVar("Numbers", int, NDArray[np.float64])

LOWEST_ACCEPTED = 0.65
"""Below this Jaccard index the ISIC challenge takes a mask for failed."""


@dataclass(frozen=True, slots=True)
class Rates:
    """0 to 1, mcc -1 to 1; None is undefined. With TP, FP, FN, TN the four counts."""

    f1: float | None
    """2 TP / (2 TP + FP + FN), the Dice coefficient."""
    iou: float | None
    """TP / (TP + FP + FN), the Jaccard index."""
    sensitivity: float | None
    """TP / (TP + FN), also called recall."""
    specificity: float | None
    """TN / (TN + FP)."""
    precision: float | None
    """TP / (TP + FP)."""
    accuracy: float | None
    """(TP + TN) / all."""
    mcc: float | None
    """(TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)), Matthews (1975)."""

    @property
    def balanced_accuracy(self) -> float | None:
        """Mean of sensitivity and specificity, Brodersen et al., ICPR 2010; None where one of them is."""
        if self.sensitivity is None or self.specificity is None:
            return None
        return (self.sensitivity + self.specificity) / 2


def rates(confusion: Confusion) -> Rates:
    """All rates of one confusion, which may be one image's or the sum over many."""
    tp, fp = confusion.true_positive, confusion.false_positive
    fn, tn = confusion.false_negative, confusion.true_negative
    named = ratios(tp, fp, fn, tn)
    return Rates(**{name: _quotient(*named[name]) for name in Rates.__dataclass_fields__})


def ratios(tp: Numbers, fp: Numbers, fn: Numbers, tn: Numbers) -> dict[str, tuple[Any, Any]]:
    """Numerator and denominator of every rate and of balanced accuracy, by name, undefined where the latter is 0.

    Of four whole numbers, or of four arrays of one shape. Python's own are exact: products of four counts pass 2**63
    within one large photograph.
    """
    truth, background = tp + fn, tn + fp
    return {
        "f1": (2 * tp, 2 * tp + fp + fn),
        "iou": (tp, tp + fp + fn),
        "sensitivity": (tp, truth),
        "specificity": (tn, background),
        "precision": (tp, tp + fp),
        "accuracy": (tp + tn, truth + background),
        "mcc": (tp * tn - fp * fn, ((tp + fp) * truth * background * (tn + fn)) ** 0.5),
        "balanced_accuracy": (tp * background + tn * truth, 2 * truth * background),
    }


def thresholded_jaccard(ious: Sequence[float | None]) -> float | None:
    """Mean of the images' Jaccard indices, each below 0.65 taken for 0; None without a defined one.

    The score of the ISIC challenge, 2018, Task 1 (Codella et al., arXiv:1902.03368). Undefined ones are left out.
    """
    defined = [iou for iou in ious if iou is not None]
    return math.fsum(iou for iou in defined if iou >= LOWEST_ACCEPTED) / len(defined) if defined else None


def _quotient(part: int, whole: float) -> float | None:
    return part / whole if whole else None
