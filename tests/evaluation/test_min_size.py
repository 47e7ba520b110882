"""The smallest part that is kept is the one that validation images ask for, by an independent count."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]

from computed_models import computed
from foveate.datasets import open_set
from foveate.errors import UsageError
from foveate.evaluation.card.min_size import TRIED, with_min_size_for
from foveate.inference import PostProcessing, Procedure, Segmenter
from foveate.records import Case, CaseEntry

NEIGHBOURS = np.ones((3, 3))
WORKING = 320.0


def dark_lines(speckle: float) -> Segmenter:
    """Sees the truth of the drawn eyes badly: dark pixels, and of all others this share by chance."""

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        dark = ndimage.gaussian_filter(batch[:, 1], (0, 6, 6)) - batch[:, 1] > 6
        chance = np.random.default_rng(4).random(dark.shape) < speckle
        return np.asarray((dark | chance)[:, None], np.float32)

    return computed(network, working_minimum=1.0, working_maximum=WORKING, thresholds=(0.5,), trust=None)


def cases() -> list[CaseEntry]:
    return list(open_set("synthetic:3").split("train"))


def f1_and_errors(segmenter: Segmenter, loaded: list[Case], size: int) -> tuple[float, float]:
    """By the masks themselves, made anew for the size."""
    hits = both = 0
    errors = []
    for case in loaded:
        plain = Segmenter(segmenter.card, segmenter.session, Procedure(post_processing=PostProcessing(min_size=0)))
        found = plain.segment(case.image)
        scale = min(found.fov_diameter, WORKING) / found.fov_diameter
        inside = found.fov if case.fov is None else case.fov
        labels, count = ndimage.label(found.mask & inside, NEIGHBOURS)
        kept = np.zeros_like(found.mask)
        for number in range(1, count + 1):
            part = labels == number
            if part.sum() * scale**2 >= size:
                kept |= part
        truth = case.mask & inside
        hits += 2 * int((kept & truth).sum())
        both += int(kept.sum()) + int(truth.sum())
        errors.append(abs(ndimage.label(kept, NEIGHBOURS)[1] - ndimage.label(truth, NEIGHBOURS)[1]))
    return hits / both, float(np.mean(errors))


@pytest.mark.parametrize("speckle", [0.0, 0.004])
def test_the_size_has_the_fewest_wrong_parts_of_those_that_cost_no_f1(speckle: float) -> None:
    segmenter, entries = dark_lines(speckle), cases()
    chosen = with_min_size_for(segmenter, [entries]).card.min_size
    by_hand = {size: f1_and_errors(segmenter, [entry.load() for entry in entries], size) for size in TRIED}
    allowed = {size: errors for size, (f1, errors) in by_hand.items() if f1 >= by_hand[0][0]}
    assert chosen in TRIED
    assert allowed[chosen] == min(allowed.values())
    assert all(allowed[size] > allowed[chosen] for size in allowed if size < chosen)
    assert chosen > 0 or speckle == 0


def test_parts_whose_loss_would_cost_f1_stay() -> None:
    """The truth with one speck too many: to remove more than that would take parts that are right."""
    (entry, *_) = cases()
    case = entry.load()
    truth = np.zeros_like(case.mask)
    truth[40:44, 60:64] = truth[80:82, 60:62] = truth[60:62, 80:82] = True
    mask = truth.copy()
    mask[90, 90] = True
    mask[80:82, 60:62] = True
    fields = {"fov": "whole", "working_minimum": 1.0, "working_maximum": 4096.0, "thresholds": (0.5,), "trust": None}

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.zeros(batch.shape[2:], np.float32)
        padded[: mask.shape[0], : mask.shape[1]] = mask
        return padded[None, None]

    whole = replace(entry, load=lambda: replace(case, masks=truth[None], fov=None))
    chosen = with_min_size_for(computed(network, **fields), [[whole]]).card.min_size
    assert chosen == 2  # the speck goes; 5 would take parts of 4 pixels that are true


def test_what_one_set_gains_does_not_pay_for_what_another_loses() -> None:
    """Of two sets one has a speck of nine pixels that is wrong, the other one that is right."""
    (entry, *_) = cases()
    case = entry.load()
    fields = {"fov": "whole", "working_minimum": 1.0, "working_maximum": 4096.0, "thresholds": (0.5,), "trust": None}
    mask = np.zeros_like(case.mask)
    mask[40:60, 60:62] = mask[80:83, 60:63] = True

    def network(batch: NDArray[np.float32]) -> NDArray[np.float32]:
        padded = np.zeros(batch.shape[2:], np.float32)
        padded[: mask.shape[0], : mask.shape[1]] = mask
        return padded[None, None]

    without = mask.copy()
    without[80:83, 60:63] = False
    wrong, right = (
        replace(entry, load=partial(replace, case, masks=truth[None], fov=None)) for truth in (without, mask)
    )
    segmenter = computed(network, **fields)
    assert with_min_size_for(segmenter, [[wrong, wrong]]).card.min_size == 10
    assert with_min_size_for(segmenter, [[wrong, wrong], [right]]).card.min_size == 0


def test_a_model_of_several_classes_is_refused() -> None:
    several = computed(lambda batch: batch[:, :2] / np.float32(255), classes=("a", "b"), trust=None)
    with pytest.raises(UsageError, match="single class"):
        with_min_size_for(several, [cases()])
