"""Calibration against scikit-learn, MONAI and direct counts on real probabilities, and where undefined."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from monai.losses import FocalLoss
from numpy.typing import NDArray

from foveate.metrics import CalibrationSums
from real_images import Predicted


def reliability(images: list[Predicted], *, inside: bool = True) -> CalibrationSums:
    sums = CalibrationSums()
    for image in images:
        sums.add(image.probability, image.truth, image.fov if inside else None)
    return sums


def pixels(images: list[Predicted]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Of all images inside the field of view."""
    probability = np.concatenate([image.probability[image.fov] for image in images])
    return probability.astype(np.float64), np.concatenate([image.truth[image.fov] for image in images])


def test_brier_score_of_real_images_equals_scikit_learns(predicted: list[Predicted]) -> None:
    p, y = pixels(predicted)
    # Another order of float64 sums.
    assert reliability(predicted).brier == pytest.approx(sklearn.metrics.brier_score_loss(y, p), rel=1e-10)


def test_log_loss_of_real_images_equals_scikit_learns_with_its_float32_precision(predicted: list[Predicted]) -> None:
    p, y = pixels(predicted)
    # It clips both ends, so what is certain and right costs 2**-23 there and nothing here.
    p = np.clip(p, 2**-23, 1 - 2**-23)
    assert reliability(predicted).log_loss == pytest.approx(sklearn.metrics.log_loss(y, p), abs=2**-23)


def test_focal_loss_of_real_images_equals_monais(predicted: list[Predicted]) -> None:
    p, y = pixels(predicted)
    p = np.clip(p, 2**-23, 1 - 2**-23)
    loss = FocalLoss(gamma=2, alpha=0.25, reduction="mean", use_softmax=False)
    expected = float(loss(torch.from_numpy(np.log(p / (1 - p)))[None, None], torch.from_numpy(y[None, None] * 1.0)))
    assert reliability(predicted).focal_loss == pytest.approx(expected, rel=1e-6)  # here the weight is clipped, too


def test_calibration_error_and_diagram_equal_a_direct_count(predicted: list[Predicted]) -> None:
    p, y = pixels(predicted)
    sums, expected = reliability(predicted), 0.0
    edges = np.linspace(0, 1, 16)
    for index, (number, mean, share) in enumerate(sums.diagram()):
        inside = (p >= edges[index]) & ((p < edges[index + 1]) if index < 14 else (p <= 1))
        assert number == inside.sum() > 0
        assert mean == pytest.approx(p[inside].mean(), rel=1e-10)
        assert share == pytest.approx(y[inside].mean(), rel=1e-10)
        expected += inside.mean() * abs(y[inside].mean() - p[inside].mean())
    assert sums.expected_calibration_error == pytest.approx(expected, abs=1e-12)
    assert sums.total == y.size


def test_pixels_outside_the_field_of_view_count_only_over_the_whole_image(predicted: list[Predicted]) -> None:
    image = predicted[0]
    changed = image._replace(probability=np.where(image.fov, image.probability, 1).astype(np.float32))
    assert reliability([changed]).brier == reliability([image]).brier
    assert reliability([changed], inside=False).total == image.truth.size
    assert (reliability([changed], inside=False).brier or 0) > (reliability([image], inside=False).brier or 1)


def test_adding_images_one_by_one_and_merging_agree(predicted: list[Predicted]) -> None:
    whole, merged = reliability(predicted), CalibrationSums()
    for image in predicted:
        merged.merge(reliability([image]))
    np.testing.assert_array_equal(merged.pixels, whole.pixels)
    np.testing.assert_array_equal(merged.positives, whole.positives)
    for name in ("brier", "log_loss", "focal_loss", "expected_calibration_error"):
        assert getattr(merged, name) == pytest.approx(getattr(whole, name), rel=1e-12), name  # order of sums


def test_probabilities_that_are_true_shares_have_hardly_any_calibration_error() -> None:
    generator = np.random.default_rng(3)
    p = generator.random((1000, 1000)).astype(np.float32)
    sums = CalibrationSums()
    sums.add(p, generator.random(p.shape) < p)
    # Each bin's share scatters by at most 0.5 / sqrt(66 667), 0.002.
    assert 0 < (sums.expected_calibration_error or 0) < 0.003
    assert sums.brier == pytest.approx(1 / 6, abs=0.002)  # the mean of p (1 - p)


def test_certain_and_wrong_costs_a_finite_log() -> None:
    sums = CalibrationSums()
    sums.add(np.array([[1.0, 0.0]], dtype=np.float32), np.array([[False, True]]))
    assert sums.log_loss == pytest.approx(23 * np.log(2), rel=1e-12)
    assert (sums.brier, sums.expected_calibration_error) == (1, 1)
    assert [number for number, _, _ in sums.diagram()] == [1, *[0] * 13, 1]


def test_without_pixels_everything_is_undefined() -> None:
    sums = CalibrationSums()
    sums.add(np.zeros((2, 3), dtype=np.float32), np.ones((2, 3), dtype=bool), np.zeros((2, 3), dtype=bool))
    assert (sums.brier, sums.log_loss, sums.focal_loss, sums.expected_calibration_error) == (None, None, None, None)
    assert sums.diagram() == [(0, None, None)] * 15


@pytest.mark.parametrize("everywhere", [False, True])
def test_empty_and_full_truths_have_losses(everywhere: bool) -> None:
    sums = CalibrationSums()
    sums.add(np.full((4, 5), 0.25, dtype=np.float32), np.full((4, 5), everywhere))
    assert sums.brier == (0.75**2 if everywhere else 0.25**2)
    assert sums.expected_calibration_error == (0.75 if everywhere else 0.25)
    alpha, true = (0.25, 0.25) if everywhere else (0.75, 0.75)
    assert sums.focal_loss == pytest.approx(-alpha * (1 - true) ** 2 * np.log(true), rel=1e-12)


def test_what_is_no_probability_or_no_mask_is_refused() -> None:
    truth = np.zeros((1, 2), dtype=bool)
    for wrong in (1.001, -0.001, np.nan):
        with pytest.raises(ValueError, match="0 to 1"):
            CalibrationSums().add(np.array([[0.5, wrong]], dtype=np.float32), truth)
    with pytest.raises(ValueError, match="expected bool"):
        CalibrationSums().add(np.zeros((2, 2), dtype=np.float32), truth)
