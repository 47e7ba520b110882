"""Masks and probability maps that any other tool made, found by the names of the images that they are of."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.decide import decide
from foveate.errors import DataError, UsageError
from foveate.imaging import ENDINGS, Label, as_masks, read_labels, read_mask, stem_of
from foveate.imaging.probability import read_probability, read_probability_file
from foveate.records import Case, Classes, Mask, Masks, Probabilities, Probability

Array = TypeVar("Array", bound="NDArray[Any]")

_BY_ENDING = (".png", ".tif", ".tiff", ".gif", ".bmp", ".pbm", ".pgm", ".ppm", ".ppm.gz")
"""Of files with one name, that with the first of these is taken; all others come after them."""


@dataclass(frozen=True, slots=True)
class FilePrediction:
    """What lies in files for one image."""

    probabilities: Probabilities | None
    masks: Masks


@dataclass(frozen=True, slots=True)
class PredictionFolder:
    """A folder with a file, or for classes that may overlap a file each, for every image of a data set.

    A file is called as the image, without its ending, or as the case, and may end in `_mask` or `_probability`, or ends
    in the suffix where there is one; before or after that stands `_CLASS` where there is a file for each class. With a
    threshold they are maps of probabilities, without one they are masks.
    """

    folder: Path
    classes: Classes
    threshold: float | None = None
    suffix: str = ""
    """What each name ends in, such as `_pred` of `photo_pred.png`; '' for the names that this program gives."""
    labels: tuple[Label, ...] = ()
    """The data set's class table, by which label images are read; empty for 1, 2, … in the order of the classes."""

    def __call__(self, case: Case) -> FilePrediction:
        """Read what is there for the case. Raises DataError for a file that is missing or doesn't fit."""
        names = [case.id] if not case.paths else [stem_of(case.paths[0]), case.id]
        if self.classes.softmax:
            path = self._path(names, "", "_mask")
            table = self.labels or [Label(number, name) for number, name in enumerate(self.classes.names, start=1)]
            masks = as_masks(_fitting(read_labels(path, table), case, path), len(self.classes.names))
            return FilePrediction(None, masks)
        prefixes = [f"_{name}" for name in self.classes.names] if len(self.classes.names) > 1 else [""]
        if self.threshold is None:
            paths = [self._path(names, prefix, "_mask") for prefix in prefixes]
            return FilePrediction(None, np.stack([_fitting(_mask(path), case, path) for path in paths]))
        paths = [self._path(names, prefix, "_probability") for prefix in prefixes]
        maps = np.stack([_fitting(self._map(path, self.threshold), case, path) for path in paths])
        return FilePrediction(maps, decide(maps, self.classes, [self.threshold] * len(self.classes.threshold_names)))

    def _map(self, path: Path, threshold: float) -> Probability:
        """The map in a file. Raises UsageError for what are rather labels: few values, and none reaches the threshold
        here or in any other file of the folder.
        """
        file = read_probability_file(path)
        if any(file.labels) and file.probability.max() < threshold and not self._reached(threshold):
            values = ", ".join(map(str, file.labels))
            raise UsageError(
                f"{path}: holds the values {values}, and nothing in this folder reaches the threshold {threshold:g}, as"
                " 255, 65535 or 1.0 mean 1. They look like labels: leave --threshold out to score them as masks."
            )
        return file.probability

    def _reached(self, threshold: float) -> bool:
        return any(_reaches(path, threshold) for path in self._files())

    def _path(self, names: list[str], class_part: str, kind: str) -> Path:
        suffixes = (f"{class_part}{kind}", class_part)
        if self.suffix:
            suffixes = (f"{class_part}{self.suffix}", f"{self.suffix}{class_part}")
        wanted = [f"{name}{suffix}" for name in names for suffix in suffixes]
        files = self._files()
        there = [path for path in files if stem_of(path) in wanted]
        if there:
            return min(there, key=lambda path: (wanted.index(stem_of(path)), _preference(path)))
        if self.threshold is None and any(stem_of(path) in [f"{name}_probability" for name in names] for path in files):
            raise UsageError(f"{self.folder}: holds maps of probabilities. Say --threshold to score them.")
        near = [path for path in files if path.name.startswith(names[0])]
        guess = f" If {near[0].name} is it, say --suffix {stem_of(near[0])[len(names[0]) :]}." if near else ""
        raise DataError(f"{self.folder}: holds nothing for '{names[0]}'. Expected e.g. {wanted[0]}.png.{guess}")

    def _files(self) -> list[Path]:
        """The images of the folder, sorted."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.name.lower().endswith(tuple(ENDINGS)))
        except OSError as error:
            raise UsageError(f"{self.folder}: can't be listed ({error.strerror or error}); name a folder.") from error


def _fitting(pixels: Array, case: Case, path: Path) -> Array:
    if pixels.shape != case.image.shape[:2]:
        height, width = case.image.shape[:2]
        raise DataError(
            f"{path}: is {pixels.shape[0]}×{pixels.shape[1]} pixels, the image {height}×{width}."
            " Bring predictions to the images' own size."
        )
    return pixels


def _preference(path: Path) -> int:
    ending = path.name[len(stem_of(path)) :].lower()
    return _BY_ENDING.index(ending) if ending in _BY_ENDING else len(_BY_ENDING)


def _mask(path: Path) -> Mask:
    """A mask, read as the data set's own are. Raises DataError for what is none, such as a map of probabilities."""
    try:
        return read_mask(path)
    except DataError as error:
        raise DataError(f"{str(error).removesuffix('.')}. If it is a map of probabilities, set --threshold.") from error


def _reaches(path: Path, threshold: float) -> bool:
    try:
        return bool(read_probability(path).max() >= threshold)
    except DataError:  # no map, and perhaps none of the set's files
        return False
