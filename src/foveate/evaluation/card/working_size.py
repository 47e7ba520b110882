"""The size at which a model is shown photographs, chosen on validation images with the threshold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import fmean, median
from typing import TYPE_CHECKING

from msgspec import structs

from foveate.arrays.prepare import HIGHEST_WORKING_MINIMUM
from foveate.evaluation.card.threshold import with_threshold_for
from foveate.evaluation.predictor import seen_by
from foveate.models.card import chosen_on

if TYPE_CHECKING:
    from foveate.arrays.prepare import Preparation
    from foveate.datasets import DataSet
    from foveate.evaluation.evaluate import OnCase
    from foveate.inference import Segmenter
    from foveate.records import CaseEntry

EIGHTHS = (4, 5, 6, 7, 8, 10)
"""Of the size that these images are shown at now, which are tried for all of them: vessels of another camera are seldom
thinner than those that a network knows, and often wider or less sharp."""


def with_working_size_for(
    segmenter: Segmenter, parts: Sequence[tuple[DataSet, Sequence[CaseEntry]]], *, on_case: OnCase | None = None
) -> Segmenter:
    """The model with the working size in its card that suits these images of these sets, and the threshold there.

    It is the size whose best threshold (`with_threshold_for`) has the highest F1: the card's own, or one for all
    images, which are enlarged or reduced to it. Of equally good ones the card's stays. `on_case` is called after each
    image of each size. Raises what `with_threshold_for` does.
    """
    card, total = segmenter.card, sum(len(entries) for _, entries in parts)
    tried = [card.preparation, *_others(card.preparation, _shown(segmenter, parts))]
    fitted = []
    for number, preparation in enumerate(tried):
        sized = replace(segmenter, card=structs.replace(card, preparation=preparation))
        done = _after(on_case, number * total, len(tried) * total)
        fitted.append(with_threshold_for(sized, parts, on_case=done))
    best = max(fitted, key=lambda model: fmean(model.card.validation_f1.values()))
    said = chosen_on(best.card.validation_f1, f"{len(tried)} working sizes")
    return replace(segmenter, card=structs.replace(best.card, threshold_from=said))


def _shown(segmenter: Segmenter, parts: Sequence[tuple[DataSet, Sequence[CaseEntry]]]) -> float:
    """Pixels of FOV diameter that the network sees of the middle one of these images."""
    preparation = segmenter.card.preparation
    cases = (entry.load() for _, entries in parts for entry in entries)
    diameters = [preparation.view(seen_by(segmenter, case)).diameter for case in cases]
    return median(diameter * preparation.scale(diameter) if diameter else 0.0 for diameter in diameters)


def _others(preparation: Preparation, shown: float) -> Iterator[Preparation]:
    """One size for all images, in turn, as whole pixels."""
    for eighths in EIGHTHS:
        size = float(min(round(shown * eighths / 8), HIGHEST_WORKING_MINIMUM))
        if size and not preparation.working_minimum == preparation.working_maximum == size:
            yield replace(preparation, working_minimum=size, working_maximum=size)


def _after(on_case: OnCase | None, before: int, total: int) -> OnCase | None:
    if on_case is None:
        return None
    return lambda case_id, done, _: on_case(case_id, before + done, total)
