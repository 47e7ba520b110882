"""A field of view as a shape, of which any rows can be had: a large image's mask would fill the memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask

STRIP = 256
"""Rows that are looked at together."""


@dataclass(frozen=True, slots=True)
class LitDisc:
    """A disc that may be cut flat; in pixels, where a pixel's centre lies half a pixel from its edge."""

    row: float
    column: float
    radius: float
    rows_within: tuple[float, float]
    """Between these lie the centres of its pixels."""
    columns_within: tuple[float, float]

    def rows(self, top: int, bottom: int, height: int, width: int) -> Mask:
        """Some rows of its mask in an image of height×width."""
        rows = np.arange(top, bottom, dtype=np.float64) + 0.5
        half = np.sqrt(np.maximum(self.radius**2 - (rows - self.row) ** 2, 0.0))
        left, right = max(self.columns_within[0], 0.0), min(self.columns_within[1], width)
        # Of every row, the pixels whose middles lie inside; to fill these is quicker than to compare all.
        begin = np.ceil(np.maximum(self.column - half, left) - 0.5).astype(int)
        end = np.floor(np.minimum(self.column + half, right) - 0.5).astype(int) + 1
        inside = (np.abs(rows - self.row) <= self.radius) & _between(rows, self.rows_within) & (begin < end)
        mask = np.zeros((bottom - top, width), bool)
        for line in np.flatnonzero(inside):
            mask[line, begin[line] : end[line]] = True
        return mask

    def scaled(self, down: float, across: float) -> LitDisc:
        """The disc in a picture with so many times the rows and columns."""
        (first, last), (left, right) = self.rows_within, self.columns_within
        radius = self.radius * (down + across) / 2
        within = (first * down, last * down), (left * across, right * across)
        return LitDisc(self.row * down, self.column * across, radius, *within)


def _between(centres: NDArray[np.floating], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (centres >= limits[0]) & (centres <= limits[1])


@dataclass(frozen=True, slots=True, eq=False)
class Enlarged:
    """A mask of a reduced picture, each of whose pixels stands for a rectangle."""

    small: Mask

    def rows(self, top: int, bottom: int, height: int, width: int) -> Mask:
        """Some rows of its mask in an image of height×width."""
        down, across = _nearest(self.small.shape[0], height), _nearest(self.small.shape[1], width)
        mask: Mask = self.small[down[top:bottom]][:, across]
        return mask

    def scaled(self, down: float, across: float) -> Enlarged:
        """The same: it has no size of its own."""
        return self


def _nearest(small: int, large: int) -> NDArray[np.int32]:
    """For every pixel of an axis that is enlarged, which one it is a copy of."""
    picture = PillowImage.fromarray(np.arange(small, dtype=np.int32)[None])
    copied: NDArray[np.int32] = np.asarray(picture.resize((large, 1), PillowImage.Resampling.NEAREST))[0]
    return copied


@dataclass(frozen=True, slots=True)
class Outline:
    """The field of view of an image of that height and width."""

    height: int
    width: int
    shape: LitDisc | Enlarged
    diameter: float | None = None
    """Pixels, of the disc; None for a shape that is none."""
    note: str = ""
    """What had to be decided, as one sentence; empty for an ordinary photograph."""

    @classmethod
    def whole(cls, height: int, width: int) -> Outline:
        """All of an image."""
        return cls(height, width, Enlarged(np.ones((1, 1), bool)))

    def rows(self, top: int, bottom: int) -> Mask:
        """Rows of the mask: (bottom - top)×W, True inside."""
        return self.shape.rows(top, bottom, self.height, self.width)

    def at(self, height: int, width: int) -> Outline:
        """The same field of view in a smaller or larger picture of the image."""
        return replace(
            self, height=height, width=width, shape=self.shape.scaled(height / self.height, width / self.width)
        )

    def box(self) -> tuple[int, int, int, int]:
        """Top, left, bottom, right of the mask, the last two one past the end; all 0 where it is empty."""
        in_row, in_column = np.zeros(self.height, bool), np.zeros(self.width, bool)
        for top in range(0, self.height, STRIP):
            mask = self.rows(top, min(top + STRIP, self.height))
            in_row[top : top + STRIP] = mask.any(axis=1)
            in_column |= mask.any(axis=0)
        rows, columns = np.flatnonzero(in_row), np.flatnonzero(in_column)
        if not rows.size:
            return 0, 0, 0, 0
        return int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1

    def is_whole(self) -> bool:
        """Whether it is all of the image."""
        tops = range(0, self.height, STRIP)
        return all(bool(self.rows(top, min(top + STRIP, self.height)).all()) for top in tops)
