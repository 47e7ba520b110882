"""How wide a vessel is at each point of its centreline.

Along the normal the mask is read between its pixels, linearly; the border is where it falls below a half. A straight
vessel that covers w rows has the calibre w. Points within a junction's radius of it have none: what lies across there
is another vessel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.centreline import Centreline, Numbers

if TYPE_CHECKING:
    from foveate.records import Mask

SAMPLE = 0.25
"""Pixels between two looks at the mask."""


def calibres(mask: Mask, line: Centreline, reach: float) -> Numbers:
    """Pixels across at each of the line's N points; NaN where the border is further than `reach` pixels."""
    from scipy.ndimage import map_coordinates  # type: ignore[import-untyped]

    normals = np.stack((-line.tangents[:, 1], line.tangents[:, 0]), axis=1)
    steps = np.arange(0, reach + SAMPLE, SAMPLE)
    total = np.zeros(len(line.points))
    for side in (1.0, -1.0):
        at = line.points[:, :, None] + side * normals[:, :, None] * steps  # N×2×S
        inside = map_coordinates(mask.astype(np.float32), at.transpose(1, 0, 2), order=1, mode="constant")
        total += _first_below(inside, steps)
    return total


def _first_below(inside: Numbers, steps: Numbers) -> Numbers:
    """Where each row first falls below a half, between two steps; NaN where it never does."""
    below = inside < 0.5
    first = below.argmax(axis=1)
    rows = np.arange(len(inside))
    before = np.maximum(first - 1, 0)
    high, low = inside[rows, before], inside[rows, first]
    share = np.divide(high - 0.5, high - low, out=np.zeros_like(high), where=high > low)
    distance = steps[before] + share * SAMPLE
    return np.where(below.any(axis=1), np.where(first == 0, 0.0, distance), np.nan)
