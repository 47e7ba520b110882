"""Numbers and rates against scikit-learn on real masks, against arithmetic by hand, and where undefined."""

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import sklearn.metrics

from foveate.metrics import Confusion, Rates, count, rates, thresholded_jaccard
from foveate.records import Mask
from real_images import Pair, two_observers


@pytest.fixture(scope="module", params=[1, 11, 20])
def drive(request: pytest.FixtureRequest, shared_data: Path) -> tuple[Mask, Mask, Mask]:
    """Two people's vessel masks of one photograph, and its field of view."""
    prediction, truth, fov = two_observers(shared_data, request.param)
    return truth, prediction, fov


def by_scikit_learn(truth: Mask, prediction: Mask) -> Rates:
    pair = truth.ravel(), prediction.ravel()
    return Rates(
        f1=sklearn.metrics.f1_score(*pair),
        iou=sklearn.metrics.jaccard_score(*pair),
        sensitivity=sklearn.metrics.recall_score(*pair),
        specificity=sklearn.metrics.recall_score(*pair, pos_label=False),
        precision=sklearn.metrics.precision_score(*pair),
        accuracy=sklearn.metrics.accuracy_score(*pair),
        mcc=sklearn.metrics.matthews_corrcoef(*pair),
    )


def assert_close(actual: Rates, expected: Rates) -> None:
    for name in Rates.__dataclass_fields__:
        # Both sides are a few float64 operations on the same integers.
        assert getattr(actual, name) == pytest.approx(getattr(expected, name), rel=1e-12), name


def test_every_rate_equals_scikit_learns_over_the_whole_image(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, _ = drive
    assert_close(rates(count(prediction, truth)), by_scikit_learn(truth, prediction))


def test_every_rate_equals_scikit_learns_inside_the_field_of_view(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, fov = drive
    assert_close(rates(count(prediction, truth, fov)), by_scikit_learn(truth[fov], prediction[fov]))


def test_the_second_observer_of_drive_reaches_what_is_published_inside_the_field_of_view(
    observers: list[Pair],
) -> None:
    found = rates(sum((count(*pair) for pair in observers), Confusion()))
    published = {"f1": 0.789, "accuracy": 0.947, "sensitivity": 0.775, "specificity": 0.973}
    # Published with three decimals that were rounded from four, as the specificity's show: .97246, .9725, .973.
    assert {name: getattr(found, name) for name in published} == pytest.approx(published, abs=0.00055)


def test_balanced_accuracy_equals_scikit_learns(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, fov = drive
    expected = sklearn.metrics.balanced_accuracy_score(truth[fov], prediction[fov])
    assert rates(count(prediction, truth, fov)).balanced_accuracy == pytest.approx(expected, rel=1e-12)


def test_balanced_accuracy_is_undefined_where_truth_is_empty_or_full() -> None:
    assert rates(Confusion(false_positive=2, true_negative=3)).balanced_accuracy is None
    assert rates(Confusion(true_positive=2, false_negative=3)).balanced_accuracy is None
    assert rates(Confusion(false_positive=2, false_negative=3)).balanced_accuracy == 0


def test_the_isic_challenges_jaccard_is_a_mean_with_failures_taken_for_0_and_undefined_ones_left_out() -> None:
    assert thresholded_jaccard([0.65, 0.6499, None, 0.95]) == pytest.approx((0.65 + 0 + 0.95) / 3, rel=1e-12)
    assert thresholded_jaccard([0.2]) == 0
    assert thresholded_jaccard([None]) is thresholded_jaccard([]) is None


def test_counts_equal_scikit_learns_confusion_matrix(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, fov = drive
    (tn, fp), (fn, tp) = sklearn.metrics.confusion_matrix(truth[fov], prediction[fov]).tolist()
    assert count(prediction, truth, fov) == Confusion(tp, fp, fn, tn)


def test_a_two_by_three_example_equals_arithmetic_by_hand() -> None:
    prediction = np.array([[1, 1, 0], [0, 1, 0]], dtype=bool)
    truth = np.array([[1, 0, 0], [1, 1, 0]], dtype=bool)
    confusion = count(prediction, truth)
    assert confusion == Confusion(true_positive=2, false_positive=1, false_negative=1, true_negative=2)
    assert rates(confusion) == Rates(
        f1=4 / 6,
        iou=2 / 4,
        sensitivity=2 / 3,
        specificity=2 / 3,
        precision=2 / 3,
        accuracy=4 / 6,
        mcc=(2 * 2 - 1 * 1) / math.sqrt(3 * 3 * 3 * 3),
    )


def test_pixels_outside_the_field_of_view_never_count(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, fov = drive
    assert count(prediction ^ ~fov, truth, fov) == count(prediction, truth, fov)
    assert count(prediction ^ ~fov, truth) != count(prediction, truth)


def test_counts_of_two_halves_add_up_to_those_of_the_whole(drive: tuple[Mask, Mask, Mask]) -> None:
    truth, prediction, fov = drive
    parts = [count(prediction[half], truth[half], fov[half]) for half in (slice(0, 300), slice(300, None))]
    assert parts[0] + parts[1] == count(prediction, truth, fov)


@pytest.mark.parametrize(
    ("confusion", "undefined"),
    [
        (Confusion(), {"f1", "iou", "sensitivity", "specificity", "precision", "accuracy", "mcc"}),
        (Confusion(true_negative=9), {"f1", "iou", "sensitivity", "precision", "mcc"}),
        (Confusion(true_positive=9), {"specificity", "mcc"}),
        (Confusion(false_positive=4, true_negative=5), {"sensitivity", "mcc"}),
        (Confusion(false_negative=4, true_negative=5), {"precision", "mcc"}),
        (Confusion(false_positive=4, false_negative=5), set()),
    ],
)
def test_a_rate_is_none_where_it_is_zero_by_zero_and_only_there(confusion: Confusion, undefined: set[str]) -> None:
    values = rates(confusion)
    assert {name for name in Rates.__dataclass_fields__ if getattr(values, name) is None} == undefined


def test_mcc_is_right_for_counts_whose_products_pass_64_bits() -> None:
    # About all pixels of 45 photographs of 3504 x 2336, a tenth of them vessels.
    confusion = Confusion(31_000_003, 5_000_011, 6_000_023, 326_000_069)
    tp, fp, fn, tn = 31_000_003, 5_000_011, 6_000_023, 326_000_069
    marginals = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    assert marginals > 2**64
    squared = Fraction((tp * tn - fp * fn) ** 2, marginals)
    assert rates(confusion).mcc == pytest.approx(math.sqrt(squared), rel=1e-12)  # float64 rounding


def test_counts_of_a_photograph_with_more_pixels_than_16_bits_hold_are_whole() -> None:
    everything = np.ones((2336, 3504), dtype=bool)
    assert count(everything, everything) == Confusion(true_positive=2336 * 3504)


@pytest.mark.parametrize("wrong", [np.zeros((3, 2), dtype=bool), np.zeros((2, 3), dtype=np.uint8)])
def test_masks_of_another_shape_or_type_are_refused(wrong: Mask) -> None:
    right = np.zeros((2, 3), dtype=bool)
    for arguments in ((wrong, right), (right, right, wrong)):
        with pytest.raises(ValueError, match="expected bool"):
            count(*arguments)
