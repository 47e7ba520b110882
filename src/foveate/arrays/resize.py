"""A picture resized without being held: reduced from its rows as they come, or some rows of it enlarged.

Pillow's own filters, which go along the rows first and down the columns then, called on parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

ReadRows = Callable[[int, int], NDArray[Any]]
"""From one row to before another, in order: rows×W or rows×W×3 of what `PIL.Image.fromarray` takes."""

Part = tuple[float, float, float, float]
"""Top, left, bottom, right, in pixels or between them."""

REACH = 1.0
"""Of the bilinear filter: pixels of the coarser of two grids on each side of a pixel's centre."""


def reduced(
    read: ReadRows, height: int, part: Part, size: tuple[int, int], filter_name: Literal["box", "bicubic"], step: int
) -> NDArray[np.uint8]:
    """A part of a picture with `height` rows at another size, of which `step` rows are read at a time.

    To the bit what Pillow makes of the whole picture. Along its rows it is reduced as they come; what is held has all
    of its rows, but the columns of the result.
    """
    resampling = PillowImage.Resampling[filter_name.upper()]
    top, left, bottom, right = part
    narrow = []
    for first in range(0, height, step):
        values = read(first, min(first + step, height))
        narrow.append(_resized(values, (len(values), size[1]), (0, left, len(values), right), resampling))
    return _resized(np.concatenate(narrow), size, (top, 0, bottom, size[1]), resampling)


@dataclass(frozen=True, slots=True)
class Enlarging:
    """A picture of one size brought to another by the bilinear filter."""

    size: tuple[int, int]
    """Height and width."""
    to: tuple[int, int]

    def rows(self, values: NDArray[np.float32], first: int, last: int) -> NDArray[np.float32]:
        """Rows from `first` to before `last` of the picture enlarged: those of the whole, but for rounding."""
        if self.size == self.to:
            return values[first:last]
        height, width = self.size
        scale = height / self.to[0]
        reach = REACH * max(scale, 1.0) + 1
        low, high = max(0, floor(first * scale - reach)), min(height, ceil(last * scale + reach))
        start, end = max(0.0, first * scale - low), min(float(high - low), last * scale - low)
        size = last - first, self.to[1]
        return _resized(values[low:high], size, (start, 0, end, width), PillowImage.Resampling.BILINEAR)


def _resized(
    values: NDArray[Any], size: tuple[int, int], part: Part, resampling: PillowImage.Resampling
) -> NDArray[Any]:
    top, left, bottom, right = part
    if (top, left, bottom, right) == (0, 0, *values.shape[:2]) and values.shape[:2] == size:
        return values
    picture = PillowImage.fromarray(np.ascontiguousarray(values))
    return np.asarray(picture.resize(size[::-1], resampling, box=(left, top, right, bottom)))
