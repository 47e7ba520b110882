"""Lines of known course and width, drawn pixel by pixel from their distance to the line."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from foveate.morphometry.segments import Segment, segments
from foveate.morphometry.trace import border_tree, vessel_graph, without_pinholes
from foveate.records import Mask

Points = NDArray[np.float64]

ROTATIONS = tuple(0.05 + np.pi * number / 10 for number in range(10))
SCALES = (150.0, 300.0, 600.0)

_T = np.linspace(0, 1, 121)
LINE = np.stack((0 * _T, _T), axis=1)
SINE = np.stack((0.12 * np.sin(4 * np.pi * _T), _T), axis=1)
ARC = np.stack((0.5 * np.sin(np.pi * 0.75 * _T), 0.5 * np.cos(np.pi * 0.75 * _T)), axis=1)
SPIRAL = np.stack(((0.1 + 0.3 * _T) * np.sin(4 * np.pi * _T), (0.1 + 0.3 * _T) * np.cos(4 * np.pi * _T)), axis=1)


def koch(level: int) -> Points:
    """Koch's curve over a base of length 1."""
    points = np.array([[0.0, 0.0], [0.0, 1.0]])
    turn = np.array([[0.5, -np.sqrt(0.75)], [np.sqrt(0.75), 0.5]])
    for _ in range(level):
        start, third = points[:-1], np.diff(points, axis=0) / 3
        pieces = np.stack((start, start + third, start + third + third @ turn.T, start + 2 * third), axis=1)
        points = np.concatenate((pieces.reshape(-1, 2), points[-1:]))
    return points


def placed(points: Points, scale: float, angle: float) -> Points:
    """Turned, enlarged, and moved to where all of it lies 20 pixels inside."""
    cosine, sine = np.cos(angle), np.sin(angle)
    turned = scale * points @ np.array([[cosine, -sine], [sine, cosine]])
    return np.asarray(turned - turned.min(axis=0) + 20.3)


def drawn(lines: list[tuple[Points, float]]) -> Mask:
    """True where a pixel's centre is within half the width of a line; each N×2 and its width."""
    height, width = (int(max(points[:, axis].max() for points, _ in lines)) + 21 for axis in (0, 1))
    mask = np.zeros((height, width), bool)
    for points, across in lines:
        for start, end in pairwise(points):
            _draw(mask, start, end, across / 2)
    return mask


def _draw(mask: Mask, start: Points, end: Points, radius: float) -> None:
    low = np.floor(np.minimum(start, end) - radius).astype(int)
    high = np.ceil(np.maximum(start, end) + radius).astype(int) + 1
    rows, columns = np.ogrid[low[0] : high[0], low[1] : high[1]]
    along = end - start
    share = ((rows - start[0]) * along[0] + (columns - start[1]) * along[1]) / max(float(along @ along), 1e-12)
    share = np.clip(share, 0, 1)
    distance = np.hypot(rows - start[0] - share * along[0], columns - start[1] - share * along[1])
    mask[low[0] : high[0], low[1] : high[1]] |= distance <= radius


def only_segment(mask: Mask) -> Segment:
    """The one vessel of a mask that has no junction."""
    mask = without_pinholes(mask)
    border = border_tree(mask)
    (found,) = segments(mask, vessel_graph(mask, border), border)
    return found


def length(points: Points) -> float:
    return float(np.hypot(*np.diff(points, axis=0).T).sum())


def binary_tree(levels: int, spread: float) -> list[tuple[Points, float]]:
    """A trunk of length 1 and width .06 that forks symmetrically, each branch .72 as long and .8 as wide."""
    lines: list[tuple[Points, float]] = []
    tips = [(np.zeros(2), 0.0, 1.0, 0.06)]
    for _ in range(levels):
        further = []
        for root, angle, long, wide in tips:
            end = root + long * np.array([-np.cos(angle), np.sin(angle)])
            lines.append((np.stack((root, end)), wide))
            further += [(end, angle + side * spread, 0.72 * long, 0.8 * wide) for side in (-1, 1)]
        tips = further
    return lines
