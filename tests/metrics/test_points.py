"""The points of ROC and precision–recall curves against scikit-learn's curves on real probabilities."""

import numpy as np
import pytest
import sklearn.metrics
from numpy.typing import NDArray

from foveate.metrics import CurvePoints, Histogram, count, precision_recall_points, rates, roc_points
from foveate.metrics.curves import evenly
from foveate.records import Mask, Probability
from real_images import Predicted


def histogram_of(probability: Probability, truth: Mask, within: Mask | None = None) -> Histogram:
    histogram = Histogram()
    histogram.add(probability, truth, within)
    return histogram


@pytest.fixture(scope="module")
def histogram(predicted: list[Predicted]) -> Histogram:
    image = predicted[0]
    return histogram_of(image.probability, image.truth, image.fov)


def test_every_point_is_the_operating_point_of_its_threshold(predicted: list[Predicted], histogram: Histogram) -> None:
    image = predicted[0]
    roc, pr = roc_points(histogram), precision_recall_points(histogram)
    assert roc is not None
    assert pr is not None
    for at in range(0, len(roc.x), 45):
        found = rates(count(image.probability >= roc.thresholds[at], image.truth, image.fov))
        assert found.specificity is not None
        # One subtraction's rounding.
        assert (roc.x[at], roc.y[at]) == pytest.approx((1 - found.specificity, found.sensitivity), abs=1e-12)
    for at in range(0, len(pr.x), 45):
        found = rates(count(image.probability >= pr.thresholds[at], image.truth, image.fov))
        assert (pr.x[at], pr.y[at]) == (found.sensitivity, found.precision)


def on_the_bins(image: Predicted) -> tuple[Mask, Probability]:
    """Truth, and probability as it is binned, of the pixels inside the field of view."""
    binned = np.round(image.probability[image.fov].astype(np.float64) * 65535) / 65535
    return image.truth[image.fov], binned.astype(np.float32)


def farthest(x: NDArray[np.float64], y: NDArray[np.float64], points: CurvePoints) -> float:
    """From any tenth point of the whole curve to the nearest of the few, as |Δx| + |Δy|."""
    apart = np.abs(x[::10, None] - points.x) + np.abs(y[::10, None] - points.y)
    return float(apart.min(axis=1).max())


def test_at_most_500_points_follow_scikit_learns_whole_roc_curve_within_0_004(
    predicted: list[Predicted], histogram: Histogram
) -> None:
    points = roc_points(histogram)
    x, y, _ = sklearn.metrics.roc_curve(*on_the_bins(predicted[0]), drop_intermediate=False)
    assert points is not None
    assert 300 < len(points.x) <= 500
    assert farthest(x, y, points) <= 2 / 499 + 1e-12
    assert sklearn.metrics.auc(points.x, points.y) == pytest.approx(sklearn.metrics.auc(x, y), abs=1e-4)


def test_at_most_500_points_follow_scikit_learns_whole_precision_recall_curve(
    predicted: list[Predicted], histogram: Histogram
) -> None:
    points = precision_recall_points(histogram)
    precision, recall, _ = sklearn.metrics.precision_recall_curve(*on_the_bins(predicted[0]))
    # scikit-learn adds a point at recall 0, and has the lowest threshold first.
    x, y = recall[-2::-1], precision[-2::-1]
    length = np.abs(np.diff(x)).sum() + np.abs(np.diff(y)).sum()
    assert points is not None
    assert 300 < len(points.x) <= 500
    assert farthest(x, y, points) <= length / 499 + 1e-12


def test_the_ends_are_exact(predicted: list[Predicted], histogram: Histogram) -> None:
    image, roc, pr = predicted[0], roc_points(histogram), precision_recall_points(histogram)
    assert roc is not None
    assert pr is not None
    assert (roc.x[0], roc.y[0], roc.x[-1], roc.y[-1]) == (0, 0, 1, 1)
    assert not (image.probability >= roc.thresholds[0]).any()
    assert (pr.x[-1], pr.y[-1]) == (1, image.truth[image.fov].mean())


def test_few_distinct_probabilities_are_all_kept() -> None:
    p = np.array([[0.1, 0.4, 0.35, 0.8]], dtype=np.float32)
    truth = np.array([[False, False, True, True]])
    points = roc_points(histogram_of(p, truth))
    assert points is not None
    assert (points.x, points.y) == ((0, 0, 0.5, 0.5, 1), (0, 0.5, 0.5, 1, 1))
    assert points.thresholds[1:] == pytest.approx((0.8, 0.4, 0.35, 0.1), abs=1 / 65535)  # a bin's width


@pytest.mark.parametrize("seed", range(3))
def test_from_a_point_that_is_left_out_it_is_a_499th_of_the_curve_to_the_next_at_most(seed: int) -> None:
    steps = np.random.default_rng(seed).random((2, 9000)) ** (1 + 9 * seed)  # the larger, the more uneven
    x, y = np.cumsum(steps, axis=1)
    chosen, length = evenly(x, y), np.cumsum(steps.sum(axis=0))
    assert len(chosen) <= 500
    assert {0, 8999} <= set(chosen.tolist())
    ahead = length[chosen[np.searchsorted(chosen, np.arange(9000))]] - length
    assert 0 <= ahead.min() <= ahead.max() <= (length[-1] - length[0]) / 499 * (1 + 1e-9)  # rounding


def test_curves_without_positives_or_negatives_have_no_points() -> None:
    p = np.array([[0.25, 0.75]], dtype=np.float32)
    none, every = np.zeros((1, 2), dtype=bool), np.ones((1, 2), dtype=bool)
    for truth, undefined in ((none, (True, True)), (every, (True, False))):
        histogram = histogram_of(p, truth)
        assert (roc_points(histogram) is None, precision_recall_points(histogram) is None) == undefined
    assert roc_points(Histogram()) is None
    assert precision_recall_points(Histogram()) is None
