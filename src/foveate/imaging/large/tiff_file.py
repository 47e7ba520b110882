"""A BigTIFF in tiles, packed by deflate, that is written from top to bottom without ever being held.

Its pixels are where viewers of large images look for them: a part of the picture is a few tiles (TIFF 6.0, section 15).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from foveate.imaging.palette import BACKGROUND, class_colours, classes_text
from foveate.imaging.png_file import COMPRESS_LEVEL, Kind

TILE = 256
"""Pixels on a side."""

_SHORT, _LONG8, _ASCII = 3, 16, 2
_PHOTOMETRIC: dict[Kind, int] = {"grey": 1, "rgb": 2, "palette": 3}
_DEFLATE = 8


class TiffFile:
    """Rows that come are cut into tiles, packed and written; `finish` writes the directory and ends the file.

    `names` are those of the classes whose numbers a palette image holds; its description says them.
    """

    def __init__(
        self, file: BinaryIO, size: tuple[int, int], kind: Kind, *, wide: bool = False, names: Sequence[str] = ()
    ) -> None:
        self._file, self._size, self._kind, self._wide, self._names = file, size, kind, wide, names
        self._offsets: list[int] = []
        self._counts: list[int] = []
        self._waiting: list[NDArray[np.unsignedinteger]] = []
        self._rows = 0
        file.write(b"II" + struct.pack("<HHHQ", 43, 8, 0, 0))  # where the directory is, is known at the end
        self._place = 16

    def add(self, rows: NDArray[np.unsignedinteger]) -> None:
        """The next rows: uint8 or, of a wide file, uint16; N×W, or N×W×3 for RGB."""
        self._waiting.append(rows)
        self._rows += len(rows)
        if self._rows < TILE:
            return
        together = np.concatenate(self._waiting)
        whole = len(together) - len(together) % TILE
        for top in range(0, whole, TILE):
            self._tiles(together[top : top + TILE])
        self._waiting, self._rows = [together[whole:].copy()], len(together) - whole

    def finish(self) -> None:
        """All rows have come."""
        if self._rows:
            self._tiles(np.concatenate(self._waiting))
        self._file.write(b"\0" * (self._place % 2))
        start = self._place + self._place % 2
        self._file.write(self._directory(start))
        self._file.seek(8)
        self._file.write(struct.pack("<Q", start))

    def _tiles(self, rows: NDArray[np.unsignedinteger]) -> None:
        """A row of tiles; what reaches over the picture's edges is 0."""
        width = rows.shape[1]
        further = ((0, 0),) * (rows.ndim - 2)
        padded = np.pad(rows, ((0, TILE - len(rows)), (0, -width % TILE), *further))
        little = padded.astype("<u2" if self._wide else np.uint8, copy=False)
        for left in range(0, width, TILE):
            packed = zlib.compress(np.ascontiguousarray(little[:, left : left + TILE]).tobytes(), COMPRESS_LEVEL)
            self._file.write(packed)
            self._offsets.append(self._place)
            self._counts.append(len(packed))
            self._place += len(packed)

    def _directory(self, start: int) -> bytes:
        """The directory at `start`, with the values that don't fit into it behind it."""
        height, width = self._size
        samples, bits = 3 if self._kind == "rgb" else 1, 16 if self._wide else 8
        entries: dict[int, tuple[int, Sequence[int] | bytes]] = {
            256: (_LONG8, [width]),
            257: (_LONG8, [height]),
            258: (_SHORT, [bits] * samples),
            259: (_SHORT, [_DEFLATE]),
            262: (_SHORT, [_PHOTOMETRIC[self._kind]]),
            277: (_SHORT, [samples]),
            284: (_SHORT, [1]),
            322: (_SHORT, [TILE]),
            323: (_SHORT, [TILE]),
            324: (_LONG8, self._offsets),
            325: (_LONG8, self._counts),
        }
        if self._kind == "palette":
            colours = (BACKGROUND, *class_colours(len(self._names)))
            levels = [[colour[channel] * 257 for colour in colours] for channel in range(3)]
            entries[270] = _ASCII, classes_text(self._names).encode("ascii", "replace") + b"\0"
            entries[320] = _SHORT, [level for channel in levels for level in channel + [0] * (256 - len(channel))]
        beyond, lines, after = bytearray(), bytearray(), start + 16 + 20 * len(entries)
        for tag, (kind, values) in sorted(entries.items()):
            raw = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values)
            place = raw.ljust(8, b"\0")
            if len(raw) > 8:
                place = struct.pack("<Q", after + len(beyond))
                beyond += raw + b"\0" * (-len(raw) % 8)
            lines += struct.pack("<HHQ", tag, kind, len(values)) + place
        return struct.pack("<Q", len(entries)) + bytes(lines) + bytes(8) + bytes(beyond)


_LETTERS = {_SHORT: "H", _LONG8: "Q"}
