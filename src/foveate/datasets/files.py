"""Cases that lie on disk as an image with its masks: listing, pairing by id, reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from foveate.errors import DataError
from foveate.imaging import read_mask, read_photograph
from foveate.records import Case, CaseEntry, Mask


@dataclass(frozen=True, slots=True)
class CaseFiles:
    """Where the parts of one case lie."""

    image: Path
    mask: Path
    fov: Path | None = None
    second_mask: Path | None = None


def entry(case_id: str, files: CaseFiles, *, group: str, split: str) -> CaseEntry:
    """A listed case that reads its files when it is loaded. Raises DataError for a file that is missing."""
    for path in (files.image, files.mask, files.fov, files.second_mask):
        if path is not None and not path.is_file():
            raise DataError(f"{path}: missing, though case '{case_id}' needs it. Is the data set complete?")
    return CaseEntry(case_id, group, split, partial(read_case, case_id, group, files))


def read_case(case_id: str, group: str, files: CaseFiles) -> Case:
    """Read image and masks. Raises ImageError or DataError for what can't be read or doesn't fit together."""
    image = read_photograph(files.image).pixels

    def mask_of(path: Path) -> Mask:
        mask = read_mask(path)
        if mask.shape != image.shape[:2]:
            found, expected = "×".join(map(str, mask.shape)), "×".join(map(str, image.shape[:2]))
            raise DataError(f"{path}: {found} pixels, but its image {files.image.name} has {expected}.")
        return mask

    return Case(
        id=case_id,
        group=group,
        image=image,
        mask=mask_of(files.mask),
        fov=None if files.fov is None else mask_of(files.fov),
        second_mask=None if files.second_mask is None else mask_of(files.second_mask),
        paths=tuple(path for path in (files.image, files.mask, files.fov, files.second_mask) if path is not None),
    )


def listed(root: str | Path, pattern: str, *, expected: str) -> list[Path]:
    """The files under `root` that match, sorted by name. Raises DataError where there are none."""
    folder = Path(root)
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Expected {expected}.")
    found = sorted(path for path in folder.glob(pattern) if not path.name.startswith("."))
    if not found:
        raise DataError(f"{folder}: nothing matches '{pattern}'. Expected {expected}.")
    return found
