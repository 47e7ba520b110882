"""A vessel mask as a graph: ordered centrelines between junctions and ends.

Points are (row, column) in pixels; the centre of the pixel in row r and column c is (r, c).

Holes of up to PINHOLE pixels are filled. Two pixels of the skeleton are neighbours if they share a side, or a corner without a pixel of the skeleton that touches
both: so a bend in a staircase is no junction. Pixels with three neighbours or more that touch are one junction. Then,
until nothing changes:

- a side branch that reaches less than SPUR radii of its junction beyond it is no vessel but a bump of the border, and
  goes; of several at an end that has nothing else, the longest stays;
- two junctions that are nearer to each other than the larger of their radii are one, such as where two vessels cross;
- what is left with two branches is no junction, and these are one.

The radius at a point is its distance to the border.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from foveate.records import Mask

PINHOLE = 8
"""Pixels of the background that lie enclosed in a vessel, at most, and are taken for noise of its border."""

SPUR = 2.0
"""Radii of its junction that a side branch must be longer than: one to the border, and one beyond it."""

Points = NDArray[np.float64]
"""N×2."""


@dataclass(slots=True)
class Branch:
    """A centreline from one node to another, or to itself."""

    points: Points
    """In order, from `start` to `end`, both nodes' positions included."""
    start: int
    end: int

    @property
    def length(self) -> float:
        """Of the way from pixel to pixel."""
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

    def other(self, node: int) -> int:
        """The node at the other end."""
        return self.end if node == self.start else self.start


@dataclass(slots=True)
class VesselGraph:
    """Nodes with their positions and radii, and the branches between them."""

    positions: dict[int, tuple[float, float]]
    radii: dict[int, float]
    branches: dict[int, Branch]
    at: dict[int, list[int]] = field(default_factory=dict)
    """Node to its branches; one that begins and ends there stands twice."""

    def degree(self, node: int) -> int:
        """How many branches leave it."""
        return len(self.at[node])

    @property
    def ends(self) -> list[int]:
        """Nodes with one branch."""
        return [node for node in self.at if self.degree(node) == 1]

    @property
    def junctions(self) -> list[int]:
        """Nodes with three branches or more."""
        return [node for node in self.at if self.degree(node) >= 3]


def vessel_graph(mask: Mask) -> VesselGraph:
    """The graph of an H×W bool mask; empty where the mask is. A closed line without a junction begins anywhere."""
    from scipy import ndimage  # type: ignore[import-untyped]
    from skimage.morphology import skeletonize

    padded = np.pad(_without_pinholes(mask), 1)
    skeleton: Mask = skeletonize(padded)  # type: ignore[no-untyped-call]
    # Half a pixel of the distance to the next pixel's centre is that pixel's.
    radius = np.maximum(ndimage.distance_transform_edt(padded) - 0.5, 0.5)
    pixels = np.argwhere(skeleton)
    graph = _traced(pixels, *_neighbours(skeleton, pixels), radius)
    _simplify(graph)
    return graph


def _without_pinholes(mask: Mask) -> Mask:
    """The mask without holes of up to PINHOLE pixels, each of which would be a loop with two junctions."""
    from scipy import ndimage

    holes, count = ndimage.label(~mask)
    small = np.bincount(holes.ravel(), minlength=count + 1) <= PINHOLE
    small[0] = False
    return mask | small[holes]


def _neighbours(skeleton: Mask, pixels: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Both ends of every link between neighbouring pixels, as numbers of pixels, each link once."""
    number = np.full(skeleton.shape, -1)
    number[skeleton] = np.arange(len(pixels))
    rows, columns = pixels.T
    starts, ends = [], []
    for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
        linked = skeleton[rows + down, columns + across]
        if down and across:
            linked = linked & ~skeleton[rows, columns + across] & ~skeleton[rows + down, columns]
        starts.append(np.flatnonzero(linked))
        ends.append(number[rows[linked] + down, columns[linked] + across])
    return np.concatenate(starts), np.concatenate(ends)


def _traced(
    pixels: NDArray[np.intp], starts: NDArray[np.intp], ends: NDArray[np.intp], radius: NDArray[np.float64]
) -> VesselGraph:
    """Nodes, and the branches between them, before anything is simplified."""
    around: list[list[int]] = [[] for _ in pixels]
    for one, other in zip(starts.tolist(), ends.tolist(), strict=True):
        around[one].append(other)
        around[other].append(one)
    node_of = _nodes(around, starts, ends)
    graph = VesselGraph({}, {}, {})
    for node in np.unique(node_of[node_of >= 0]).tolist():
        members = pixels[node_of == node]
        row, column = members.mean(axis=0) - 1  # without the border
        graph.positions[node] = (float(row), float(column))
        graph.radii[node] = float(radius[members[:, 0], members[:, 1]].max())
        graph.at[node] = []
    for chain, start, end in _chains(around, node_of):
        points = pixels[chain] - 1.0
        if start < 0:  # closed, without a junction
            start = end = len(pixels) + len(graph.branches)
            graph.positions[start] = tuple(points[0])
            graph.radii[start] = float(radius[tuple(pixels[chain[0]])])
            graph.at[start] = []
        ways = (np.array([graph.positions[start]]), points, np.array([graph.positions[end]]))
        _add(graph, Branch(np.concatenate(ways), start, end))
    return graph


def _nodes(around: list[list[int]], starts: NDArray[np.intp], ends: NDArray[np.intp]) -> NDArray[np.intp]:
    """Each pixel's node, −1 for those along a branch: ends, dots, and clusters of crowded pixels as one."""
    from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
    from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]

    degree = np.array([len(others) for others in around], dtype=int)
    crowded = degree >= 3
    inner = crowded[starts] & crowded[ends] if len(starts) else np.zeros(0, bool)
    links = coo_matrix((np.ones(inner.sum()), (starts[inner], ends[inner])), shape=(len(around), len(around)))
    cluster: NDArray[np.intp] = connected_components(links, directed=False)[1]
    return np.where(degree == 2, -1, cluster)


def _chains(around: list[list[int]], node_of: NDArray[np.intp]) -> Iterator[tuple[list[int], int, int]]:
    """The pixels of every branch in order, without those of its nodes, and both nodes; −1 and −1 for a closed line."""
    nodes = node_of.tolist()
    seen = [False] * len(around)
    for first, node in enumerate(nodes):
        for second in around[first] if node >= 0 else ():
            if nodes[second] >= 0:
                if nodes[second] != node and first < second:
                    yield [], node, nodes[second]
                continue
            if seen[second]:
                continue
            chain = _walked(around, nodes, seen, first, second)
            last = next((each for each in around[chain[-1]] if nodes[each] >= 0 and each != first), first)
            yield chain, node, nodes[last]
    for first, node in enumerate(nodes):
        if node < 0 and not seen[first]:
            seen[first] = True
            chain = _walked(around, nodes, seen, first, around[first][0])
            yield [first, *chain], -1, -1


def _walked(around: list[list[int]], nodes: list[int], seen: list[bool], before: int, pixel: int) -> list[int]:
    """The pixels from `pixel` on, away from `before`, up to a node or to one that was seen."""
    chain = []
    while nodes[pixel] < 0 and not seen[pixel]:
        seen[pixel] = True
        chain.append(pixel)
        one, other = around[pixel]
        before, pixel = pixel, (other if one == before else one)
    return chain


def _add(graph: VesselGraph, branch: Branch) -> None:
    number = max(graph.branches, default=-1) + 1
    graph.branches[number] = branch
    graph.at[branch.start].append(number)
    graph.at[branch.end].append(number)


def _remove(graph: VesselGraph, number: int) -> None:
    branch = graph.branches.pop(number)
    for node in (branch.start, branch.end):
        graph.at[node].remove(number)


def _simplify(graph: VesselGraph) -> None:
    """Prune, join and merge until nothing changes; every change takes a branch away, so that it ends."""
    while _pruned(graph) or _merged(graph):
        pass
    for node in [node for node in graph.at if not graph.at[node]]:
        del graph.at[node], graph.positions[node], graph.radii[node]


def _pruned(graph: VesselGraph) -> bool:
    """Take away the side branches that are bumps, and join what they parted; whether there were any."""
    changed = False
    for node in graph.junctions:
        short = [
            (branch.length, number)
            for number in graph.at[node]
            if graph.degree((branch := graph.branches[number]).other(node)) == 1
            and branch.length < SPUR * graph.radii[node]
        ]
        # Something must go on from here: the longest, where all are short.
        for _, number in sorted(short)[: graph.degree(node) - 1]:
            if graph.degree(node) > 2:
                _remove(graph, number)
                changed = True
        _join(graph, node)
    return changed


def _join(graph: VesselGraph, node: int) -> None:
    """Make one branch of the two at a node that is no junction any more."""
    if graph.degree(node) != 2 or graph.at[node][0] == graph.at[node][1]:
        return
    one, other = (graph.branches[number] for number in graph.at[node])
    to = one.points if one.end == node else one.points[::-1]
    away = other.points if other.start == node else other.points[::-1]
    ends = one.other(node), other.other(node)
    for number in list(graph.at[node]):
        _remove(graph, number)
    _add(graph, Branch(np.concatenate((to, away[1:])), *ends))


def _merged(graph: VesselGraph) -> bool:
    """Make one of two junctions that are nearer than the larger of their radii; whether there were any."""
    changed = False
    for number, branch in list(graph.branches.items()):
        start, end = branch.start, branch.end
        if number not in graph.branches or start == end or min(graph.degree(start), graph.degree(end)) < 3:
            continue
        if branch.length < max(graph.radii[start], graph.radii[end]):
            _remove(graph, number)
            _contract(graph, start, end)
            changed = True
    return changed


def _contract(graph: VesselGraph, kept: int, gone: int) -> None:
    """Let all branches of one node begin at another, in the middle between the two."""
    middle = np.mean([graph.positions[kept], graph.positions[gone]], axis=0)
    graph.positions[kept] = (float(middle[0]), float(middle[1]))
    graph.radii[kept] = max(graph.radii[kept], graph.radii[gone])
    for number in list(graph.at[gone]):
        branch = graph.branches[number]
        branch.start, branch.end = (kept if node == gone else node for node in (branch.start, branch.end))
    graph.at[kept] += graph.at.pop(gone)
    del graph.positions[gone], graph.radii[gone]
    for number in graph.at[kept]:
        branch = graph.branches[number]
        if branch.start == kept:
            branch.points[0] = middle
        if branch.end == kept:
            branch.points[-1] = middle
