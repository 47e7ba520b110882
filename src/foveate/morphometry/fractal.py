"""Fractal dimensions of a centreline: D0, D1 and D2 by counting boxes.

Stosic and Stosic, IEEE TMI 25(8), 2006. For boxes of side e the slopes over log e are fitted of −log of their number
(D0), of Σ p log p (D1) and of log Σ p² (D2), p a box's share of the line; of grids that are moved against each other
the one counts that needs the fewest boxes (or has the largest sum). Boxes go from a FINEST-th to a COARSEST-th of the
line's extent, and are never below LEAST pixels: so the numbers don't change with the camera's resolution.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foveate.morphometry.graph import Numbers, Points

FINEST, COARSEST = 96.0, 6.0

LEAST = 4.0
"""Pixels."""

SIZES = 8

SHIFTS = 4
"""Grids along each axis."""


@dataclass(frozen=True, slots=True)
class FractalDimensions:
    """Capacity, information and correlation dimension; NaN where the line is too small."""

    d0: float
    d1: float
    d2: float
    fit: float
    """R² of the line that D0 is the slope of."""


NONE = FractalDimensions(np.nan, np.nan, np.nan, np.nan)


def fractal_dimensions(lines: Sequence[Points]) -> FractalDimensions:
    """Of centrelines together, each N×2 at steps of about a pixel."""
    points = np.concatenate(lines) if lines else np.zeros((0, 2))
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    finest, coarsest = max(extent / FINEST, LEAST), extent / COARSEST
    if coarsest < 2 * finest:
        return NONE
    sides = np.geomspace(finest, coarsest, SIZES)
    found = np.array([_at(points - points.min(axis=0), side) for side in sides])
    log_side = np.log(sides)
    slopes = [np.polyfit(log_side, values, 1) for values in found.T]
    residual = found[:, 0] - np.polyval(slopes[0], log_side)
    fit = 1 - float((residual**2).sum() / ((found[:, 0] - found[:, 0].mean()) ** 2).sum())
    d0, d1, d2 = (float(slope[0]) for slope in slopes)
    return FractalDimensions(d0, d1, d2, fit)


def _at(points: Points, side: float) -> Numbers:
    """−log of the number of boxes, Σ p log p and log Σ p²: the largest of all grids."""
    found = []
    for down in np.arange(SHIFTS) / SHIFTS:
        rows = (points[:, 0] / side + down).astype(np.int64)
        for across in np.arange(SHIFTS) / SHIFTS:
            columns = (points[:, 1] / side + across).astype(np.int64)
            share = np.bincount(rows * (int(columns.max()) + 1) + columns) / len(points)
            share = share[share > 0]
            found.append((-np.log(len(share)), (share * np.log(share)).sum(), np.log((share**2).sum())))
    largest: Numbers = np.max(found, axis=0)
    return largest
