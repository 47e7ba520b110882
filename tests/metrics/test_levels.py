"""Areas under curves from levels of log odds, against scikit-learn."""

from functools import reduce
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics

from foveate.metrics import Levels
from foveate.metrics.areas import MOST
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


def roc_auc_bound(levels: Levels) -> float:
    """The docstring's bound, written out from the definition of a tie."""
    positives, negatives = levels.positives.astype(float), levels.negatives.astype(float)
    return float((positives * negatives).sum() / (2 * positives.sum() * negatives.sum()))


def average_precision_bound(levels: Levels) -> float:
    """The docstring's bound, bin by bin from the top."""
    bound, hits_above, false_above = 0.0, 0, 0
    pairs = zip(levels.positives.tolist(), levels.negatives.tolist(), strict=True)
    for positives, negatives in reversed(list(pairs)):
        if positives:
            highest = (hits_above + positives) / (hits_above + positives + false_above)
            lowest = (hits_above + 1) / (hits_above + 1 + false_above + negatives)
            bound += positives * (highest - lowest)
        hits_above, false_above = hits_above + positives, false_above + negatives
    return bound / hits_above


def test_roc_auc_of_continuous_probabilities_is_scikit_learns_within_the_stated_bound(drive: Drive) -> None:
    probability, truth, fov = drive
    levels = Levels.of(probability, truth, fov)
    expected = sklearn.metrics.roc_auc_score(truth[fov], probability[fov])
    assert levels.roc_auc is not None
    # Nearly all probabilities have a bin of their own.
    assert abs(levels.roc_auc - expected) <= roc_auc_bound(levels) < 1e-6


def test_average_precision_of_continuous_probabilities_is_scikit_learns_within_the_stated_bound(
    drive: Drive,
) -> None:
    probability, truth, fov = drive
    levels = Levels.of(probability, truth, fov)
    expected = sklearn.metrics.average_precision_score(truth[fov], probability[fov])
    assert levels.average_precision is not None
    error = abs(levels.average_precision - expected)
    assert error <= average_precision_bound(levels)
    assert error < 1e-6


@pytest.mark.parametrize("seed", range(5))
def test_the_bounds_hold_where_most_pixels_tie(seed: int) -> None:
    generator = np.random.default_rng(seed)
    probability = generator.random((60, 70)).astype(np.float32)
    truth = generator.random((60, 70)) < 0.4 * probability
    # About 30 bins, so that ties decide the result.
    levels = Levels.of(probability, truth).coarser(2)
    assert levels.places.size < 100
    expected = sklearn.metrics.roc_auc_score(truth.ravel(), probability.ravel())
    assert 0 < abs((levels.roc_auc or 0) - expected) <= roc_auc_bound(levels)
    expected = sklearn.metrics.average_precision_score(truth.ravel(), probability.ravel())
    assert 0 < abs((levels.average_precision or 0) - expected) <= average_precision_bound(levels)


@pytest.mark.parametrize("grey_levels", [2, 256, 65536])
def test_areas_of_maps_of_few_grey_levels_equal_scikit_learns(drive: Drive, grey_levels: int) -> None:
    probability, truth, fov = drive
    quantised = (np.round(probability * (grey_levels - 1)) / (grey_levels - 1)).astype(np.float32)
    levels = Levels.of(quantised, truth, fov)
    pair = truth[fov], quantised[fov]
    # Equal but for the order of float64 sums.
    assert levels.roc_auc == pytest.approx(sklearn.metrics.roc_auc_score(*pair), rel=1e-11)
    expected = sklearn.metrics.average_precision_score(*pair)
    assert levels.average_precision == pytest.approx(expected, rel=1e-11)


def test_areas_are_none_where_undefined() -> None:
    probability = np.array([[0.25, 0.75]], dtype=np.float32)
    nothing = Levels.empty()
    assert (nothing.roc_auc, nothing.average_precision) == (None, None)
    no_positive = Levels.of(probability, np.zeros((1, 2), dtype=bool))
    assert (no_positive.roc_auc, no_positive.average_precision) == (None, None)
    no_negative = Levels.of(probability, np.ones((1, 2), dtype=bool))
    assert (no_negative.roc_auc, no_negative.average_precision) == (None, 1.0)


def test_the_ends_of_the_range_are_the_ends_of_the_order() -> None:
    probability = np.array([[0.0, 1e-45, 1.0, 1 - 2**-24]], dtype=np.float32)
    levels = Levels.of(probability, np.array([[False, True, True, False]]))
    assert levels.places.size == 4
    assert levels.positives.tolist() == [0, 1, 0, 1]
    assert levels.roc_auc == 0.75


def test_neighbouring_float32_have_levels_of_their_own() -> None:
    for start in (1e-30, 1e-6, 0.1, 0.5, 0.9999):
        neighbours = [np.float32(start)]
        for _ in range(50):
            neighbours.append(np.nextafter(neighbours[-1], np.float32(1)))
        levels = Levels.of(np.array([neighbours], np.float32), np.ones((1, 51), bool))
        assert levels.positives.tolist() == [1] * 51


def test_merged_images_are_as_one_however_coarse_the_levels_had_to_become() -> None:
    generator = np.random.default_rng(3)
    probability = generator.random((3, 400, 500)).astype(np.float32)
    truth = generator.random(probability.shape) < probability
    merged = reduce(Levels.merged, [Levels.of(*pair) for pair in zip(probability, truth, strict=True)])
    assert merged.places.size <= MOST < np.unique(probability).size
    assert (merged.positives.sum(), merged.negatives.sum()) == (truth.sum(), (~truth).sum())
    expected = sklearn.metrics.roc_auc_score(truth.ravel(), probability.ravel())
    assert merged.roc_auc is not None
    assert abs(merged.roc_auc - expected) <= roc_auc_bound(merged) < 1e-5


@pytest.mark.parametrize("wrong", [-0.001, 1.001, np.nan, np.inf])
def test_what_is_no_probability_is_refused_inside_the_field_of_view_only(wrong: float) -> None:
    probability = np.array([[0.5, wrong]], dtype=np.float32)
    truth = np.array([[True, False]])
    with pytest.raises(ValueError, match="0 to 1"):
        Levels.of(probability, truth)
    assert Levels.of(probability, truth, truth).positives.sum() == 1
