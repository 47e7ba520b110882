"""How many pixels of a mask agree with the truth, by kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.scope import check_masks

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
