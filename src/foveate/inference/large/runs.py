"""Masks of large images as runs along their rows, and what may be done to them after the threshold.

A mask of vessels has a few hundred runs in a row where it has twenty thousand pixels. So all of them fit into memory
at once, and the components are those of the whole mask, exactly, though it is never there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.components import Connectivity, Indices, roots_of
from foveate.errors import ImageError

if TYPE_CHECKING:
    from foveate.arrays.postprocess import PostProcessing
    from foveate.records import Mask, Probability

RUN_BYTES = 128
"""That joining runs takes for each."""

STRIP = 256


@dataclass(slots=True, eq=False)
class Runs:
    """A mask of a given width, to which rows are added from the top."""

    width: int
    most: int
    """How many runs there may be."""
    starts: list[Indices] = field(default_factory=list)
    """Of each strip: the place before a run's first pixel, counted through rows of two pixels more than the width."""
    ends: list[Indices] = field(default_factory=list)
    """The place of a run's last pixel."""
    marked: list[NDArray[np.bool_]] = field(default_factory=list)
    """Whether a run holds a pixel of a second mask."""
    count: int = 0

    def add(self, top: int, mask: Mask, marks: Mask | None = None) -> None:
        """The rows from `top` on, and those of the second mask. Raises ImageError where there are too many runs."""
        flat = self._flat(mask)
        starts, ends = np.flatnonzero(flat[1:] != flat[:-1]).reshape(-1, 2).T
        self.count += len(starts)
        if self.count > self.most:
            raise ImageError(
                f"its masks have more than {self.most} separate lines, too many for what is asked for beyond the"
                " threshold at this size; raise --max-memory, or leave that out"
            )
        if marks is not None:
            sums = np.concatenate(([0], self._flat(marks).cumsum()))
            self.marked.append(sums[ends + 1] > sums[starts + 1])
        self.starts.append(starts + top * (self.width + 2))
        self.ends.append(ends + top * (self.width + 2))

    def rows(self, top: int, bottom: int) -> Mask:
        """Rows of the mask, all of which have been added."""
        starts, ends = self.all()
        line = self.width + 2
        first, last = np.searchsorted(starts, (top * line, bottom * line))
        steps = np.zeros((bottom - top) * line + 1, np.int8)
        steps[starts[first:last] + 1 - top * line] = 1
        steps[ends[first:last] + 1 - top * line] = -1
        mask: Mask = steps[:-1].cumsum(dtype=np.int8).reshape(bottom - top, line)[:, 1:-1] > 0
        return mask

    def all(self) -> tuple[Indices, Indices]:
        """Starts and ends of all runs."""
        for runs in (self.starts, self.ends):
            if len(runs) != 1:
                runs[:] = [np.concatenate(runs or [np.zeros(0, np.intp)])]
        return self.starts[0], self.ends[0]

    def roots(self, connectivity: Connectivity) -> Indices:
        """For each run the first one of its component."""
        return roots_of(*self.all(), self.width + 2, connectivity)

    def of(self, kept: NDArray[np.bool_]) -> Runs:
        """Only some of them."""
        starts, ends = self.all()
        return Runs(self.width, self.most, [starts[kept]], [ends[kept]], count=int(kept.sum()))

    def _flat(self, mask: Mask) -> NDArray[np.bool_]:
        framed = np.zeros((mask.shape[0], self.width + 2), bool)
        framed[:, 1:-1] = mask
        return framed.ravel()


@dataclass(slots=True, eq=False)
class Cleaning:
    """The mask of one class on its way through the options, with the order and meaning of `arrays/postprocess.py`."""

    height: int
    runs: Runs
    options: PostProcessing

    def add(self, top: int, mask: Mask, effective: Probability) -> None:
        """Rows of the mask, and what they were decided on."""
        if self.options.hysteresis is None:
            self.runs.add(top, mask)
        else:
            self.runs.add(top, mask | (effective >= self.options.hysteresis), mask)

    def result(self) -> Runs:
        """The mask after all options, but not yet cut to the FOV, when all rows have been added."""
        runs = self.runs
        if self.options.hysteresis is not None:
            roots, marked = runs.roots(8), np.concatenate(runs.marked or [np.zeros(0, bool)])
            holds = np.zeros(len(roots), bool)
            holds[roots[marked]] = True
            runs = runs.of(holds[roots])
        if self.options.min_size is not None and self.options.min_size > 1:
            sizes = _sizes(runs, 8)
            runs = runs.of(sizes >= self.options.min_size)
        if self.options.largest and runs.count:
            sizes = _sizes(runs, 8)
            runs = runs.of(sizes == sizes.max())
        return _filled(runs, self.height, self.options.fill_holes) if self.options.fill_holes else runs


def _sizes(runs: Runs, connectivity: Connectivity) -> Indices:
    """For each run the pixels of its component."""
    starts, ends = runs.all()
    roots = runs.roots(connectivity)
    pixels = np.zeros(len(starts), np.intp)
    np.add.at(pixels, roots, ends - starts)
    return pixels[roots]


def _filled(runs: Runs, height: int, largest: int) -> Runs:
    """With the holes of at most `largest` pixels (-1: of any size)."""
    outside, strips = Runs(runs.width, runs.most), range(0, height, STRIP)
    for top in strips:
        outside.add(top, ~runs.rows(top, min(top + STRIP, height)))
    starts, ends = outside.all()
    line, roots = runs.width + 2, outside.roots(4)
    at_edge = (starts < line) | (starts >= (height - 1) * line) | (starts % line == 0) | (ends % line == runs.width)
    reaches = np.zeros(len(roots), bool)
    reaches[roots[at_edge]] = True
    hole = ~reaches[roots]
    if largest >= 0:
        hole &= _sizes(outside, 4) <= largest
    holes, filled = outside.of(hole), Runs(runs.width, runs.most)
    for top in strips:
        bottom = min(top + STRIP, height)
        filled.add(top, runs.rows(top, bottom) | holes.rows(top, bottom))
    return filled
