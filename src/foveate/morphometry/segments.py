"""A graph's branches as vessel segments: their curve, the calibre along it, and how much they wind.

Calibre: along the normal the mask is read between its pixels, linearly; the border is where it falls below a half. A
straight vessel that covers w rows has the calibre w. Where the border isn't within REACH times the local radius, what
lies across there is another vessel, and there is no calibre.

Tortuosity: Hart, Goldbaum, Côté, Kube, Nelson, International Journal of Medical Informatics 53, 1999 (arc over chord,
total and squared curvature, τ4, τ5); Grisan, Foracchia, Ruggeri, IEEE TMI 27(3), 2008 (tortuosity density).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.morphometry.graph import Numbers, Points

if TYPE_CHECKING:
    from foveate.records import Mask


from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from foveate.morphometry.centreline import Centreline, centrelines
from foveate.morphometry.graph import VesselGraph
from foveate.morphometry.trace import border_distances

if TYPE_CHECKING:
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

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


LEAST_TURN = 1 / 64
"""1 / pixel: a curvature below it is taken for a straight piece when curves of like sense are told apart."""


@dataclass(frozen=True, slots=True)
class Tortuosity:
    """Of one vessel segment; NaN where it isn't defined."""

    arc_chord: float
    """1 for a straight one; NaN for one that ends where it begins."""
    total_curvature: float
    """Radians: the integral of the curvature's absolute value."""
    squared_curvature: float
    """1 / pixel: the integral of its square."""
    tau4: float
    """Radians / pixel: total curvature over arc."""
    tau5: float
    """1 / pixel²: squared curvature over arc."""
    density: float
    """1 / pixel."""


def tortuosity(line: Centreline, within: Numbers) -> Tortuosity:
    """Of a segment; curvature is summed over the points where `within` (N) is 1, not where it is 0."""
    step = line.arc / max(len(line.points) - 1, 1)
    bend = np.abs(line.curvature) * within
    counted = step * float(within.sum())
    total, squared = float(bend.sum()) * step, float((bend**2).sum()) * step
    known = counted > 0
    return Tortuosity(
        arc_chord=line.arc / line.chord if line.chord > 1 else np.nan,
        total_curvature=total if known else np.nan,
        squared_curvature=squared if known else np.nan,
        tau4=total / counted if known else np.nan,
        tau5=squared / counted if known else np.nan,
        density=density(line),
    )


def density(line: Centreline) -> float:
    """(n − 1) / n · 1 / arc · Σ (arc_i / chord_i − 1) over the n pieces that turn to one side; 0 for a single one."""
    pieces = _pieces(line)
    count = len(pieces)
    if count < 2:
        return 0.0
    excess = sum(_length(piece) / max(float(np.hypot(*(piece[-1] - piece[0]))), 1e-9) - 1 for piece in pieces)
    return (count - 1) / count * excess / line.arc


def _pieces(line: Centreline) -> list[Points]:
    """The curve cut where its turning changes sides; turns that are too weak to tell go with what came before."""
    sense = np.where(np.abs(line.curvature) < LEAST_TURN, 0, np.sign(line.curvature))
    strong = np.flatnonzero(sense)
    changes = strong[1:][np.diff(sense[strong]) != 0]
    befores = strong[:-1][np.diff(sense[strong]) != 0]
    cuts = (changes + befores) // 2
    edges = [0, *cuts.tolist(), len(line.points) - 1]
    return [line.points[start : end + 1] for start, end in pairwise(edges) if end > start]


def _length(points: Points) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


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
    all_segments = []
    for (number, branch), line, width in zip(branches, lines, across, strict=True):
        clear = _clear(line, graph.radii[branch.start], graph.radii[branch.end])
        width = np.where(clear > 0, width, np.nan)
        winds = tortuosity(line, clear) if line.arc >= LEAST_LENGTH else UNKNOWN
        all_segments.append(Segment(number, branch.start, branch.end, line, width, winds))
    return all_segments


def _clear(line: Centreline, start: float, end: float) -> Numbers:
    """1 for the points that lie outside the discs of both nodes, given by their radii."""
    way = np.linspace(0, line.arc, len(line.points))
    return ((way > start) & (way < line.arc - end)).astype(np.float64)
