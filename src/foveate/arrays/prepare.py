"""From a photograph to what the network sees, and from its probabilities back to the photograph's own grid.

Vessels of one eye are ten times as many pixels wide in one camera as in another. So the image is cropped to its field
of view and scaled until the FOV's diameter has a working size the network was trained at. Inference, validation and
training all prepare images here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.arrays.fov import FieldOfView
from foveate.records import Image, Mask, Probability

Network = Callable[[NDArray[np.float32]], NDArray[np.float32]]
"""N×3×H×W, RGB, 0 to 255, H and W multiples of `STRIDE`, to probabilities N×K×H×W."""

STRIDE = 8
"""Prepared images are padded to multiples of this, so that no network resizes inside."""

SAME_SIZE = 0.02
"""A change of scale smaller than this is left out: resampling would blur more than it would match."""


@dataclass(frozen=True, slots=True)
class WorkingSize:
    """Bounds, in pixels, that the FOV diameter is brought to; between them a photograph keeps its own scale."""

    minimum: float
    maximum: float

    def scale(self, diameter: float) -> float:
        """The factor from the photograph to the working size."""
        factor = min(max(diameter, self.minimum), self.maximum) / diameter
        return 1.0 if abs(factor - 1) < SAME_SIZE else factor


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a prepared image came from: the box in the photograph, and the size that box was brought to."""

    height: int
    width: int
    box: tuple[int, int, int, int]
    """Top, left, bottom, right."""
    working: tuple[int, int]
    """Height and width of the prepared image."""

    @classmethod
    def of(cls, fov: FieldOfView, working_size: WorkingSize) -> Frame:
        """The frame of a photograph whose FOV is known and not empty."""
        top, left, bottom, right = fov.box
        scale = working_size.scale(fov.diameter)
        size = max(1, round((bottom - top) * scale)), max(1, round((right - left) * scale))
        height, width = fov.mask.shape
        return cls(height, width, fov.box, size)


def prepare(image: Image, fov: FieldOfView, frame: Frame) -> Image:
    """Crop to the FOV, black out what lies outside it, and scale: H×W×3 to the frame's working size."""
    top, left, bottom, right = frame.box
    crop = np.where(fov.mask[top:bottom, left:right, None], image[top:bottom, left:right], np.uint8(0))
    return np.asarray(_scaled(PillowImage.fromarray(crop), frame.working, PillowImage.Resampling.BICUBIC))


def prepare_mask(mask: Mask, frame: Frame) -> Probability:
    """The share of foreground under every pixel of the prepared image: H×W bool to the working size, 0 to 1."""
    top, left, bottom, right = frame.box
    share = mask[top:bottom, left:right].astype(np.float64)
    for axis, length in enumerate(frame.working):
        share = _averaged(share, length, axis)
    return share.astype(np.float32)


def restore(probability: Probability, fov: FieldOfView, frame: Frame) -> Probability:
    """Bring probabilities of the prepared image (working size) back to the photograph's grid; 0 outside the FOV."""
    top, left, bottom, right = frame.box
    own = (bottom - top, right - left)
    patch = np.asarray(_scaled(PillowImage.fromarray(probability), own, PillowImage.Resampling.BILINEAR))
    full = np.zeros((frame.height, frame.width), np.float32)
    full[top:bottom, left:right] = np.where(fov.mask[top:bottom, left:right], patch, np.float32(0))
    return full


def predict(image: Image, fov: FieldOfView, network: Network, working_size: WorkingSize) -> Probability:
    """Prepare, run the network once, restore: H×W×3 to probabilities H×W of the first class, 0 outside the FOV."""
    if not fov.diameter:
        return np.zeros(image.shape[:2], np.float32)
    frame = Frame.of(fov, working_size)
    height, width = frame.working
    below, beside = -height % STRIDE, -width % STRIDE
    padded = np.pad(prepare(image, fov, frame), ((0, below), (0, beside), (0, 0)))
    batch = np.ascontiguousarray(padded.transpose(2, 0, 1)[None], np.float32)
    return restore(np.ascontiguousarray(network(batch)[0, 0, :height, :width]), fov, frame)


def _averaged(values: NDArray[np.float64], length: int, axis: int) -> NDArray[np.float64]:
    """Exact means over `length` equal cells along one axis; Pillow's BOX would give every pixel to one cell whole."""
    own = values.shape[axis]
    if own == length:
        return values
    sums = np.concatenate((np.zeros_like(values.take([0], axis)), values.cumsum(axis)), axis)
    edges = np.linspace(0, own, length + 1)
    below = np.minimum(edges.astype(int), own - 1)
    part = np.expand_dims(edges - below, 1 - axis)
    at_edges = sums.take(below, axis) + part * values.take(below, axis)
    means: NDArray[np.float64] = np.diff(at_edges, axis=axis) * (length / own)
    return means


def _scaled(picture: PillowImage.Image, size: tuple[int, int], resampling: PillowImage.Resampling) -> PillowImage.Image:
    height, width = size
    return picture if picture.size == (width, height) else picture.resize((width, height), resampling)
