"""Which junctions are a vessel's forks, and which are two vessels that cross.

A vessel forks at an acute angle, in the direction of its flow. So two forks back to back, >─<, are no forks of one
tree: two vessels meet there, run as one in the mask, and part again. Both together are one crossing, as is a junction
of four branches. A junction of more is as many crossings as it has further pairs of branches, and a fork for one left
over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from foveate.morphometry.graph import Branch, Numbers, VesselGraph

SHARED = 16.0
"""Radii of its wider end that the common way of two vessels may be long: at 15° two of one width share 15."""

AHEAD = 3.0
"""Radii of a junction, and two pixels, after which it is looked where a branch goes."""


@dataclass(frozen=True, slots=True)
class Junctions:
    """Of a graph, sorted into what they are."""

    forks: list[int]
    """Nodes."""
    crossings: list[tuple[float, float]]
    """Positions: row and column."""


def sorted_junctions(graph: VesselGraph) -> Junctions:
    """Every junction of a graph is of a fork, of one crossing or more, or of both."""
    shared = _shared(graph)
    of_pairs = {node for branch in shared for node in (branch.start, branch.end)}
    forks = [node for node in graph.junctions if graph.degree(node) % 2 and node not in of_pairs]
    crossings = [graph.positions[node] for node in graph.junctions for _ in range((graph.degree(node) - 2) // 2)]
    return Junctions(forks, crossings + [_middle(branch) for branch in shared])


def _shared(graph: VesselGraph) -> list[Branch]:
    """Ways that two vessels share, each between two junctions of three branches; of several at one the shortest."""
    near = [
        branch
        for number, branch in graph.branches.items()
        if branch.start != branch.end
        and graph.degree(branch.start) == graph.degree(branch.end) == 3
        and branch.length < SHARED * max(graph.radii[branch.start], graph.radii[branch.end])
        and _others_turn_back(graph, branch.start, number)
        and _others_turn_back(graph, branch.end, number)
    ]
    taken: set[int] = set()
    shared = []
    for branch in sorted(near, key=lambda each: (each.length, each.start)):
        if not taken & {branch.start, branch.end}:
            taken |= {branch.start, branch.end}
            shared.append(branch)
    return shared


def _others_turn_back(graph: VesselGraph, node: int, shared: int) -> bool:
    """Whether the other branches of a junction leave it away from where the shared one goes."""
    forward = _direction(graph, node, shared)
    others = [number for number in graph.at[node] if number != shared]
    return all(float(_direction(graph, node, number) @ forward) < 0 for number in others)


def _direction(graph: VesselGraph, node: int, number: int) -> Numbers:
    """In which a branch leaves a junction, of length 1."""
    branch = graph.branches[number]
    points = branch.points if branch.start == node else branch.points[::-1]
    to = points - points[0]
    far = np.flatnonzero(np.hypot(*to.T) >= AHEAD * graph.radii[node] + 2)
    towards: Numbers = to[far[0] if len(far) else -1]
    return towards / max(float(np.hypot(*towards)), 1e-9)


def _middle(branch: Branch) -> tuple[float, float]:
    row, column = branch.points[len(branch.points) // 2].tolist()
    return row, column
