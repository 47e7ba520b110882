"""Masks and probability maps that any other tool made, found by the names of the images that they are of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.decide import decide
from foveate.arrays.fov import FovRule, field_of_view
from foveate.errors import DataError, UsageError
from foveate.imaging import Label, as_masks, read_labels, read_mask, stem_of
from foveate.imaging.probability import read_probability
from foveate.records import Case, Classes, Mask, Masks, Probabilities

Array = TypeVar("Array", bound="NDArray[Any]")

ENDINGS = (".png", ".tif", ".tiff", ".gif", ".bmp", ".pgm", ".ppm")


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in files for one image."""

    probabilities: Probabilities | None
    masks: Masks
    fov: Mask


@dataclass(frozen=True, slots=True)
class PredictionFolder:
    """A folder with a file, or for classes that may overlap a file each, for every image of a data set.

    A file is called as the image, without its ending, or as the case, and may end in `_mask` or `_probability`, or ends
    in the suffix where there is one; before or after that stands `_CLASS` where there is a file for each class. With a
    threshold they are maps of probabilities, without one they are masks.
    """

    folder: Path
    classes: Classes
    fov: FovRule = "find"
    threshold: float | None = None
    suffix: str = ""
    """What each name ends in, such as `_pred` of `photo_pred.png`; '' for the names that this program gives."""

    def __call__(self, case: Case) -> Found:
        """Read what is there for the case. Raises DataError for a file that is missing or doesn't fit."""
        fov = field_of_view(case.image, self.fov).mask
        names = [case.id] if not case.paths else [stem_of(case.paths[0]), case.id]
        if self.classes.softmax:
            path = self._path(names, "", "_mask")
            table = [Label(number, name) for number, name in enumerate(self.classes.names, start=1)]
            masks = as_masks(_fitting(read_labels(path, table), case, path), len(table))
            return Found(None, masks, fov)
        prefixes = [f"_{name}" for name in self.classes.names] if len(self.classes.names) > 1 else [""]
        if self.threshold is None:
            paths = [self._path(names, prefix, "_mask") for prefix in prefixes]
            _refuse_maps(paths[0])
            return Found(None, np.stack([_fitting(read_mask(path), case, path) for path in paths]), fov)
        paths = [self._path(names, prefix, "_probability") for prefix in prefixes]
        maps = np.stack([_fitting(read_probability(path), case, path) for path in paths])
        return Found(maps, decide(maps, self.classes, [self.threshold] * len(self.classes.threshold_names)), fov)

    def _path(self, names: list[str], class_part: str, kind: str) -> Path:
        suffixes = (f"{class_part}{kind}", class_part)
        if self.suffix:
            suffixes = (f"{class_part}{self.suffix}", f"{self.suffix}{class_part}")
        wanted = [f"{name}{suffix}{ending}" for name in names for suffix in suffixes for ending in ENDINGS]
        there = [path for path in self._files() if path.name in wanted]
        if not there:
            maps = [f"{name}_probability{ending}" for name in names for ending in ENDINGS]
            if self.threshold is None and any((self.folder / each).is_file() for each in maps):
                raise UsageError(f"{self.folder}: holds maps of probabilities. Say --threshold to score them.")
            raise DataError(
                f"{self.folder}: holds nothing for '{names[0]}'. Expected e.g. {wanted[0]}.{self._guess(names[0])}"
            )
        return min(there, key=lambda path: wanted.index(path.name))

    def _guess(self, name: str) -> str:
        """What to say where a file's name begins as the image's."""
        near = [path for path in self._files() if path.name.startswith(name) and path.name.lower().endswith(ENDINGS)]
        return f" If {near[0].name} is it, say --suffix {stem_of(near[0])[len(name) :]}." if near else ""

    def _files(self) -> Iterator[Path]:
        try:
            return iter(sorted(self.folder.iterdir()))
        except OSError as error:
            raise UsageError(f"{self.folder}: can't be listed ({error.strerror or error}); name a folder.") from error


def _fitting(found: Array, case: Case, path: Path) -> Array:
    if found.shape != case.image.shape[:2]:
        height, width = case.image.shape[:2]
        raise DataError(
            f"{path}: is {found.shape[0]}×{found.shape[1]} pixels, the image {height}×{width}."
            " Bring predictions to the images' own size."
        )
    return found


def _refuse_maps(path: Path) -> None:
    if len(np.unique(read_probability(path))) > 2:
        raise UsageError(f"{path}: has more than two grey levels. If it is a map of probabilities, set --threshold.")
