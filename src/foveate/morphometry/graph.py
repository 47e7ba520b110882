"""A vessel tree as a graph: ordered centrelines between junctions and ends, and what of a skeleton's is no vessel.

Points are (row, column) in pixels; the centre of the pixel in row r and column c is (r, c). `simplify` does, until
nothing changes:

- a side branch that is shorter than SPUR radii of its junction and ROUNDING pixels is a bump of the border, and goes;
  of several at an end that has nothing else, the longest stays;
- two junctions that are nearer to each other than the larger of their radii are one, such as where two vessels cross;
- what is left with two branches is no junction, and these are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""N×2."""

Numbers = NDArray[np.float64]
"""N."""


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
        steps = self.points[1:] - self.points[:-1]
        return float(np.hypot(steps[:, 0], steps[:, 1]).sum())

    def other(self, node: int) -> int:
        """The node at the other end."""
        return self.end if node == self.start else self.start


@dataclass(slots=True)
class VesselGraph:
    """Nodes with their positions and radii, and the branches between them."""

    positions: dict[int, tuple[float, float]] = field(default_factory=dict)
    radii: dict[int, float] = field(default_factory=dict)
    """Pixels from the node to the vessel's border."""
    branches: dict[int, Branch] = field(default_factory=dict)
    at: dict[int, list[int]] = field(default_factory=dict)
    """Node to its branches; one that begins and ends there stands twice."""
    _numbers: count[int] = field(default_factory=count)

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

    def add_node(self, node: int, position: tuple[float, float], radius: float) -> None:
        """A node without branches."""
        self.positions[node], self.radii[node], self.at[node] = position, radius, []

    def remove_node(self, node: int) -> None:
        """Take away a node that no branch begins or ends at any more."""
        del self.at[node], self.positions[node], self.radii[node]

    def add(self, branch: Branch) -> None:
        """A branch between nodes that are there."""
        number = next(self._numbers)
        self.branches[number] = branch
        self.at[branch.start].append(number)
        self.at[branch.end].append(number)

    def remove(self, number: int) -> None:
        """Take away a branch; its nodes stay."""
        branch = self.branches.pop(number)
        for node in (branch.start, branch.end):
            self.at[node].remove(number)


SPUR = 2.0
"""Radii of its junction that a side branch must be longer than: one to the border, and one beyond it."""

ROUNDING = 4.0
"""Pixels by which a side branch must be longer than that: what whole pixels add at a sharp bend."""


def simplify(graph: VesselGraph) -> None:
    """Prune, join and merge until nothing changes; every change takes a branch away, so that it ends."""
    while _pruned(graph) or _merged(graph):
        pass
    for node in [node for node, branches in graph.at.items() if not branches]:
        graph.remove_node(node)


def _pruned(graph: VesselGraph) -> bool:
    """Take away the side branches that are bumps, and join what they parted; whether there were any."""
    changed = False
    for node in graph.junctions:
        limit = SPUR * graph.radii[node] + ROUNDING
        short = [
            (length, number)
            for number in graph.at[node]
            if graph.degree((branch := graph.branches[number]).other(node)) == 1 and (length := branch.length) < limit
        ]
        # Something must go on from here: the longest, where all are short.
        for _, number in sorted(short)[: graph.degree(node) - 1]:
            if graph.degree(node) > 2:
                graph.remove(number)
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
        graph.remove(number)
    graph.add(Branch(np.concatenate((to, away[1:])), *ends))


def _merged(graph: VesselGraph) -> bool:
    """Make one of two junctions that are nearer than the larger of their radii; whether there were any."""
    changed = False
    for number, branch in list(graph.branches.items()):
        start, end = branch.start, branch.end
        if number not in graph.branches or start == end or min(graph.degree(start), graph.degree(end)) < 3:
            continue
        if branch.length < max(graph.radii[start], graph.radii[end]):
            graph.remove(number)
            _contract(graph, start, end)
            changed = True
    return changed


def _contract(graph: VesselGraph, kept: int, gone: int) -> None:
    """Let all branches of one node begin at another, in the middle between the two."""
    middle = np.mean([graph.positions[kept], graph.positions[gone]], axis=0)
    graph.positions[kept] = (float(middle[0]), float(middle[1]))
    graph.radii[kept] = max(graph.radii[kept], graph.radii[gone])
    for number in graph.at[gone]:
        branch = graph.branches[number]
        branch.start, branch.end = (kept if node == gone else node for node in (branch.start, branch.end))
    graph.at[kept] += graph.at[gone]
    graph.remove_node(gone)
    for number in graph.at[kept]:
        branch = graph.branches[number]
        if branch.start == kept:
            branch.points[0] = middle
        if branch.end == kept:
            branch.points[-1] = middle
