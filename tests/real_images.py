"""Masks and probabilities of real photographs, and small masks at the edge of what is defined."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as PillowImage
from skimage.morphology import skeletonize

from foveate.records import Image, Mask, Probability


class Pair(NamedTuple):
    """A prediction, the truth, and the field of view."""

    prediction: Mask
    truth: Mask
    fov: Mask


class Predicted(NamedTuple):
    """What the shipped model makes of a photograph, and the truth."""

    probability: Probability
    mask: Mask
    truth: Mask
    fov: Mask


def read_mask(path: Path) -> Mask:
    with PillowImage.open(path) as file:
        return np.asarray(file.convert("L")) >= 128


def read_image(path: Path) -> Image:
    with PillowImage.open(path) as file:
        return np.asarray(file.convert("RGB"))


def skeleton(mask: Mask) -> Mask:
    found: Mask = skeletonize(mask)  # type: ignore[no-untyped-call]
    return found


def two_observers(shared_data: Path, number: int) -> Pair:
    """The second observer of DRIVE's test images against the first."""
    test = shared_data / "DRIVE" / "test"
    return Pair(
        read_mask(test / "2nd_manual" / f"{number:02d}_manual2.gif"),
        read_mask(test / "1st_manual" / f"{number:02d}_manual1.gif"),
        read_mask(test / "mask" / f"{number:02d}_test_mask.gif"),
    )


def moved_vessels(shared_data: Path) -> Pair:
    """A photograph of HRF at half size; the prediction is its truth, moved, with a piece left out and one added."""
    folder = shared_data / "HRF_half"
    truth = read_mask(folder / "manual1" / "01_h.tif")
    prediction = np.roll(truth, (1, 2), axis=(0, 1))
    prediction[300:420, 500:700] = False
    prediction[900:906, 200:300] = True
    return Pair(prediction, truth, read_mask(folder / "mask" / "01_h_mask.tif"))


EMPTY = np.zeros((9, 12), dtype=bool)
FULL = ~EMPTY
ONE = EMPTY.copy()
ONE[3, 4] = True
BLOCK = EMPTY.copy()
BLOCK[2:6, 3:9] = True


def predicted_drive(shared_data: Path, number: int) -> Predicted:
    """One of DRIVE's test images, segmented by the shipped model."""
    from foveate import load

    _, truth, fov = two_observers(shared_data, number)
    result = load("vessels").segment(read_image(shared_data / "DRIVE" / "test" / "images" / f"{number:02d}_test.tif"))
    return Predicted(result.probability, result.mask, truth, fov)
