"""From probabilities to masks, pixel by pixel and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from foveate.arrays.decide import decide, decisive
from foveate.records import Classes, Probabilities

VESSEL = Classes(("vessel",))
EITHER = Classes(("artery", "vein"))
BOTH = Classes(("haemorrhage", "exudate"), exclusive=False)


def random_softmax(seed: int) -> Probabilities:
    """Probabilities of two classes, 2×40×50, whose sum leaves some for the background."""
    values = np.random.default_rng(seed).gamma(0.5, size=(3, 40, 50))
    probabilities: Probabilities = (values / values.sum(axis=0))[1:].astype(np.float32)
    return probabilities


def test_a_single_class_is_where_its_probability_reaches_the_threshold() -> None:
    probability = np.array([[[0.2, 0.5, 0.7]]], np.float32)
    assert decide(probability, VESSEL, (0.5,)).tolist() == [[[False, True, True]]]


@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
def test_of_classes_that_exclude_each_other_a_pixel_has_at_most_one_and_has_one_where_their_sum_reaches_the_threshold(
    threshold: float,
) -> None:
    probabilities = random_softmax(0)
    masks = decide(probabilities, EITHER, (threshold,))
    for row, column in np.ndindex(*probabilities.shape[1:]):
        artery, vein = probabilities[:, row, column].tolist()
        foreground = np.float32(artery) + np.float32(vein) >= np.float32(threshold)
        assert masks[:, row, column].tolist() == [foreground and artery >= vein, foreground and vein > artery]


def test_which_class_a_pixel_has_does_not_depend_on_the_threshold() -> None:
    low, high = (decide(random_softmax(1), EITHER, (threshold,)) for threshold in (0.2, 0.8))
    assert not (high & ~low).any()
    assert 0 < high.sum() < low.sum()


def test_classes_that_may_overlap_have_a_threshold_each() -> None:
    probabilities = np.array([[[0.3, 0.6, 0.6]], [[0.6, 0.6, 0.3]]], np.float32)
    masks = decide(probabilities, BOTH, (0.5, 0.25))
    assert masks.tolist() == [[[False, True, True]], [[True, True, True]]]


def test_a_softmax_whose_sum_is_rounded_above_one_stays_a_probability() -> None:
    probabilities = np.array([[[1.0]], [[np.finfo(np.float32).eps]]], np.float32)
    assert decisive(probabilities, EITHER).max() == 1
