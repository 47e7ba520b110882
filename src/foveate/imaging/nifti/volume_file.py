"""A volume that is written slice by slice, in the place of another one, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import nibabel
import numpy as np

from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.nifti.header import PIECE, UNIT_OF_SPACE
from foveate.imaging.nifti.slabs import planes_together
from foveate.imaging.write import whole_file

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from foveate.imaging.nifti.header import VolumeHeader

_PLACE = (
    *("qform_code", "quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"),
    *("sform_code", "srow_x", "srow_y", "srow_z"),
)
"""What of a header says how a volume lies in space, besides the first four of `pixdim` and the unit of space."""

_LONGEST_TEXT = 79
"""Bytes of `descrip`."""


class VolumeFile:
    """Takes planes in stored order, and holds a slab of them."""

    def __init__(self, target: BinaryIO, scratch: BinaryIO, header: bytes, source: VolumeHeader, axis: int) -> None:
        self._target, self._scratch, self._header, self._axis = target, scratch, header, axis
        self._shape, self._zipped = source.shape, source.zipped
        self._planes: list[NDArray[Any]] = []
        self._done = 0

    def add(self, plane: NDArray[Any]) -> None:
        """The next one across the axis, as it is stored."""
        self._planes.append(plane)
        if len(self._planes) >= planes_together(*plane.shape):
            self._flush()

    def finish(self) -> None:
        """Put header and samples together, as soon as all planes are there."""
        self._flush()
        self._scratch.seek(0)
        if not self._zipped:
            self._target.write(self._header)
            shutil.copyfileobj(self._scratch, self._target, PIECE)
            return
        with gzip.GzipFile("", "wb", 6, self._target, mtime=0) as zipped:
            zipped.write(self._header)
            shutil.copyfileobj(self._scratch, zipped, PIECE)

    def _flush(self) -> None:
        """Put the planes where they belong; across another axis than the last these are parts of every stored plane."""
        if not self._planes:
            return
        slab = np.stack(self._planes, axis=self._axis)
        start, self._done = self._done, self._done + len(self._planes)
        self._planes = []
        rows, columns, count = self._shape
        size = rows * columns * slab.itemsize
        if self._axis == 2:
            self._scratch.seek(start * size)
            self._scratch.write(slab.tobytes("F"))
            return
        part = slice(start, self._done)
        chosen = (part, slice(None)) if self._axis == 0 else (slice(None), part)
        for place in range(count):
            self._scratch.seek(place * size)
            stored = np.frombuffer(self._scratch.read(size).ljust(size, b"\0"), slab.dtype)
            whole = stored.reshape(rows, columns, order="F").copy("F")
            whole[chosen] = slab[:, :, place]
            self._scratch.seek(place * size)
            self._scratch.write(whole.tobytes("F"))


@contextmanager
def volume_file(
    path: Path, source: VolumeHeader, axis: int, dtype: type[np.generic], *, slope: float = 1.0, text: str = ""
) -> Iterator[VolumeFile]:
    """A file of the same size, place, version and byte packing as the source, to be given planes across that axis.

    `slope` is what its samples (`dtype`) stand for, `text` what its `descrip` says. It takes its name when all of it is
    there, and else is gone. Raises OutputError.
    """
    header = _header(source, dtype, slope, text)
    with whole_file(path) as target, tempfile.TemporaryFile(dir=path.parent) as scratch:
        yield VolumeFile(target, scratch, header, source, axis)


def _header(source: VolumeHeader, dtype: type[np.generic], slope: float, text: str) -> bytes:
    """Up to where samples begin: numbers of the source alone, none of its texts or extensions."""
    kind = nibabel.Nifti2Header if source.version == 2 else nibabel.Nifti1Header
    with calling_reader("has a header that can't be written again (NIfTI)"):
        header: Any = kind(endianness="<")  # type: ignore[no-untyped-call]
        header.set_data_shape(source.shape)
        header.set_data_dtype(dtype)
        for field in _PLACE:
            header[field] = source.fields[field]
        header["pixdim"][:4] = source.fields["pixdim"][:4]
        header["xyzt_units"] = int(source.fields["xyzt_units"]) & UNIT_OF_SPACE
        header["scl_slope"], header["scl_inter"] = slope, 0
        header["descrip"] = text.encode("ascii", "replace")[:_LONGEST_TEXT]
        header["cal_max"] = 0
        samples = 16 * math.ceil((len(header.binaryblock) + 4) / 16)
        header["vox_offset"] = samples
        content: bytes = header.binaryblock
    return content.ljust(samples, b"\0")
