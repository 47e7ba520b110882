"""A network whose context is known, in parts that overlap.

What a network says of a pixel depends on others up to some distance, its context. A part's pixels that lie farther than
that from its cut edges are those of the whole image, so only these are used.

An image that could be seen whole may go in bands of rows. One that is too large for that, at the photograph's own
size, goes in tiles; where two of them have a pixel, a smooth window goes over from the one to the other, so that what a
context leaves out makes no seam either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.prepare import ALIGNED, STRIDE, Network
from foveate.errors import ModelError

if TYPE_CHECKING:
    from foveate.records import Probabilities

BLEND = 64
"""Pixels over which one tile goes over into the next."""

BAND_PIXELS = 2**20
"""Pixels of an image from which on bands pay: ONNX Runtime takes as long for two of them as for the whole, and half the
memory."""

BAND_CONTEXTS = 6
"""A band has at least so many times the rows of its context: of lower ones too many rows would be seen twice."""

NETWORK_BYTES = 1024
"""That a network is taken to need for each pixel of a tile: twice what those of this package with few maps do."""

ReadPixels = Callable[[int, int], NDArray[Any]]
"""From one row to before another of what the network sees: rows×W×C."""


@dataclass(frozen=True, slots=True)
class Span:
    """A tile along one axis, and how much it counts for at each of its pixels."""

    start: int
    end: int
    weights: NDArray[np.float32]


def tile_side(memory: int, context: int) -> int:
    """Pixels: the side of tiles for which a network may take `memory` bytes, with at least as much inside as around."""
    least = 2 * (2 * context + BLEND)
    return max(ALIGNED * -(-least // ALIGNED), isqrt(memory // NETWORK_BYTES) // ALIGNED * ALIGNED)


def spans(length: int, side: int, context: int) -> list[Span]:
    """Tiles of at most `side` that cover an axis; their weights add up to one at every pixel."""
    step = (side - 2 * context - BLEND) // ALIGNED * ALIGNED
    starts = [0]
    while starts[-1] + side < length:
        starts.append(starts[-1] + step)
    ramp = np.sin((np.arange(BLEND) + 0.5) * (np.pi / 2 / BLEND)) ** 2
    found = []
    for number, start in enumerate(starts):
        end = min(start + side, length)
        weights = np.ones(end - start)
        if number:
            weights[:context] = 0
            weights[context : context + BLEND] = ramp
        if number + 1 < len(starts):
            over = starts[number + 1] + context - start
            weights[over : over + BLEND] = 1 - ramp
            weights[over + BLEND :] = 0
        found.append(Span(start, end, weights.astype(np.float32)))
    return found


def tiled_rows(
    read: ReadPixels, size: tuple[int, int], network: Network, *, planes: int, side: int, context: int
) -> Iterator[tuple[int, Probabilities]]:
    """What a network says of an image of that height and width: bands of rows in order, each with its first row.

    `read` is asked for rows in order, each band with those of the one before that both tiles need.
    """
    height, width = size
    columns, rows = spans(width, side, context), spans(height, side, context)
    carried = np.zeros((planes, 0, width), np.float32)
    done = 0
    for number, row in enumerate(rows):
        pixels = read(row.start, row.end)
        band = np.zeros((planes, row.end - row.start, width), np.float32)
        for column in columns:
            maps = run_padded(network, pixels[:, column.start : column.end], planes)
            band[:, :, column.start : column.end] += maps * column.weights
        band *= row.weights[:, None]
        overlap = done + carried.shape[1] - row.start
        band[:, done - row.start : overlap] += carried
        ready = rows[number + 1].start + context if number + 1 < len(rows) else height
        yield done, band[:, done - row.start : ready - row.start]
        until = min(row.end, ready + BLEND)
        carried = band[:, ready - row.start : until - row.start].copy()
        done = ready


def in_tiles(network: Network, *, planes: int, side: int, context: int) -> Network:
    """The same network, which takes what is larger than a tile in tiles."""

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        if max(batch.shape[2:]) <= side:
            return network(batch)
        pixels = batch[0].transpose(1, 2, 0)
        size = batch.shape[2], batch.shape[3]
        bands = tiled_rows(
            lambda top, bottom: pixels[top:bottom], size, network, planes=planes, side=side, context=context
        )
        return np.concatenate([maps for _, maps in bands], axis=1)[None]

    return run


def in_bands(network: Network, *, context: int) -> Network:
    """The same network, which takes a large image in bands of rows. What it says is the same to rounding."""
    around = ALIGNED * -(-context // ALIGNED)

    def run(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        height, width = batch.shape[2:]
        bands = min(-(-height * width // BAND_PIXELS), height // (BAND_CONTEXTS * around))
        if bands < 2:
            return network(batch)
        step = ALIGNED * -(-height // (ALIGNED * bands))
        maps = []
        for first in range(0, height, step):
            start, last = max(0, first - around), min(first + step, height)
            band = network(np.ascontiguousarray(batch[:, :, start : last + around]))
            maps.append(band[:, :, first - start : last - start])
        return np.concatenate(maps, axis=2)

    return run


def run_padded(network: Network, pixels: NDArray[Any], planes: int) -> Probabilities:
    """What a network says of an image: K×H×W of H×W×C, padded below and at the right as every image is."""
    height, width = pixels.shape[:2]
    padded = np.pad(pixels, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)))
    maps = network(np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32))[0, :, :height, :width]
    if len(maps) != planes:
        raise ModelError(f"the network makes {len(maps)} maps; its card names {planes} classes.")
    return maps
