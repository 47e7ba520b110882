"""Curves to draw: the operating points of a histogram, as few as show the curve's shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.curves import lowest_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.metrics.curves import Histogram

MOST_POINTS = 500


@dataclass(frozen=True, slots=True)
class Points:
    """A curve, from the highest threshold to the lowest; every point is one of the full curve's."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    thresholds: tuple[float, ...]
    """Foreground is a probability of at least this; above 1 where nothing is."""


def roc_points(histogram: Histogram) -> Points | None:
    """ROC curve: x is 1 - specificity, y sensitivity, from (0, 0) to (1, 1).

    None where the curve is undefined, without positives or without negatives. See `evenly` for what is left out.
    """
    hits, false, thresholds = _called(histogram)
    if not hits[-1] or not false[-1]:
        return None
    nothing = float(np.nextafter(np.float32(1), np.float32(2)))
    x, y = (np.concatenate([[0.0], column / column[-1]]) for column in (false, hits))
    return _thinned(x, y, [nothing, *thresholds])


def precision_recall_points(histogram: Histogram) -> Points | None:
    """Precision–recall curve: x is recall, y precision, ending at recall 1 with the share of positives.

    It starts at the highest probability that any pixel has; a point at recall 0, where precision is undefined, isn't
    made up. None without positives. See `evenly` for what is left out.
    """
    hits, false, thresholds = _called(histogram)
    return _thinned(hits / hits[-1], hits / (hits + false), thresholds) if hits[-1] else None


def evenly(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of at most 500 of a curve's points, evenly spread along it, the first and the last among them.

    Length is measured as Σ |Δx| + |Δy|. From a point that is left out it is at most 1/499 of the whole curve's to the
    next that is chosen; for a ROC curve, whose length is 2, that is 0.004.
    """
    if x.size <= MOST_POINTS:
        return np.arange(x.size)
    length = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    marks = np.linspace(0, length[-1], MOST_POINTS)
    chosen = np.searchsorted(length, marks[1:-1], side="right") - 1
    return np.unique(np.concatenate([[0], chosen, [x.size - 1]]))


def _called(histogram: Histogram) -> tuple[NDArray[np.int64], NDArray[np.int64], list[float]]:
    """True and false positives at each threshold at which they change, the highest first."""
    falling = np.flatnonzero(histogram.positives + histogram.negatives)[::-1]
    hits, false = np.cumsum(histogram.positives[falling]), np.cumsum(histogram.negatives[falling])
    if not falling.size:
        hits = false = np.zeros(1, dtype=np.int64)
    return hits, false, [lowest_of(index) for index in falling.tolist()]


def _thinned(x: NDArray[np.float64], y: NDArray[np.float64], thresholds: list[float]) -> Points:
    chosen = evenly(x, y)
    return Points(
        tuple(x[chosen].tolist()),
        tuple(y[chosen].tolist()),
        tuple(thresholds[index] for index in chosen.tolist()),
    )
