"""The bytes of a file, of which only those are held that are asked for."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from foveate.errors import ImageError
from foveate.imaging.decoding.tiff_pages import Content


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A file or bytes, open for reading."""

    held: bytes
    file: BinaryIO | None
    size: int

    def piece(self, offset: int, count: int) -> bytes:
        """Some bytes. Raises ImageError where the file has none there any more."""
        if self.file is None:
            found = self.held[offset : offset + count]
        else:
            try:
                self.file.seek(offset)
                found = self.file.read(count)
            except OSError as error:
                raise _unreadable(error) from error
        if len(found) != count:
            raise ImageError("is cut short: part of its pixels is missing; copy or export it again")
        return found

    @contextmanager
    def mapped(self) -> Iterator[Content]:
        """All of it, for the few bytes that are looked at here and there."""
        if self.file is None:
            yield self.held
            return
        with mmap.mmap(self.file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            yield content


@contextmanager
def opened(source: Path | bytes) -> Iterator[OpenFile]:
    """A file that is there, or bytes. Raises ImageError where it can't be read."""
    if isinstance(source, bytes):
        yield OpenFile(source, None, len(source))
        return
    try:
        file = source.open("rb")
    except OSError as error:
        raise _unreadable(error) from error
    with file:
        yield OpenFile(b"", file, source.stat().st_size)


def _unreadable(error: OSError) -> ImageError:
    return ImageError(f"can't be read ({error.strerror or error}); check its name and permissions")
