"""Which images a page shows, and their layers as files that a browser lays over each other."""

from __future__ import annotations

import io
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as PillowImage

from foveate.reports.markup import Markup, data_address

if TYPE_CHECKING:
    from foveate.evaluation import EvaluationResult
    from foveate.evaluation.result import ImageScoresByScope
    from foveate.imaging.palette import Colour
    from foveate.records import Image, Mask, Masks

LONGEST = 1600
"""Pixels of the longer side of what is shown; a larger image is reduced to that, its masks by area."""

QUALITY = 88

RANKS = ("best", "median", "worst")


@dataclass(frozen=True, slots=True)
class ShownImage:
    """One image with what each model made of it; all arrays have its height and width."""

    id: str
    why: str
    """'best', 'median' or 'worst'."""
    f1: tuple[float | None, ...]
    """Of each model, inside the field of view, the mean of the classes."""
    image: Image
    truth: Masks
    within: Mask
    """What was counted."""
    predictions: tuple[Masks, ...]
    """Of each model, K×H×W."""


def chosen(results: Sequence[EvaluationResult]) -> list[tuple[str, str]]:
    """The best, the median and the worst image, by their mean F1 inside the field of view over models and classes.

    (id, why), fewer where there are fewer than three images in which F1 is defined. Of an even number the lower of the
    two in the middle is the median. The results are of the same images.
    """
    scores = {}
    for rows in zip(*(result.images for result in results), strict=True):
        scored = [f1 for row in rows if (f1 := image_f1(row.classes)) is not None]
        if scored:
            scores[rows[0].id] = statistics.fmean(scored)
    rising = sorted(scores, key=lambda case: scores[case])
    if not rising:
        return []
    # Of two images one is the best and one the worst; a single one is the best.
    why = {rising[(len(rising) - 1) // 2]: "median", rising[0]: "worst", rising[-1]: "best"}
    return sorted(why.items(), key=lambda image: RANKS.index(image[1]))


def image_f1(classes: dict[str, ImageScoresByScope]) -> float | None:
    """An image's F1 inside the field of view, the mean of the classes where it is defined."""
    scored = [f1 for scopes in classes.values() if (f1 := scopes.fov.values["f1"]) is not None]
    return statistics.fmean(scored) if scored else None


def photograph(image: Image) -> Markup:
    """An image (H×W×3) as the address of a JPEG."""
    file = io.BytesIO()
    picture = PillowImage.fromarray(image)
    picture.resize(size_shown(image.shape[:2]), PillowImage.Resampling.LANCZOS).save(file, "JPEG", quality=QUALITY)
    return data_address(file.getvalue(), "image/jpeg")


def layer(mask: Mask, colour: Colour) -> Markup:
    """A mask (H×W) as the address of a PNG that has one colour, and is transparent where the mask is False."""
    share = PillowImage.fromarray(mask.astype(np.uint8) * np.uint8(255))
    # BOX gives each pixel the share of the mask under it, so that thin vessels get paler, not broken.
    share = share.resize(size_shown(mask.shape), PillowImage.Resampling.BOX)
    picture = PillowImage.frombytes("P", share.size, share.tobytes())
    picture.putpalette(bytes(colour) * 256)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True, transparency=bytes(range(256)))
    return data_address(file.getvalue(), "image/png")


def size_shown(size: tuple[int, ...]) -> tuple[int, int]:
    """Width and height on the page of an image with this height and width."""
    height, width = size
    scale = min(1.0, LONGEST / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))
