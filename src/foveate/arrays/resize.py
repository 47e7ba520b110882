"""Some rows of a picture that is resized, from the rows of the picture that they depend on.

Pillow's own filters, called on a part: what comes out is what they make of the whole, but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

Filter = Literal["box", "bilinear", "bicubic"]

REACH: dict[Filter, float] = {"box": 0.5, "bilinear": 1.0, "bicubic": 2.0}
"""Pixels of the coarser of the two grids on each side of a pixel's centre."""

ReadRows = Callable[[int, int], NDArray[Any]]
"""From one row to before another: rows×W or rows×W×3 of what `PIL.Image.fromarray` takes."""


@dataclass(frozen=True, slots=True)
class Resizing:
    """A part of a picture of height×width, brought to a size."""

    height: int
    width: int
    part: tuple[float, float, float, float]
    """Top, left, bottom, right, in pixels or between them."""
    size: tuple[int, int]
    """Height and width of what comes out."""
    filter: Filter

    @property
    def scale(self) -> float:
        """Rows of the picture for one that comes out."""
        return (self.part[2] - self.part[0]) / self.size[0]

    @property
    def changes(self) -> bool:
        """Whether anything is resampled at all."""
        top, left, bottom, right = self.part
        return (bottom - top, right - left) != self.size

    def needed(self, first: int, last: int) -> tuple[int, int]:
        """Which rows of the picture some of the resized ones depend on."""
        if not self.changes:
            return int(self.part[0]) + first, int(self.part[0]) + last
        reach = REACH[self.filter] * max(self.scale, 1.0) + 1
        top = self.part[0]
        low = max(0, floor(top + first * self.scale - reach))
        return low, min(self.height, ceil(top + last * self.scale + reach))

    def rows(self, first: int, last: int, read: ReadRows) -> NDArray[Any]:
        """Rows from `first` to before `last` of what comes out."""
        low, high = self.needed(first, last)
        values = read(low, high)
        _, left, _, right = self.part
        if not self.changes:
            return values[:, int(left) : int(right)]
        start, end = (self.part[0] + row * self.scale - low for row in (first, last))
        box = left, max(0.0, start), right, min(float(high - low), end)
        picture = PillowImage.fromarray(np.ascontiguousarray(values))
        resampling = PillowImage.Resampling[self.filter.upper()]
        return np.asarray(picture.resize((self.size[1], last - first), resampling, box=box))

    def bands(self, most: int) -> Iterator[tuple[int, int]]:
        """All rows that come out in bands, each of which needs about `most` rows of the picture at once."""
        step = max(1, floor(most / max(self.scale, 1e-9))) if self.scale > 1 else most
        for first in range(0, self.size[0], step):
            yield first, min(first + step, self.size[0])
