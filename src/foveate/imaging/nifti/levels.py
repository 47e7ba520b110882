"""From the samples of a volume to 8 bits: by one window for all of its slices, so that a level looks alike in each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from foveate.errors import ImageError
from foveate.imaging.nifti.slabs import planes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.imaging.nifti.header import VolumeHeader


@dataclass(frozen=True, slots=True)
class LevelWindow:
    """Which level is black, and which is white."""

    low: float
    high: float
    notes: tuple[str, ...] = ()
    """What had to be decided."""

    def shown(self, plane: NDArray[Any]) -> NDArray[np.uint8]:
        """Samples as 0 to 255, linearly, rounded; what is no finite number is black."""
        if self.low >= self.high:
            return np.zeros(plane.shape, np.uint8)
        levels = (plane.astype(np.float64) - self.low) * (255 / (self.high - self.low))
        finite = np.nan_to_num(levels, nan=0.0, posinf=0.0, neginf=0.0)
        shown: NDArray[np.uint8] = np.rint(finite.clip(0, 255)).astype(np.uint8)
        return shown


AS_STORED = LevelWindow(0, 255)
"""Of 8 bits."""


def window_of(header: VolumeHeader, frame: int, given: tuple[float, float] | None) -> LevelWindow:
    """That of a volume: the one that was given, else the file's own, else from its lowest level to its highest.

    8 bits without a slope are taken as they are. The last reads all samples once. Raises ImageError.
    """
    if given is not None:
        return LevelWindow(*given)
    if header.window is not None:
        low, high = header.window
        return LevelWindow(low, high, (f"shown from {low:g} to {high:g}, as the file says (cal_min, cal_max)",))
    if header.dtype == np.uint8 and not header.scaled:
        return AS_STORED
    low, high, strange = math.inf, -math.inf, 0
    for plane in planes(header, frame, 2):
        known = plane[np.isfinite(plane)]
        strange += plane.size - known.size
        if known.size:
            low, high = min(low, float(known.min())), max(high, float(known.max()))
    if low > high:
        raise ImageError("holds no number (NIfTI: all of its samples are NaN or infinite); export it again")
    notes = (f"no window in it: shown from {low:g} to {high:g}, its range",)
    return LevelWindow(low, high, (*notes, f"{strange} voxels are no number: shown black") if strange else notes)
