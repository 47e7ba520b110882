"""Which pixels lie in the scope 'fov': decided by the data set and the image alone, never by who predicts.

So a model and a folder of masks are counted in the same pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from foveate.arrays.fov import find_fov
from foveate.errors import DataError
from foveate.records import Case, CaseEntry, Mask

FovSource = Literal["set", "estimated", "whole"]
"""Of one image: the set's own field of view, one estimated from the photograph, or all of the image."""

LOOKED_AT = 5
"""How many images, spread over a set, say whether it is one of fundus photographs. A disc is found in all but a few of
those, in one of a hundred photographs of skin, and in no slice of a brain."""


@dataclass(frozen=True, slots=True)
class Counting:
    """Where pixels are counted, for all images of a set."""

    own: bool = True
    """In the set's own field of view, where an image has one."""
    otherwise: Literal["estimated", "whole"] | None = "whole"
    """Where it has none, or that isn't wanted; None: such an image is an error."""

    @classmethod
    def only(cls, source: FovSource) -> Counting:
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


def shows_eyes(entries: Sequence[CaseEntry]) -> bool:
    """Whether images are fundus photographs: most of those looked at have a field of view of their own, or a lit disc.

    Raises what their loading raises.
    """
    step = max(1.0, len(entries) / LOOKED_AT)
    chosen = [entries[int(number * step)] for number in range(min(LOOKED_AT, len(entries)))]
    found = [_shows_eye(entry.load()) for entry in chosen]
    return 2 * sum(found) > len(found)


def _shows_eye(case: Case) -> bool:
    return case.fov is not None or not find_fov(case.image).note
