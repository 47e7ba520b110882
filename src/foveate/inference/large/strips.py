"""From a large photograph to its probabilities, some rows at a time: the way of `arrays/prepare.py`, in strips.

Where a model reduces photographs, the whole of its image is small and seen at once; only reading and enlarging go by
strips. One that works at the photograph's own size goes through tiles (`tiles.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.augmented import VIEWS
from foveate.arrays.enhance import enhance
from foveate.arrays.fov import find_outline, search_size
from foveate.arrays.outline import Outline
from foveate.arrays.prepare import Frame, Network, Preparation, averaged
from foveate.arrays.resize import Enlarging, Part, ReadRows, reduced
from foveate.errors import ModelError
from foveate.imaging.large.photograph import LargePhotograph
from foveate.imaging.large.rows import Following
from foveate.inference.large.tiles import run_padded, tile_side, tiled_rows

if TYPE_CHECKING:
    from foveate.imaging.large.photograph import Level
    from foveate.inference.large.limits import Limits
    from foveate.records import Image, Mask, Probabilities

READ_ROWS = 512
"""Rows of a photograph that are reduced together."""


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """Rows of a photograph's own grid, over its whole width."""

    top: int
    probabilities: Probabilities
    """K×rows×W; 0 outside the FOV."""
    spread: Probabilities | None
    """The standard deviation over several views."""
    inside: Mask
    """rows×W, the FOV."""


def outline_of(photograph: LargePhotograph, preparation: Preparation) -> Outline:
    """The FOV of a large photograph, by the model's rule, found on a reduced picture of it."""
    height, width = photograph.height, photograph.width
    if preparation.fov == "whole":
        return Outline.whole(height, width)
    size = search_size(height, width)
    level = photograph.at_least(size[0] / height)
    whole = (0, 0, level.height, level.width)
    with level.open() as rows:
        brightest: ReadRows = lambda top, bottom: rows.read(top, bottom).max(axis=2)  # noqa: E731
        small = reduced(brightest, level.height, whole, size, "box", max(rows.step, READ_ROWS // rows.step * rows.step))
    return find_outline(small, height, width)


def frame_of(outline: Outline, preparation: Preparation) -> Frame | None:
    """Where the prepared image comes from; None where there is nothing to see."""
    top, left, bottom, right = box = outline.box()
    if bottom == top:
        return None
    own = Frame(outline.height, outline.width, box, (bottom - top, right - left))
    scale = preparation.scale(diameter_of(outline, own))
    return replace(own, working=(max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))))


def diameter_of(outline: Outline, frame: Frame) -> float:
    """Pixels; of the disc, else the longer side of the box."""
    top, left, bottom, right = frame.box
    return outline.diameter or float(max(bottom - top, right - left))


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """What takes a photograph through a network."""

    photograph: LargePhotograph
    outline: Outline
    frame: Frame
    preparation: Preparation
    network: Network
    planes: int
    views: int
    limits: Limits

    @property
    def in_tiles(self) -> bool:
        """Whether the network works at the photograph's own size, which is too large to be seen at once."""
        return self.preparation.tiled and max(self.frame.working) > self.side

    @property
    def level(self) -> Level:
        """What the prepared image is made of: the smallest version of the photograph that has enough pixels."""
        top, left, bottom, right = self.frame.box
        height, width = self.frame.working
        return self.photograph.at_least(max(height / (bottom - top), width / (right - left)))

    @property
    def side(self) -> int:
        """Of a tile; half of the memory is the network's."""
        return tile_side(self.limits.for_arrays // 2, self.preparation.context)

    def refuse_too_large(self) -> None:
        """Raise ModelError where this way can't be gone in the memory that there is."""
        top, left, bottom, right = self.frame.box
        own = self.frame.working == (bottom - top, right - left)
        size = "×".join(map(str, reversed(self.frame.working)))
        if self.in_tiles:
            reason = (
                "equalises their contrast (CLAHE), which takes all of one" * bool(self.preparation.clahe)
                or "is asked for the mean of several views (--tta)" * (self.views > 1)
                or "scales them" * (not own)
            )
            if reason:
                raise ModelError(
                    f"the model sees images of {size} pixels in tiles but {reason}; crop or shrink the image"
                )
        elif self._held_bytes > self.limits.for_arrays:
            raise ModelError(
                f"the model sees an image of {size} pixels in one piece, for which --max-memory is too little;"
                " raise it, shrink the image, or use a model that works at its own size and sees tiles"
            )

    @property
    def _held_bytes(self) -> int:
        """Of the prepared image, itself twice, as float32 for the network, and its maps in every view; and of the
        photograph, whose rows are already as narrow."""
        channels, (height, width) = self.preparation.channel_count, self.frame.working
        each = 2 * 3 + 2 * 4 * channels + 4 * self.planes * self.views + 4 * self.planes
        return height * width * each + 3 * (self.frame.box[2] - self.frame.box[0]) * width

    def strips(self) -> Iterator[Strip]:
        """All rows of the photograph, in order."""
        rows = self._tiled() if self.in_tiles else self._enlarged()
        top = 0
        for probabilities, spread in rows:
            bottom = top + probabilities.shape[1]
            inside = self.outline.rows(top, bottom)
            black = np.float32(0)
            yield Strip(
                top,
                np.where(inside, probabilities, black),
                None if spread is None else np.where(inside, spread, black),
                inside,
            )
            top = bottom

    def _enlarged(self) -> Iterator[tuple[Probabilities, Probabilities | None]]:
        """Of a prepared image that was seen in one piece."""
        by_view = self._maps()
        top, left, bottom, right = self.frame.box
        height, width = self.frame.working
        enlarging = Enlarging((height, width), (bottom - top, right - left))
        step = self.limits.rows_of(self.frame.width, self.planes * self.views)
        for first in range(0, self.frame.height, step):
            last = min(first + step, self.frame.height)
            bands = np.zeros((self.views, self.planes, last - first, self.frame.width), np.float32)
            low, high = max(first, top), min(last, bottom)
            for maps, band in zip(by_view, bands, strict=True):
                for plane, rows in zip(maps, band, strict=True):
                    if low < high:
                        rows[low - first : high - first, left:right] = enlarging.rows(plane, low - top, high - top)
            if self.views == 1:
                yield bands[0], None
            else:
                yield bands.mean(axis=0, dtype=np.float64).astype(np.float32), _deviation(bands)

    def _tiled(self) -> Iterator[tuple[Probabilities, Probabilities | None]]:
        """Of a network that sees tiles."""
        top, left, bottom, right = self.frame.box
        yield from self._nothing(0, top)
        with self._lit() as (read, _, _):
            bands = tiled_rows(
                read,
                self.frame.working,
                self.network,
                planes=self.planes,
                side=self.side,
                context=self.preparation.context,
            )
            for _, maps in bands:
                rows = np.zeros((self.planes, maps.shape[1], self.frame.width), np.float32)
                rows[:, :, left:right] = maps
                yield from ((part, None) for part in _parts(rows, self.limits.rows_of(self.frame.width, self.planes)))
        yield from self._nothing(bottom, self.frame.height)

    def _nothing(self, top: int, bottom: int) -> Iterator[tuple[Probabilities, None]]:
        step = self.limits.rows_of(self.frame.width, self.planes)
        for first in range(top, bottom, step):
            yield np.zeros((self.planes, min(step, bottom - first), self.frame.width), np.float32), None

    def _maps(self) -> list[Probabilities]:
        """K×h×w at the working size, once for each view."""
        with self._lit() as (read, height, part):
            prepared: Image = reduced(read, height, part, self.frame.working, "bicubic", READ_ROWS)
        inside = self._inside() if self.preparation.channels == "green" or self.preparation.clahe else None
        found = []
        for down, across, exchanged in VIEWS[: self.views]:
            seen = prepared[::down, ::across]
            within = None if inside is None else inside[::down, ::across]
            if exchanged:
                seen, within = seen.transpose(1, 0, 2), None if within is None else within.T
            maps = run_padded(self.network, self._enhanced(seen, within), self.planes)
            upright = (maps.transpose(0, 2, 1) if exchanged else maps)[:, ::down, ::across]
            found.append(np.ascontiguousarray(upright))
        return found

    def _enhanced(self, seen: Image, within: Mask | None) -> NDArray[np.uint8]:
        if within is None:
            return seen
        return enhance(seen, within, channels=self.preparation.channels, clahe=self.preparation.clahe)

    @contextmanager
    def _lit(self) -> Iterator[tuple[ReadRows, int, Part]]:
        """Rows of the box in the photograph, black outside the FOV: how to read them in order, how many there are, and
        where the box lies in them. For tiles they are as the network sees them.
        """
        level = self.level
        down, across = level.height / self.frame.height, level.width / self.frame.width
        top, left, bottom, right = self.frame.box
        box = top * down, left * across, bottom * down, right * across
        first, start, last, end = floor(box[0]), floor(box[1]), ceil(box[2]), ceil(box[3])
        outline = self.outline if (down, across) == (1, 1) else self.outline.at(level.height, level.width)
        green = self.in_tiles and self.preparation.channels == "green"
        with level.open() as rows:
            following = Following(rows.read, level.height, rows.step)

            def lit(low: int, high: int) -> NDArray[np.uint8]:
                pixels = following.read(first + low, first + high)[:, start:end]
                inside = outline.rows(first + low, first + high)[:, start:end, None]
                shown = np.where(inside, pixels, np.uint8(0))
                return shown[..., 1:2] if green else shown

            yield lit, last - first, (box[0] - first, box[1] - start, box[2] - first, box[3] - start)

    def _inside(self) -> Mask:
        """The FOV on the prepared image's grid: where at least half of a pixel lies inside."""
        top, left, bottom, right = self.frame.box
        height, width = self.frame.working
        edges = np.linspace(0, bottom - top, height + 1)
        found = []
        for row, end in pairwise(edges):
            first, last = floor(row), min(ceil(end), bottom - top)
            mask = self.outline.rows(top + first, top + last)[:, left:right]
            covered = np.minimum(np.arange(first, last) + 1, end) - np.maximum(np.arange(first, last), row)
            share = (covered / covered.sum()) @ mask.astype(np.float64)
            found.append(averaged(share[None], width, 1))
        return np.concatenate(found).astype(np.float32) >= 0.5


def _parts(rows: Probabilities, step: int) -> Iterator[Probabilities]:
    for first in range(0, rows.shape[1], step):
        yield rows[:, first : first + step]


def _deviation(views: NDArray[np.float32]) -> Probabilities:
    """Over the first axis; exactly 0 where all agree, for then they are their mean."""
    deviation: Probabilities = views.std(axis=0, dtype=np.float64).astype(np.float32)
    return deviation
