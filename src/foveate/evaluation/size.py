"""Cases at another size than their own, as papers have them that resize first and count then."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image as PillowImage

from foveate.arrays.prepare import Frame, prepare_mask
from foveate.records import Case, Mask


def resized(case: Case, size: tuple[int, int]) -> Case:
    """The case at this height and width, whatever its own proportions: the image by bicubic resampling, a mask where
    at least half of a pixel is foreground."""
    height, width = case.image.shape[:2]
    if (height, width) == size:
        return case
    frame = Frame(height, width, (0, 0, height, width), size)

    def smaller(mask: Mask) -> Mask:
        return prepare_mask(mask, frame) >= 0.5

    picture = PillowImage.fromarray(case.image).resize((size[1], size[0]), PillowImage.Resampling.BICUBIC)
    return replace(
        case,
        image=np.asarray(picture),
        masks=np.stack([smaller(mask) for mask in case.masks]),
        fov=None if case.fov is None else smaller(case.fov),
        second_masks=None if case.second_masks is None else np.stack([smaller(mask) for mask in case.second_masks]),
    )
