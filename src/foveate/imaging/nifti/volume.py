"""A volume whose slices can be had as images: one file, or a file for each channel."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.errors import ImageError, UsageError, named
from foveate.imaging.decoding.samples import check_size
from foveate.imaging.nifti.header import VolumeHeader, check_packed, volume_header
from foveate.imaging.nifti.levels import LevelWindow, window_of
from foveate.imaging.nifti.planes import Plane, Slices
from foveate.imaging.nifti.slabs import planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Image

CHANNELS = 3
"""Of an image; as many files make one."""

SAME_PLACE = 1e-3
"""Millimetres by which the corners of files of one volume may lie apart."""


@dataclass(frozen=True, slots=True)
class Slicing:
    """How volumes are taken apart. Raises UsageError for what can't be done."""

    plane: Plane = "axial"
    channels: tuple[str, ...] = ()
    """What the names of the files end in that are red, green and blue of one volume; or of the one file that is taken,
    or empty: each file is a volume."""
    window: tuple[float, float] | None = None
    """The levels that become black and white, in the file's own unit; None: those that the file says, or its range."""

    def __post_init__(self) -> None:
        if self.plane not in ("axial", "coronal", "sagittal"):
            raise UsageError(f"plane '{self.plane}': is none. Use axial, coronal or sagittal.")
        if len(self.channels) not in (0, 1, CHANNELS) or not all(self.channels):
            raise UsageError(
                f"channels '{','.join(self.channels)}': give what one name ends in, or {CHANNELS}, such as"
                " _pre,_flair,_post; one may be repeated."
            )
        if self.window is not None and not self.window[0] < self.window[1]:  # NaN is neither
            raise UsageError(f"window {self.window[0]:g},{self.window[1]:g}: the first is not below the second.")


@dataclass(frozen=True, eq=False, repr=False)
class Volume:
    """What a `Photograph` is, of a volume: a number of slices, each of which is read when it is asked for."""

    files: tuple[VolumeHeader, ...]
    """One, or red, green and blue."""
    frame: int
    """Which volume of the file, from 0."""
    slices: Slices
    windows: tuple[LevelWindow, ...]
    """Of each file."""
    source: str
    """As messages and the record call it."""
    sha256: str
    """Of the file's bytes; of several files, of their digests one after the other."""
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Volume {self.source}, {'×'.join(map(str, self.size))}>"

    @property
    def size(self) -> tuple[int, int, int]:
        """How many slices, rows and columns."""
        return self.slices.size(self.files[0].shape)

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Millimetres between slices, between rows and between columns."""
        between, rows, columns = (self.files[0].spacing[axis] for axis in self.slices.axes)
        return between, rows, columns

    @property
    def numbers(self) -> range:
        """The stored numbers of slices, in the order in which they follow one another in the body."""
        count = self.size[0]
        return range(count - 1, -1, -1) if self.slices.flips[0] else range(count)

    def images(self, start: int = 0, stop: int | None = None) -> Iterator[Image]:
        """The slices, H×W×3, in stored order. Of one file all channels are equal. Raises ImageError."""
        for channels in zip(*(self._shown(number, start, stop) for number in range(len(self.files))), strict=True):
            yield np.stack(channels if len(channels) == CHANNELS else channels * CHANNELS, axis=-1)

    def with_neighbours(self, start: int = 0) -> Iterator[Image]:
        """The slices of one file from a stored number on, H×W×3, in stored order: the one below, itself, and the one
        above; that at an end is its own neighbour."""
        order = -1 if self.slices.flips[0] else 1
        near: deque[NDArray[np.uint8]] = deque(maxlen=CHANNELS)
        for plane in self._shown(0, max(0, start - 1), None):
            if not near and not start:
                near.append(plane)
            near.append(plane)
            if len(near) == CHANNELS:
                yield np.stack(list(near)[::order], axis=-1)
        last = [near[-2], near[-1], near[-1]]
        yield np.stack(last[::order], axis=-1)

    def _shown(self, number: int, start: int, stop: int | None) -> Iterator[NDArray[np.uint8]]:
        header = self.files[number]
        with named(str(header.path)):
            for plane in planes(header, self.frame, self.slices.axis, start, stop):
                yield self.windows[number].shown(self.slices.shown(plane))


def open_volume(
    paths: Sequence[Path],
    *,
    slicing: Slicing | None = None,
    frame: int = 0,
    source: str | None = None,
    sha256: str | None = None,
) -> Volume:
    """A volume of one file, or of three for red, green and blue, which must have one size and place.

    Where no file says which levels are to be shown, its samples are read once. `sha256` is computed where it isn't
    given. Raises ImageError or UsageError that begins with the file.
    """
    slicing = slicing or Slicing()
    headers = [_header(path) for path in paths]
    first = headers[0]
    slices = Slices.of(first.affine, slicing.plane)
    with named(str(first.path)):
        _, rows, columns = slices.size(first.shape)
        check_size(columns, rows)
    for other in headers[1:]:
        _check_same_place(first, other)
    windows = []
    for header in headers:
        with named(str(header.path)):
            check_packed(header)
            windows.append(window_of(header, frame, slicing.window))
    volume = Volume(
        tuple(headers),
        frame,
        slices,
        tuple(windows),
        source or " + ".join(str(header.path) for header in headers),
        sha256 or digest_of(paths),
    )
    notes = dict.fromkeys((*_place_notes(volume), *(note for window in windows for note in window.notes)))
    return Volume(volume.files, frame, slices, volume.windows, volume.source, volume.sha256, tuple(notes))


def digest_of(paths: Sequence[Path]) -> str:
    """SHA-256 of a file's bytes in hexadecimal; of several, or of a pair, that of their digests one after the other.

    Raises ImageError, which begins with the file.
    """
    digests = [_digest(part) for path in paths for part in _parts(path)]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _header(path: Path) -> VolumeHeader:
    with named(str(path)):
        return volume_header(path)


def _parts(path: Path) -> list[Path]:
    """A file, or the two of a pair."""
    if path.suffix.lower() != ".hdr":
        return [path]
    beside = (path.with_suffix(ending) for ending in (".img", ".IMG", ".img.gz"))
    return [path, *(other for other in beside if other.is_file())]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ImageError(f"{path}: can't be read ({error.strerror}).") from error


def _check_same_place(first: VolumeHeader, other: VolumeHeader) -> None:
    """Raise ImageError for a file that doesn't lie where the first one does."""
    name = first.path.name
    if other.frames > 1 or first.frames > 1:
        raise ImageError(f"{other.path}: holds several volumes, it or {name}; a channel is a file of one.")
    if other.shape != first.shape:
        its, own = ("×".join(map(str, header.shape)) for header in (other, first))
        raise ImageError(f"{other.path}: has {its} voxels, but {name} has {own}. Resample one to the other.")
    apart = corners_apart(first, other)
    if apart > SAME_PLACE:
        raise ImageError(
            f"{other.path}: lies elsewhere than {name}, by up to {apart:.3g} mm. Resample one to the other."
        )


def corners_apart(first: VolumeHeader, other: VolumeHeader) -> float:
    """Millimetres between corners of two volumes of one shape, at most."""
    corners = np.array([[*corner, 1] for corner in np.ndindex(2, 2, 2)]) * [*(size - 1 for size in first.shape), 1]
    moved = corners @ (first.affine - other.affine).T
    return float(np.abs(moved).max())


def _place_notes(volume: Volume) -> tuple[str, ...]:
    header, notes = volume.files[0], list(volume.slices.note)
    if not header.says_place:
        notes.append("doesn't say how it lies in the patient: its first axis is taken to run to the left, its third up")
    _, rows, columns = volume.spacing
    if abs(rows - columns) > SAME_PLACE * max(rows, columns):
        notes.append(f"pixels are not square ({rows:g} to {columns:g} mm): taken as if they were")
    return tuple(notes)
