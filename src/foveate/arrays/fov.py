"""The field of view (FOV) of a fundus photograph: the lit disc inside a dark border.

A camera's FOV is a disc, sometimes cut flat at the top and bottom. So a circle is fitted to the points where the
dark border ends, by consensus (Fischler and Bolles, RANSAC, 1981) and least squares (Kåsa, 1976); spots, print and
dark patches inside the disc do not move it. Where no circle fits, the FOV is what the border leaves free; what is dark
and reaches the picture's edge is never part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.border import (
    BLACK,
    Box,
    border_levels,
    counts_lit,
    inside_frame,
    large_pieces,
    levels_of_darkest,
    middle_of,
    not_outside,
    shares_lit,
)
from foveate.arrays.outline import Enlarged, LitDisc, Outline
from foveate.records import Image, Mask

NOTHING = "the image is black: nothing was segmented"

FovRule = Literal["find", "whole"]
"""How a model's images are looked at: as fundus photographs, whose FOV is found, or whole."""

Points = NDArray[np.float64]
"""N×2: row, column."""

SEARCH_SIZE = 768
"""The longer side, in pixels, at which the border is searched: the fit averages over a thousand points, so a larger
image would not make the circle more exact, only slower."""

Numbers = float | NDArray[np.float64]

COUNTED = 250
"""About so many of the edge points, evenly taken, say which of the trios' circles is the best."""

EVENLY = 1.2207440846057596
"""The root of x⁴ = x + 1: multiples of its three inverse powers fill a cube evenly (Roberts, 2018)."""

TRIOS = np.outer(np.arange(1, 301), EVENLY ** -np.arange(1.0, 4.0)) % 1
"""300×3, 0 to 1: which three points each circle is drawn through, as shares of their number."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldOfView:
    """Where the photograph shows the eye."""

    mask: Mask
    """H×W, True inside."""
    diameter: float
    """Pixels; of the fitted circle, else the longer side of the box. 0 when there is nothing to see."""
    box: tuple[int, int, int, int]
    """Top, left, bottom, right of the mask; bottom and right are one past the end."""
    note: str = ""
    """What had to be decided, as one sentence; empty for an ordinary photograph."""

    @classmethod
    def of_mask(cls, mask: Mask, *, diameter: float | None = None, note: str = "") -> FieldOfView:
        """The FOV that a mask (H×W) describes; an empty mask has box (0, 0, 0, 0) and diameter 0."""
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        if not rows.size:
            return cls(mask, 0.0, (0, 0, 0, 0), note)
        box = int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1
        longer = float(max(box[2] - box[0], box[3] - box[1]))
        return cls(mask, longer if diameter is None else diameter, box, note)


def field_of_view(image: Image, rule: FovRule) -> FieldOfView:
    """The FOV of an image (H×W×3, 0 to 255): found, or all of it where the image is no fundus photograph."""
    return find_fov(image) if rule == "find" else FieldOfView.of_mask(np.ones(image.shape[:2], bool))


def find_fov(image: Image) -> FieldOfView:
    """Find the FOV of a photograph (H×W×3, 0 to 255). Never fails: the note says what was out of the ordinary."""
    height, width = image.shape[:2]
    outline = find_outline(_brightness(image, search_size(height, width)), height, width)
    return FieldOfView.of_mask(outline.rows(0, height), diameter=outline.diameter, note=outline.note)


def search_size(height: int, width: int) -> tuple[int, int]:
    """Height and width of the reduced picture on which a photograph's FOV is searched."""
    step = max(1.0, max(height, width) / SEARCH_SIZE)
    return max(1, round(height / step)), max(1, round(width / step))


def find_outline(small: NDArray[np.uint8], height: int, width: int) -> Outline:
    """The FOV of a photograph of height×width by its brightest channel at its search size (`search_size`)."""
    if small.max() < BLACK:
        return Outline(height, width, Enlarged(np.zeros(small.shape, bool)), note=NOTHING)
    levels = border_levels(small)
    best = _best_disc(small, levels, whole=True)
    if best is None:
        # Marks in the corners hide the border from the search there, pieces of print and bars the disc's edge.
        darkest = levels_of_darkest(small)
        best, levels = _best_disc(small, darkest, whole=False), levels or darkest
    return _no_disc(small, levels, height, width) if best is None else _disc(*best, height, width)


def _best_disc(small: NDArray[np.uint8], levels: list[float], *, whole: bool) -> tuple[Circle, Mask, Box] | None:
    """The circle that agrees best over the levels, what is lit there, and the box that a frame leaves free.

    None where no circle fits. With `whole` all that is lit takes part, else only its large pieces.
    """
    best: tuple[Circle, Mask, Box] | None = None
    for level in levels:
        lit = small > math.floor(level)  # the same for whole numbers, which are compared in a tenth of the time
        box = inside_frame(lit)
        free = np.zeros_like(lit)
        free[box] = lit[box] if whole else large_pieces(lit[box])
        circle = _fit_circle(np.add(_edge_points(free[box]), (box[0].start, box[1].start)))
        if circle is not None and (best is None or circle.agreement > best[0].agreement):
            best = circle, free, box
        if best is not None and best[0].agreement > 0.95:
            break
    return best


def _no_disc(small: NDArray[np.uint8], levels: list[float], height: int, width: int) -> Outline:
    """All but the dark border and a bright frame around it, where these are no disc's."""
    lit = small > math.floor(levels[0] if levels else min(float(BLACK), middle_of(small) / 3))
    inside = np.zeros(lit.shape, bool)
    box = inside_frame(lit)
    inside[box] = not_outside(lit[box])
    if not inside.any():
        note = NOTHING
    elif inside.all():
        note = "no dark border found: the whole image is taken as the field of view"
    else:
        note = "the field of view is not a disc: the area inside the dark border is taken"
    return Outline(height, width, Enlarged(inside), note=note)


def _brightness(image: Image, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The brightest channel, averaged down; red is what lights a fundus, so grey would lose dark rims."""
    # Channel by channel: a maximum along the axis of three takes twenty times as long.
    brightest = PillowImage.fromarray(np.maximum(np.maximum(image[..., 0], image[..., 1]), image[..., 2]))
    return np.asarray(brightest.resize(size[::-1], PillowImage.Resampling.BOX))


def _edge_points(lit: Mask) -> Points:
    """The first and last lit pixel's outer edge of every row and column, but none on the image's own edge."""
    points = []
    for axis, along in ((0, lit), (1, np.ascontiguousarray(lit.T))):
        lines = np.flatnonzero(counts_lit(along, 1) >= 3)
        first = along.argmax(axis=1)[lines]
        last = along.shape[1] - along[:, ::-1].argmax(axis=1)[lines]
        for ends, inner in ((first, first > 0), (last, last < along.shape[1])):
            pair = np.column_stack((lines[inner] + 0.5, ends[inner]))
            points.append(pair if axis == 0 else pair[:, ::-1])
    return np.concatenate(points)


class Circle(NamedTuple):
    """In pixels of the reduced image."""

    row: float
    column: float
    radius: float
    agreement: float
    """Share of the edge points within 1 % of the radius."""


def _fit_circle(points: Points) -> Circle | None:
    """The circle that most edge points agree on; None unless half of them do."""
    count = len(points)
    if count < 30:
        return None
    # Where half of the points lie on the circle, one trio in eight does: of 300 some surely do.
    candidates = _through_three(points[(TRIOS * count).astype(int)])
    few = points[:: max(1, count // COUNTED)]
    near = _near(few, *candidates.T[..., None])
    chosen = _near(points, *candidates[near.sum(axis=1).argmax()])
    row, column, radius = 0.0, 0.0, 0.0
    # Three points give a rough circle: it is fitted to all that agree with it, and these are chosen anew.
    for _ in range(3):
        if chosen.mean() < 0.5:
            return None
        row, column, radius = _fitted(points[chosen])
        chosen = _near(points, row, column, radius)
    return Circle(row, column, radius, float(chosen.mean()))


def _near(points: Points, row: Numbers, column: Numbers, radius: Numbers) -> NDArray[np.bool_]:
    """Which points lie within 1 % of the radius from the circle; of circles (n×1 each) n×k."""
    down, across = points[:, 0] - row, points[:, 1] - column
    # Squares, in place: no roots, and no room for each step between.
    down *= down
    across *= across
    down += across
    near: NDArray[np.bool_] = (down > (0.99 * radius) ** 2) & (down < (1.01 * radius) ** 2)
    return near


def _through_three(trios: NDArray[np.float64]) -> NDArray[np.float64]:
    """The circles (n×3: row, column, radius) through n×3 points (n×3×2); radius 0 where these lie on one line."""
    first = trios[:, 0]
    (b_row, b_column), (c_row, c_column) = (trios[:, 1] - first).T, (trios[:, 2] - first).T
    b_square, c_square = b_row**2 + b_column**2, c_row**2 + c_column**2
    area = 2 * (b_row * c_column - b_column * c_row)
    whole = np.where(area == 0, np.inf, area)
    down = (c_column * b_square - b_column * c_square) / whole
    across = (b_row * c_square - c_row * b_square) / whole
    return np.stack((first[:, 0] + down, first[:, 1] + across, np.hypot(down, across)), axis=1)


def _fitted(points: Points) -> tuple[float, float, float]:
    """Kåsa's fit of a circle (row, column, radius) to points (k×2); radius 0 where these lie on one line.

    row² + column² = 2 a row + 2 b column + c is linear in a, b, c; from the points' mean, c is the mean of the left.
    """
    mean = points.mean(axis=0)
    rows, columns = (points - mean).T
    squares = rows**2 + columns**2
    across, down, both = float(columns @ columns), float(rows @ rows), float(rows @ columns)
    whole = 2 * (down * across - both**2)
    if whole <= 0:
        return float(mean[0]), float(mean[1]), 0.0
    by_row, by_column = float(rows @ squares), float(columns @ squares)
    a, b = (across * by_row - both * by_column) / whole, (down * by_column - both * by_row) / whole
    return float(mean[0]) + a, float(mean[1]) + b, math.sqrt(float(squares.mean()) + a * a + b * b)


def _disc(circle: Circle, lit: Mask, box: Box, height: int, width: int) -> Outline:
    """The circle at full size, cut flat where the lit part ends before the circle does, and at a frame."""
    down, across = height / lit.shape[0], width / lit.shape[1]
    row, column, radius = circle.row * down, circle.column * across, circle.radius * (down + across) / 2
    rows = _cuts(shares_lit(lit, 1), box[0], row, radius, down)
    columns = _cuts(shares_lit(lit, 0), box[1], column, radius, across)
    return Outline(height, width, LitDisc(row, column, radius, rows, columns), diameter=2 * radius)


def _cuts(shares: NDArray[np.float64], within: slice, centre: float, radius: float, step: float) -> tuple[float, float]:
    """Where the disc begins and ends along an axis at full size, `step` times that of the shares of lit pixels."""
    # A cut is flat over a chord of some length; a few pixels at the circle's poles are rounding, not a cut.
    slack = 0.04 * radius
    used = np.flatnonzero(shares > 0.1)
    first, last = float(used[0]) * step, float(used[-1] + 1) * step
    return (
        first if first > centre - radius + slack else within.start * step,
        last if last < centre + radius - slack else within.stop * step,
    )
