"""Masks drawn over an image that comes from top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from foveate.imaging.overlay import Pen, drawn
from foveate.records import Image, Mask, Masks


@dataclass(slots=True)
class Drawing:
    """Rows of masks go in, rows of the picture come out: later, for a line is as wide as its pen."""

    size: tuple[int, int]
    image: Callable[[int, int], NDArray[np.uint8]]
    """Rows of it, in order."""
    inside: Callable[[int, int], Mask] | None
    """Rows of the field of view; None where no line is drawn around it."""
    pen: Pen
    order: Sequence[int]
    """The numbers of the classes, in the order in which they are drawn."""
    _masks: list[Masks] = field(default_factory=list)
    _top: int = 0
    """Of the first row that is held."""
    _done: int = 0

    def add(self, masks: Masks) -> Iterator[Image]:
        """The next rows of the masks, K×N×W; what can be drawn now."""
        self._masks.append(masks)
        end = self._top + sum(part.shape[1] for part in self._masks)
        height = self.size[0]
        ready = height if end == height else end - self.pen.reach
        if ready <= self._done:
            return
        top, bottom = max(0, self._done - self.pen.reach), min(height, ready + self.pen.reach)
        together = np.concatenate(self._masks, axis=1)
        image = self.image(top, bottom)
        picture = drawn(
            image, together[:, top - self._top : bottom - self._top], self._outlined(top, bottom), *self._how
        )
        yield picture[self._done - top : ready - top]
        kept = max(0, ready - self.pen.reach)
        self._masks = [together[:, kept - self._top :].copy()]
        self._top, self._done = kept, ready

    @property
    def _how(self) -> tuple[Pen, Sequence[int]]:
        return self.pen, self.order

    def _outlined(self, top: int, bottom: int) -> Mask | None:
        """The field of view with a pixel around it, which beyond the image is none of it."""
        if self.inside is None:
            return None
        height, width = self.size
        around = np.zeros((bottom - top + 2, width + 2), bool)
        first, last = max(0, top - 1), min(height, bottom + 1)
        around[first - top + 1 : last - top + 1, 1:-1] = self.inside(first, last)
        return around
