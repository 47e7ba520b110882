"""One threshold for several data sets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from foveate.metrics.curves import Histogram, lowest_of


def best_common_threshold(histograms: Sequence[Histogram]) -> tuple[float, list[float]]:
    """The threshold with the highest mean of the sets' F1, and each set's pooled F1 there.

    Every set counts the same, however many pixels it has. Raises DataError where a set has no positive pixel.
    """
    curves = np.stack([histogram.f1_curve() for histogram in histograms])
    mean = curves.mean(axis=0)
    best = np.flatnonzero(mean == mean.max())
    chosen = int(best[len(best) // 2])
    return lowest_of(chosen), [float(curve[chosen]) for curve in curves]
