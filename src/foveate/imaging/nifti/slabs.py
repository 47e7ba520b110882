"""Samples of a volume, a bounded piece at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from foveate.imaging.decoding.calling import calling_reader
from foveate.imaging.nifti.header import opened_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from foveate.imaging.nifti.header import VolumeHeader

SLAB_BYTES = 32 * 2**20
"""That a piece may take, or one plane where that alone takes more. Where planes are stored apart from one another, a
file is read once for every piece, and unzipped as often: larger pieces are quicker, smaller ones need less."""

_SAMPLE_BYTES = 8
"""nibabel scales to float64."""


def planes_together(height: int, width: int) -> int:
    """How many planes of that size are a slab."""
    return max(1, SLAB_BYTES // (height * width * _SAMPLE_BYTES))


def planes(
    header: VolumeHeader, frame: int, axis: int, start: int = 0, stop: int | None = None
) -> Iterator[NDArray[Any]]:
    """The planes of a volume across a stored axis, in stored order, with slope and intercept applied.

    Each is of float64 where there is a slope, else of the type of the file. Never is more than a slab held. Raises
    ImageError, without the file's name, for what is damaged or cut short.
    """
    stop = header.shape[axis] if stop is None else stop
    height, width = (size for other, size in enumerate(header.shape) if other != axis)
    step = planes_together(height, width)
    failure = "can't be read to its end (NIfTI)"
    with calling_reader(failure):
        data = opened_image(header.path).dataobj
    for first in range(start, stop, step):
        with calling_reader(failure):
            slab = _slab(data, header, frame, axis, slice(first, min(first + step, stop)))
        yield from np.moveaxis(slab, axis, 0)


def _slab(data: Any, header: VolumeHeader, frame: int, axis: int, part: slice) -> NDArray[Any]:
    """Planes side by side. A file is read forwards, in pieces that lie together in it, along its last axis.

    Asked for a part of another axis, nibabel may read all of the file at once, if what it would leave out is short.
    """
    if axis == 2:
        return _read(data, frame, part)
    rows, columns, count = header.shape
    step = planes_together(rows, columns)
    chosen = (part, slice(None)) if axis == 0 else (slice(None), part)
    pieces = (_read(data, frame, slice(first, min(first + step, count)))[chosen] for first in range(0, count, step))
    slab: NDArray[Any] | None = None
    place = 0
    for piece in pieces:
        if slab is None:
            slab = np.empty((*piece.shape[:2], count), piece.dtype, order="F")
        slab[:, :, place : place + piece.shape[2]] = piece
        place += piece.shape[2]
    return slab if slab is not None else np.empty((*header.shape[:2], 0))


def _read(data: Any, frame: int, part: slice) -> NDArray[Any]:
    """Neighbours along the last axis, of one of several volumes."""
    further = len(data.shape) - 3
    samples: NDArray[Any] = np.asarray(data[(slice(None), slice(None), part, *(frame, *[0] * 3)[:further])])
    return samples
