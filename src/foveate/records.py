"""Plain records that travel between folders. Arrays are NumPy, axes H (rows), W (columns), then channels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
"""H×W×3, RGB, 0 to 255."""

Mask = NDArray[np.bool_]
"""H×W, True is foreground."""

Probability = NDArray[np.float32]
"""H×W, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Photograph:
    """An image as it was read: what it shows, where it came from, and what had to be decided to read it."""

    pixels: Image
    source: str
    """The path as given, or a word such as 'array' for an image from memory."""
    sha256: str
    """Of the file's bytes; of the pixels for an image from memory."""
    notes: tuple[str, ...] = ()
    """One sentence per decision that a user may want to know, e.g. 'first of 3 pages'."""


@dataclass(frozen=True, slots=True)
class Case:
    """One image of a data set with its truth. All arrays have the image's height and width."""

    id: str
    group: str
    """Patient or eye: cases of one group never stand on both sides of a split."""
    image: Image
    mask: Mask
    fov: Mask | None = None
    """The set's own field of view; None where it has none."""
    second_mask: Mask | None = None
    """A second observer's mask, where the set has one."""
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class CaseEntry:
    """A case that is listed but not yet read."""

    id: str
    group: str
    split: str
    """'train', 'test', or, where the set has its own, 'validation'; otherwise those come out of 'train'."""
    load: Callable[[], Case]
