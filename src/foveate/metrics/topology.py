"""Whether a mask hangs together as the truth does: its centrelines and its connected components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from foveate.records import Mask


@dataclass(frozen=True, slots=True)
class Centrelines:
    """Centreline pixels, for clDice: Shit et al., CVPR 2021 (arXiv:2003.07311), equations 1 and 2.

    They add up over images.
    """

    predicted: int = 0
    """Of the prediction."""
    right: int = 0
    """Of the prediction, inside the truth."""
    true: int = 0
    """Of the truth."""
    found: int = 0
    """Of the truth, inside the prediction."""

    def __add__(self, other: Centrelines) -> Centrelines:
        return Centrelines(
            self.predicted + other.predicted,
            self.right + other.right,
            self.true + other.true,
            self.found + other.found,
        )

    @property
    def precision(self) -> float | None:
        """Share of the prediction's centreline that lies in the truth; None where the prediction is empty."""
        return self.right / self.predicted if self.predicted else None

    @property
    def sensitivity(self) -> float | None:
        """Share of the truth's centreline that lies in the prediction; None where the truth is empty."""
        return self.found / self.true if self.true else None

    @property
    def cldice(self) -> float | None:
        """Harmonic mean of the two: 0 where both are 0, None where one is undefined."""
        precision, sensitivity = self.precision, self.sensitivity
        if precision is None or sensitivity is None:
            return None
        return 2 * precision * sensitivity / (precision + sensitivity) if precision + sensitivity else 0.0


@dataclass(frozen=True, slots=True)
class Components:
    """Numbers of connected components, of pixels that touch by a side or a corner; an empty mask has 0.

    They add up over images, but the Betti error of a sum isn't the sum of the errors: take its mean over images.
    """

    predicted: int = 0
    true: int = 0

    def __add__(self, other: Components) -> Components:
        return Components(self.predicted + other.predicted, self.true + other.true)

    @property
    def difference(self) -> int:
        """How many more the prediction has than the truth; below 0 where it has fewer."""
        return self.predicted - self.true

    @property
    def betti_0_error(self) -> int:
        """The difference without its sign: the error in the Betti number of order 0 (Clough et al., IEEE TPAMI
        44(12), 2022).
        """
        return abs(self.difference)


def centreline(mask: Mask) -> Mask:
    """The skeleton of an H×W bool mask, one pixel wide, H×W bool: Zhang and Suen, CACM 27(3), 1984."""
    from skimage.morphology import skeletonize

    skeleton: Mask = skeletonize(mask)  # type: ignore[no-untyped-call]
    return skeleton


def count_centrelines(prediction: Mask, truth: Mask, prediction_line: Mask, truth_line: Mask) -> Centrelines:
    """Count the centreline pixels of two masks, all H×W bool."""
    return Centrelines(
        predicted=int(np.count_nonzero(prediction_line)),
        right=int(np.count_nonzero(prediction_line & truth)),
        true=int(np.count_nonzero(truth_line)),
        found=int(np.count_nonzero(truth_line & prediction)),
    )


def count_components(prediction: Mask, truth: Mask) -> Components:
    """Count the connected components of two masks, both H×W bool."""
    from scipy import ndimage  # type: ignore[import-untyped]

    touching = np.ones((3, 3), dtype=bool)
    predicted, true = (int(ndimage.label(mask, touching)[1]) for mask in (prediction, truth))
    return Components(predicted, true)
