"""Cases that are slices of NIfTI volumes: listed by the header of the image, read in order, a slab at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np

from foveate.datasets.files import CaseFiles, entry
from foveate.errors import FoveateError, needs
from foveate.imaging import Label
from foveate.records import Case, CaseEntry, SliceOfVolume

if TYPE_CHECKING:
    from foveate.imaging.nifti.volume import Volume
    from foveate.records import Image, Masks

T = TypeVar("T")

AHEAD = 16
"""Slices that may be passed over and asked for afterwards."""

MOST_OPEN = 2
"""Volumes: one that is being read to its end, and the next."""

VOLUME_ENDINGS = (".nii", ".nii.gz")
"""What files in a folder end in that are taken for volumes."""


def is_volume(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.name.lower().endswith(VOLUME_ENDINGS)


class InOrder(Generic[T]):
    """Slices, which are read in order; of what is asked for a little out of order, as threads do, nothing is read
    twice. Whatever else is asked for begins anew."""

    def __init__(self, begin: Callable[[int], Iterator[T]]) -> None:
        self._begin = begin
        self._coming: Iterator[T] = iter(())
        self._next = -1
        self._passed: dict[int, T] = {}

    def at(self, number: int) -> T:
        """The slice with that stored number."""
        if number in self._passed:
            return self._passed.pop(number)
        if self._next < 0 or not 0 <= number - self._next <= AHEAD:
            self._coming, self._next, self._passed = self._begin(number), number, {}
        for passed in range(self._next, number):
            self._passed[passed] = next(self._coming)
        while len(self._passed) > AHEAD:
            del self._passed[next(iter(self._passed))]
        self._next = number + 1
        return next(self._coming)


@dataclass(slots=True)
class OpenVolume:
    """An image, and the masks of it that were asked for."""

    volume: Volume | None = None
    slices: InOrder[Image] | None = None
    masks: dict[Path, InOrder[Masks]] = field(default_factory=dict)


class Shelf:
    """The volumes of a set of which slices were asked for last, each standing open at the slice that comes next."""

    def __init__(self) -> None:
        self.lock = RLock()
        """Of whoever asks for a slice."""
        self._opened: dict[Path, OpenVolume] = {}

    def __reduce__(self) -> tuple[type[Shelf], tuple[()]]:
        return Shelf, ()

    def image(self, paths: tuple[Path, ...], number: int) -> tuple[Image, Image | None]:
        """A slice (H×W×3), and, of a volume of one file, the same between its neighbours. Raises ImageError."""
        from foveate.imaging.nifti.volume import open_volume

        opened = self._of(paths[0])
        if opened.volume is None or opened.slices is None:
            opened.volume = open_volume(paths)
            alone = len(paths) == 1
            opened.slices = InOrder(opened.volume.with_neighbours if alone else opened.volume.images)
        image = opened.slices.at(number)
        return (np.repeat(image[..., 1:2], 3, axis=2), image) if len(paths) == 1 else (image, None)

    def mask(self, path: Path, labels: Sequence[Label], image: Path, number: int) -> Masks:
        """K×H×W, of that image. Raises DataError where it isn't its."""
        from foveate.imaging.nifti.header import volume_header
        from foveate.imaging.nifti.mask_volume import open_mask_volume
        from foveate.imaging.nifti.planes import Slices

        opened = self._of(image)
        if path not in opened.masks:
            header = volume_header(image)
            slices = Slices.of(header.affine, "axial")
            opened.masks[path] = InOrder(open_mask_volume(path, labels, header, slices).slices_from)
        return opened.masks[path].at(number)

    def _of(self, image: Path) -> OpenVolume:
        opened = self._opened.setdefault(image, OpenVolume())
        while len(self._opened) > MOST_OPEN:
            del self._opened[next(iter(self._opened))]
        return opened


@dataclass(frozen=True, slots=True)
class ReadSlice:
    """Reads one slice of a volume, and of its masks."""

    id: str
    group: str
    files: CaseFiles
    number: int
    """Stored, from 0."""
    shelf: Shelf = field(repr=False, compare=False)

    def __call__(self) -> Case:
        """Image and masks. Raises ImageError or DataError for what can't be read or doesn't fit together."""
        files = self.files
        with self.shelf.lock, needs("nifti", "reading NIfTI"):
            image, neighbours = self.shelf.image((files.image, *files.further_channels), self.number)
            masks = [self._masks(path, files.labels) for path in files.masks.values()]
            fov = None if files.fov is None else self._masks(files.fov)[0]
        return Case(
            id=self.id,
            group=self.group,
            image=image,
            masks=np.concatenate(masks),
            fov=fov,
            paths=tuple(files.parts.values()),
            slice=SliceOfVolume(self.number, neighbours),
        )

    def _masks(self, path: Path, labels: tuple[Label, ...] = ()) -> Masks:
        return self.shelf.mask(path, labels, self.files.image, self.number)


def listed(case_id: str, files: CaseFiles, *, group: str, split: str, shelf: Shelf) -> list[CaseEntry]:
    """A case of an image; of a volume one for each of its axial slices, in stored order, whose number (from 1) is added
    to the id.

    A volume whose header can't be read is one case, which says so when it is loaded. Raises UsageError where volumes
    can't be read here.
    """
    if not is_volume(files.image):
        return [entry(case_id, files, group=group, split=split)]
    with needs("nifti", "reading NIfTI"):
        from foveate.imaging.nifti.header import volume_header
        from foveate.imaging.nifti.planes import Slices
    try:
        header = volume_header(files.image)
        count = Slices.of(header.affine, "axial").size(header.shape)[0]
    except FoveateError:
        count = 1
    if not all(path.is_file() for path in files.parts.values()):
        count = 1  # what is missing is said once
    digits = max(3, len(str(count)))
    names = [f"{case_id}_{number:0{digits}d}" for number in range(1, count + 1)]
    return [
        CaseEntry(name, group, split, ReadSlice(name, group, files, number, shelf)) for number, name in enumerate(names)
    ]
