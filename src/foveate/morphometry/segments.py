"""A graph's branches as vessel segments: curve, calibre along it, tortuosity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.calibre import calibres
from foveate.morphometry.centreline import Centreline, centrelines
from foveate.morphometry.graph import Numbers, VesselGraph
from foveate.morphometry.tortuosity import Tortuosity, tortuosity
from foveate.morphometry.trace import border_distances

if TYPE_CHECKING:
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

    from foveate.records import Mask

LEAST_LENGTH = 10.0
"""Pixels that a segment must be long, to say how it winds."""

UNKNOWN = Tortuosity(*[np.nan] * 6)


@dataclass(frozen=True, slots=True)
class Segment:
    """A vessel between two nodes of the graph; N points."""

    number: int
    """Of the branch in its graph."""
    start: int
    end: int
    line: Centreline
    calibres: Numbers
    """Pixels, N; NaN within a node's own disc and where the border can't be told."""
    tortuosity: Tortuosity

    @property
    def calibre(self) -> float:
        """Mean in pixels; NaN where it is known nowhere."""
        known = self.calibres[np.isfinite(self.calibres)]
        return float(known.mean()) if len(known) else np.nan

    @property
    def steps(self) -> Numbers:
        """N, the length that each point stands for, in pixels."""
        return np.full(len(self.calibres), self.line.arc / len(self.calibres))


def segments(mask: Mask, graph: VesselGraph, border: cKDTree) -> list[Segment]:
    """The segments of a mask (H×W bool) whose graph and `border_tree` these are."""
    branches = list(graph.branches.items())
    lines = centrelines([branch.points for _, branch in branches])
    if not lines:
        return []
    points = np.concatenate([line.points for line in lines])
    tangents = np.concatenate([line.tangents for line in lines])
    radii = border_distances(border, points)
    across = np.split(calibres(mask, points, tangents, radii), np.cumsum([len(line.points) for line in lines])[:-1])
    found = []
    for (number, branch), line, width in zip(branches, lines, across, strict=True):
        clear = _clear(line, graph.radii[branch.start], graph.radii[branch.end])
        width = np.where(clear > 0, width, np.nan)
        winds = tortuosity(line, clear) if line.arc >= LEAST_LENGTH else UNKNOWN
        found.append(Segment(number, branch.start, branch.end, line, width, winds))
    return found


def _clear(line: Centreline, start: float, end: float) -> Numbers:
    """1 for the points that lie outside the discs of both nodes, given by their radii."""
    way = np.linspace(0, line.arc, len(line.points))
    return ((way > start) & (way < line.arc - end)).astype(np.float64)
