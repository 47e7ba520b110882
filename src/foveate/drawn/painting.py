"""Vessels of a drawn tree on the pixel grid: how much of each pixel they cover, and how much blood lies in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foveate.drawn.tree import Tree

Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class View:
    """Where the pixels of an H×W photograph lie."""

    x: Plane
    """1×W, to the right; `to_temple` turns it into the x of the eye."""
    y: Plane
    """H×1, downwards."""
    scale: float
    """Pixels per unit length."""
    centre: tuple[float, float]
    """Pixels, x and y."""
    to_temple: float
    """1 where the temple is on the right, else -1."""
    cut: float
    """The camera shows only |y| below this."""


@dataclass(frozen=True, slots=True)
class Blood:
    """What the vessels of one tree do to each pixel, H×W each."""

    coverage: Plane
    """0 to 1, the share of the pixel's width that lies in a vessel."""
    thickness: Plane
    """Mean length of the light's way through blood."""
    reflex: Plane
    """0 to 1, the light streak along the middle of wide vessels."""


def paint(tree: Tree, widest: float, view: View) -> Blood:
    """Paint a tree whose widest vessel has the radius `widest`, anti-aliased by the distance to its axis."""
    start, end, radius = _segments(tree, view)
    radius = radius * widest * view.scale
    planes = [np.zeros((len(view.y), view.x.shape[1]), np.float32) for _ in range(3)]
    reach = np.ceil(np.hypot(*(end - start).T) / 2 + radius + 1.5).astype(int)
    # Pieces that reach equally far have windows of one size, and are painted at once.
    for half in np.unique(reach):
        chosen = reach == half
        _paint_windows(planes, start[chosen], end[chosen], radius[chosen], int(half))
    coverage, thickness, reflex = planes
    return Blood(coverage, thickness / np.float32(view.scale), reflex)


def _segments(tree: Tree, view: View) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Short pieces of the Catmull-Rom curves through the nodes: start and end (S×2, px), radius (S)."""
    points = tree.points * [view.to_temple * view.scale, view.scale] + view.centre
    node = np.flatnonzero(tree.parent >= 0)
    before = tree.parent[node]
    first = np.where(tree.parent[before] >= 0, tree.parent[before], before)
    after = np.arange(len(points))
    thickest_last = node[np.argsort(tree.radius[node], kind="stable")]
    after[tree.parent[thickest_last]] = thickest_last
    a, b, c, d = (points[index] for index in (first, before, node, after[node]))
    pieces = max(2, int(np.ceil(view.scale * 0.016 / 2.5)))
    t = np.linspace(0, 1, pieces + 1)[:, None, None]
    curve = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
    middle = (np.arange(pieces) + 0.5)[:, None] / pieces
    # A side branch has its own calibre from the start; only along one vessel does it change gradually.
    from_radius = np.where(after[before] == node, tree.radius[before], tree.radius[node])
    radius = from_radius + middle * (tree.radius[node] - from_radius)
    return curve[:-1].reshape(-1, 2), curve[1:].reshape(-1, 2), radius.ravel()


def _paint_windows(
    planes: list[Plane],
    start: NDArray[np.float64],
    end: NDArray[np.float64],
    radius: NDArray[np.float64],
    half: int,
) -> None:
    """Raise the planes (coverage, thickness, reflex) to what these pieces give, within `half` px of each."""
    height, width = planes[0].shape
    corner = np.rint((start + end) / 2).astype(int)
    offset = np.arange(-half, half + 1)
    x = corner[:, 0, None, None] + offset[None, None, :]
    y = corner[:, 1, None, None] + offset[None, :, None]
    along, squared = end - start, np.maximum(((end - start) ** 2).sum(axis=1), 1e-12)
    from_x, from_y = x - start[:, 0, None, None], y - start[:, 1, None, None]
    # The nearest place on a piece is the projection on its line, clipped to its ends (0 to 1).
    t = (from_x * along[:, 0, None, None] + from_y * along[:, 1, None, None]) / squared[:, None, None]
    t = np.clip(t, 0, 1)
    distance = np.hypot(from_x - t * along[:, 0, None, None], from_y - t * along[:, 1, None, None])
    near = distance < radius[:, None, None] + 0.5
    near &= (x >= 0) & (x < width) & (y >= 0) & (y < height)
    flat = (y * width + x)[near]
    distance, r = distance[near], np.broadcast_to(radius[:, None, None], near.shape)[near]
    # A pixel is a strip one pixel wide across the vessel: where it enters and leaves the round cross-section.
    inner, outer = np.clip(distance - 0.5, -r, r), np.clip(distance + 0.5, -r, r)
    np.maximum.at(planes[0].reshape(-1), flat, (outer - inner).astype(np.float32))
    np.maximum.at(planes[1].reshape(-1), flat, (_disc_area(outer, r) - _disc_area(inner, r)).astype(np.float32))
    streak = np.exp(-((distance / (0.35 * r)) ** 2)) * np.clip(r - 1, 0, 1)
    np.maximum.at(planes[2].reshape(-1), flat, streak.astype(np.float32))


def _disc_area(x: NDArray[np.float64], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    """The integral from 0 to `x` of the chord 2·sqrt(radius² - x²) of a round vessel."""
    area: NDArray[np.float64] = x * np.sqrt(np.maximum(radius**2 - x**2, 0)) + radius**2 * np.arcsin(
        np.clip(x / radius, -1, 1)
    )
    return area
