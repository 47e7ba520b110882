"""Rows of a TIFF's picture: the chunks that hold them, put into a small TIFF of its own, and decoded as any TIFF is.

So a large picture has the colours that a small one has, whatever its compression, its palette or its depth.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from foveate.errors import ImageError
from foveate.imaging.decoding import Samples, decode
from foveate.imaging.decoding.samples import MIN_SIDE, Scale, counted, over_black, scale_by
from foveate.imaging.large.content import OpenFile
from foveate.imaging.large.tiff_layout import (
    HEIGHT,
    ROWS_PER_STRIP,
    STRIP_COUNTS,
    STRIP_OFFSETS,
    TILE_COUNTS,
    TILE_HEIGHT,
    TILE_OFFSETS,
    TILE_WIDTH,
    WIDTH,
    Layout,
)
from foveate.records import Image

_LONG = 4
_TOGETHER = 256
"""Rows, about: of strips with few rows, so many are decoded at once."""

_MIRRORED, _UPSIDE_DOWN = (2, 3), (3, 4)
"""Orientations (EXIF 2.32) that keep rows as rows."""


@dataclass(frozen=True, slots=True)
class Scales:
    """What 16-bit values of an image become, and those of its alpha; None for 8 bits."""

    colour: Scale | None = None
    alpha: Scale | None = None


@dataclass(frozen=True, slots=True, eq=False)
class TiffRows:
    """`Rows` of a picture in a file that is open, upright."""

    file: OpenFile
    layout: Layout
    scales: Scales = Scales()

    @property
    def height(self) -> int:
        """Pixels."""
        return self.layout.height

    @property
    def width(self) -> int:
        """Pixels."""
        return self.layout.width

    @property
    def step(self) -> int:
        """As many rows of chunks as have about 256 rows."""
        return max(self.layout.chunk[0], _TOGETHER // self.layout.chunk[0] * self.layout.chunk[0])

    def read(self, top: int, bottom: int) -> Image:
        """Rows as 8-bit RGB."""
        return self.shown(self.samples(top, bottom))

    def samples(self, top: int, bottom: int) -> Samples:
        """Rows as they are stored, but turned upright."""
        orientation = self.layout.orientation
        if orientation in _UPSIDE_DOWN:
            stored = self._stored(self.height - bottom, self.height - top)[::-1]
        else:
            stored = self._stored(top, bottom)
        return stored[:, ::-1] if orientation in _MIRRORED else stored

    def shown(self, samples: Samples) -> Image:
        """Samples as RGB: alpha over black, 16 bits by the scale of the whole image."""
        planes = samples if samples.ndim == 3 else samples[..., np.newaxis]
        has_alpha = planes.shape[2] in (2, 4)
        colour = _as_8_bit(planes[..., :-1] if has_alpha else planes, self.scales.colour)
        if has_alpha:
            colour = over_black(colour, _as_8_bit(planes[..., -1:], self.scales.alpha))
        height, width = planes.shape[:2]
        return np.array(np.broadcast_to(colour, (height, width, 3)), order="C")

    def _stored(self, top: int, bottom: int) -> Samples:
        rows = self.layout.chunk[0]
        first, last = top // rows, -(-bottom // rows)
        while min(last * rows, self.height) - first * rows < MIN_SIDE:  # nothing smaller is decoded
            first, last = (first - 1, last) if first else (first, last + 1)
        samples = decode(self._small_file(first, last)).samples
        height = min(last * rows, self.height) - first * rows
        if samples.shape[:2] != (height, self.width):
            raise ImageError("can't be decoded (its strips or tiles have another size); copy or export it again")
        return samples[top - first * rows : bottom - first * rows]

    def _small_file(self, first: int, last: int) -> bytes:
        """A TIFF of some rows of chunks."""
        layout, across = self.layout, self.layout.across
        chunks = range(first * across, min(last * across, len(layout.offsets)))
        pieces = [self.file.piece(int(layout.offsets[number]), int(layout.counts[number])) for number in chunks]
        height = min(last * layout.chunk[0], layout.height) - first * layout.chunk[0]
        tags = {tag: (kind, count, raw) for tag, (kind, count, raw) in layout.meaning.items()}
        numbers = {WIDTH: [layout.width], HEIGHT: [height]}
        if layout.tiled:
            numbers |= {TILE_WIDTH: [layout.chunk[1]], TILE_HEIGHT: [layout.chunk[0]]}
        else:
            numbers |= {ROWS_PER_STRIP: [layout.chunk[0]]}
        lengths = np.array([len(piece) for piece in pieces])
        places = 8 + np.concatenate(([0], lengths.cumsum()[:-1]))
        where, long = (TILE_OFFSETS, TILE_COUNTS) if layout.tiled else (STRIP_OFFSETS, STRIP_COUNTS)
        numbers |= {where: places.tolist(), long: lengths.tolist()}
        for tag, values in numbers.items():
            tags[tag] = (_LONG, len(values), struct.pack(f"{layout.order}{len(values)}I", *values))
        return _file_of(layout.order, b"".join(pieces), tags)


def survey(rows: TiffRows) -> tuple[Scales, bool]:
    """What a whole picture must be looked through for: the scales of 16 bits, and whether it has transparent pixels."""
    first = rows.samples(0, min(rows.height, MIN_SIDE))
    channels = first.shape[2] if first.ndim == 3 else 1
    wide, has_alpha = first.dtype.itemsize > 1, channels in (2, 4)
    if not wide and not has_alpha:
        return Scales(), False
    colours, alphas, lowest = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.int64), 65535
    for top in range(0, rows.height, rows.step):
        samples = rows.samples(top, min(top + rows.step, rows.height))
        if samples.dtype != first.dtype or samples.shape[2:] != first.shape[2:]:
            raise ImageError("changes its depth or its channels on the way; export it again as RGB")
        planes = samples if samples.ndim == 3 else samples[..., np.newaxis]
        if has_alpha:
            lowest = min(lowest, int(planes[..., -1].min()))
        if wide:
            colours += counted(planes[..., :-1] if has_alpha else planes)
            alphas += counted(planes[..., -1:]) if has_alpha else 0
    if not wide:
        return Scales(), lowest < 255
    alpha = scale_by(alphas, 1) if has_alpha else None
    scales = Scales(scale_by(colours, channels - has_alpha), alpha)
    return scales, alpha is not None and int(alpha.table[lowest]) < 255


def _as_8_bit(samples: Samples, scale: Scale | None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    if samples.dtype.itemsize == 1:
        return samples.astype(np.uint8, copy=False)
    if scale is None:
        raise ImageError("changes its depth on the way; export it again as RGB")
    return scale.table[samples]


def _file_of(order: str, pixels: bytes, tags: dict[int, tuple[int, int, bytes]]) -> bytes:
    """A classic TIFF: header, pixels, values that don't fit into the directory, directory."""
    start = 8 + len(pixels) + len(pixels) % 2
    beyond, entries = bytearray(), bytearray()
    for tag, (kind, count, raw) in sorted(tags.items()):
        value = raw.ljust(4, b"\0")
        if len(raw) > 4:
            value = struct.pack(f"{order}I", start + len(beyond))
            beyond += raw + b"\0" * (len(raw) % 2)
        entries += struct.pack(f"{order}HHI", tag, kind, count) + value
    header = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, start + len(beyond))
    directory = struct.pack(f"{order}H", len(tags)) + bytes(entries) + bytes(4)
    return header + pixels + b"\0" * (len(pixels) % 2) + bytes(beyond) + directory
