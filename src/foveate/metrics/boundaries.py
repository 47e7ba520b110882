"""How far the borders of a mask lie from those of the truth.

A mask's boundary is the set of its pixels that touch the background by a side; beyond the image's border, and
outside the field of view, all is background. Distances are Euclidean, between pixel centres, from each boundary
pixel of one mask to the nearest boundary pixel of the other. Every boundary pixel counts as one: MONAI's definition,
not that of DeepMind's `surface-distance`, which weighs each by the length of border that it stands for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from foveate.metrics.pixels import covered, cut

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.records import Mask

_SIDES = ((-1, 0), (1, 0), (0, -1), (0, 1))


@dataclass(frozen=True, slots=True)
class Boundary:
    """Distances in the unit of the spacing; None is undefined."""

    hausdorff_95: float | None
    """The larger of the two directions' 95th percentiles, linearly interpolated (Huttenlocher et al., IEEE TPAMI
    15(9), 1993, with a quantile for the maximum). None where the truth or the prediction is empty."""
    average_surface_distance: float | None
    """Mean over the boundary pixels of both masks together, the symmetric one (Heimann et al., IEEE TMI 28(8),
    2009). None where the truth or the prediction is empty."""
    surface_dice: float | None
    """Share of the boundary pixels of both masks that lie no farther than the tolerance from the other's (Nikolov
    et al., arXiv:1809.04430; Seidlitz et al., arXiv:2111.05408, equation 2). As the Dice coefficient, it is 0 where
    one of the two is empty, and None where both are."""


def boundary(
    prediction: Mask,
    truth: Mask,
    within: Mask | None = None,
    *,
    tolerance: float,
    spacing: tuple[float, float] = (1.0, 1.0),
) -> Boundary:
    """Compare the boundaries of two H×W bool masks, both first cut to `within` (H×W bool) where it is given.

    `spacing` is a pixel's height and width, row first, e.g. in millimetres; `tolerance`, not negative, has the
    same unit. Raises ValueError if a shape differs, an array is not bool, or a number is out of range.
    """
    if tolerance < 0 or min(spacing) <= 0:
        raise ValueError(f"tolerance is {tolerance}, spacing {spacing}; expected at least 0, and above 0")
    prediction, truth = cut(prediction, truth, within)
    if not prediction.any() and not truth.any():
        return Boundary(None, None, None)
    if not prediction.any() or not truth.any():
        return Boundary(None, None, 0.0)
    directions = _distances(prediction, truth, spacing)
    distances = np.concatenate(directions)
    return Boundary(
        hausdorff_95=max(float(np.percentile(direction, 95)) for direction in directions),
        average_surface_distance=float(distances.mean()),
        surface_dice=float(np.mean(distances <= tolerance)),
    )


def _distances(prediction: Mask, truth: Mask, spacing: tuple[float, float]) -> list[NDArray[np.float64]]:
    """From each boundary pixel to the nearest of the other: the prediction's, then the truth's."""
    from scipy.spatial import KDTree  # type: ignore[import-untyped]

    # Only boundary pixels take part, so a tree of them is quicker than a distance transform of all pixels.
    predicted, true = (np.argwhere(mask & ~covered(mask, _SIDES)) * np.asarray(spacing) for mask in (prediction, truth))
    return [KDTree(true).query(predicted)[0], KDTree(predicted).query(true)[0]]
