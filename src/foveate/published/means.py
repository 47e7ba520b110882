"""Can the printed rates be means over a set's images, each of which has a confusion matrix of its own?

Means of quotients are no quotients of means, so rates that no one confusion matrix has may be means over images. What
images can give is bounded by how much foreground each has, which is known, and by how much worse than the mean one
image may be. With that, the points (sensitivity, precision, …) that an image can have are a surface; the means are what
the convex hulls of these surfaces add up to, and whether the printed means are among them is a linear programme.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from scipy.optimize import linprog  # type: ignore[import-untyped]

from foveate.published.one_count import Bounds

SPREAD = 3.0
"""No image has more than three times, or less than a third of, the misses (1 - sensitivity) and false alarms
(1 - specificity) that a mean image has. Over the test images of DRIVE, STARE, CHASE_DB1 and HRF the shipped model and
the second observers stay between 0.37 and 2.04 times; a test measures the observers again."""

STEPS = 17
"""Points per side of the grid of misses and false alarms, from which the convex hulls are made."""

TOLERANCE = 1e-6
"""How far outside its bounds a rate may lie, for the solver's own rounding."""

RateArray = NDArray[np.float64]


class ErrorRates(NamedTuple):
    """Lowest and highest rates of misses and of false alarms of a mean image, 0 to 1."""

    misses: tuple[float, float]
    false_alarms: tuple[float, float]


def may_be_means(bounds: Bounds, shares: Sequence[float]) -> bool | None:
    """Whether images with these shares of foreground (0 to 1) can have the rates as means; None for no answer.

    Needs two rates that don't follow from each other. The hulls are those of a grid's points, so that a row at the
    very edge of what is possible may be refused, by less than the last of four digits.
    """
    share = np.asarray(shares)[:, None]
    errors = _mean_errors(bounds, float(share.mean()))
    misses, alarms = (values.ravel() for values in np.meshgrid(_grid(errors.misses), _grid(errors.false_alarms)))
    rates = _rates(share, misses, alarms)
    means = np.array([rates[measure].ravel() / len(shares) for measure in bounds])
    low, high = np.array([[float(end) for end in ends] for ends in bounds.values()]).T
    # The last variable is by how much the worst rate lies outside its bounds: a programme that has always a solution.
    outside = -np.ones((2 * len(bounds), 1))
    weights = np.hstack([np.vstack([means, -means]), outside])
    one_point_per_image = sparse.kron(sparse.eye(len(shares)), np.ones((1, misses.size)))
    solved = linprog(
        np.append(np.zeros(means.shape[1]), 1.0),
        A_ub=weights,
        b_ub=np.concatenate([high, -low]),
        A_eq=sparse.hstack([one_point_per_image, sparse.csr_matrix((len(shares), 1))], format="csr"),
        b_eq=np.ones(len(shares)),
    )
    return None if solved.status else bool(solved.fun < TOLERANCE)


def contradicts_means(bounds: Bounds) -> bool:
    """Whether not even means over some images, whatever is on them, can have the rates.

    Two inequalities of Jensen's: of an image F1 is the harmonic mean of precision and sensitivity, a concave function,
    so the mean F1 is at most that of the means; its IoU is F1 / (2 - F1), a convex one between 0 and 1, so the mean IoU
    is at least that of the mean F1, and at most the mean F1.
    """
    too_high = low_iou = high_iou = False
    if {"f1", "precision", "sensitivity"} <= set(bounds):
        precision, sensitivity = bounds["precision"][1], bounds["sensitivity"][1]
        too_high = bounds["f1"][0] * (precision + sensitivity) > 2 * precision * sensitivity
    if {"f1", "iou"} <= set(bounds):
        (f1_low, f1_high), (iou_low, iou_high) = bounds["f1"], bounds["iou"]
        low_iou, high_iou = iou_high < f1_low / (2 - f1_low), iou_low > f1_high
    return too_high or low_iou or high_iou


def _mean_errors(bounds: Bounds, share: float) -> ErrorRates:
    """As printed; what isn't printed is taken from the confusion matrix, at that share, that comes nearest."""
    known = {measure: (1 - float(high), 1 - float(low)) for measure, (low, high) in bounds.items()}
    every = np.geomspace(1e-4, 1, 400)
    misses = np.array(known["sensitivity"]) if "sensitivity" in known else every
    alarms = np.array(known["specificity"]) if "specificity" in known else every
    grid = [values.ravel() for values in np.meshgrid(misses, alarms)]
    rates = _rates(np.array([[share]]), *grid)
    middle = {measure: float(low + high) / 2 for measure, (low, high) in bounds.items()}
    off = np.max([np.abs(rates[measure][0] - value) for measure, value in middle.items()], axis=0)
    near_misses, near_alarms = (float(values[off.argmin()]) for values in grid)
    return ErrorRates(
        known.get("sensitivity", (near_misses, near_misses)), known.get("specificity", (near_alarms, near_alarms))
    )


def _grid(mean: tuple[float, float]) -> RateArray:
    """What one image may have where the mean lies there; closer together where little is, as F1 bends most there."""
    low, high = mean[0] / SPREAD, min(1.0, mean[1] * SPREAD)
    grid: RateArray = low + (high - low) * np.linspace(0, 1, STEPS) ** 2
    return grid


def _rates(share: RateArray, misses: RateArray, false_alarms: RateArray) -> dict[str, RateArray]:
    """Each rate of images (rows) with errors (columns)."""
    true_positive, false_negative = share * (1 - misses), share * misses
    false_positive = (1 - share) * false_alarms
    predicted = true_positive + false_positive
    return {
        "sensitivity": np.broadcast_to(1 - misses, predicted.shape),
        "specificity": np.broadcast_to(1 - false_alarms, predicted.shape),
        "precision": np.divide(true_positive, predicted, out=np.zeros_like(predicted), where=predicted > 0),
        "accuracy": 1 - false_positive - false_negative,
        "f1": 2 * true_positive / (2 * true_positive + false_positive + false_negative),
        "iou": true_positive / (true_positive + false_positive + false_negative),
    }
