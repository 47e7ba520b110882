"""How much a vessel winds.

Hart, Goldbaum, Côté, Kube, Nelson, International Journal of Medical Informatics 53, 1999 (arc over chord, total and
squared curvature, τ4, τ5); Grisan, Foracchia, Ruggeri, IEEE TMI 27(3), 2008 (tortuosity density).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from foveate.morphometry.centreline import Centreline
from foveate.morphometry.graph import Numbers, Points

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
