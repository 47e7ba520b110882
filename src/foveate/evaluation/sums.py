"""Pooled measures, beyond the rates, as functions of sums over images, so that their intervals can be resampled.

The areas under the curves are none: `foveate.metrics.areas` has theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from foveate.evaluation.measures import Tally
from foveate.metrics.calibration import Reliability
from foveate.metrics.vessels import Vessels

Sums = NDArray[np.float64]
"""R×m: m sums in R resamples."""


@dataclass(frozen=True, slots=True)
class OfSums:
    """A pooled measure that follows from what every image adds."""

    added: Callable[[Tally], list[float]]
    """By one image; empty where the image has nothing of the kind."""
    score: Callable[[Sums], NDArray[np.float64]]


def _calibrated(added: Callable[[Reliability], list[float]]) -> Callable[[Tally], list[float]]:
    return lambda tally: [] if tally.reliability is None else added(tally.reliability)


def _of_vessels(added: Callable[[Vessels], list[float]]) -> Callable[[Tally], list[float]]:
    return lambda tally: [] if tally.vessels is None else added(tally.vessels)


def _ratio(sums: Sums) -> NDArray[np.float64]:
    """The first sum as a share of the second."""
    return sums[:, 0] / sums[:, 1]


def _cldice(sums: Sums) -> NDArray[np.float64]:
    predicted, right, true, found = sums.T
    precision, sensitivity = right / predicted, found / true
    cldice: NDArray[np.float64] = 2 * precision * sensitivity / (precision + sensitivity)
    return cldice


def _calibration_error(sums: Sums) -> NDArray[np.float64]:
    """The first sum is of pixels, then come each bin's foreground less its probabilities."""
    error: NDArray[np.float64] = np.abs(sums[:, 1:]).sum(axis=1) / sums[:, 0]
    return error


OF_SUMS: Mapping[str, OfSums] = MappingProxyType(
    {
        "focal_loss": OfSums(_calibrated(lambda all_of: [all_of.focal_losses, all_of.total]), _ratio),
        "log_loss": OfSums(_calibrated(lambda all_of: [all_of.log_losses, all_of.total]), _ratio),
        "brier": OfSums(_calibrated(lambda all_of: [all_of.squares, all_of.total]), _ratio),
        "calibration_error": OfSums(
            _calibrated(lambda all_of: [all_of.total, *(all_of.positives - all_of.probabilities).tolist()]),
            _calibration_error,
        ),
        "cldice": OfSums(_of_vessels(lambda all_of: list(map(float, astuple(all_of.centrelines)))), _cldice),
        "thin_sensitivity": OfSums(
            _of_vessels(lambda all_of: [all_of.calibres.thin_found, all_of.calibres.thin_true]), _ratio
        ),
        "thick_sensitivity": OfSums(
            _of_vessels(lambda all_of: [all_of.calibres.thick_found, all_of.calibres.thick_true]), _ratio
        ),
        "thin_precision": OfSums(
            _of_vessels(lambda all_of: [all_of.calibres.thin_right, all_of.calibres.thin_predicted]), _ratio
        ),
        "thick_precision": OfSums(
            _of_vessels(lambda all_of: [all_of.calibres.thick_right, all_of.calibres.thick_predicted]), _ratio
        ),
    }
)
"""By their name in `MEASURES`."""
