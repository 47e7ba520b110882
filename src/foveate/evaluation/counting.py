"""Which pixels of a case are counted, at which size, and by which measures: decided by the data set, the image and the
call, never by who predicts.

So a model and a folder of masks are counted in the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from PIL import Image as PillowImage

from foveate.arrays.fov import find_fov
from foveate.arrays.prepare import Frame, prepare_mask
from foveate.errors import DataError, UsageError
from foveate.evaluation.measures import ChosenMeasures, MeasureGroup
from foveate.records import Case, CaseEntry, Image, Mask, Masks

FovSource = Literal["set", "estimated", "whole"]
"""Of one image: the set's own field of view, one estimated from the photograph, or all of the image."""

LOOKED_AT = 5
"""How many images, spread over a set, say whether it is one of fundus photographs. A disc is found in all but a few of
those, in one of a hundred photographs of skin, and in no slice of a brain."""


@dataclass(frozen=True, slots=True)
class FovRule:
    """Where pixels are counted, for all images of a set."""

    own: bool = True
    """In the set's own field of view, where an image has one."""
    otherwise: Literal["estimated", "whole"] | None = "whole"
    """Where it has none, or that isn't wanted; None: such an image is an error."""

    @classmethod
    def only(cls, source: FovSource) -> FovRule:
        """In nothing but this."""
        return cls(own=True, otherwise=None) if source == "set" else cls(own=False, otherwise=source)

    def within(self, case: Case) -> tuple[Mask, FovSource]:
        """The counted pixels (H×W) of a case, and what they are. Raises DataError where there is no rule for it."""
        if self.own and case.fov is not None:
            return case.fov, "set"
        if self.otherwise is None:
            raise DataError(f"{case.id}: has no field of view of its own. Say --fov estimated or --fov whole.")
        if self.otherwise == "whole":
            return np.ones(case.image.shape[:2], bool), "whole"
        return find_fov(case.image).mask, "estimated"


@dataclass(frozen=True, slots=True)
class CountingRule:
    """What is counted of every image, whoever predicts."""

    measures: tuple[MeasureGroup, ...] = ("mask", "probability", "vessels", "boundary")
    fov: FovRule = field(default_factory=FovRule)
    """Which pixels the scope 'fov' holds."""
    size: tuple[int, int] | None = None
    """Height and width at which cases are predicted and counted; None: their own."""
    empty_is_one: bool = False
    tolerance: float = 2.0
    left_out: tuple[str, ...] = ()
    """Classes whose true pixels are counted for no other class, such as what nobody was certain of."""

    def chosen(self, *, probabilities: bool) -> ChosenMeasures:
        """The measures to take, where there are probabilities, or masks alone."""
        groups = frozenset(self.measures) - (frozenset() if probabilities else {"probability"})
        return ChosenMeasures(groups, self.tolerance, self.empty_is_one)


def counted_for(name: str, names: Sequence[str], truth: Masks, within: Mask, left_out: Sequence[str]) -> Mask:
    """Of the pixels `within` (H×W) those that are counted for one class of `names`: all but where the truth (K×H×W)
    shows another one that is left out."""
    for number, other in enumerate(names):
        if other in left_out and other != name:
            within = within & ~truth[number]
    return within


def shows_eyes(entries: Sequence[CaseEntry]) -> bool:
    """Whether images are fundus photographs: most of those looked at have a field of view of their own, or a lit disc.

    Raises what their loading raises.
    """
    step = max(1.0, len(entries) / LOOKED_AT)
    chosen = [entries[int(number * step)] for number in range(min(LOOKED_AT, len(entries)))]
    shown = [_shows_eye(entry.load()) for entry in chosen]
    return 2 * sum(shown) > len(shown)


def _shows_eye(case: Case) -> bool:
    return case.fov is not None or not find_fov(case.image).note


def resized(case: Case, size: tuple[int, int]) -> Case:
    """The case at this height and width, whatever its own proportions: the image by bicubic resampling, a mask where
    at least half of a pixel is foreground."""
    height, width = case.image.shape[:2]
    if (height, width) == size:
        return case
    frame = Frame(height, width, (0, 0, height, width), size)

    def smaller(mask: Mask) -> Mask:
        return prepare_mask(mask, frame) >= 0.5

    def smaller_image(image: Image) -> Image:
        return np.asarray(PillowImage.fromarray(image).resize((size[1], size[0]), PillowImage.Resampling.BICUBIC))

    return replace(
        case,
        image=smaller_image(case.image),
        slice=None if case.slice is None else case.slice.changed(smaller_image),
        masks=np.stack([smaller(mask) for mask in case.masks]),
        fov=None if case.fov is None else smaller(case.fov),
        second_masks=None if case.second_masks is None else np.stack([smaller(mask) for mask in case.second_masks]),
    )


def size_of(text: str) -> tuple[int, int] | None:
    """Height and width of 'HEIGHTxWIDTH', None for 'native'. Raises UsageError for anything else."""
    if text == "native":
        return None
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and width.isdecimal() and min(int(height), int(width)) >= 16):
        raise UsageError(f"--size {text}: write HEIGHTxWIDTH in pixels, e.g. 704x1056, or native.")
    return int(height), int(width)
