"""How far to trust an image's measures: flags with stated rules, and intervals from the probability map.

An interval holds the measure's values at the thresholds of SHIFTED, too, and is then widened on both sides by its
margin: by as much as observers' values lay outside on photographs that were set aside for it (docs/measures.md). What
observers' masks of the same photographs have taught stands in reliability.json, which scripts/write_measures.py writes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from foveate.records import Image, Mask


@dataclass(frozen=True, slots=True)
class ObserverAgreement:
    """Of the measures of vessels."""

    margins: dict[str, float]
    """Measure to the share by which an interval's upper end grows, and its lower one shrinks."""
    unreliable: frozenset[str]
    """Measures on which two observers' masks don't agree."""


@cache
def observer_agreement() -> ObserverAgreement:
    """The table that is shipped."""
    agreement = json.loads(files("foveate.morphometry").joinpath("reliability.json").read_text("utf-8"))
    return ObserverAgreement(agreement["margins"], frozenset(agreement["unreliable"]))


SHIFTED = (0.15, 0.8)
"""Thresholds beside the model's own."""

LEAST_FOV_SHARE = 0.4
LEAST_CONTRAST = 0.2
LEAST_EXPECTED_F1 = 0.7
MOST_COMPONENTS = 40

RULES = {
    "small field of view": f"The field of view takes less than {LEAST_FOV_SHARE} of the image.",
    "low contrast": f"The contrast is below {LEAST_CONTRAST}.",
    "uncertain mask": f"The expected F1 is below {LEAST_EXPECTED_F1}.",
    "broken vessels": f"The mask has more than {MOST_COMPONENTS} components.",
    "nothing found": "The mask is empty.",
}
"""Flag to its rule."""

BESIDE = 4
"""Pixels around the vessels that are taken for what is beside them, where the field of view is ACROSS pixels wide."""

ACROSS = 1000


def flags(*, fov_share: float, contrast: float, expected_f1: float, components: float) -> tuple[str, ...]:
    """What is wrong with an image; NaN for what isn't known is never wrong."""
    wrong = {
        "small field of view": fov_share < LEAST_FOV_SHARE,
        "low contrast": contrast < LEAST_CONTRAST,
        "uncertain mask": expected_f1 < LEAST_EXPECTED_F1,
        "broken vessels": components > MOST_COMPONENTS,
        "nothing found": components == 0,
    }
    return tuple(flag for flag in RULES if wrong[flag])


def contrast(image: Image, mask: Mask, fov: Mask) -> float:
    """How much darker the green of the mask is than of what is beside it, over the latter's deviation; NaN if empty.

    `image` H×W×3, `mask` and `fov` H×W bool.
    """
    from scipy import ndimage  # type: ignore[import-untyped]

    every = max(1, round(np.sqrt(np.count_nonzero(fov)) / ACROSS))
    green, mask, fov = image[::every, ::every, 1], mask[::every, ::every], fov[::every, ::every]
    around = ndimage.binary_dilation(mask, iterations=BESIDE) & fov & ~mask
    if not mask.any() or not around.any():
        return np.nan
    beside = green[around].astype(np.float64)
    return float((beside.mean() - green[mask].mean()) / max(float(beside.std()), 1e-9))


def interval(name: str, value: float, own: float, shifted: Sequence[float]) -> tuple[float, float]:
    """(low, high) around a measure's value; NaN where it, or the shifted ones, aren't defined.

    `own` and `shifted` are its values at the model's and at the shifted thresholds, of a mask that may have been
    reduced: only how they stand to each other counts.
    """
    ratios = np.array([1.0, *(other / own for other in shifted)]) if own else np.full(1, np.nan)
    if not np.isfinite(ratios).all() or name not in observer_agreement().margins:
        return np.nan, np.nan
    wider = 1 + observer_agreement().margins[name]
    return value * float(ratios.min()) / wider, value * float(ratios.max()) * wider
