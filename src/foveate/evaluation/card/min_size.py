"""How small a part of a mask may be, chosen on validation images: the `min_size` of a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from msgspec import structs

from foveate.arrays.components import label, sizes
from foveate.evaluation.card.scores import check_card
from foveate.evaluation.predictor import seen_by

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from foveate.inference import Segmenter
    from foveate.records import CaseEntry, Mask

TRIED = (0, 2, 5, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320)
"""Pixels of the working size."""


@dataclass(slots=True)
class PartsBySize:
    """What the masks of one set would be with each size that is tried."""

    hits: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(TRIED), np.int64))
    predicted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(TRIED), np.int64))
    true: int = 0
    errors: list[NDArray[np.int64]] = field(default_factory=list)
    """For each image, how far the number of parts is from that of the truth."""

    def add(self, mask: Mask, truth: Mask, least: Sequence[int]) -> None:
        """Count one image, H×W, whose parts of at least so many pixels are kept."""
        labels, count = label(mask)
        pixels, right = sizes(labels, count)[1:], np.bincount(labels[truth], minlength=count + 1)[1:]
        kept = pixels >= np.array(least)[:, None]
        self.hits += kept @ right
        self.predicted += kept @ pixels
        self.true += int(np.count_nonzero(truth))
        self.errors.append(np.abs(kept.sum(axis=1) - label(truth)[1]))

    @property
    def f1(self) -> NDArray[np.float64]:
        """Of all pixels together, for each size; 1 where neither mask nor truth has a pixel."""
        both = self.predicted + self.true
        return np.where(both > 0, 2 * self.hits / np.maximum(both, 1), 1.0)


def with_min_size_for(segmenter: Segmenter, sets: Sequence[Sequence[CaseEntry]]) -> Segmenter:
    """The model with the `min_size` in its card that suits these images: raises UsageError for several classes.

    It is the size with the fewest wrong parts among those that cost no F1; of equally good ones, the smallest. Parts
    are counted inside the FOV, and their number's distance from the truth's is averaged over all images
    (`betti_0_error`). F1 is that of a set's pixels together, and no set may lose any: in a mean, one image of another
    set would pay for it.
    """
    card, as_it_is = segmenter.card, replace(segmenter.procedure.post_processing, min_size=0)
    check_card(card)
    plain = replace(segmenter, procedure=replace(segmenter.procedure, post_processing=as_it_is))
    counts = [PartsBySize() for _ in sets]
    for count, entries in zip(counts, sets, strict=True):
        for case in (entry.load() for entry in entries):
            found = plain.segment(seen_by(plain, case))
            inside = found.fov if case.fov is None else case.fov
            least = [card.preparation.photograph_pixels(size, found.fov_diameter) for size in TRIED]
            count.add(found.masks[0] & inside, case.masks[0] & inside, least)
    costs_none = np.all([count.f1 >= count.f1[0] for count in counts], axis=0)
    errors = np.mean([error for count in counts for error in count.errors], axis=0)
    _, size = min((errors[place], size) for place, size in enumerate(TRIED) if costs_none[place])
    return replace(segmenter, card=structs.replace(card, min_size=size))
