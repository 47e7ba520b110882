"""How wide a vessel is at each point of its centreline.

Along the normal the mask is read between its pixels, linearly; the border is where it falls below a half. A straight
vessel that covers w rows has the calibre w. Where the border isn't within REACH times the local radius, what lies
across there is another vessel, and there is no calibre.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.graph import Numbers, Points

if TYPE_CHECKING:
    from foveate.records import Mask

SAMPLE = 0.5
"""Pixels between two looks at the mask."""

REACH = 1.5
"""Radii that are looked along, with MARGIN pixels more."""

MARGIN = 1.5


def calibres(mask: Mask, points: Points, tangents: Points, radii: Numbers) -> Numbers:
    """Pixels across at each of N points, whose distances to the border are `radii` (N); NaN where it has none."""
    normals = np.stack((-tangents[:, 1], tangents[:, 0]), axis=1)
    total = np.zeros(len(points))
    # Points of like radius together, so that none is looked along further than it needs.
    octave = np.ceil(np.log2(np.maximum(radii, 0.5))).astype(int)
    for power in np.unique(octave):
        here = octave == power
        steps = np.arange(0, REACH * 2.0**power + MARGIN + SAMPLE, SAMPLE)
        for side in (1.0, -1.0):
            total[here] += _to_border(mask, points[here], side * normals[here], steps)
    total[total > 2 * (REACH * radii + MARGIN)] = np.nan
    return total


def _to_border(mask: Mask, points: Points, directions: Points, steps: Numbers) -> Numbers:
    """How far it is to the border in the direction of each; NaN where that is further than the last step."""
    at = points[:, :, None] + directions[:, :, None] * steps  # N×2×S
    inside = _between(mask, at[:, 0], at[:, 1])
    below = inside < 0.5
    first = below.argmax(axis=1)
    rows = np.arange(len(inside))
    before = np.maximum(first - 1, 0)
    high, low = inside[rows, before], inside[rows, first]
    share = np.divide(high - 0.5, high - low, out=np.zeros_like(high), where=high > low)
    distance = np.where(first == 0, 0.0, steps[before] + share * SAMPLE)
    return np.where(below.any(axis=1), distance, np.nan)


def _between(mask: Mask, rows: Numbers, columns: Numbers) -> Numbers:
    """The mask between its pixels, 0 to 1, linearly; 0 outside."""
    from scipy.ndimage import map_coordinates  # type: ignore[import-untyped]

    top, left = int(rows.min()) - 1, int(columns.min()) - 1
    inside = (slice(max(top, 0), int(rows.max()) + 3), slice(max(left, 0), int(columns.max()) + 3))
    at = np.stack((rows - max(top, 0), columns - max(left, 0)))
    values: Numbers = map_coordinates(mask[inside].astype(np.float32), at, order=1, mode="constant", output=np.float64)
    return values
