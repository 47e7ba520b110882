"""A DICOM file opened: its elements, and where its pixels begin. A file is mapped, and never read whole."""

from __future__ import annotations

import io
import mmap
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from pydicom import dcmread
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from foveate.errors import ImageError, UsageError
from foveate.imaging.decoding.calling import calling_reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom import FileDataset

MAX_INFLATED = 1 << 28
"""Bytes that a deflated file may unpack to."""

MAX_HEADER = 1 << 22
"""Bytes of elements before the pixels, hundreds of times what a device writes; values above `_LARGE` don't count."""

_LARGE = 1 << 20
"""Bytes of a value that is passed over: no element that is used here has so many."""

_PART = 1 << 16
"""Bytes that are unpacked at a time."""

_KEYWORDS = {
    (0x7FE0, 0x0008): "FloatPixelData",
    (0x7FE0, 0x0009): "DoubleFloatPixelData",
    (0x7FE0, 0x0010): "PixelData",
}
_REPRESENTATIONS = (b"OB", b"OW", b"OF", b"OD", b"UN")
_UNDEFINED = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Pixels:
    """Where a file's pixels are."""

    keyword: str
    vr: str
    """Value representation; empty where it is implicit."""
    start: int
    length: int
    """Bytes that are there, which may be fewer than announced."""
    encapsulated: bool


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """A file's elements, and its pixels where it has any."""

    dataset: FileDataset
    transfer_syntax: UID
    content: BinaryIO
    pixels: Pixels | None


@contextmanager
def opened(source: Path | bytes) -> Iterator[Opened]:
    """The file, open while inside.

    Raises ImageError, without the file's name, for what is no DICOM file or damaged, UsageError where there is none.
    """
    with _content(source) as content:
        with calling_reader("is a DICOM file whose elements can't be read"):
            file = _parsed(_inflated(content))
        yield file


@contextmanager
def _content(source: Path | bytes) -> Iterator[BinaryIO]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
        return
    try:
        with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield cast("BinaryIO", mapped)
    except FileNotFoundError as error:
        raise UsageError("no such file; check the name") from error
    except ValueError as error:
        raise ImageError("is empty (0 bytes); copy or export it again") from error
    except OSError as error:
        raise ImageError(f"can't be read ({error.strerror}); check its name and permissions") from error


class _Bounded:
    """Reads what pydicom asks for, up to `MAX_HEADER` bytes: each few of them become an object of its own."""

    def __init__(self, content: BinaryIO) -> None:
        self._content, self._left = content, MAX_HEADER
        self.seek, self.tell = content.seek, content.tell

    def read(self, size: int = -1) -> bytes:
        """So many bytes."""
        found = self._content.read(size)
        self._left -= len(found)
        if self._left < 0:
            raise ImageError(f"is a DICOM file with more than {MAX_HEADER} bytes before its pixels, which isn't read")
        return found


def _parsed(content: BinaryIO) -> Opened:
    dataset = dcmread(cast("BinaryIO", _Bounded(content)), stop_before_pixels=True, force=True, defer_size=_LARGE)
    implicit, little = dataset.original_encoding
    named = dataset.file_meta.get("TransferSyntaxUID") if dataset.file_meta else None
    guessed = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    syntax = UID(named) if named else guessed
    pixels = _pixels(content, order="<" if little else ">", compressed=syntax.is_compressed)
    if pixels is not None and pixels.encapsulated and not syntax.is_compressed:
        raise ImageError("is a DICOM file of compressed pixels that doesn't say how they are; export it again")
    return Opened(dataset, syntax, content, pixels)


def _pixels(content: BinaryIO, *, order: str, compressed: bool) -> Pixels | None:
    """What begins where parsing stopped; None at the end of the file."""
    head = content.read(8)
    if len(head) < 8:
        return None
    group, element = struct.unpack(f"{order}HH", head[:4])
    keyword = _KEYWORDS.get((group, element))
    if keyword is None:
        return None
    # By what stands there: files have implicit elements and a transfer syntax that means explicit ones.
    vr = head[4:6].decode() if head[4:6] in _REPRESENTATIONS else ""
    (length,) = struct.unpack(f"{order}I", content.read(4) if vr else head[4:8])
    start = content.tell()
    there = content.seek(0, io.SEEK_END) or content.tell()  # a mapped file returns nothing before Python 3.13
    encapsulated = length == _UNDEFINED or compressed
    return Pixels(keyword, vr, start, there - start if encapsulated else min(length, there - start), encapsulated)


def _inflated(content: BinaryIO) -> BinaryIO:
    """A file that was deflated after its file meta information, unpacked within bounds; any other as it is.

    pydicom would unpack it whole, whatever comes out.
    """
    head = content.read(144)
    content.seek(0)
    if head[128:138] != b"DICM\2\0\0\0UL":
        return content
    start = 144 + int.from_bytes(head[140:144], "little")
    meta = content.read(min(start, MAX_HEADER))
    syntax = DeflatedExplicitVRLittleEndian.encode()
    if syntax not in meta:
        content.seek(0)
        return content
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = ExplicitVRLittleEndian.encode()
    unpacked = io.BytesIO()
    unpacked.write(meta.replace(syntax, plain.ljust(len(syntax), b"\0")))
    while (part := unpacker.unconsumed_tail or content.read(_PART)) and not unpacker.eof:
        unpacked.write(unpacker.decompress(part, _LARGE))
        if unpacked.tell() > MAX_INFLATED:
            raise ImageError(f"unpacks to more than {MAX_INFLATED} bytes; crop or shrink the image first")
    unpacked.seek(0)
    return unpacked
