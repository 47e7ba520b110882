"""Some rows of an image at a time, as 8-bit RGB, whatever they are read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from foveate.records import Image


class Rows(Protocol):
    """An image of which rows can be read."""

    @property
    def height(self) -> int:
        """Pixels."""

    @property
    def width(self) -> int:
        """Pixels."""

    @property
    def step(self) -> int:
        """How many rows are best read together."""

    def read(self, top: int, bottom: int) -> Image:
        """Rows from `top` to before `bottom`, RGB. Raises ImageError."""


@dataclass(frozen=True, slots=True, eq=False)
class ArrayRows:
    """An image that is in memory."""

    pixels: Image
    step: int = 256

    @property
    def height(self) -> int:
        """Of the array."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Of the array."""
        return int(self.pixels.shape[1])

    def read(self, top: int, bottom: int) -> Image:
        """A view of the rows."""
        return self.pixels[top:bottom]


class Following:
    """Rows that are asked for in order, each of them read once, though those asked for overlap."""

    def __init__(self, read: Callable[[int, int], NDArray[Any]], height: int, step: int) -> None:
        self._read, self._height, self._step = read, height, step
        self._top = self._end = 0
        self._bands: list[NDArray[Any]] = []

    def read(self, top: int, bottom: int) -> NDArray[Any]:
        """Rows from `top`, which is never less than before, to before `bottom`."""
        while self._bands and self._top + len(self._bands[0]) <= top:
            self._top += len(self._bands.pop(0))
        if not self._bands:
            self._top = self._end = top - top % self._step
        while self._end < bottom:
            end = min(self._end + self._step, self._height)
            self._bands.append(self._read(self._end, end))
            self._end = end
        first, last = top - self._top, bottom - self._top
        if len(self._bands) == 1:
            band: NDArray[Any] = self._bands[0][first:last]
            return band
        return np.concatenate(self._bands)[first:last]
