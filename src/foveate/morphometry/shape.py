"""Lesions, tumours and other regions: size, diameters, and how regular their border is.

Perimeters are by the Cauchy-Crofton formula in four directions (Serra, 1982), so that they don't count pixels' steps;
of a shape with straight sides it may be 6 % off. Diameters are Feret's, between parallel lines, over the pixels'
corners.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from foveate.morphometry.graph import Points
    from foveate.records import Mask


@dataclass(frozen=True, slots=True)
class Region:
    """One connected region, in pixels and square pixels."""

    row: float
    """Of its centroid."""
    column: float
    area: float
    perimeter: float
    feret_most: float
    feret_least: float
    solidity: float
    """Share of its convex hull that it covers."""
    irregularity: float
    """perimeter² / (4 π area): 1 for a disc, more for anything else."""


def regions(mask: Mask) -> list[Region]:
    """The connected regions of an H×W bool mask, pixels that touch by a side or a corner, the largest first."""
    from skimage.measure import label, regionprops

    all_regions = [_region(part.image, part.bbox) for part in regionprops(label(mask))]  # type: ignore[no-untyped-call]
    return sorted(all_regions, key=lambda region: -region.area)


def _region(image: Mask, box: tuple[int, int, int, int]) -> Region:
    from skimage.measure import perimeter_crofton

    pixels = np.argwhere(image)
    area = float(len(pixels))
    hull = _hull(_corners(image))
    length = float(perimeter_crofton(np.pad(image, 1), directions=4))  # type: ignore[no-untyped-call]
    least, most = _feret(hull)
    row, column = pixels.mean(axis=0) + box[:2]
    return Region(
        float(row), float(column), area, length, most, least, area / _area(hull), length**2 / (4 * np.pi * area)
    )


def _corners(image: Mask) -> Points:
    """The corners of the outermost pixels of each row."""
    rows = np.flatnonzero(image.any(axis=1))
    first = image[rows].argmax(axis=1)
    last = image.shape[1] - image[rows, ::-1].argmax(axis=1)
    sides = [np.stack((rows + down, edge), axis=1) for down in (0, 1) for edge in (first, last)]
    return np.concatenate(sides).astype(np.float64)


def _hull(points: Points) -> Points:
    from scipy.spatial import ConvexHull  # type: ignore[import-untyped]

    hull: Points = points[ConvexHull(points).vertices]
    return hull


def _area(hull: Points) -> float:
    rows, columns = hull.T
    return float(abs(rows @ np.roll(columns, 1) - columns @ np.roll(rows, 1)) / 2)


def _feret(hull: Points) -> tuple[float, float]:
    """The least and the greatest distance between two parallel lines that hold the hull between them."""
    sides = np.roll(hull, -1, axis=0) - hull
    normals = np.stack((-sides[:, 1], sides[:, 0]), axis=1) / np.hypot(*sides.T)[:, None]
    across = normals @ hull.T
    most = np.hypot(*(hull[:, None] - hull[None]).transpose(2, 0, 1)).max()
    return float(np.ptp(across, axis=1).min()), float(most)
