"""The pixels of branches as smooth curves: position, direction and curvature along them.

The centre of a pixel lies up to half a pixel beside the line that it stands for. So a branch is sampled at equal steps
and smoothed with a penalty on its third differences (Whittaker, Proceedings of the Edinburgh Mathematical Society 41,
1923), as strongly as leaves its mean squared distance from the pixels below ROUNDING (Morozov's discrepancy principle):
direction and curvature come from there. Its length comes from one that is smoothed as lightly as takes the pixels'
staircase away, so that corners stay. All branches of a graph are smoothed in one banded system.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveate.morphometry.graph import Numbers, Points

ROUNDING = 1 / 12
"""Square pixels: the variance of a line's distance from whole pixels."""

STEP = 1.0
"""Pixels between the points of a curve, about."""

LIGHT = 30.0
"""Weight of the penalty for lengths: waves shorter than about 11 pixels are damped."""

WEIGHTS = tuple(8.0**power for power in range(2, 13))
"""Weights of the penalty that are tried, from light to heavy."""

THIRD = (-1.0, 3.0, -3.0, 1.0)
"""What a third difference is made of: 0 where the curvature stays as it is."""


@dataclass(frozen=True, slots=True)
class Centreline:
    """A smooth curve, N points at equal steps."""

    points: Points
    tangents: Points
    """Unit vectors, (row, column)."""
    curvature: Numbers
    """1 / pixel, signed: positive where it turns from the rows' direction to the columns'."""
    arc: float
    """Pixels along the lightly smoothed curve; not below the chord."""

    @property
    def chord(self) -> float:
        """Pixels between its two ends."""
        return math.hypot(*(self.points[-1] - self.points[0]).tolist())


def centrelines(branches: Sequence[Points]) -> list[Centreline]:
    """The smooth curve of each branch, given as the centres of its pixels (N×2) in order, two at least."""
    if not branches:
        return []
    ways = [sampled(points) for points in branches]
    sizes = np.array([len(points) for points in ways])
    curve_of = np.repeat(np.arange(len(sizes)), sizes)
    pixels = np.concatenate(ways)
    light = _smoothed(pixels, curve_of, np.full(len(sizes), LIGHT))
    smooth = _smoothed(pixels, curve_of, _weights(pixels, curve_of, sizes))
    return _curves(smooth, sizes, _lengths(light, curve_of, len(sizes)))


def sampled(points: Points) -> Points:
    """The way from pixel to pixel at equal steps, three points at least."""
    steps = points[1:] - points[:-1]
    way = np.zeros(len(points))
    np.cumsum(np.hypot(steps[:, 0], steps[:, 1]), out=way[1:])
    pieces = max(round(way[-1] / STEP), 2)
    at = np.arange(pieces + 1) * (way[-1] / pieces)
    at[-1] = way[-1]
    samples = np.empty((pieces + 1, 2))
    for axis in (0, 1):
        samples[:, axis] = np.interp(at, way, points[:, axis])
    return samples


def _weights(pixels: Points, curve_of: NDArray[np.intp], sizes: NDArray[np.intp]) -> Numbers:
    """For each curve the heaviest weight that leaves it near enough to its pixels, or else the lightest.

    The heavier the weight, the farther it leaves them: so the range is halved until one is left.
    """
    weights = np.array(WEIGHTS)
    near, far = np.zeros(len(sizes), int), np.full(len(sizes), len(WEIGHTS))
    while (far - near).max() > 1:
        middle = (near + far) // 2
        off = _smoothed(pixels, curve_of, weights[middle]) - pixels
        fits = np.bincount(curve_of, off[:, 0] ** 2 + off[:, 1] ** 2) / sizes < ROUNDING
        near, far = np.where(fits, middle, near), np.where(fits, far, middle)
    return weights[near]


def _smoothed(pixels: Points, curve_of: NDArray[np.intp], weights: Numbers) -> Points:
    """The points (N×2) that lie near the pixels and whose bend changes little, by each curve's weight."""
    from scipy.linalg import solveh_banded  # type: ignore[import-untyped]

    # Each third difference lies in four points, which must be of one curve.
    own = np.where(curve_of[3:] == curve_of[:-3], weights[curve_of[3:]], 0.0)
    system = np.zeros((4, len(pixels)))  # upper form: row 3 - k holds what stands k beside the diagonal
    system[3] = 1.0
    for first in range(4):
        for second in range(first, 4):
            here = slice(second, len(pixels) - 3 + second)
            system[3 - (second - first), here] += own * (THIRD[first] * THIRD[second])
    smooth: Points = solveh_banded(system, pixels, overwrite_ab=True, check_finite=False)
    return smooth


def _lengths(points: Points, curve_of: NDArray[np.intp], curves: int) -> Numbers:
    """Of each curve, from point to point."""
    steps = points[1:] - points[:-1]
    own = np.where(curve_of[1:] == curve_of[:-1], np.hypot(steps[:, 0], steps[:, 1]), 0.0)
    return np.bincount(curve_of[1:], own, curves).astype(np.float64)


def _curves(points: Points, sizes: NDArray[np.intp], lengths: Numbers) -> list[Centreline]:
    """Curves that lie one after the other in `points`, each with as many as `sizes` says."""
    ends = np.cumsum(sizes) - 1
    starts = ends - sizes + 1
    first, second = np.zeros_like(points), np.zeros_like(points)
    first[1:-1] = (points[2:] - points[:-2]) / 2
    second[1:-1] = points[2:] - 2 * points[1:-1] + points[:-2]
    first[starts], first[ends] = points[starts + 1] - points[starts], points[ends] - points[ends - 1]
    second[starts] = second[ends] = 0
    speed = np.maximum(np.hypot(first[:, 0], first[:, 1]), 1e-9)
    curvature = (first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]) / speed**3
    tangents = first / speed[:, None]
    chords = np.hypot(*(points[ends] - points[starts]).T)
    return [
        Centreline(points[start:end], tangents[start:end], curvature[start:end], arc)
        for start, end, arc in zip(starts, ends + 1, np.maximum(lengths, chords).tolist(), strict=True)
    ]
