"""Expected Dice against drawn truths and true scores, and its correction by validation images."""

import numpy as np
import pytest

from foveate.metrics import Correction, F1Estimate, count, expected_f1, fit_correction, rates, with_spread
from foveate.records import Mask, Probability
from real_images import BLOCK, EMPTY, FULL, ONE, Predicted


def dice_of_drawn_truths(probability: Probability, mask: Mask, fov: Mask, draws: int) -> list[float]:
    generator = np.random.default_rng(1)
    truths = (generator.random(probability.shape) < probability for _ in range(draws))
    return [rates(count(mask, truth, fov)).f1 or 0 for truth in truths]


def test_value_and_deviation_are_those_of_dice_over_truths_drawn_from_real_probabilities(
    predicted: list[Predicted],
) -> None:
    probability, mask, _, fov = predicted[0]
    expected = expected_f1(probability, mask, fov)
    assert expected is not None
    drawn = dice_of_drawn_truths(probability, mask, fov, 200)
    # The mean of 200 scatters by a 14th of the deviation, the deviation itself by a 20th.
    assert expected.value == pytest.approx(np.mean(drawn), abs=4 * expected.deviation / 14)
    assert expected.deviation == pytest.approx(np.std(drawn), rel=4 / 20)


def test_certain_probabilities_expect_the_true_dice_without_deviation(predicted: list[Predicted]) -> None:
    _, mask, truth, fov = predicted[1]
    expected = expected_f1(truth.astype(np.float32), mask, fov)
    assert expected is not None
    assert expected.value == pytest.approx(rates(count(mask, truth, fov)).f1, rel=1e-12)
    assert expected.deviation == 0


def test_the_value_is_soft_dice_inside_the_field_of_view_and_over_the_whole_image(predicted: list[Predicted]) -> None:
    p, mask, _, fov = predicted[2]
    for within in (fov, None):
        inside = np.ones_like(mask) if within is None else within
        sums = p[inside].astype(np.float64).sum() + mask[inside].sum()
        found = expected_f1(p, mask, within)
        assert found is not None
        assert found.value == pytest.approx(2 * p[mask & inside].astype(np.float64).sum() / sums, rel=1e-12)


@pytest.mark.parametrize(
    ("probability", "mask", "value"),
    [
        (0.0, EMPTY, None),
        (0.5, EMPTY, 0),
        (0.0, BLOCK, 0),
        (1.0, FULL, 1),
        (0.5, FULL, 2 * 0.5 / 1.5),
        (0.25, ONE, 2 * 0.25 / (0.25 * ONE.size + 1)),
    ],
)
def test_expected_dice_of_empty_full_and_single_pixel_masks(
    probability: float, mask: Mask, value: float | None
) -> None:
    found = expected_f1(np.full(mask.shape, probability, dtype=np.float32), mask)
    assert (found and found.value) == (value if value is None else pytest.approx(value, rel=1e-12))


def test_nothing_within_is_undefined_and_wrong_shapes_are_refused() -> None:
    p = np.full(ONE.shape, 0.5, dtype=np.float32)
    assert expected_f1(p, FULL, EMPTY) is None
    with pytest.raises(ValueError, match="expected bool"):
        expected_f1(p[1:], FULL)


def test_an_interval_is_1_96_deviations_to_each_side_and_a_correction_moves_and_widens_it() -> None:
    expected = F1Estimate(0.8, 0.01)
    # 1.96 is the normal quantile to three figures.
    np.testing.assert_allclose(expected.interval(), (0.8 - 0.0196, 0.8 + 0.0196), rtol=0, atol=1e-5)
    corrected = expected.interval(Correction(shift=-0.1, margin=0.02))
    np.testing.assert_allclose(corrected, (0.7 - 0.0396, 0.7 + 0.0396), rtol=0, atol=1e-5)
    assert F1Estimate(0.95, 0.1).interval()[1] == 1
    assert F1Estimate(0.05, 0.1).interval()[0] == 0


def test_corrected_intervals_hold_95_of_100_new_true_scores() -> None:
    generator = np.random.default_rng(4)
    held = []
    for _ in range(400):
        # Expected values 0.04 too high, true ones scattered by 0.02: as found on real photographs.
        expected = [F1Estimate(value, 0.001) for value in generator.normal(0.8, 0.03, 40)]
        true = [each.value - 0.04 + generator.normal(0, 0.02) for each in expected]
        correction = fit_correction(expected[:39], true[:39])
        low, high = expected[39].interval(correction)
        held.append(low <= true[39] <= high)
    # 400 trials scatter by 0.011; without the correction hardly one is held.
    assert 0.915 <= np.mean(held) <= 0.985


def test_few_validation_images_give_the_largest_difference_as_margin() -> None:
    expected = [F1Estimate(0.8, 0.0)] * 3
    found = fit_correction(expected, [0.7, 0.75, 0.71])
    assert found.shift == pytest.approx(np.mean([-0.1, -0.05, -0.09]), rel=1e-12)
    assert found.margin == pytest.approx(abs(-0.05 - np.mean([-0.1, -0.09])), rel=1e-12)


def test_a_deviation_that_is_wide_enough_gets_no_margin() -> None:
    assert fit_correction([F1Estimate(0.8, 0.1)] * 4, [0.81, 0.79, 0.8, 0.8]).margin == 0


def test_two_views_add_as_much_as_the_value_moves_to_each_side() -> None:
    found = with_spread(F1Estimate(0.8, 0.0), [F1Estimate(0.7, 0.0), F1Estimate(0.9, 0.0)])
    assert found == F1Estimate(0.8, pytest.approx(0.1, rel=1e-12))  # type: ignore[arg-type]


def test_the_deviation_of_leaning_probabilities_is_that_of_dice_over_leans_and_truths_that_are_drawn() -> None:
    generator = np.random.default_rng(11)
    probability = generator.uniform(0.3, 0.7, (60, 60)).astype(np.float32)
    mask, lean, draws = probability >= 0.5, 0.05, 600
    sides = [expected_f1((probability + side * lean).astype(np.float32), mask) for side in (-1, 1)]
    alone = expected_f1(probability, mask)
    assert alone is not None
    found = with_spread(alone, [side for side in sides if side is not None])
    drawn = [
        rates(count(mask, generator.random(mask.shape) < probability + lean * generator.normal())).f1 or 0
        for _ in range(draws)
    ]
    # A deviation of 600 values scatters by 1 / sqrt(2 * 600) of itself.
    assert found.deviation == pytest.approx(np.std(drawn), rel=4 / np.sqrt(2 * draws))


@pytest.mark.parametrize(("expected", "true"), [(0, 0), (1, 1), (2, 3)])
def test_a_correction_needs_two_pairs(expected: int, true: int) -> None:
    with pytest.raises(ValueError, match="two at least"):
        fit_correction([F1Estimate(0.8, 0.1)] * expected, [0.8] * true)


def test_the_scatter_between_views_adds_to_the_deviation() -> None:
    views = [F1Estimate(value, 0.0) for value in (0.7, 0.8, 0.9)]
    found = with_spread(F1Estimate(0.82, 0.03), views)
    assert (found.value, found.deviation) == pytest.approx((0.82, np.hypot(0.03, np.std([0.7, 0.8, 0.9]))), rel=1e-12)
