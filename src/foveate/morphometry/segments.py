"""A graph's branches as vessel segments: their curve, the calibre along it, and how much they wind.

Calibre: along the normal the mask is read between its pixels, linearly; the border is where it falls below a half. A
straight vessel that covers w rows has the calibre w. Where the border isn't within REACH times the local radius, what
lies across there is another vessel, and there is no calibre.

Tortuosity: Hart, Goldbaum, Côté, Kube, Nelson, International Journal of Medical Informatics 53, 1999 (arc over chord,
total and squared curvature, τ4, τ5); Grisan, Foracchia, Ruggeri, IEEE TMI 27(3), 2008 (tortuosity density).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveate.morphometry.centreline import Centreline, centrelines
from foveate.morphometry.graph import Numbers, Points, VesselGraph
from foveate.morphometry.trace import border_distances

if TYPE_CHECKING:
    from scipy.spatial import cKDTree  # type: ignore[import-untyped]

    from foveate.records import Mask

Counts = NDArray[np.intp]
"""N whole numbers."""

SAMPLE = 0.5
"""Pixels between two looks at the mask."""

LOOKS = 4
"""That are taken together of all points whose border isn't found yet."""

REACH = 1.5
"""Radii that are looked along, with MARGIN pixels more."""

MARGIN = 1.5


def calibres(mask: Mask, points: Points, tangents: Points, radii: Numbers) -> Numbers:
    """Pixels across at each of N points, whose distances to the border are `radii` (N); NaN where it has none."""
    normals = np.stack((-tangents[:, 1], tangents[:, 0]), axis=1)
    # A square of four pixels that lies nearer than the nearest pixel beside the mask is inside as a whole.
    first = np.maximum((radii + 0.5 - np.sqrt(2)) // SAMPLE, 0).astype(int)
    octave = np.ceil(np.log2(np.maximum(radii, 0.5)))
    beyond = np.ceil((REACH * 2.0**octave + MARGIN) / SAMPLE + 1).astype(int)
    one, other = (_to_border(mask, points, side * normals, first, beyond) for side in (1.0, -1.0))
    total: Numbers = one + other
    total[total > 2 * (REACH * radii + MARGIN)] = np.nan
    return total


def _to_border(mask: Mask, points: Points, directions: Points, first: Counts, beyond: Counts) -> Numbers:
    """How far it is to the border in the direction of each, by looks from number `first` (N) on, each SAMPLE after the
    one before; NaN where none before number `beyond` (N) is outside.
    """
    distance = np.full(len(points), np.nan)
    looking, last = np.arange(len(points)), np.full(len(points), np.nan)
    for start in range(0, int((beyond - first).max(initial=0)), LOOKS):
        looks = first[looking, None] + np.arange(start, start + LOOKS)
        at = points[looking].T[:, :, None] + directions[looking].T[:, :, None] * (SAMPLE * looks)  # 2×N×LOOKS
        inside = np.where(looks < beyond[looking, None], _between(mask, at), 1.0)
        outside = (inside < 0.5).any(axis=1)
        distance[looking[outside]] = _crossing(inside[outside], last[outside], looks[outside])
        looking, last = looking[~outside], inside[~outside, -1]
    return distance


def _crossing(inside: Numbers, last: Numbers, looks: Counts) -> Numbers:
    """Where the mask falls below a half along each row of looks (N×LOOKS); before them it was `last` (N).

    NaN where nothing was before: the point itself lies outside, as a smooth line between two pixels may.
    """
    rows = np.arange(len(inside))
    first = (inside < 0.5).argmax(axis=1)
    low, high = inside[rows, first], np.where(first > 0, inside[rows, first - 1], last)
    way: Numbers = SAMPLE * (looks[rows, first] - 1 + (high - 0.5) / (high - low))
    return way


def _between(mask: Mask, places: Points) -> Numbers:
    """The mask between its pixels, 0 to 1, linearly; 0 outside. `places` 2×… rows and columns."""
    from scipy.ndimage import map_coordinates  # type: ignore[import-untyped]

    values: Numbers = map_coordinates(mask.view(np.uint8), places, order=1, mode="constant", output=np.float64)
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
    excess = sum(_length(piece) / max(math.hypot(*(piece[-1] - piece[0]).tolist()), 1e-9) - 1 for piece in pieces)
    return (count - 1) / count * excess / line.arc


def _pieces(line: Centreline) -> list[Points]:
    """The curve cut where its turning changes sides; turns that are too weak to tell go with what came before."""
    strong = np.flatnonzero(np.abs(line.curvature) >= LEAST_TURN)
    left = line.curvature[strong] > 0
    change = np.flatnonzero(left[1:] != left[:-1])
    edges = [0, *((strong[change + 1] + strong[change]) // 2).tolist(), len(line.points) - 1]
    return [line.points[start : end + 1] for start, end in pairwise(edges) if end > start]


def _length(points: Points) -> float:
    steps = points[1:] - points[:-1]
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


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
