"""Cases that are slices of NIfTI volumes: listed by the header of the image, read in order, a slab at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from foveate.datasets.files import CaseFiles, entry
from foveate.errors import FoveateError, needs
from foveate.imaging import Label
from foveate.records import Case, CaseEntry, SliceOfVolume

if TYPE_CHECKING:
    from foveate.imaging.nifti.mask_volume import MaskVolume
    from foveate.imaging.nifti.volume import Volume
    from foveate.records import Image, Masks

VOLUME_ENDINGS = (".nii", ".nii.gz")
"""What files in a folder end in that are taken for volumes."""


def is_volume(path: Path) -> bool:
    """Whether a file is one by its name."""
    return path.name.lower().endswith(VOLUME_ENDINGS)


@dataclass(slots=True)
class Shelf:
    """The volumes of a set of which slices were asked for last, each standing open at the slice that comes next.

    One image and its masks are held, as slices are read in order; whatever else is asked for begins anew.
    """

    of: Path | None = None
    """The image that masks are of."""
    images: dict[tuple[Path, ...], OpenImage] = field(default_factory=dict)
    masks: dict[Path, OpenMask] = field(default_factory=dict)

    def image(self, paths: tuple[Path, ...]) -> OpenImage:
        """A volume. Raises ImageError or UsageError."""
        from foveate.imaging.nifti.volume import open_volume

        if paths not in self.images:
            self.images.clear()
            self.images[paths] = OpenImage(open_volume(paths))
        return self.images[paths]

    def mask(self, path: Path, labels: Sequence[Label], image: Path) -> OpenMask:
        """A mask of that image. Raises DataError where it isn't its."""
        from foveate.imaging.nifti.header import volume_header
        from foveate.imaging.nifti.mask_volume import open_mask_volume
        from foveate.imaging.nifti.planes import Slices

        if image != self.of:
            self.masks.clear()
            self.of = image
        if path not in self.masks:
            header = volume_header(image)
            slices = Slices.of(header.affine, "axial")
            self.masks[path] = OpenMask(open_mask_volume(path, labels, header, slices))
        return self.masks[path]


@dataclass(slots=True)
class OpenImage:
    """An image volume, and where it stands."""

    volume: Volume
    coming: Iterator[Image] | None = None
    next_number: int = 0

    def slice_at(self, number: int) -> tuple[Image, Image | None]:
        """The slice (H×W×3), and, of a volume of one file, the same between its neighbours."""
        alone = len(self.volume.files) == 1
        if self.coming is None or number != self.next_number:
            self.coming = self.volume.with_neighbours(number) if alone else self.volume.images(number)
        image, self.next_number = next(self.coming), number + 1
        return (np.repeat(image[..., 1:2], 3, axis=2), image) if alone else (image, None)


@dataclass(slots=True)
class OpenMask:
    """A mask volume, and where it stands."""

    volume: MaskVolume
    coming: Iterator[Masks] | None = None
    next_number: int = 0

    def slice_at(self, number: int) -> Masks:
        """K×H×W."""
        if self.coming is None or number != self.next_number:
            self.coming = self.volume.slices_from(number)
        masks, self.next_number = next(self.coming), number + 1
        return masks


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
        with needs("nifti", "reading NIfTI"):
            opened = self.shelf.image((files.image, *files.further_channels))
        image, neighbours = opened.slice_at(self.number)

        def masks_of(path: Path, labels: tuple[Label, ...] = ()) -> Masks:
            return self.shelf.mask(path, labels, files.image).slice_at(self.number)

        return Case(
            id=self.id,
            group=self.group,
            image=image,
            masks=np.concatenate([masks_of(path, files.labels) for path in files.masks.values()]),
            fov=None if files.fov is None else masks_of(files.fov)[0],
            paths=tuple(files.parts.values()),
            slice=SliceOfVolume(self.number, neighbours),
        )


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
