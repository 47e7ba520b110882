"""What one case of a data set looks like, without its pixels."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from foveate.datasets.files import FOV, MASK, CaseFiles, differing_size, files_of
from foveate.datasets.volumes import ReadSlice
from foveate.errors import FoveateError
from foveate.imaging import (
    Label,
    MaskFile,
    PhotographFile,
    names_of,
    read_label_file,
    read_mask_file,
    read_photograph_file,
)
from foveate.records import Case, CaseEntry, Classes, Image, content_of

T = TypeVar("T")

SHOWN = 4
"""A mask with more values than this has soft edges."""


@dataclass(frozen=True, slots=True)
class MaskLook:
    """A mask, or a label image, of a case."""

    path: str
    """Or the case's id, for one that is drawn."""
    shape: tuple[int, ...]
    pixels: tuple[int, ...]
    """How many are of each class."""
    values: str = ""
    """Of the file, in words; '' for one that is drawn."""
    meaning: str = ""
    """'0 and 1' or '0 and 255'; '' for a mask that is empty or drawn, and a label image."""
    soft: str = ""
    """How soft edges are cut, in words, where it has some."""
    turned: bool = False
    """Whether its orientation tag turned it."""

    @property
    def empty(self) -> bool:
        """Without any class."""
        return not any(self.pixels)

    @property
    def full(self) -> bool:
        """Without background."""
        return sum(self.pixels) == math.prod(self.shape)


@dataclass(frozen=True, slots=True)
class Look:
    """One case. What could be read is said; what could not is a problem."""

    entry: CaseEntry
    name: str
    """The image's path, or the case's id where it is drawn."""
    shape: tuple[int, int] | None = None
    """Height and width; None where the image can't be read."""
    channels: str = ""
    """'grey' for a file of one channel, 'colour' for one of three that differ; '' where it's neither."""
    content: str = ""
    """Of the image, as `content_of` has it."""
    masks: Mapping[str, MaskLook] = field(default_factory=dict)
    """By part: mask (or one for each class), field of view, second observer's mask."""
    pixels: Mapping[str, int] = field(default_factory=dict)
    """By class, for what could be read of the truth."""
    unreadable: tuple[str, ...] = ()
    """A sentence for each file that can't be read."""
    misfits: tuple[str, ...] = ()
    """A sentence for each mask whose size isn't the image's."""
    notes: tuple[str, ...] = ()
    """What had to be decided to read the image."""
    turned: bool = False
    """Whether its orientation tag turned the image."""


def look(entry: CaseEntry, classes: Classes) -> Look:
    """Read one case and forget its pixels; files that are missing are passed over."""
    files = files_of(entry)
    if files is None:
        return _look_at_case(entry, entry.load(), entry.id, classes)
    if isinstance(entry.load, ReadSlice):
        return _look_at_slice(entry, entry.load, classes)
    unreadable: list[str] = []
    image = _read(files.image, read_photograph_file, unreadable)
    masks = {}
    for part, path in files.parts.items():
        labels = files.labels if part == MASK else ()
        if part != "image" and (mask := _read(path, partial(_look_at_mask, labels=labels), unreadable)) is not None:
            masks[part] = mask
    one = Look(
        entry, str(files.image), masks=masks, pixels=_pixels(files, masks, classes), unreadable=tuple(unreadable)
    )
    return one if image is None else _with_image(one, files.image, image)


def _read(path: Path, read: Callable[[Path], T], unreadable: list[str]) -> T | None:
    """What the file holds; None for one that is missing, or that can't be read, with a sentence for that."""
    try:
        return read(path) if path.is_file() else None
    except FoveateError as error:
        unreadable.append(str(error))
        return None


def _with_image(one: Look, path: Path, file: PhotographFile) -> Look:
    image = file.photograph.pixels
    shape = _shape(image)
    return replace(
        one,
        shape=shape,
        channels="grey" if file.grey else _channels(image),
        content=content_of(image),
        notes=file.photograph.notes,
        turned=file.turned,
        misfits=tuple(
            differing_size(Path(mask.path), mask.shape, path, shape)
            for mask in one.masks.values()
            if mask.shape != shape
        ),
    )


def _look_at_slice(entry: CaseEntry, load: ReadSlice, classes: Classes) -> Look:
    name = f"{load.files.image}, slice {load.number + 1}"
    if not all(path.is_file() for path in load.files.parts.values()):
        return Look(entry, name)
    try:
        return _look_at_case(entry, load(), name, classes)
    except FoveateError as error:
        return Look(entry, name, unreadable=(str(error),))


def _look_at_case(entry: CaseEntry, case: Case, name: str, classes: Classes) -> Look:
    """One that has no files of its own: drawn, or a slice."""
    counts = [int(mask.sum()) for mask in case.masks]
    masks = {MASK: MaskLook(name, case.mask.shape, tuple(counts))}
    if case.fov is not None:
        masks[FOV] = MaskLook(name, case.fov.shape, (int(case.fov.sum()),))
    pixels = dict(zip(classes.names, counts, strict=True))
    return Look(entry, name, _shape(case.image), _channels(case.image), case.content, masks, pixels)


def _look_at_mask(path: Path, labels: Sequence[Label]) -> MaskLook:
    if not labels:
        return _mask_look(path, read_mask_file(path))
    file = read_label_file(path, labels)
    counts = np.bincount(file.classes.ravel(), minlength=len(names_of(labels)) + 1)[1:]
    soft = "taken as the nearest colour of a class" if file.soft else ""
    return MaskLook(str(path), file.classes.shape, tuple(counts.tolist()), file.found, soft=soft, turned=file.turned)


def _mask_look(path: Path, file: MaskFile) -> MaskLook:
    values, pixels = file.values, int(file.mask.sum())
    soft = len(values) > SHOWN
    shown = f"soft edges from {values[0]} to {values[-1]}" if soft else ", ".join(map(str, values))
    meaning = "" if not pixels else "0 and 1" if values[-1] == 1 else "0 and 255"
    return MaskLook(str(path), file.mask.shape, (pixels,), shown, meaning, "cut at 128" if soft else "", file.turned)


def _pixels(files: CaseFiles, masks: Mapping[str, MaskLook], classes: Classes) -> dict[str, int]:
    if MASK in files.masks:
        return dict(zip(classes.names, masks[MASK].pixels, strict=True)) if MASK in masks else {}
    named = zip(classes.names, files.masks, strict=True)
    return {name: masks[part].pixels[0] for name, part in named if part in masks}


def _shape(image: Image) -> tuple[int, int]:
    height, width = image.shape[:2]
    return height, width


def _channels(image: Image) -> str:
    return "colour" if (image[..., 1:] != image[..., :1]).any() else ""
