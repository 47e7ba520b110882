"""Connected components of a mask: runs along the rows, joined where they touch.

Runs and their union as in He, Chao and Suzuki ("A run-based two-scan labeling algorithm", 2008), but with all touching
pairs joined at once instead of one after the other.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foveate.records import Mask

Labels = NDArray[np.int32]
"""H×W: 0 is background, 1 to N the components."""

Indices = NDArray[np.intp]

Connectivity = Literal[4, 8]
"""Neighbours of a pixel: those it shares an edge with, or also those it shares a corner with."""


def label(mask: Mask, connectivity: Connectivity = 8) -> tuple[Labels, int]:
    """Number the connected components of a mask (H×W), by their first pixels, row by row. Labels and their count."""
    ends_of_rows = np.zeros((mask.shape[0], mask.shape[1] + 2), bool)
    ends_of_rows[:, 1:-1] = mask
    flat = ends_of_rows.ravel()
    # Where a run starts and where it has ended, counted through all rows: two more than W per row.
    starts, ends = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2).T
    roots = roots_of(starts, ends, mask.shape[1] + 2, connectivity)
    is_root = roots == np.arange(len(roots))
    numbers = is_root.cumsum(dtype=np.int32)[roots]
    labels = np.zeros(mask.shape, np.int32)
    labels[mask] = np.repeat(numbers, ends - starts)
    return labels, int(is_root.sum())


def roots_of(starts: Indices, ends: Indices, width: int, connectivity: Connectivity) -> Indices:
    """For each run of a mask the first run of its component.

    Runs go from `starts` to before `ends` in the order of rows of `width`, which have a pixel more on each side than
    the mask, so that no run goes on in the next row.
    """
    return _joined(len(starts), *_touching(starts, ends, width, connectivity))


def sizes(labels: Labels, count: int) -> Indices:
    """Pixels of each of `count` components; entry 0 is the background's."""
    return np.bincount(labels.ravel(), minlength=count + 1)


def _touching(starts: Indices, ends: Indices, width: int, connectivity: Connectivity) -> tuple[Indices, Indices]:
    """Pairs of runs that touch: one, and one in the row below it."""
    corner = int(connectivity == 8)
    # Runs are in order and don't overlap, so those that touch one of the row above follow each other.
    first = np.searchsorted(ends, starts + width - corner, side="right")
    after = np.searchsorted(starts, ends + width + corner, side="left")
    number = after - first
    upper = np.repeat(np.arange(len(starts)), number)
    lower = np.arange(len(upper)) - np.repeat(number.cumsum() - number, number) + np.repeat(first, number)
    return upper, lower


def _joined(count: int, one: Indices, other: Indices) -> Indices:
    """For each of `count` nodes the smallest node that it hangs together with by the pairs `one[i]`, `other[i]`.

    All pairs at once (Shiloach and Vishkin, 1982): of two roots that a pair joins, the larger is hung below the
    smaller, then every node below its root, until no pair joins two roots.
    """
    parents = np.arange(count)
    while one.size:
        smaller, larger = np.minimum(one, other), np.maximum(one, other)
        parents[larger] = smaller
        while not np.array_equal(above := parents[parents], parents):
            parents = above
        one, other = parents[smaller], parents[larger]
        apart = one != other
        one, other = one[apart], other[apart]
    return parents
