"""Masks and probability maps that any other tool made, found by the names of the images that they are of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from foveate.arrays.decide import decide
from foveate.datasets.files import composed
from foveate.datasets.volumes import VOLUME_ENDINGS, Shelf
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

    Of slices the files are volumes, of masks. A file is called as the image, without its ending, or as the case, and
    may end in `_mask` or `_probability`, or ends in the suffix where there is one; before or after that stands `_CLASS`
    where there is a file for each class. With a threshold they are maps of probabilities, without one they are masks.
    """

    folder: Path
    classes: Classes
    threshold: float | None = None
    suffix: str = ""
    """What each name ends in, such as `_pred` of `photo_pred.png`; '' for the names that this program gives."""
    labels: tuple[Label, ...] = ()
    """The data set's class table, by which label images are read; empty for 1, 2, … in the order of the classes."""
    shelf: Shelf = field(default_factory=Shelf, repr=False, compare=False)

    def __call__(self, case: Case) -> FilePrediction:
        """Read what is there for the case. Raises DataError for a file that is missing or doesn't fit."""
        names = [composed(case.id)] if not case.paths else [_name(case.paths[0]), composed(case.id)]
        prefixes = [f"_{name}" for name in self.classes.names] if len(self.classes.names) > 1 else [""]
        if case.slice is not None:
            return self._of_slice(case, case.slice.number, prefixes)
        if self.classes.softmax:
            path = self._path(names, "", "_mask")
            masks = as_masks(_fitting(read_labels(path, self._table()), case, path), len(self.classes.names))
            return FilePrediction(None, masks)
        if self.threshold is None:
            paths = [self._path(names, prefix, "_mask") for prefix in prefixes]
            return FilePrediction(None, np.stack([_fitting(_mask(path), case, path) for path in paths]))
        paths = [self._path(names, prefix, "_probability") for prefix in prefixes]
        maps = np.stack([_fitting(self._map(path, self.threshold), case, path) for path in paths])
        return FilePrediction(maps, decide(maps, self.classes, [self.threshold] * len(self.classes.threshold_names)))

    def _of_slice(self, case: Case, number: int, prefixes: list[str]) -> FilePrediction:
        """The masks of a slice in a volume, or in one for each class."""
        if self.threshold is not None:
            raise UsageError(f"{self.folder}: volumes are scored as masks. Leave --threshold out, and give such.")
        image, table = case.paths[0], self._table() if self.classes.softmax else []
        names = [_name(image), _name(image).removesuffix("_0000")]
        paths = [self._path(names, each, "_mask", VOLUME_ENDINGS) for each in ([""] if table else prefixes)]
        with self.shelf.lock:
            masks = [self.shelf.mask(path, table, image, number) for path in paths]
        return FilePrediction(None, np.concatenate(masks))

    def _table(self) -> Sequence[Label]:
        """What numbers of label images mean."""
        return self.labels or [Label(number, name) for number, name in enumerate(self.classes.names, start=1)]

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

    def _path(self, names: list[str], class_part: str, kind: str, endings: Sequence[str] = tuple(ENDINGS)) -> Path:
        suffixes = (f"{class_part}{kind}", class_part)
        if self.suffix:
            suffixes = (f"{class_part}{self.suffix}", f"{self.suffix}{class_part}")
        wanted = [composed(f"{name}{suffix}") for name in names for suffix in suffixes]
        files = self._files(endings)
        there = [path for path in files if _name(path) in wanted]
        if there:
            return min(there, key=lambda path: (wanted.index(_name(path)), _preference(path)))
        if self.threshold is None and any(_name(path) in [f"{name}_probability" for name in names] for path in files):
            raise UsageError(f"{self.folder}: holds maps of probabilities. Say --threshold to score them.")
        near = [path for path in files if _name(path).startswith(names[0])]
        guess = f" If {near[0].name} is it, say --suffix {_name(near[0])[len(names[0]) :]}." if near else ""
        expected = f"{wanted[0]}{'.nii.gz' if endings == VOLUME_ENDINGS else '.png'}"
        raise DataError(f"{self.folder}: holds nothing for '{names[0]}'. Expected e.g. {expected}.{guess}")

    def _files(self, endings: Sequence[str] = tuple(ENDINGS)) -> list[Path]:
        """The images of the folder, or the volumes, sorted."""
        try:
            return sorted(path for path in self.folder.iterdir() if path.name.lower().endswith(tuple(endings)))
        except OSError as error:
            raise UsageError(f"{self.folder}: can't be listed ({error.strerror or error}); name a folder.") from error


def _name(path: Path) -> str:
    """Without its ending, as names are compared."""
    return composed(stem_of(path))


def _fitting(pixels: Array, case: Case, path: Path) -> Array:
    if pixels.shape != case.image.shape[:2]:
        height, width = case.image.shape[:2]
        raise DataError(
            f"{path}: is {pixels.shape[0]}×{pixels.shape[1]} pixels, the image {height}×{width}."
            " Bring predictions to the images' own size."
        )
    return pixels


def _preference(path: Path) -> int:
    ending = path.name.removeprefix(stem_of(path)).lower()
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
