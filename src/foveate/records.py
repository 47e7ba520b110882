"""Plain records that travel between folders. Arrays are NumPy, axes H (rows), W (columns), then channels."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foveate.errors import DataError

Image = NDArray[np.uint8]
"""H×W×3, RGB, 0 to 255."""

Mask = NDArray[np.bool_]
"""H×W, True is foreground."""

Probability = NDArray[np.float32]
"""H×W, 0 to 1."""

Masks = NDArray[np.bool_]
"""K×H×W, a mask for each class."""

Probabilities = NDArray[np.float32]
"""K×H×W, 0 to 1, a map for each class."""

MOST_CLASSES = 255
"""As many numbers as a label image has beside its background."""

LONGEST_CLASS_NAME = 64

Scope = Literal["fov", "image"]
"""Which pixels count: those inside the field of view, or all."""

SCOPES: tuple[Scope, ...] = ("fov", "image")

PORTS = tuple(f"{port}{number}" for port in ("com", "lpt") for number in range(10))
DEVICES = frozenset({"con", "prn", "aux", "nul", *PORTS})
"""What no file can be called on Windows."""


def is_class_name(name: str) -> bool:
    """Whether a class can be called so: its name stands in tables, in files' names, and beside the background's."""
    fits = re.fullmatch(r"\w([\w \-]*\w)?", name) and len(name) <= LONGEST_CLASS_NAME
    return bool(fits) and name.lower() not in DEVICES | {"background"}


def check_class_names(names: Sequence[str]) -> None:
    """Raise DataError for no name or too many, for one that no class can have, and for two that are one file's name."""
    if not 1 <= len(names) <= MOST_CLASSES:
        raise DataError(f"{len(names)} classes: there can be 1 to {MOST_CLASSES}.")
    for number, name in enumerate(names):
        if not is_class_name(name):
            shown = name[:LONGEST_CLASS_NAME]
            raise DataError(
                f"{shown!r} can't be a class's name. Use at most {LONGEST_CLASS_NAME} letters, digits, spaces, - and _;"
                " not 'background', nor what Windows calls a device."
            )
        if name.casefold() in (other.casefold() for other in names[:number]):
            raise DataError(f"'{name}' is the name of two classes, but for upper and lower case. Give each its own.")


@dataclass(frozen=True, slots=True)
class Classes:
    """What masks tell apart. Raises DataError for names that `check_class_names` refuses."""

    names: tuple[str, ...] = ("foreground",)
    """K of them; the background is none."""
    exclusive: bool = True
    """No pixel is of two classes. Without meaning for a single class."""

    def __post_init__(self) -> None:
        check_class_names(self.names)

    @property
    def softmax(self) -> bool:
        """Whether a network's probabilities, the background's among them, add up to one."""
        return self.exclusive and len(self.names) > 1

    @property
    def channels(self) -> int:
        """Of a network's output: K, and the background's as the first where it is told apart by softmax."""
        return len(self.names) + self.softmax

    @property
    def threshold_names(self) -> tuple[str, ...]:
        """What has a threshold of its own: every class that may lie over others, or all of them together ('')."""
        return self.names if len(self.names) > 1 and not self.exclusive else ("",)


def content_of(image: Image) -> str:
    """16 hexadecimal digits that are the same in whatever file, and under whatever name, these pixels lie.

    '' for an image of a single colour: the black slices at the ends of volumes are the same, whosever they are.
    """
    if (image == image[0, 0]).all():
        return ""
    digest = hashlib.blake2b(repr(image.shape).encode(), digest_size=8)
    digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()


def any_of(masks: Masks) -> Mask:
    """H×W, True where any of the masks (K×H×W) is."""
    anything: Mask = masks[0] if len(masks) == 1 else np.logical_or.reduce(masks)
    return anything


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Photograph:
    """An image as it was read: what it shows, where it came from, and what had to be decided to read it."""

    pixels: Image
    source: str
    """The path as given, or a word such as 'array' for an image from memory."""
    sha256: str
    """Of the file's bytes; of the pixels for an image from memory."""
    notes: tuple[str, ...] = ()
    """One sentence per decision that a user may want to know, e.g. 'first of 3 pages'."""
    spacing: tuple[float, float] | None = None
    """Millimetres between rows and between columns, where the file says so."""

    def __repr__(self) -> str:
        height, width = self.pixels.shape[:2]
        return f"<Photograph {self.source}, {height}×{width}>"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SliceOfVolume:
    """Of a case that is a slice of a volume: what it has beside its own pixels."""

    number: int
    """As it is stored, from 0."""
    neighbours: Image | None
    """H×W×3, the slice below, itself, and the slice above, of a volume of one file; None where there is a file for each
    channel."""

    def changed(self, change: Callable[[Image], Image]) -> SliceOfVolume:
        """The same with the neighbours changed as the case's image is."""
        return SliceOfVolume(self.number, None if self.neighbours is None else change(self.neighbours))


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Case:
    """One image of a data set with its truth. All arrays have the image's height and width."""

    id: str
    group: str
    """Patient or eye: cases of one group never stand on both sides of a split."""
    image: Image
    masks: Masks
    """One for each of the set's classes."""
    fov: Mask | None = None
    """The set's own field of view; None where it has none."""
    second_masks: Masks | None = None
    """A second observer's masks, where the set has them."""
    paths: tuple[Path, ...] = ()
    slice: SliceOfVolume | None = None

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"<Case {self.id}, {height}×{width}, of {self.group}>"

    @property
    def mask(self) -> Mask:
        """H×W, True where any class is."""
        return any_of(self.masks)

    @property
    def content(self) -> str:
        """Of the image, as `content_of` has it."""
        return content_of(self.image)


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A case that is listed but not yet read."""

    id: str
    group: str
    split: str
    """'train', 'test', or, where the set has its own, 'validation'; otherwise those come out of 'train'."""
    load: Callable[[], Case]
