"""A PNG that is written from top to bottom, without ever being held (PNG 1.2).

Pillow tries five filters for every row, which takes most of its time; here the kind of image says which one is used.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

from foveate.imaging.palette import BACKGROUND, class_colours, classes_text

COMPRESS_LEVEL = 4

Kind = Literal["grey", "rgb", "palette"]

_COLOUR_TYPES: dict[Kind, int] = {"grey": 0, "rgb": 2, "palette": 3}
_NONE, _UP = 0, 2
"""Filters: a row as it is, and its difference to the one above."""

_PIECE = 1 << 20
"""Bytes of a chunk of pixels, at most."""


class PngFile:
    """Rows that come are packed and written; `finish` ends the file.

    `names` are those of the classes whose numbers a palette image holds.
    """

    def __init__(
        self, file: BinaryIO, size: tuple[int, int], kind: Kind, *, wide: bool = False, names: Sequence[str] = ()
    ) -> None:
        height, width = size
        self._file, self._filter = file, _NONE if kind == "palette" or not (wide or kind == "rgb") else _UP
        # Runs of equal bytes alone are looked for: other repeats are rare in masks, and after a filter.
        self._packer = zlib.compressobj(COMPRESS_LEVEL, strategy=zlib.Z_RLE)
        self._step = (3 if kind == "rgb" else 1) * (2 if wide else 1)
        self._above: NDArray[np.uint8] = np.zeros(width * self._step, np.uint8)
        file.write(b"\x89PNG\r\n\x1a\n")
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16 if wide else 8, _COLOUR_TYPES[kind], 0, 0, 0))
        if kind == "palette":
            self._chunk(
                b"PLTE", bytes(level for colour in (BACKGROUND, *class_colours(len(names))) for level in colour)
            )
            self._text("Classes", classes_text(names))

    def add(self, rows: NDArray[np.unsignedinteger]) -> None:
        """The next rows: uint8 or, of a wide file, uint16; N×W, or N×W×3 for RGB."""
        if not len(rows):
            return
        values = np.ascontiguousarray(rows, ">u2" if rows.dtype.itemsize == 2 else np.uint8)
        lines = values.view(np.uint8).reshape(len(rows), -1)
        filtered = np.empty((len(rows), lines.shape[1] + 1), np.uint8)
        filtered[:, 0] = self._filter
        if self._filter == _UP:
            np.subtract(lines, np.concatenate((self._above[None], lines[:-1])), out=filtered[:, 1:])
            self._above = lines[-1].copy()
        else:
            filtered[:, 1:] = lines
        self._pixels(self._packer.compress(filtered.data))

    def finish(self) -> None:
        """All rows have come."""
        self._pixels(self._packer.flush())
        self._chunk(b"IEND", b"")

    def _text(self, keyword: str, text: str) -> None:
        try:
            self._chunk(b"tEXt", keyword.encode() + b"\0" + text.encode("latin-1"))
        except UnicodeEncodeError:
            # Neither packed, nor in a language that is named, nor its keyword translated.
            self._chunk(b"iTXt", keyword.encode() + bytes(5) + text.encode())

    def _pixels(self, packed: bytes) -> None:
        for start in range(0, len(packed), _PIECE):
            self._chunk(b"IDAT", packed[start : start + _PIECE])

    def _chunk(self, name: bytes, content: bytes) -> None:
        self._file.write(struct.pack(">I", len(content)) + name + content)
        self._file.write(struct.pack(">I", zlib.crc32(content, zlib.crc32(name))))
