"""From a mask to its graph.

The mask is thinned (Zhang and Suen, CACM 27(3), 1984). Two pixels of the skeleton are neighbours if they share a side,
or a corner without a pixel of the skeleton that touches both: so a bend in a staircase is no junction. Pixels with
three neighbours or more that touch are one junction. What comes of bumps in the border is taken away by `simplify`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix  # type: ignore[import-untyped]
from scipy.sparse.csgraph import connected_components  # type: ignore[import-untyped]
from scipy.spatial import cKDTree  # type: ignore[import-untyped]
from skimage.morphology import skeletonize

from foveate.morphometry.graph import Branch, Numbers, Points, VesselGraph, simplify

if TYPE_CHECKING:
    from foveate.records import Mask

PINHOLE = 8
"""Pixels of the background that lie enclosed in a vessel, at most, and are taken for noise of its border."""

Indices = NDArray[np.intp]


def vessel_graph(mask: Mask, border: cKDTree | None = None) -> VesselGraph:
    """The graph of an H×W bool mask, best without pinholes; empty where the mask is. `border` is its `border_tree`.

    A closed line without a junction begins anywhere.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return VesselGraph()
    corner = np.array([rows[0], columns[0]])
    cut = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    skeleton: Mask = skeletonize(np.pad(cut, 1))  # type: ignore[no-untyped-call]
    pixels = np.stack(np.unravel_index(np.flatnonzero(skeleton), skeleton.shape), axis=1)
    places = pixels + (corner - 1.0)
    radii = border_distances(border or border_tree(mask), places)
    graph = _traced(pixels, *_neighbours(skeleton, pixels), radii, places)
    simplify(graph)
    return graph


def without_pinholes(mask: Mask) -> Mask:
    """The mask without holes of up to PINHOLE pixels, each of which would be a loop with two junctions."""
    filled, _ = _cleared(~mask, PINHOLE + 1, corners=False)
    return ~filled


def without_specks(mask: Mask, least: float) -> tuple[Mask, int]:
    """The mask without parts of fewer than `least` pixels, and how many parts are left."""
    return _cleared(mask, least, corners=True)


def _cleared(mask: Mask, least: float, *, corners: bool) -> tuple[Mask, int]:
    """An H×W mask without parts of fewer than `least` pixels, and how many are left.

    Pixels that touch by a side are one part, with `corners` those that touch by a corner, too. Runs of pixels in a row
    are joined, as there are far fewer of them than pixels.
    """
    height, width = mask.shape
    # A column of background before each row, so that no run goes on into the next.
    lined = np.zeros(height * (width + 1) + 1, bool)
    lined[:-1].reshape(height, width + 1)[:, 1:] = mask
    edges = np.flatnonzero(lined[1:] != lined[:-1]) + 1
    if not len(edges):
        return mask.copy(), 0
    starts, ends = edges[::2], edges[1::2]
    first = np.searchsorted(ends, starts + width + 1, "left" if corners else "right")
    beyond = np.searchsorted(starts, ends + width + 1, "right" if corners else "left")
    below = np.maximum(beyond - first, 0)
    upper = np.repeat(np.arange(len(starts)), below)
    lower = np.arange(len(upper)) + np.repeat(first - (np.cumsum(below) - below), below)
    links = coo_matrix((np.ones(len(upper), bool), (upper, lower)), shape=(len(starts), len(starts)))
    part_of = connected_components(links, directed=False)[1]
    kept = np.bincount(part_of, ends - starts) >= least
    for run in np.flatnonzero(~kept[part_of]).tolist():
        lined[starts[run] : ends[run]] = False
    return lined[:-1].reshape(height, width + 1)[:, 1:].copy(), int(np.count_nonzero(kept))


def border_tree(mask: Mask) -> cKDTree:
    """The pixels beside the mask (H×W bool), for `border_distances`; those beyond the image among them."""
    padded = np.pad(mask, 1)
    beside = np.zeros_like(padded)
    beside[1:] |= padded[:-1]
    beside[:-1] |= padded[1:]
    beside[:, 1:] |= padded[:, :-1]
    beside[:, :-1] |= padded[:, 1:]
    beside &= ~padded
    places = np.unravel_index(np.flatnonzero(beside), beside.shape)
    # It is asked little: to balance it would take longer than it saves.
    return cKDTree(np.stack(places, axis=1) - 1, balanced_tree=False, compact_nodes=False)


def border_distances(border: cKDTree, points: Indices | Points) -> Numbers:
    """Pixels from each point (N×2) inside a mask to its border, half a pixel at least."""
    distance: Numbers = border.query(points)[0]
    # Half a pixel of the distance to the next pixel's centre is that pixel's.
    return np.maximum(distance - 0.5, 0.5)


def _neighbours(skeleton: Mask, pixels: Indices) -> tuple[Indices, Indices]:
    """Both ends of every link between neighbouring pixels, as numbers of pixels, each link once."""
    number = np.zeros(skeleton.shape, np.int32)
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


def _traced(pixels: Indices, starts: Indices, ends: Indices, radii: Numbers, places: Points) -> VesselGraph:
    """Nodes, and the branches between them, before anything is simplified."""
    around: list[list[int]] = [[] for _ in pixels]
    for one, other in zip(starts.tolist(), ends.tolist(), strict=True):
        around[one].append(other)
        around[other].append(one)
    node_of = _nodes(len(pixels), starts, ends)
    graph = VesselGraph()
    _add_nodes(graph, node_of, radii, places)
    for number, (chain, start, end) in enumerate(_chains(around, node_of)):
        points = places[chain]
        if start < 0:  # closed, without a junction
            start = end = len(pixels) + number
            graph.add_node(start, (float(points[0, 0]), float(points[0, 1])), float(radii[chain[0]]))
        way = (np.array([graph.positions[start]]), points, np.array([graph.positions[end]]))
        graph.add(Branch(np.concatenate(way), start, end))
    return graph


def _add_nodes(graph: VesselGraph, node_of: Indices, radii: Numbers, places: Points) -> None:
    """A node for every number in `node_of` (N): in the middle of its pixels, with the largest of their radii."""
    members = np.flatnonzero(node_of >= 0)
    if not len(members):
        return
    members = members[np.argsort(node_of[members], kind="stable")]
    nodes, first = np.unique(node_of[members], return_index=True)
    for node, group in zip(nodes.tolist(), np.split(members, first[1:]), strict=True):
        row, column = places[group].mean(axis=0)
        graph.add_node(node, (float(row), float(column)), float(radii[group].max()))


def _nodes(pixels: int, starts: Indices, ends: Indices) -> Indices:
    """Each pixel's node, −1 for those along a branch: ends, dots, and clusters of crowded pixels as one."""
    degree = np.bincount(np.concatenate((starts, ends)), minlength=pixels)
    crowded = degree >= 3
    inner = crowded[starts] & crowded[ends]
    links = coo_matrix((np.ones(inner.sum()), (starts[inner], ends[inner])), shape=(pixels, pixels))
    cluster: Indices = connected_components(links, directed=False)[1]
    return np.where(degree == 2, -1, cluster)


def _chains(around: list[list[int]], node_of: Indices) -> Iterator[tuple[list[int], int, int]]:
    """The pixels of every branch in order, without those of its nodes, and both nodes; −1 and −1 for a closed line."""
    nodes = node_of.tolist()
    seen = [False] * len(around)
    for first in np.flatnonzero(node_of >= 0).tolist():
        node = nodes[first]
        for second in around[first]:
            if nodes[second] >= 0:
                if nodes[second] != node and first < second:
                    yield [], node, nodes[second]
                continue
            if seen[second]:
                continue
            chain = _walked(around, nodes, seen, first, second)
            last = next(
                (neighbour for neighbour in around[chain[-1]] if nodes[neighbour] >= 0 and neighbour != first), first
            )
            yield chain, node, nodes[last]
    for first, node in enumerate(nodes):
        if node < 0 and not seen[first]:
            seen[first] = True
            chain = _walked(around, nodes, seen, first, around[first][0])
            yield [first, *chain, first], -1, -1


def _walked(around: list[list[int]], nodes: list[int], seen: list[bool], before: int, pixel: int) -> list[int]:
    """The pixels from `pixel` on, away from `before`, up to a node or to one that was seen."""
    chain = []
    while nodes[pixel] < 0 and not seen[pixel]:
        seen[pixel] = True
        chain.append(pixel)
        one, other = around[pixel]
        before, pixel = pixel, (other if one == before else one)
    return chain
