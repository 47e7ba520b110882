"""A vessel tree as a graph: ordered centrelines between junctions and ends.

Points are (row, column) in pixels; the centre of the pixel in row r and column c is (r, c).
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
        return float(np.hypot(*np.diff(self.points, axis=0).T).sum())

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
