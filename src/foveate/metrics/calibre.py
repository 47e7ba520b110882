"""Thin and thick vessels apart.

The calibre at a pixel of a centreline is the diameter of the largest disc that lies in the mask and is centred on
that pixel or on one of its four corners: twice the distance from there to the nearest background pixel's centre, less
one pixel (half of it on each side is background already). So a straight vessel w pixels wide has the calibre w,
whether w is odd or even. Any other pixel of the mask is of the calibre at the nearest centreline pixel; where a thin
and a thick one are equally near, it is thick.

A vessel is thin up to a calibre of 3 pixels. False positives belong to no true vessel, so by the truth's calibre there
is a sensitivity but no precision; precision is given by the prediction's own calibre instead.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.pixels import covered

if TYPE_CHECKING:
    from foveate.records import Mask

THIN = 3
"""The largest calibre of a thin vessel, in pixels."""


@dataclass(frozen=True, slots=True)
class Calibres:
    """Pixels by local calibre; they add up over images."""

    thin_true: int = 0
    """Of the truth's thin vessels."""
    thin_found: int = 0
    """Of those, in the prediction."""
    thick_true: int = 0
    thick_found: int = 0
    thin_predicted: int = 0
    """Of the prediction's thin vessels."""
    thin_right: int = 0
    """Of those, in the truth."""
    thick_predicted: int = 0
    thick_right: int = 0

    def __add__(self, other: Calibres) -> Calibres:
        return Calibres(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    @property
    def thin_sensitivity(self) -> float | None:
        """Share of the thin vessels' pixels that was found; None where the truth has none."""
        return self.thin_found / self.thin_true if self.thin_true else None

    @property
    def thick_sensitivity(self) -> float | None:
        """Share of the thick vessels' pixels that was found; None where the truth has none."""
        return self.thick_found / self.thick_true if self.thick_true else None

    @property
    def thin_precision(self) -> float | None:
        """Share of the pixels of thin predicted vessels that are true; None where none was predicted."""
        return self.thin_right / self.thin_predicted if self.thin_predicted else None

    @property
    def thick_precision(self) -> float | None:
        """Share of the pixels of thick predicted vessels that are true; None where none was predicted."""
        return self.thick_right / self.thick_predicted if self.thick_predicted else None


def count_calibres(prediction: Mask, truth: Mask, prediction_line: Mask, truth_line: Mask) -> Calibres:
    """Count the pixels of two masks by calibre. All H×W bool; the lines are the masks' centrelines."""
    true, predicted = thick(truth, truth_line), thick(prediction, prediction_line)
    thin_true, thin_predicted = truth & ~true, prediction & ~predicted
    by_truth = (thin_true, thin_true & prediction, true, true & prediction)
    by_prediction = (thin_predicted, thin_predicted & truth, predicted, predicted & truth)
    return Calibres(*(int(np.count_nonzero(part)) for part in by_truth + by_prediction))


def thick(mask: Mask, line: Mask) -> Mask:
    """The pixels of the mask's thick vessels, H×W bool; all others of the mask are of thin ones.

    `mask` and its centreline `line` are H×W bool. A mask without a centreline has none.
    """
    thick_line = line & _holds_a_wider_disc(mask)
    if not thick_line.any():
        return thick_line
    from scipy import ndimage  # type: ignore[import-untyped]

    # Equal distances on the grid are equal floats: each is the root of the same integer.
    nearest_thick, nearest = (ndimage.distance_transform_edt(~pixels) for pixels in (thick_line, line))
    of_thick: Mask = mask & (nearest_thick == nearest)
    return of_thick


def _holds_a_wider_disc(mask: Mask) -> Mask:
    """Where a disc wider than THIN, centred on the pixel or on one of its corners, lies in the mask."""
    wider = covered(mask, _disc(0.0, 0.0))
    for row in (-0.5, 0.5):
        for column in (-0.5, 0.5):
            wider |= covered(mask, _disc(row, column))
    return wider


def _disc(row: float, column: float) -> tuple[tuple[int, int], ...]:
    """Offsets of the pixels that all are in the mask exactly where the disc around (row, column) is wider than THIN.

    2 d - 1 > THIN for the distance d to the nearest background pixel: none lies within (THIN + 1) / 2.
    """
    radius = (THIN + 1) / 2
    reach = range(-THIN, THIN + 1)
    return tuple((y, x) for y in reach for x in reach if (y - row) ** 2 + (x - column) ** 2 <= radius**2)
