"""Test-time augmentation: the same photograph seen mirrored and turned, and what the network says on average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from foveate.arrays.fov import FieldOfView
from foveate.records import Image, Probabilities

Predict = Callable[[Image, FieldOfView], Probabilities]
"""H×W×3 and its field of view to probabilities K×H×W."""

Views = Literal[2, 4, 8]
"""2: as it is and mirrored; 4: also upside down, both ways; 8: all of these also transposed, the dihedral group."""

VIEWS = tuple((down, across, exchanged) for exchanged in (False, True) for down in (1, -1) for across in (1, -1))
"""Step along rows, step along columns, and whether the two are then exchanged."""


def predict_augmented(
    image: Image, fov: FieldOfView, predict_once: Predict, views: Views
) -> tuple[Probabilities, Probabilities]:
    """Mean and standard deviation (both K×H×W) of the probabilities over `views` views of an image (H×W×3).

    Each view's field of view is the given one, mirrored and turned with the image, never one searched anew. Flips
    and turns move whole pixels, so they are undone exactly. The deviation is over the views that there are (division
    by their number), and exactly 0 where all agree.
    """
    mean = squares = np.zeros((), np.float64)
    # Welford's recurrence (1962), for a sum of squares less a square of the sum would leave rounding in place of 0.
    for number, (down, across, exchanged) in enumerate(VIEWS[:views], start=1):
        seen = image[::down, ::across]
        inside = fov.mask[::down, ::across]
        if exchanged:
            seen, inside = seen.transpose(1, 0, 2), inside.T
        turned = FieldOfView.of_mask(np.ascontiguousarray(inside), diameter=fov.diameter, note=fov.note)
        predicted = predict_once(np.ascontiguousarray(seen), turned)
        upright = (predicted.transpose(0, 2, 1) if exchanged else predicted)[:, ::down, ::across]
        change = upright - mean
        mean = mean + change / number
        squares = squares + change * (upright - mean)
    return mean.astype(np.float32), np.sqrt(squares / views).astype(np.float32)
