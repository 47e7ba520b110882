"""NIfTI volumes drawn for tests: a head of nobody, with a lesion on one side, and models whose answer is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from nibabel import orientations
from numpy.typing import NDArray

from computed_models import Network, computed
from foveate.inference import Segmenter

LEAST = 90
"""The model's foreground."""

SIZE = (24, 32, 16)
"""From right to left ear, from nape to nose, from below upwards; in slices of any plane multiples of 8."""

SPACING = (1.0, 1.5, 3.0)


def head(size: tuple[int, int, int] = SIZE, seed: int = 1) -> NDArray[np.uint8]:
    """X×Y×Z, axes to the patient's right, front and top: noise below the model's threshold, and a lesion above it that
    is no mirror image of itself in any direction."""
    volume = np.random.default_rng(seed).integers(0, LEAST, size, dtype=np.uint8)
    volume[2:9, 5:20, 3:6] = 200
    volume[2:4, 5:9, 6:13] = 250
    return volume


def affine(spacing: tuple[float, float, float] = SPACING) -> NDArray[np.float64]:
    """From voxels that run to the right, front and top to millimetres."""
    return np.array([[spacing[0], 0, 0, -11], [0, spacing[1], 0, 7.5], [0, 0, spacing[2], -20], [0, 0, 0, 1.0]])


def turned(image: Any, axes: str) -> Any:
    """The same in space, stored along other axes, such as 'SAL'; by nibabel."""
    now = orientations.io_orientation(image.affine)  # type: ignore[no-untyped-call]
    wanted = orientations.axcodes2ornt(axes)  # type: ignore[no-untyped-call]
    return image.as_reoriented(orientations.ornt_transform(now, wanted))  # type: ignore[no-untyped-call]


def volume(samples: NDArray[Any], place: NDArray[np.float64] | None = None) -> Any:
    """Of samples that lie as those of `head`, unless it is said where."""
    return nibabel.Nifti1Image(samples, affine() if place is None else place)  # type: ignore[no-untyped-call]


def saved(image: Any, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return path


def opened(path: Path) -> Any:
    return nibabel.load(path)


def millimetres(place: NDArray[np.float64], voxels: NDArray[Any]) -> NDArray[np.float64]:
    """Of the middles of voxels (N×3), by an affine."""
    found: NDArray[np.float64] = voxels @ place[:3, :3].T + place[:3, 3]
    return found


def samples(path: Path) -> NDArray[Any]:
    """With slope and intercept."""
    return np.asarray(opened(path).dataobj)


def green(batch: NDArray[Any]) -> NDArray[Any]:
    """The probability of a pixel is its green value / 255."""
    probability: NDArray[Any] = batch[:, 1:2] / np.float32(255)
    return probability


def model(network: Network = green, **fields: Any) -> Segmenter:
    """A model that sees whole slices at their own size; foreground is green >= LEAST, unless something else is said."""
    settings = {"thresholds": ((LEAST - 0.5) / 255,), "classes": ("lesion",)} | fields
    return computed(network, fov="whole", working_minimum=1.0, working_maximum=9999.0, **settings)
