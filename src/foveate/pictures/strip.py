"""Image, truth and prediction side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from foveate.imaging import class_colours
from foveate.pictures.panels import Panel, panels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from foveate.imaging.palette import Colour
    from foveate.records import Image, Masks


def strip(image: Image, truth: Masks, prediction: Masks, names: Sequence[str], note: str) -> Image:
    """The three pictures in a row: H×W×3.

    `image` is H×W×3, `truth` and `prediction` K×H×W. The mask of a single class is white, those of several have the
    colours of `class_colours`. Raises ImageError if heights differ.
    """
    colours: tuple[Colour, ...] = ((255, 255, 255),) if len(names) == 1 else class_colours(len(names))
    row = [
        Panel("image", image),
        Panel("truth", painted(truth, colours)),
        Panel("prediction", painted(prediction, colours)),
    ]
    return panels(row, [] if len(names) == 1 else list(zip(names, colours, strict=True)), note)


def painted(masks: Masks, colours: Sequence[Colour]) -> Image:
    """Masks (K×H×W) on black; where classes lie over each other the smaller is on top: H×W×3."""
    drawing = np.zeros((*masks.shape[1:], 3), np.uint8)
    for number in np.argsort([-np.count_nonzero(mask) for mask in masks], kind="stable"):
        drawing[masks[number]] = colours[number]
    return drawing
