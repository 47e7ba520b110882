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
from scipy import ndimage  # type: ignore[import-untyped]
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
    pixels = np.argwhere(skeleton)
    places = pixels + (corner - 1.0)
    radii = border_distances(border or border_tree(mask), places)
    graph = _traced(pixels, *_neighbours(skeleton, pixels), radii, places)
    simplify(graph)
    return graph


def without_pinholes(mask: Mask) -> Mask:
    """The mask without holes of up to PINHOLE pixels, each of which would be a loop with two junctions."""
    holes, _ = ndimage.label(~mask)
    filled: Mask = mask.copy()
    for number, box in enumerate(ndimage.find_objects(holes), start=1):
        if max(extent.stop - extent.start for extent in box) <= PINHOLE:
            hole = holes[box] == number
            if np.count_nonzero(hole) <= PINHOLE:
                filled[box] |= hole
    return filled


def border_tree(mask: Mask) -> cKDTree:
    """The pixels beside the mask (H×W bool), for `border_distances`; those beyond the image among them."""
    padded = np.pad(mask, 1)
    beside = np.zeros_like(padded)
    beside[1:] |= padded[:-1]
    beside[:-1] |= padded[1:]
    beside[:, 1:] |= padded[:, :-1]
    beside[:, :-1] |= padded[:, 1:]
    return cKDTree(np.argwhere(beside & ~padded) - 1)


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
    node_of = _nodes(around, starts, ends)
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


def _nodes(around: list[list[int]], starts: Indices, ends: Indices) -> Indices:
    """Each pixel's node, −1 for those along a branch: ends, dots, and clusters of crowded pixels as one."""
    degree = np.array([len(others) for others in around], dtype=int)
    crowded = degree >= 3
    inner = crowded[starts] & crowded[ends]
    links = coo_matrix((np.ones(inner.sum()), (starts[inner], ends[inner])), shape=(len(around), len(around)))
    cluster: Indices = connected_components(links, directed=False)[1]
    return np.where(degree == 2, -1, cluster)


def _chains(around: list[list[int]], node_of: Indices) -> Iterator[tuple[list[int], int, int]]:
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
