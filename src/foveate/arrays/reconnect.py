"""Gaps in vessels, bridged along the most probable way.

Components are joined by minimal paths (Cohen and Kimmel, "Global minimum for active contour models", 1997), which start
from all components at once and are linked where they meet (Cohen and Deschamps, "Grouping connected components using
minimal path techniques", 2001); here on the grid of pixels and their eight neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.components import label
from foveate.records import Mask, Probability

Indices = NDArray[np.intp]
Lengths = NDArray[np.float64]

ROUNDING = 6
"""Decimals of a pixel to which two ways are equally long: sums of the same steps in another order are."""


class Edges(NamedTuple):
    """Steps between neighbouring pixels, N of each."""

    start: Indices
    end: Indices
    length: Lengths


@dataclass(frozen=True, slots=True)
class Grid:
    """A photograph's pixels, flat, with a border of one that can't be entered."""

    cost: Lengths
    """What a pixel's width counts as on the way: 0 in a component, infinite where nothing can be."""
    row: int
    """Pixels from one row to the next."""

    def around(self, pixels: Indices) -> Edges:
        """The steps from each of the pixels to its eight neighbours."""
        moves = np.array([(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1) if down or across])
        start = np.repeat(pixels, len(moves))
        end = start + np.tile(moves @ [self.row, 1], len(pixels))
        length = np.tile(np.hypot(*moves.T), len(pixels)) * (self.cost[start] + self.cost[end]) / 2
        return Edges(start, end, length)


def reconnect(mask: Mask, probability: Probability, threshold: float, gap: int) -> Mask:
    """The mask (H×W) with bridges, one pixel wide, between components that are at most `gap` pixels apart.

    Every pixel of a bridge counts as threshold / probability pixels, and as at least one: so a gap of `gap` pixels is
    bridged where the network was on the brink of the threshold, one half as long where it gave half of that, and none
    across plain background. A bridge takes the shortest way in this measure; where several are the shortest, it has
    them all, so that a mirrored image has the mirrored bridges. Of the ways between more than two components only
    those of a minimum spanning tree are built, and a component isn't joined to itself.

    For n pixels it takes time proportional to n log n, and to n gap / 2 at most where ways are longest: no more than
    eight ways between components begin in a pixel, and no shortest way has more steps than that.
    """
    labels, count = label(mask)
    if count < 2:
        return mask
    cost = np.full(mask.shape, np.inf)
    np.divide(threshold, probability, out=cost, where=probability > 0)
    cost = np.where(mask, 0.0, np.maximum(cost, 1.0))
    grid = Grid(np.pad(cost, 1, constant_values=np.inf).ravel(), mask.shape[1] + 2)
    distance, owner = _spread(grid, np.pad(labels, 1).ravel(), gap / 2)
    meeting = _meeting(grid, distance, owner, gap)
    joined = _spanning(owner[meeting.start], owner[meeting.end], meeting.length)
    ends = np.concatenate((meeting.start[joined], meeting.end[joined]))
    bridges = np.zeros(len(distance), bool)
    bridges[_traced(grid, distance, ends)] = True
    return mask | bridges.reshape(mask.shape[0] + 2, -1)[1:-1, 1:-1]


def _spread(grid: Grid, labels: NDArray[np.int32], reach: float) -> tuple[Lengths, NDArray[np.int32]]:
    """Every pixel's distance from the nearest component, and which that is; infinite and 0 beyond `reach`.

    Half the gap is far enough: on the shortest way between two components no pixel is further from both.
    """
    owner = labels.copy()
    distance = np.where(labels > 0, 0.0, np.inf)
    front = np.flatnonzero(labels)
    # A pixel that only a corner parts from the background is no nearer to it than the two between them.
    front = front[(labels[front[:, None] + [-grid.row, -1, 1, grid.row]] == 0).any(axis=1)]
    while front.size:
        steps = grid.around(front)
        length = distance[steps.start] + steps.length
        nearer = (length < distance[steps.end]) & (length <= reach + 10**-ROUNDING)
        start, end, length = steps.start[nearer], steps.end[nearer], length[nearer]
        np.minimum.at(distance, end, length)
        nearest = length == distance[end]
        owner[end[nearest]] = owner[start[nearest]]
        front = np.unique(end[nearest])
    return distance, owner


def _meeting(grid: Grid, distance: Lengths, owner: NDArray[np.int32], gap: float) -> Edges:
    """The steps at which ways from two components meet, with the whole way's length, where that is at most `gap`."""
    steps = grid.around(np.flatnonzero((distance > 0) & np.isfinite(distance)))
    length = np.round(distance[steps.start] + distance[steps.end] + steps.length, ROUNDING)
    meets = (owner[steps.end] > 0) & (owner[steps.start] != owner[steps.end]) & (length <= gap)
    return Edges(steps.start[meets], steps.end[meets], length[meets])


def _spanning(one: NDArray[np.int32], other: NDArray[np.int32], length: Lengths) -> NDArray[np.bool_]:
    """Which ways between components belong to a minimum spanning tree (Kruskal, 1956).

    Ways of one length are judged together, before any of them joins anything: no order among them decides.
    """
    count = int(max(one.max(initial=0), other.max(initial=0))) + 1
    low, high = np.minimum(one, other).astype(np.intp), np.maximum(one, other).astype(np.intp)
    pairs, pair = np.unique(low * count + high, return_inverse=True)
    of_pair = np.full(len(pairs), np.inf)
    np.minimum.at(of_pair, pair, length)
    lengths, rank = np.unique(of_pair, return_inverse=True)
    by_length: list[list[tuple[int, int, int]]] = [[] for _ in lengths]
    for place, (level, key) in enumerate(zip(rank.tolist(), pairs.tolist(), strict=True)):
        by_length[level].append((place, *divmod(key, count)))
    joins = np.zeros(len(pairs), bool)
    parents = list(range(count))
    for equal in by_length:
        apart = [(place, *roots) for place, *ends in equal if len(set(roots := [_root(parents, e) for e in ends])) > 1]
        for place, first, second in apart:
            joins[place] = True
            # Others of this length may have joined them since.
            parents[_root(parents, first)] = _root(parents, second)
    chosen: NDArray[np.bool_] = joins[pair] & (length == of_pair[pair])
    return chosen


def _root(parents: list[int], node: int) -> int:
    """The node that stands for all that hang together with this one; the way there is halved for whoever comes next
    (Tarjan and van Leeuwen, 1984)."""
    while parents[node] != node:
        parents[node] = parents[parents[node]]
        node = parents[node]
    return node


def _traced(grid: Grid, distance: Lengths, ends: Indices) -> Indices:
    """The pixels on every shortest way from the `ends` back to the components, the components' own left out."""
    reached = [np.unique(ends[distance[ends] > 0])]
    while reached[-1].size:
        steps = grid.around(reached[-1])
        back = distance[steps.end] + steps.length == distance[steps.start]
        reached.append(np.unique(steps.end[back & (distance[steps.end] > 0)]))
    return np.concatenate(reached)
