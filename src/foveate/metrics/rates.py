"""The usual rates of a confusion, each None where it is 0/0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from foveate.metrics.counts import Confusion


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


def rates(confusion: Confusion) -> Rates:
    """All rates of one confusion, which may be one image's or the sum over many."""
    tp, fp = confusion.true_positive, confusion.false_positive
    fn, tn = confusion.false_negative, confusion.true_negative
    # Products of four counts pass 2**63 within one large photograph; Python's integers hold them.
    squared = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return Rates(
        f1=_ratio(2 * tp, 2 * tp + fp + fn),
        iou=_ratio(tp, tp + fp + fn),
        sensitivity=_ratio(tp, tp + fn),
        specificity=_ratio(tn, tn + fp),
        precision=_ratio(tp, tp + fp),
        accuracy=_ratio(tp + tn, tp + fp + fn + tn),
        mcc=_ratio(tp * tn - fp * fn, math.sqrt(squared)),
    )


def _ratio(part: int, whole: float) -> float | None:
    return part / whole if whole else None
