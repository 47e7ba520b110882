"""What one case of a data set looks like, without its pixels."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from foveate.datasets.files import differing_size, files_of
from foveate.errors import FoveateError
from foveate.imaging import MaskFile, read_mask_file, read_photograph
from foveate.records import CaseEntry, Image, Mask

SHOWN = 4
"""A mask with more values than this has soft edges."""


@dataclass(frozen=True, slots=True)
class MaskLook:
    """A mask of a case."""

    path: str
    """Or the case's id, for a mask that is drawn."""
    values: str
    """Of the file, in words; '' for a mask that is drawn."""
    meaning: str
    """'0 and 1' or '0 and 255'; '' for one that is empty or drawn."""
    empty: bool
    full: bool


@dataclass(frozen=True, slots=True)
class Look:
    """One case. What could be read is said; what could not is a problem."""

    entry: CaseEntry
    name: str
    """The image's path, or the case's id where it is drawn."""
    shape: tuple[int, int] | None = None
    """Height and width; None where the image can't be read."""
    digest: bytes = b""
    """SHA-256 of the decoded pixels and their shape; empty for an image of a single colour."""
    masks: Mapping[str, MaskLook] = field(default_factory=dict)
    """By part: mask, field of view, second observer's mask."""
    unreadable: tuple[str, ...] = ()
    """A sentence for each file that can't be read."""
    misfits: tuple[str, ...] = ()
    """A sentence for each mask whose size isn't the image's."""
    notes: tuple[str, ...] = ()
    """What had to be decided to read the image."""


def look(entry: CaseEntry) -> Look:
    """Read one case and forget its pixels; files that are missing are passed over."""
    files = files_of(entry)
    if files is None:
        return _look_at_drawn(entry)
    unreadable: list[str] = []
    shape, digest, notes = None, b"", tuple[str, ...]()
    if files.image.is_file():
        try:
            photograph = read_photograph(files.image)
            shape, digest, notes = _shape(photograph.pixels), _digest(photograph.pixels), photograph.notes
        except FoveateError as error:
            unreadable.append(str(error))
    masks, misfits = {}, []
    for part, path in files.parts.items():
        if part == "image" or not path.is_file():
            continue
        try:
            file = read_mask_file(path)
        except FoveateError as error:
            unreadable.append(str(error))
            continue
        masks[part] = _mask_look(path, file)
        if shape is not None and file.mask.shape != shape:
            misfits.append(differing_size(path, file.mask.shape, files.image, shape))
    return Look(entry, str(files.image), shape, digest, masks, tuple(unreadable), tuple(misfits), notes)


def _look_at_drawn(entry: CaseEntry) -> Look:
    case = entry.load()
    drawn: dict[str, Mask | None] = {"mask": case.mask, "field of view": case.fov}
    masks = {
        part: MaskLook(entry.id, "", "", empty=not mask.any(), full=bool(mask.all()))
        for part, mask in drawn.items()
        if mask is not None
    }
    return Look(entry, entry.id, _shape(case.image), _digest(case.image), masks)


def _mask_look(path: Path, file: MaskFile) -> MaskLook:
    values, empty = file.values, not file.mask.any()
    shown = ", ".join(map(str, values)) if len(values) <= SHOWN else f"soft edges from {values[0]} to {values[-1]}"
    meaning = "" if empty else "0 and 1" if values[-1] == 1 else "0 and 255"
    return MaskLook(str(path), shown, meaning, empty=empty, full=bool(file.mask.all()))


def _shape(image: Image) -> tuple[int, int]:
    height, width = image.shape[:2]
    return height, width


def _digest(image: Image) -> bytes:
    if (image == image[0, 0]).all():
        return b""
    return hashlib.sha256(repr(image.shape).encode() + image.tobytes()).digest()
