"""Zones around the optic disc, and the calibres that sum up a retina's arteries and veins.

With D the disc's diameter: zone A reaches from the disc's margin to D / 2 from it, zone B from there to D, zone C from
D / 2 to 2 D. CRAE, CRVE and AVR after Knudtson, Lee, Hubbard, Wong, Klein, Klein, Current Eye Research 27(3), 2003: the
six widest vessels that cross zone B are joined, the widest with the narrowest, until one calibre is left. Here vessels
are those that cross a circle; the value is the median over CIRCLES circles through zone B.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np

from foveate.errors import UsageError
from foveate.morphometry.graph import Numbers, Points

ZONES = {"a": (0.5, 1.0), "b": (1.0, 1.5), "c": (1.0, 2.5)}
"""From and to which distance from the disc's centre, in its diameters."""

ARTERY, VEIN = 0.88, 0.95
"""Knudtson's branching coefficients: w = 0.88 or 0.95 √(w1² + w2²)."""

WIDEST = 6
"""Vessels that are joined."""

CIRCLES = 21


@dataclass(frozen=True, slots=True)
class Disc:
    """The optic disc, in pixels. Raises UsageError for one that can't be."""

    row: float
    column: float
    diameter: float

    def __post_init__(self) -> None:
        if not (0 <= self.row < inf and 0 <= self.column < inf and 0 < self.diameter < inf):
            raise UsageError(
                f"{self.row:g},{self.column:g},{self.diameter:g} is no disc: row and column are 0 or more, and the"
                " diameter is above 0."
            )

    def distances(self, points: Points) -> Numbers:
        """From the disc's centre to points (N×2), in disc diameters."""
        distances: Numbers = np.hypot(points[:, 0] - self.row, points[:, 1] - self.column) / self.diameter
        return distances


def in_zone(distances: Numbers, zone: str) -> Numbers:
    """1 for what lies in the zone, else 0."""
    low, high = ZONES[zone]
    return ((distances >= low) & (distances < high)).astype(np.float64)


def equivalent(distances: Sequence[Numbers], calibres: Sequence[Numbers], coefficient: float) -> float:
    """The central retinal equivalent of vessels, given along each its distances from the disc (N, in diameters) and
    calibres (N, pixels, NaN where unknown); NaN where fewer than WIDEST vessels cross the half of the circles.
    """
    low, high = ZONES["b"]
    equivalents = []
    for radius in np.linspace(low, high, CIRCLES):
        crossing = [_at(radius, *line) for line in zip(distances, calibres, strict=True)]
        widest = np.sort(np.concatenate([*crossing, np.zeros(0)]))[-WIDEST:]
        if len(widest) == WIDEST:
            equivalents.append(knudtson(widest, coefficient))
    return float(np.median(equivalents)) if len(equivalents) > CIRCLES / 2 else np.nan


def knudtson(calibres: Numbers, coefficient: float) -> float:
    """One calibre for several: the widest is joined with the narrowest, and so on; an odd one goes on as it is."""
    left = sorted(calibres.tolist())
    while len(left) > 1:
        pairs = len(left) // 2
        joined = [coefficient * float(np.hypot(left[number], left[-1 - number])) for number in range(pairs)]
        left = sorted(joined + left[pairs : len(left) - pairs])
    return float(left[0])


def _at(radius: float, distances: Numbers, calibres: Numbers) -> Numbers:
    """Calibres where one vessel crosses the circle: of the nearest point that has one, within five points."""
    crossings = np.flatnonzero(np.diff(distances >= radius))
    medians = []
    for place in crossings:
        near = calibres[max(place - 5, 0) : place + 7]
        if np.isfinite(near).any():
            medians.append(float(np.nanmedian(near)))
    return np.array(medians)
