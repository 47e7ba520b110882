"""Where the pixels of a TIFF's picture lie, checked before any of them is read.

A picture is stored in chunks: strips, which are as wide as it is, or tiles. A file of a stranger may say anything of
them, so that whatever doesn't fit together is refused here, in one line.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from foveate.errors import ImageError
from foveate.imaging.decoding.tiff_pages import Content, Field, Form, fields_of, form_of, numbers_in

WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC, DESCRIPTION = 256, 257, 258, 259, 262, 270
STRIP_OFFSETS, ORIENTATION, SAMPLES, ROWS_PER_STRIP, STRIP_COUNTS, PLANAR = 273, 274, 277, 278, 279, 284
TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_COUNTS = 322, 323, 324, 325
MEANING = (
    BITS,
    COMPRESSION,
    PHOTOMETRIC,
    266,
    SAMPLES,
    PLANAR,
    292,
    293,
    317,
    320,
    332,
    338,
    339,
    347,
    529,
    530,
    531,
    532,
)
"""Tags by which chunks are decoded, and their values shown (TIFF 6.0)."""

UNCOMPRESSED, OLD_JPEG = 1, 6
TIGHTEST = {1: 1, 5: 4096, 7: 4096, 8: 1040, 32773: 64, 32946: 1040}
"""By compression: how many bytes can come out of one, at most."""

BAND = 256
"""Rows of an uncompressed picture that are taken as a strip, whatever the file calls one."""

MOST_AT_ONCE = 100_000_000
"""Bytes of pixels that are decoded together: those of one row of tiles, or of a strip."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8, 12: 8}
_NUMBERS = {3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}


class NotByRowsError(ImageError):
    """A picture that is perhaps read as a whole, but not some rows at a time."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Of one picture of a file."""

    order: str
    """'<' or '>'."""
    height: int
    width: int
    chunk: tuple[int, int]
    """Height and width of a chunk."""
    tiled: bool
    offsets: NDArray[np.uint64]
    """By row of chunks, then from left to right."""
    counts: NDArray[np.uint64]
    meaning: dict[int, tuple[int, int, bytes]]
    """By tag of `MEANING`: type, number of values, and these as they are in the file."""
    orientation: int

    @property
    def across(self) -> int:
        """Chunks beside each other."""
        return -(-self.width // self.chunk[1])


def layout_of(content: Content, start: int, size: int) -> Layout:
    """The layout of the picture whose directory is at `start`, in a file of `size` bytes.

    Raises NotByRowsError where rows of it can't be had by themselves, and ImageError for what is damaged or no picture.
    """
    form = form_of(content)
    try:
        fields = fields_of(content, start, form)[0]
        layout = _in_bands(_layout(content, fields, form))
    except (struct.error, OverflowError, ValueError) as error:
        raise ImageError("is cut short: its TIFF directory is damaged; copy or export it again") from error
    _check_chunks(layout, size)
    return layout


def _layout(content: Content, fields: dict[int, Field], form: Form) -> Layout:
    one = {tag: number for tag in fields if (number := _one(content, fields, form, tag)) is not None}
    width, height = one.get(WIDTH, 0), one.get(HEIGHT, 0)
    if not width or not height:
        raise ImageError("has no size in its TIFF directory; copy or export it again")
    if one.get(SAMPLES, 1) > 1 and one.get(PLANAR, 1) != 1:
        raise NotByRowsError("its planes are stored separately")
    if one.get(COMPRESSION, UNCOMPRESSED) == OLD_JPEG:
        raise NotByRowsError("it is compressed by TIFF's old form of JPEG")
    tiled = TILE_OFFSETS in fields
    chunk = (one.get(TILE_HEIGHT, 0), one.get(TILE_WIDTH, 0)) if tiled else (one.get(ROWS_PER_STRIP, height), width)
    if min(chunk) < 1 or (tiled and (chunk[0] % 16 or chunk[1] % 16)):
        raise ImageError(f"has tiles of {chunk[1]}×{chunk[0]} pixels, which TIFF doesn't allow; export it again")
    chunk = (chunk[0] if tiled else min(chunk[0], height), chunk[1])
    expected = -(-height // chunk[0]) * -(-width // chunk[1])
    places = (TILE_OFFSETS, TILE_COUNTS) if tiled else (STRIP_OFFSETS, STRIP_COUNTS)
    offsets, counts = (_many(content, fields.get(tag), form, expected) for tag in places)
    meaning = {tag: _raw(content, fields[tag]) for tag in MEANING if tag in fields}
    return Layout(form.order, height, width, chunk, tiled, offsets, counts, meaning, one.get(ORIENTATION, 1))


def description_of(content: Content, start: int) -> str:
    """The text of the tag ImageDescription; empty where there is none."""
    form = form_of(content)
    field = fields_of(content, start, form)[0].get(DESCRIPTION)
    return "" if field is None else content[field.place : field.place + field.count].decode("latin-1")


def value_of(layout: Layout, tag: int, default: int) -> int:
    """The first number of a tag of `MEANING`."""
    kind, count, raw = layout.meaning.get(tag, (0, 0, b""))
    return int(np.frombuffer(raw, f"{layout.order}{_NUMBERS[kind]}")[0]) if kind in _NUMBERS and count else default


def row_bytes(layout: Layout, width: int) -> int:
    """Of `width` pixels, unpacked."""
    return -(-width * value_of(layout, SAMPLES, 1) * value_of(layout, BITS, 1) // 8)


def _one(content: Content, fields: dict[int, Field], form: Form, tag: int) -> int | None:
    numbers = numbers_in(content, fields[tag], form)
    return numbers[0] if numbers else None


def _many(content: Content, field: Field | None, form: Form, expected: int) -> NDArray[np.uint64]:
    """As many whole numbers as there are chunks."""
    if field is None or field.kind not in _NUMBERS or field.count != expected:
        found = 0 if field is None else field.count
        raise ImageError(f"lists {found} strips or tiles where its size takes {expected}; copy or export it again")
    kind = np.dtype(f"{form.order}{_NUMBERS[field.kind]}")
    raw = content[field.place : field.place + expected * kind.itemsize]
    return np.frombuffer(raw, kind, expected).astype(np.uint64)


def _raw(content: Content, field: Field) -> tuple[int, int, bytes]:
    size = field.count * _SIZES.get(field.kind, 0)
    raw = content[field.place : field.place + size]
    if not size or len(raw) != size or size > 1 << 20:
        raise ImageError("is cut short: part of its TIFF directory is missing; copy or export it again")
    return field.kind, field.count, raw


def _in_bands(layout: Layout) -> Layout:
    """An uncompressed picture in strips of `BAND` rows, so that none of them is large."""
    rows, height = layout.chunk[0], layout.height
    if layout.tiled or value_of(layout, COMPRESSION, UNCOMPRESSED) != UNCOMPRESSED or rows <= BAND:
        return layout
    size = row_bytes(layout, layout.width)
    offsets, counts = [], []
    for offset, count, top in zip(layout.offsets.tolist(), layout.counts.tolist(), range(0, height, rows), strict=True):
        if count < size * min(rows, height - top):
            raise ImageError("is cut short: part of its pixels is missing; copy or export it again")
        if top + rows < height and rows % BAND:
            raise NotByRowsError(f"its strips have {rows} rows")
        for first in range(0, min(rows, height - top), BAND):
            offsets.append(offset + first * size)
            counts.append(size * min(BAND, rows - first, height - top - first))
    return replace(
        layout, chunk=(BAND, layout.width), offsets=np.array(offsets, np.uint64), counts=np.array(counts, np.uint64)
    )


def _check_chunks(layout: Layout, size: int) -> None:
    """Refuse chunks that lie outside of the file or over each other, and those that claim more than they can hold."""
    row_of_chunks = layout.across * row_bytes(layout, layout.chunk[1]) * layout.chunk[0]
    if row_of_chunks > MOST_AT_ONCE:
        kind = "tiles" if layout.tiled else "strips"
        raise NotByRowsError(f"it is stored in {kind} of {layout.chunk[0]} rows, which is too much to unpack at once")
    order = np.argsort(layout.offsets, kind="stable")
    # As Python's or float numbers, these could not overflow; as 64-bit ones a hostile sum could.
    starts, counts = layout.offsets[order].astype(np.float64), layout.counts[order].astype(np.float64)
    if not len(starts) or counts.min() < 1 or starts[0] < 1 or (starts + counts).max() > size:
        raise ImageError("is cut short: part of its pixels is missing; copy or export it again")
    if (starts[:-1] + counts[:-1] > starts[1:]).any():
        raise ImageError("has strips or tiles that lie over each other; copy or export it again")
    claimed = row_bytes(layout, layout.width) * layout.height
    tightest = TIGHTEST.get(value_of(layout, COMPRESSION, UNCOMPRESSED))
    if tightest is not None and claimed > tightest * counts.sum():
        raise ImageError(
            f"claims {layout.width}×{layout.height} pixels, more than its {counts.sum():.0f} bytes of them can hold;"
            " copy or export it again"
        )
