"""A branch's pixels as a smooth curve: position, direction and curvature along it.

The centre of a pixel lies up to half a pixel beside the line that it stands for. So each coordinate is a cubic smoothing
spline over the way along the pixels (Reinsch, Numerische Mathematik 10, 1967) whose mean squared distance from the
pixels is that of such rounding, 1/12; where the pixels ask for less smoothing they get less, so that corners stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveate.morphometry.graph import Points

ROUNDING = 1 / 12
"""Square pixels: variance of a coordinate that is rounded to whole pixels."""

STEP = 1.0
"""Pixels between the points of a curve, about."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Centreline:
    """A smooth curve, N points at equal steps."""

    points: Points
    tangents: Points
    """Unit vectors, (row, column)."""
    curvature: Numbers
    """1 / pixel, signed: positive where it turns from the rows' direction to the columns'."""

    @property
    def arc(self) -> float:
        """Pixels along the curve."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    @property
    def chord(self) -> float:
        """Pixels between its two ends."""
        return float(np.hypot(*(self.points[-1] - self.points[0])))


def centreline(points: Points) -> Centreline:
    """The smooth curve through the pixels of a branch, N×2 in order; its two ends are those of the spline."""
    way = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    kept = np.concatenate(([True], np.diff(way) > 0))
    way, points = way[kept], points[kept]
    count = max(int(round(way[-1] / STEP)), 2) + 1
    if len(way) < 5:
        return _straight(points, count)
    from scipy.interpolate import UnivariateSpline  # type: ignore[import-untyped]

    splines = [UnivariateSpline(way, values, k=3, s=ROUNDING * len(way)) for values in points.T]
    at = _equal_steps(splines, way[-1], count)
    position, first, second = (np.stack([spline.derivative(n)(at) if n else spline(at) for spline in splines], axis=1) for n in range(3))
    speed = np.maximum(np.hypot(*first.T), 1e-9)
    curvature = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / speed**3
    return Centreline(position, first / speed[:, None], curvature)


def _equal_steps(splines: list, length: float, count: int) -> Numbers:
    fine = np.linspace(0, length, 4 * count)
    points = np.stack([spline(fine) for spline in splines], axis=1)
    way = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(points, axis=0).T))))
    return np.interp(np.linspace(0, way[-1], count), way, fine)


def _straight(points: Points, count: int) -> Centreline:
    share = np.linspace(0, 1, count)[:, None]
    line = points[0] * (1 - share) + points[-1] * share
    direction = points[-1] - points[0]
    unit = direction / max(float(np.hypot(*direction)), 1e-9)
    return Centreline(line, np.repeat(unit[None], count, axis=0), np.zeros(count))
