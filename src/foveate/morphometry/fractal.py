"""Fractal dimensions of centrelines by the sandbox method, which no direction and no grid has a part in.

Tél, Fülöp, Vicsek, Physica A 159, 1989: M(r) is the share of the line's length within r of one of its points. Over
CENTRES of them, D0 is the slope over log r of −log of the mean of 1/M, D1 that of the mean of log M, D2 that of the log
of the mean of M. Radii go from a FINEST-th to a COARSEST-th of the line's extent, so that the numbers don't change with
the camera's resolution. Dimensions by counting boxes, or over other radii, are other numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from foveate.morphometry.centreline import sampled
from foveate.morphometry.graph import Points

FINEST, COARSEST = 64.0, 12.0

LEAST = 3.0
"""Pixels of the smallest radius."""

RADII = 8

CENTRES = 1000


@dataclass(frozen=True, slots=True)
class FractalDimensions:
    """Capacity, information and correlation dimension; NaN where the line is too small."""

    d0: float
    d1: float
    d2: float
    fit: float
    """R² of the straight line that D0 is the slope of."""


NONE = FractalDimensions(np.nan, np.nan, np.nan, np.nan)


def fractal_dimensions(lines: Sequence[Points]) -> FractalDimensions:
    """Of centrelines together, each the centres of its pixels (N×2) in order."""
    points = np.concatenate([sampled(line) for line in lines]) if lines else np.zeros((0, 2))
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    finest, coarsest = max(extent / FINEST, LEAST), extent / COARSEST
    if coarsest < 2 * finest:
        return NONE
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

    radii = np.geomspace(finest, coarsest, RADII)
    tree = cKDTree(points, leafsize=64)
    centres = points[np.linspace(0, len(points) - 1, min(CENTRES, len(points))).astype(int)]
    mass = np.array([tree.query_ball_point(centres, radius, return_length=True) for radius in radii]) / len(points)
    moments = (-np.log((1 / mass).mean(axis=1)), np.log(mass).mean(axis=1), np.log(mass.mean(axis=1)))
    lines_through = [np.polyfit(np.log(radii), moment, 1) for moment in moments]
    residual = moments[0] - np.polyval(lines_through[0], np.log(radii))
    fit = 1 - float((residual**2).sum() / ((moments[0] - moments[0].mean()) ** 2).sum())
    d0, d1, d2 = (float(line[0]) for line in lines_through)
    return FractalDimensions(d0, d1, d2, fit)
