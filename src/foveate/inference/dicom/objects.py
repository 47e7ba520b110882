"""Which DICOM SEG objects a call makes, and of what: one for a series that lies in space, one for each other image.

The last image of an object writes it, as one of its own outputs, of its masks and of what was written of the others.
"""

from __future__ import annotations

import importlib.metadata
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.errors import ImageError, OutputError, UsageError
from foveate.imaging.decoding.formats import is_picture
from foveate.imaging.dicom import is_dicom_file
from foveate.imaging.dicom.segmentation_object import Algorithm, SourceFrame, encode_segmentation
from foveate.imaging.nifti import is_nifti_file
from foveate.inference.dicom.source import DicomItem, LostItem
from foveate.inference.procedure import Procedure
from foveate.inference.segmentation import Segmentation
from foveate.inference.source import SourceItem
from foveate.models import ModelCard
from foveate.records import Classes

Form = Literal["binary", "fractional"]
"""Masks, or probabilities in 255 steps."""

KIND = "seg"
"""Of output."""


class SegmentationObjects:
    """What there is to make of a call's items. Raises UsageError for an item that is no DICOM file."""

    def __init__(self, items: Sequence[SourceItem], form: Form, card: ModelCard, procedure: Procedure) -> None:
        for item in items:
            if not (isinstance(item, DicomItem | LostItem) or (item.place and _fails_by_itself(item.place))):
                raise UsageError(
                    f"{item.key}: is no DICOM file, so that there is no DICOM SEG of it. Give DICOM alone."
                )
        self._form, self._classes = form, card.told_apart
        self._algorithm = _algorithm(card, procedure)
        self._members = {group[-1].name: group for group in _groups([i for i in items if isinstance(i, DicomItem)])}

    def paths(self, folder: Path, name: str) -> dict[str, Path]:
        """The output that the image with that NAME has besides others; none for all but the last of an object."""
        return {KIND: folder / f"{name}_{KIND}.dcm"} if name in self._members else {}

    def others(self, name: str) -> list[str]:
        """NAMEs of the object's other images, where the one with that NAME writes it."""
        return [item.name for item in self._members.get(name, ())[:-1]]

    def encode(
        self, name: str, result: Segmentation, outputs: Callable[[str], Mapping[str, Path]]
    ) -> tuple[bytes, tuple[str, ...]]:
        """The object that the image with that NAME writes, and a note where images of its series are not in it.

        `outputs` has what was written of another image, by kind; nothing for one that failed. Raises ImageError.
        """
        *others, last = self._members[name]
        written = [(item, files) for item in others if (files := outputs(item.name))]
        planes = [self._read(files) for _, files in written]
        planes.append(result.masks if self._form == "binary" else result.probabilities)
        members = [*(item for item, _ in written), last]
        # Whose patient and study the object has is the first, which must have them in its own words.
        frames = [_frame(item, own_words=not number) for number, item in enumerate(members)]
        try:
            content = encode_segmentation(
                frames, np.stack(planes), self._classes.names, self._algorithm, in_space=bool(last.file.header.plane)
            )
        except ImageError as error:
            raise ImageError(f"{last.key}: {error}") from error
        missing = len(others) - len(written)
        note = f"{missing} images of its series failed and are not in the DICOM SEG"
        return content, (note,) if missing else ()

    def _read(self, files: Mapping[str, Path]) -> NDArray[Any]:
        """K×H×W of what was written of an image."""
        classes = self._classes
        prefixes = [f"{name}_" for name in classes.names] if len(classes.names) > 1 else [""]
        if self._form == "fractional":
            steps = [_opened(files[f"{prefix}probability"]) for prefix in prefixes]
            return np.stack(steps).astype(np.float32) / np.float32(65535)
        return _masks(files, prefixes, classes)


def _fails_by_itself(path: Path) -> bool:
    """Whether a file that was not opened as DICOM is a damaged one, or no image, which its own turn says."""
    try:
        return is_dicom_file(path) or not (is_picture(path) or is_nifti_file(path))
    except OSError:
        return True


def _masks(files: Mapping[str, Path], prefixes: Sequence[str], classes: Classes) -> NDArray[np.bool_]:
    if classes.softmax:
        numbers = _opened(files["mask"])
        return np.stack([numbers == number for number in range(1, len(prefixes) + 1)])
    return np.stack([_opened(files[f"{prefix}mask"]) > 0 for prefix in prefixes])


def _opened(path: Path) -> NDArray[Any]:
    try:
        with PillowImage.open(path) as image:
            return np.array(image)
    except OSError as error:
        raise OutputError(f"{path}: can't be read again for the DICOM SEG of its series. Use --overwrite.") from error


def _frame(item: DicomItem, *, own_words: bool) -> SourceFrame:
    source = item.file.item
    return SourceFrame(source.head() if own_words else source.described(), item.frame, item.file.header.frames)


def _groups(items: Sequence[DicomItem]) -> list[list[DicomItem]]:
    """The images of each object, in order."""
    together: dict[tuple[object, ...], list[DicomItem]] = defaultdict(list)
    for item in items:
        together[_object_key(item)].append(item)
    groups: list[list[DicomItem]] = []
    for group in together.values():
        places = Counter(_height(item) for item in group)
        # Several times or echoes of one slice, or parts of it side by side, have one place, which an object has once.
        alone = group[0].file.header.frames == 1 and max(places.values()) > 1
        groups += [[item] for item in group] if alone else [group]
    return groups


def _height(item: DicomItem) -> float:
    """Millimetres along the normal of its plane, to the hundredth; 0 for one without a place."""
    header = item.file.header
    if not header.plane:
        return 0.0
    row, column = np.array(header.plane[1:], float).reshape(2, 3)
    return round(float(np.cross(row, column) @ np.array(header.position, float)), 2)


def _object_key(item: DicomItem) -> tuple[object, ...]:
    """The same for all images of an object: single ones of a series, a patient and a study in one orientation, or the
    frames of a file."""
    header = item.file.header
    if not header.plane:
        return (item.file.item.key, item.frame)
    if header.frames > 1 or not header.series:
        return (item.file.item.key,)
    return (header.series, header.subject, header.plane, header.spacing, header.rows, header.columns)


def _algorithm(card: ModelCard, procedure: Procedure) -> Algorithm:
    parameters = {
        "thresholds": ", ".join(f"{value:g}" for value in card.thresholds),
        "passes": procedure.passes,
        "post-processing": procedure.steps,
    }
    return Algorithm(card.name[:64], card.sha256, importlib.metadata.version("foveate"), parameters)
