"""The histogram of probabilities, and thresholds from it against brute force."""

from pathlib import Path

import numpy as np
import pytest

from foveate.errors import DataError
from foveate.metrics import Histogram, count, rates
from foveate.metrics.curves import BINS
from foveate.records import Mask, Probability
from real_images import read_image, read_mask

Drive = tuple[Probability, Mask, Mask]


@pytest.fixture(scope="module", params=["02", "19"])
def drive(request: pytest.FixtureRequest, shared_data: Path) -> Drive:
    """A continuous probability (dark is vessel, with noise), a vessel mask and a field of view."""
    test = shared_data / "DRIVE" / "test"
    darkness = 255.0 - read_image(test / "images" / f"{request.param}_test.tif")[..., 1]
    darkness += np.random.default_rng(7).normal(0, 4, darkness.shape)
    probability = (darkness - darkness.min()) / np.ptp(darkness)
    truth = read_mask(test / "1st_manual" / f"{request.param}_manual1.gif")
    fov = read_mask(test / "mask" / f"{request.param}_test_mask.gif")
    return probability.astype(np.float32), truth, fov


def histogram_of(probability: Probability, truth: Mask, within: Mask | None = None) -> Histogram:
    histogram = Histogram()
    histogram.add(probability, truth, within)
    return histogram


def test_adding_images_one_by_one_merging_and_adding_all_at_once_agree(drive: Drive) -> None:
    probability, truth, fov = drive
    whole = histogram_of(probability, truth, fov)
    one_by_one, merged = Histogram(), Histogram()
    for part in (slice(0, 200), slice(200, 201), slice(201, None)):
        one_by_one.add(probability[part], truth[part], fov[part])
        merged.merge(histogram_of(probability[part], truth[part], fov[part]))
    for streamed in (one_by_one, merged):
        np.testing.assert_array_equal(streamed.positives, whole.positives)
        np.testing.assert_array_equal(streamed.negatives, whole.negatives)


def test_probabilities_outside_the_field_of_view_never_count(drive: Drive) -> None:
    probability, truth, fov = drive
    changed = np.where(fov, probability, 1 - probability)
    expected, actual = histogram_of(probability, truth, fov), histogram_of(changed, truth, fov)
    np.testing.assert_array_equal(actual.positives, expected.positives)
    np.testing.assert_array_equal(actual.negatives, expected.negatives)
    assert actual.positives.sum() + actual.negatives.sum() == fov.sum()


def test_the_best_threshold_is_the_one_that_brute_force_over_all_thresholds_finds(drive: Drive) -> None:
    probability, truth, fov = drive
    eight_bit = (np.round(probability * 255) / 255).astype(np.float32)
    threshold, f1 = histogram_of(eight_bit, truth, fov).best_threshold_f1()
    tried = [rates(count(eight_bit >= level, truth, fov)).f1 or 0 for level in np.unique(eight_bit)]
    assert f1 == pytest.approx(max(tried), rel=1e-12)  # the same integers, divided once
    assert rates(count(eight_bit >= threshold, truth, fov)).f1 == pytest.approx(f1, rel=1e-12)


def test_the_best_threshold_of_continuous_probabilities_has_exactly_the_f1_it_promises(drive: Drive) -> None:
    part = np.s_[200:280, 200:280]
    probability, truth, fov = drive[0][part], drive[1][part], drive[2][part]
    threshold, f1 = histogram_of(probability, truth, fov).best_threshold_f1()
    assert rates(count(probability >= threshold, truth, fov)).f1 == pytest.approx(f1, rel=1e-12)
    assert rates(count(probability >= np.float32(threshold), truth, fov)).f1 == pytest.approx(f1, rel=1e-12)
    tried = [rates(count(probability >= level, truth, fov)).f1 or 0 for level in np.unique(probability)]
    # 6400 pixels seldom share one of 65 536 bins: at most one pixel's worth is lost.
    assert max(tried) - 2 / truth.sum() < f1 <= max(tried) + 1e-12


def test_a_threshold_between_well_separated_classes_lies_in_the_middle() -> None:
    probability = np.array([[0.1, 0.2, 0.8, 0.9]], dtype=np.float32)
    threshold, f1 = histogram_of(probability, probability > 0.5).best_threshold_f1()
    assert f1 == 1
    assert threshold == pytest.approx(0.5, abs=2 / BINS)  # a bin's width to each side


def test_every_threshold_is_the_lowest_float32_of_its_bin() -> None:
    floats = np.linspace(0, 1, BINS).astype(np.float32)
    for index in (1, 2, 3, 1000, 32767, 32768, 50000, 65534, 65535):
        truth = np.arange(BINS) >= index
        threshold, _ = histogram_of(floats[None], truth[None]).best_threshold_f1()
        below = np.nextafter(np.float32(threshold), np.float32(0))
        pixels = np.array([[threshold, below]], dtype=np.float32)
        histogram = histogram_of(pixels, np.array([[True, False]]))
        assert np.flatnonzero(histogram.positives).tolist() == [index]
        assert np.flatnonzero(histogram.negatives).tolist() == [index - 1]


def test_the_ends_of_the_range_are_counted() -> None:
    histogram = histogram_of(np.array([[0.0, 1.0]], dtype=np.float32), np.array([[False, True]]))
    assert (histogram.negatives[0], histogram.positives[-1]) == (1, 1)


def test_no_threshold_is_chosen_from_masks_without_foreground() -> None:
    histogram = histogram_of(np.array([[0.25, 0.75]], dtype=np.float32), np.zeros((1, 2), dtype=bool))
    with pytest.raises(DataError, match="no foreground pixel"):
        histogram.best_threshold_f1()


@pytest.mark.parametrize("wrong", [-0.001, 1.001, np.nan, np.inf])
def test_what_is_no_probability_is_refused_inside_the_field_of_view_only(wrong: float) -> None:
    probability = np.array([[0.5, wrong]], dtype=np.float32)
    truth = np.array([[True, False]])
    with pytest.raises(ValueError, match="0 to 1"):
        histogram_of(probability, truth)
    assert histogram_of(probability, truth, truth).positives.sum() == 1


@pytest.mark.parametrize("wrong", [np.zeros((3, 2), dtype=bool), np.zeros((2, 3), dtype=np.uint8)])
def test_truths_of_another_shape_or_type_are_refused(wrong: Mask) -> None:
    with pytest.raises(ValueError, match="expected bool"):
        histogram_of(np.zeros((2, 3), dtype=np.float32), wrong)
