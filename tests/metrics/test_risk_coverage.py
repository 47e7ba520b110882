"""Risk–coverage curves against sorting all pixels, and where undefined."""

import numpy as np
import pytest

from foveate.metrics import Certainty, RiskCoverage, count, rates, risk_coverage_of_images
from foveate.metrics.curves import BINS
from real_images import Predicted


def curve_of(images: list[Predicted]) -> RiskCoverage:
    counts = Certainty()
    for image in images:
        counts.add(*image)
    curve = counts.curve()
    assert curve is not None
    return curve


def sixteen_bit(images: list[Predicted]) -> list[Predicted]:
    """The same probabilities on the bins, where no certainty is rounded."""
    scale = BINS - 1
    return [
        image._replace(probability=(np.round(image.probability * scale) / scale).astype(np.float32)) for image in images
    ]


def area_by_sorting(images: list[Predicted], decimals: int) -> float:
    """Mean over all numbers of kept pixels, the most certain first, errors shared out among the equally certain.

    Certainty is rounded to so many decimals of a bin.
    """
    p = np.concatenate([image.probability[image.fov] for image in images]).astype(np.float64)
    mask = np.concatenate([image.mask[image.fov] for image in images])
    wrong = mask != np.concatenate([image.truth[image.fov] for image in images])
    certainty = np.round(np.where(mask, p, 1 - p) * (BINS - 1), decimals)
    _, index, number = np.unique(-certainty, return_inverse=True, return_counts=True)
    share = np.repeat(np.bincount(index, weights=wrong) / number, number)
    return float(np.mean(np.cumsum(share) / np.arange(1, share.size + 1)))


def test_the_area_equals_the_mean_over_all_numbers_of_kept_pixels(predicted: list[Predicted]) -> None:
    images = sixteen_bit(predicted)
    assert curve_of(images).area == pytest.approx(area_by_sorting(images, 0), rel=1e-9)  # half a million float64 sums


def test_the_area_of_continuous_probabilities_hardly_feels_the_bins(predicted: list[Predicted]) -> None:
    assert curve_of(predicted).area == pytest.approx(area_by_sorting(predicted, 9), abs=1e-6)


def test_every_point_is_what_is_left_above_a_certainty(predicted: list[Predicted]) -> None:
    images = sixteen_bit(predicted)
    curve, total = curve_of(images), sum(int(image.fov.sum()) for image in images)
    assert 50 < len(curve.coverage) <= 500
    for at in range(0, len(curve.coverage), 60):
        kept = [
            image.fov & (np.where(image.mask, image.probability, 1 - image.probability) > curve.certainty[at] - 1e-7)
            for image in images
        ]
        confusions = [count(image.mask, image.truth, left) for image, left in zip(images, kept, strict=True)]
        summed = sum(confusions[1:], confusions[0])
        assert curve.coverage[at] == pytest.approx(sum(map(np.count_nonzero, kept)) / total, rel=1e-12)
        assert curve.risk[at] == pytest.approx(1 - (rates(summed).accuracy or 0), rel=1e-9)
        assert curve.f1[at] == rates(summed).f1


def test_the_curve_ends_with_all_pixels_and_the_plain_scores(predicted: list[Predicted]) -> None:
    curve = curve_of(predicted)
    confusions = [count(image.mask, image.truth, image.fov) for image in predicted]
    plain = rates(sum(confusions[1:], confusions[0]))
    assert curve.coverage[-1] == 1
    assert (1 - curve.risk[-1], curve.f1[-1]) == pytest.approx((plain.accuracy, plain.f1), rel=1e-12)
    assert list(curve.coverage) == sorted(curve.coverage)


def test_merging_is_adding(predicted: list[Predicted]) -> None:
    merged = Certainty()
    for image in predicted:
        alone = Certainty()
        alone.add(*image)
        merged.merge(alone)
    assert merged.curve() == curve_of(predicted)


def test_certainties_that_tell_right_from_wrong_leave_less_area_than_those_that_do_not() -> None:
    generator = np.random.default_rng(6)
    p = generator.random((300, 300)).astype(np.float32)
    mask = p >= 0.5
    knowing, blind = Certainty(), Certainty()
    truth = generator.random(p.shape) < p
    knowing.add(p, mask, truth)
    blind.add(
        generator.permutation(np.where(mask, p, 1 - p).ravel()).reshape(p.shape), np.ones_like(mask), mask == truth
    )
    areas = [(each.curve() or curve_of([])).area for each in (knowing, blind)]
    # Analytically 1/8, and 1/4, the share of all pixels that are wrong.
    np.testing.assert_allclose(areas, [1 / 8, 1 / 4], atol=0.006)


@pytest.mark.parametrize(("truth", "risk", "f1"), [(False, 0.0, None), (True, 1.0, 0.0)])
def test_an_empty_mask_has_an_f1_only_if_the_truth_is_not_empty(truth: bool, risk: float, f1: float | None) -> None:
    counts = Certainty()
    counts.add(np.zeros((2, 3), dtype=np.float32), np.zeros((2, 3), dtype=bool), np.full((2, 3), truth))
    curve = counts.curve()
    assert curve == RiskCoverage((1.0,), (1.0,), (risk,), risk, (f1,))


def test_no_pixel_and_no_image_have_no_curve() -> None:
    nothing = np.zeros((2, 3), dtype=bool)
    counts = Certainty()
    counts.add(np.zeros((2, 3), dtype=np.float32), nothing, nothing, nothing)
    assert counts.curve() is None
    assert risk_coverage_of_images([], []) is None
    assert risk_coverage_of_images([None, 0.5], [0.1, None]) is None


def test_images_are_kept_in_the_order_of_their_certainty_and_undefined_ones_take_no_part() -> None:
    found = risk_coverage_of_images([0.9, 0.5, None, 0.7], [0.1, 0.4, 0.3, 0.2])
    assert found is not None
    assert found.certainty == (0.9, 0.7, 0.5)
    assert found.coverage == pytest.approx((1 / 3, 2 / 3, 1), rel=1e-12)
    assert found.risk == pytest.approx((0.1, 0.15, 0.7 / 3), rel=1e-12)
    assert found.area == pytest.approx((0.1 + 0.15 + 0.7 / 3) / 3, rel=1e-12)


def test_images_of_equal_certainty_count_as_the_mean_over_all_their_orders() -> None:
    found = risk_coverage_of_images([0.9, 0.5, 0.5], [0.1, 0.3, 0.5])
    orders = [(0.1, 0.3, 0.5), (0.1, 0.5, 0.3)]
    expected = np.mean([np.mean(np.cumsum(order) / [1, 2, 3]) for order in orders])
    assert found is not None
    assert found.area == pytest.approx(expected, rel=1e-12)
