"""Which voxels are a slice, and how it is looked at: by the affine, whatever the order in which they are stored."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from nibabel.orientations import io_orientation

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from foveate.imaging.nifti.header import Affine

Plane = Literal["axial", "coronal", "sagittal"]
"""Across the body's length; from side to side; from front to back."""

_DIRECTIONS = {"axial": "SPL", "coronal": "PIL", "sagittal": "LIP"}
"""Where slices follow one another to, where rows go down to, and where columns go right to: as radiologists look at
them, and as DICOM has them. Left, Posterior, Inferior, Superior, of the patient."""

_AXES = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
"""A direction as an axis of the world and a sign."""

_PARALLEL = 1.0
"""Degrees by which slices may lie off their plane without a word."""


@dataclass(frozen=True, slots=True)
class Slices:
    """Of a volume in one plane."""

    axes: tuple[int, int, int]
    """The stored axes of slices, rows and columns."""
    flips: tuple[bool, bool, bool]
    """Which of these run against their direction."""
    off: float
    """Degrees between the slices and the plane."""

    @classmethod
    def of(cls, affine: Affine, plane: Plane) -> Slices:
        """The stored axes that lie nearest."""
        orientation = io_orientation(affine)  # type: ignore[no-untyped-call]
        axes, flips = [], []
        for direction in _DIRECTIONS[plane]:
            world, sign = _AXES[direction]
            axis = int(np.flatnonzero(orientation[:, 0] == world)[0])
            axes.append(axis)
            flips.append(bool(orientation[axis, 1] != sign))
        return cls((axes[0], axes[1], axes[2]), (flips[0], flips[1], flips[2]), _degrees_off(affine, axes, plane))

    @property
    def axis(self) -> int:
        """The stored axis across which slices lie."""
        return self.axes[0]

    @property
    def note(self) -> tuple[str, ...]:
        """What is to be said of slices that are oblique."""
        return (f"oblique: its slices lie {self.off:.0f} degrees off the plane",) if self.off > _PARALLEL else ()

    def size(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """How many slices, rows and columns a volume of that stored shape has."""
        count, rows, columns = (shape[axis] for axis in self.axes)
        return count, rows, columns

    def shown(self, stored: NDArray[Any]) -> NDArray[Any]:
        """H×W as it is looked at, of a stored plane: the volume without the axis of slices."""
        rows, columns = self.axes[1:]
        upright = stored if rows < columns else stored.T
        return upright[:: -1 if self.flips[1] else 1, :: -1 if self.flips[2] else 1]

    def stored(self, shown: NDArray[Any]) -> NDArray[Any]:
        """The stored plane of what is looked at (H×W)."""
        rows, columns = self.axes[1:]
        unflipped = shown[:: -1 if self.flips[1] else 1, :: -1 if self.flips[2] else 1]
        return unflipped if rows < columns else unflipped.T


def _degrees_off(affine: Affine, axes: list[int], plane: Plane) -> float:
    """Between the normal of the slices and that of the plane."""
    normal = np.cross(affine[:3, axes[1]], affine[:3, axes[2]])
    world = _AXES[_DIRECTIONS[plane][0]][0]
    cosine = abs(float(normal[world])) / float(np.linalg.norm(normal))
    return math.degrees(math.acos(min(1.0, cosine)))
