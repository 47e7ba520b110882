"""Masks of a volume: in a volume of the same size and place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from foveate.errors import ImageError, named_as_data
from foveate.imaging.labels import Label, names_of
from foveate.imaging.nifti.header import VolumeHeader, check_packed, volume_header
from foveate.imaging.nifti.slabs import planes
from foveate.imaging.nifti.volume import SAME_PLACE, corners_apart

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.imaging.nifti.planes import Slices
    from foveate.records import Masks

_SHOWN = 8
"""Values that a sentence names."""


@dataclass(frozen=True, slots=True, eq=False)
class MaskVolume:
    """Of K classes."""

    header: VolumeHeader
    slices: Slices
    """Of the image, as it lies in the same place."""
    values: tuple[tuple[float, ...], ...]
    """Of each class, what its voxels hold."""

    def slices_from(self, number: int) -> Iterator[Masks]:
        """K×H×W in stored order, from that stored number on. Raises DataError."""
        with named_as_data(self.header.path):
            for plane in planes(self.header, 0, self.slices.axis, number):
                shown = self.slices.shown(plane)
                yield np.stack([np.isin(shown, values) for values in self.values])


def open_mask_volume(path: Path, labels: Sequence[Label], image: VolumeHeader, slices: Slices) -> MaskVolume:
    """The masks in a file of an image: with a class table of each of its classes, without one of all that is not 0.

    All samples are read once, as a value that isn't in the table, or a second one where there is none, means that they
    are something else. Raises DataError for that, and for a file that isn't of the image's size or doesn't lie where
    the image does.
    """
    with named_as_data(path):
        header = volume_header(path)
        if header.frames > 1:
            raise ImageError(f"holds {header.frames} volumes; a mask is a single one")
        if header.shape != image.shape:
            own, its = ("×".join(map(str, each.shape)) for each in (header, image))
            raise ImageError(f"has {own} voxels, but its image {image.path.name} has {its}")
        apart = corners_apart(image, header)
        if apart > SAME_PLACE:
            raise ImageError(
                f"lies elsewhere than its image {image.path.name}, by up to {apart:.3g} mm (their affines differ);"
                " resample one to the other"
            )
        check_packed(header)
        found = values_in(header)
        values = _of_table(found, labels) if labels else _of_one_class(found)
    return MaskVolume(header, slices, values)


def values_in(header: VolumeHeader) -> list[float]:
    """The values in a volume, sorted; NaN is none. Raises ImageError for so many that they are no labels."""
    found: NDArray[Any] = np.empty(0)
    for plane in planes(header, 0, 2):
        found = np.union1d(found, plane)
        if found.size > 2**16:
            raise ImageError("holds more values than a mask or labels have; it looks like an image")
    values: list[float] = found.tolist()
    return values


def _of_one_class(found: list[float]) -> tuple[tuple[float, ...], ...]:
    foreground = tuple(value for value in found if value != 0)
    if len(foreground) > 1 or any(value != value for value in foreground):  # NaN isn't itself
        raise ImageError(
            f"holds the values {_shown(found)}; a mask is 0 and one other. If it shows several classes, name them in a"
            " classes.csv (value,name)"
        )
    return (foreground or (1.0,),)


def _of_table(found: list[float], labels: Sequence[Label]) -> tuple[tuple[float, ...], ...]:
    unknown = [value for value in found if value != 0 and value not in {label.value for label in labels}]
    if unknown:
        raise ImageError(f"holds the values {_shown(unknown)}, which the class table doesn't name")
    return tuple(tuple(float(label.value) for label in labels if label.name == name) for name in names_of(labels))


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values[:_SHOWN]) + (", …" if len(values) > _SHOWN else "")
