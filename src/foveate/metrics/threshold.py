"""Thresholds for several data sets, and for several classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from foveate.errors import DataError
from foveate.metrics.curves import Histogram, lowest_of
from foveate.records import Classes


def best_thresholds(
    histograms: Sequence[Sequence[Histogram]], classes: Classes
) -> tuple[tuple[float, ...], list[list[float | None]]]:
    """The thresholds with the highest mean F1, and the F1 there, by set and class.

    `histograms` holds, for every set, one for each class, of its decisive probabilities. Classes that may overlap have
    a threshold each, all others one together, for which a set's F1 is the mean of its classes'. Every set counts the
    same, however many pixels it has. A class that is in none of a set's masks has no F1 there and is left out. Raises
    DataError where there is nothing to choose a threshold by.
    """
    present = np.array([[histogram.positives.any() for histogram in row] for row in histograms])
    check_foreground(present, classes)
    # Of classes that exclude each other all but one are 0 in a pixel, and none of these may become foreground.
    first = 1 if classes.softmax else 0
    thresholds = []
    scores: list[list[float | None]] = [[None for _ in classes.names] for _ in histograms]
    for group in _groups(classes).values():
        curves = [
            {of_class: row[of_class].f1_curve() for of_class in group if there[of_class]}
            for row, there in zip(histograms, present, strict=True)
        ]
        best = _highest(curves, first)
        thresholds.append(lowest_of(best))
        for scores_of_set, of_set in zip(scores, curves, strict=True):
            for number, curve in of_set.items():
                scores_of_set[number] = float(curve[best])
    return tuple(thresholds), scores


def check_foreground(present: NDArray[np.bool_], classes: Classes) -> None:
    """Raise DataError where a threshold can't be chosen; `present` says which sets' masks have which class, sets×K."""
    if not present.any(axis=1).all():
        raise _nothing("")
    for name, group in _groups(classes).items():
        if not present[:, group].any():
            raise _nothing(f" of class '{name}'")


def _groups(classes: Classes) -> dict[str, Sequence[int]]:
    """Name of each threshold to the numbers of the classes that it decides on."""
    names, every = classes.threshold_names, range(len(classes.names))
    return {name: [number] for number, name in enumerate(names)} if len(names) > 1 else {names[0]: every}


def _highest(curves: Sequence[Mapping[int, NDArray[np.float64]]], first: int) -> int:
    """The bin, from `first` on, with the highest mean over the sets that have a curve; the middle one of several."""
    mean = np.mean([np.mean(list(of_set.values()), axis=0) for of_set in curves if of_set], axis=0)[first:]
    best = np.flatnonzero(mean == mean.max())
    return first + int(best[len(best) // 2])


def _nothing(of_class: str) -> DataError:
    return DataError(
        f"no foreground pixel{of_class} in the masks, so no threshold can be chosen; check the validation masks."
    )
