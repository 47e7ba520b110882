"""Thresholds chosen for several sets and classes, against a search over all thresholds there are."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from foveate.arrays.decide import decide, decisive
from foveate.errors import DataError
from foveate.metrics.curves import Histogram
from foveate.metrics.threshold import best_thresholds
from foveate.records import Classes, Masks, Probabilities

EITHER = Classes(("artery", "vein", "crossing"))
BOTH = Classes(("haemorrhage", "exudate", "drusen"), exclusive=False)


def drawn(seed: int, classes: Classes) -> tuple[Probabilities, Masks]:
    """Noisy probabilities of 3 classes (3×30×40) in steps of 1/64, exactly kept by a histogram, and their masks."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, (30, 40))
    masks = np.stack([truth == number for number in (1, 2, 3)])
    noisy = (masks * 12 + random.integers(0, 22, masks.shape)) // (2 if classes.softmax else 1)
    return (noisy / 64).astype(np.float32), masks


def histograms_of(values: Probabilities, masks: Masks, classes: Classes) -> list[Histogram]:
    histograms = [Histogram() for _ in masks]
    for histogram, of_class, mask in zip(histograms, decisive(values, classes), masks, strict=True):
        histogram.add(of_class, mask)
    return histograms


def f1_of(prediction: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    return float(f1_score(truth.ravel(), prediction.ravel()))


def test_classes_that_exclude_each_other_get_the_one_threshold_with_the_highest_mean_f1() -> None:
    sets = [drawn(seed, EITHER) for seed in (0, 1)]
    thresholds, scores = best_thresholds([histograms_of(*data, EITHER) for data in sets], EITHER)

    def by_class(threshold: float) -> list[list[float]]:
        return [
            [f1_of(*pair) for pair in zip(decide(values, EITHER, (threshold,)), masks, strict=True)]
            for values, masks in sets
        ]

    assert scores == [pytest.approx(row) for row in by_class(thresholds[0])]
    every = [np.mean(by_class(step / 64)) for step in range(1, 65)]
    assert np.mean([value for row in scores for value in row if value is not None]) == pytest.approx(max(every))


def test_classes_that_may_overlap_get_a_threshold_each() -> None:
    values, masks = drawn(2, BOTH)
    thresholds, scores = best_thresholds([histograms_of(values, masks, BOTH)], BOTH)
    assert len(thresholds) == 3
    for threshold, score, of_class, mask in zip(thresholds, scores[0], values, masks, strict=True):
        assert score == pytest.approx(f1_of(of_class >= np.float32(threshold), mask))
        assert score == pytest.approx(max(f1_of(of_class >= step / 64, mask) for step in range(65)))


def test_a_class_that_a_set_has_not_is_left_out_there() -> None:
    values, masks = drawn(3, EITHER)
    without = masks & np.array([True, True, False])[:, None, None]
    _, scores = best_thresholds([histograms_of(values, masks, EITHER), histograms_of(values, without, EITHER)], EITHER)
    assert scores[0][2] is not None
    assert scores[1][2] is None
    assert scores[1][0] is not None


def test_a_threshold_of_zero_never_makes_two_exclusive_classes_of_a_pixel() -> None:
    values = np.zeros((3, 20, 20), np.float32)
    masks = np.zeros((3, 20, 20), bool)
    masks[0] = True  # all of it is artery, and the network says nothing of it
    thresholds, _ = best_thresholds([histograms_of(values, masks, EITHER)], EITHER)
    assert decide(values, EITHER, thresholds).sum(axis=0).max() <= 1


@pytest.mark.parametrize("classes", [EITHER, BOTH])
def test_a_set_without_any_foreground_is_an_error_that_says_so(classes: Classes) -> None:
    values, masks = drawn(4, classes)
    with pytest.raises(DataError, match="no foreground pixel"):
        best_thresholds([histograms_of(values, np.zeros_like(masks), classes)], classes)


def test_a_class_of_its_own_threshold_that_is_nowhere_is_named() -> None:
    values, masks = drawn(5, BOTH)
    masks[1] = False
    with pytest.raises(DataError, match="'exudate'"):
        best_thresholds([histograms_of(values, masks, BOTH)], BOTH)
