"""Intervals against SciPy's bootstrap, against a plain loop over groups, and by how often they hold the truth."""

from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from foveate.metrics import BootstrapInterval, Confusion, count, interval, mean_interval, rate_intervals, rates
from real_images import Pair

# The 2.5 % quantile of 10 000 normal values has a standard error of 0.027 of their deviation; the difference of two
# such quantiles 0.038. Four times that:
MONTE_CARLO = 0.15


def by_scipy(columns: tuple[NDArray[np.float64], ...], statistic: object, seed: int) -> tuple[float, float, float]:
    """Low, high, and the deviation of the resampled scores."""
    result = bootstrap(
        columns, statistic, paired=True, n_resamples=10_000, method="percentile", rng=np.random.default_rng(seed)
    )
    return *result.confidence_interval, result.standard_error


def assert_same(actual: BootstrapInterval | None, expected: tuple[float, float, float]) -> None:
    assert actual is not None
    low, high, deviation = expected
    assert actual.low == pytest.approx(low, abs=MONTE_CARLO * deviation)
    assert actual.high == pytest.approx(high, abs=MONTE_CARLO * deviation)


@pytest.fixture(scope="module")
def confusions(observers: list[Pair]) -> list[Confusion]:
    return [count(*pair) for pair in observers]


def test_the_interval_of_a_mean_over_images_is_scipys(confusions: list[Confusion]) -> None:
    values = [rates(confusion).f1 for confusion in confusions]
    expected = by_scipy((np.array(values, dtype=np.float64),), lambda x, axis: x.mean(axis=axis), 1)
    assert_same(mean_interval(values), expected)


def test_the_intervals_of_pooled_rates_are_scipys(confusions: list[Confusion]) -> None:
    columns = tuple(np.array(column, dtype=np.float64) for column in zip(*map(astuple, confusions), strict=True))

    def f1(tp: NDArray[np.float64], fp: NDArray[np.float64], fn: NDArray[np.float64], axis: int) -> object:
        return 2 * tp.sum(axis) / (2 * tp + fp + fn).sum(axis)

    def balanced(
        tp: NDArray[np.float64], fp: NDArray[np.float64], fn: NDArray[np.float64], tn: NDArray[np.float64], axis: int
    ) -> object:
        return (tp.sum(axis) / (tp + fn).sum(axis) + tn.sum(axis) / (tn + fp).sum(axis)) / 2

    found = rate_intervals(confusions)
    assert_same(found["f1"], by_scipy(columns[:3], f1, 2))
    assert_same(found["balanced_accuracy"], by_scipy(columns, balanced, 3))


def test_every_pooled_rate_lies_in_its_interval_and_equal_images_leave_none(confusions: list[Confusion]) -> None:
    pooled, found = rates(sum(confusions, Confusion())), rate_intervals(confusions)
    assert set(found) == {*pooled.__dataclass_fields__, "balanced_accuracy"}
    same = rate_intervals([confusions[0]] * 5)
    for name, each in found.items():
        assert each is not None
        assert each.low < getattr(pooled, name) < each.high, name
        of_one, alone = same[name], getattr(rates(confusions[0]), name)
        assert of_one is not None
        assert (of_one.low, of_one.high) == pytest.approx((alone, alone), rel=1e-12)


def test_images_of_a_group_come_together_as_in_a_plain_loop() -> None:
    generator = np.random.default_rng(5)
    groups = [str(number) for number in generator.integers(0, 12, 60)]
    values = [float(3 * int(group) + generator.normal()) for group in groups]
    members = {group: [value for value, of in zip(values, groups, strict=True) if of == group] for group in groups}
    names, means = sorted(members), []
    for _ in range(4000):
        drawn = generator.choice(names, len(names))
        means.append(np.mean([value for name in drawn for value in members[name]]))
    found = mean_interval(values, groups)
    assert found is not None
    # 4000 resamples instead of 10 000 on one side; the factor of MONTE_CARLO grows by sqrt((1 + 2.5) / 2).
    tolerance = MONTE_CARLO * 1.33 * np.std(means)
    np.testing.assert_allclose((found.low, found.high), np.percentile(means, [2.5, 97.5]), rtol=0, atol=tolerance)


def test_about_95_of_100_intervals_hold_the_true_mean() -> None:
    generator = np.random.default_rng(11)
    held = 0
    for seed in range(300):
        found = mean_interval(generator.normal(0.8, 0.05, 30).tolist(), seed=seed)
        assert found is not None
        held += found.low <= 0.8 <= found.high
    # Percentile intervals of 30 values hold about 93.5 %, and 300 trials scatter by 1.4 %.
    assert 0.89 <= held / 300 <= 0.98


def test_intervals_over_patients_hold_the_true_mean_where_intervals_over_their_slices_do_not() -> None:
    generator = np.random.default_rng(12)
    groups = [str(number) for number in np.repeat(np.arange(20), 10)]
    held = {"patients": 0, "slices": 0}
    for seed in range(100):
        values = (np.repeat(generator.normal(0.7, 0.1, 20), 10) + generator.normal(0, 0.03, 200)).tolist()
        for name, chosen in (("patients", groups), ("slices", None)):
            found = mean_interval(values, chosen, seed=seed)
            assert found is not None
            held[name] += found.low <= 0.7 <= found.high
    assert held["slices"] / 100 < 0.7 < 0.8 < held["patients"] / 100  # about 0.47 and 0.92; they scatter by 0.05


def test_the_same_seed_gives_the_same_interval_and_another_one_another() -> None:
    values = np.random.default_rng(0).random(20).tolist()
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4) != mean_interval(values, seed=5)


def test_undefined_values_take_no_part() -> None:
    assert mean_interval([0.5, None, 0.7, 0.2], list("abcd")) == mean_interval([0.5, 0.7, 0.2], list("acd"))


def test_resamples_where_a_rate_is_undefined_are_left_out_and_counted() -> None:
    empty, full = Confusion(true_negative=10), Confusion(true_positive=4, true_negative=6)
    found = rate_intervals([empty, full])
    assert found["f1"] is not None
    # Both draws are of the empty image in a quarter of the resamples; 10 000 scatter by 0.0043.
    assert found["f1"].undefined / 10_000 == pytest.approx(0.25, abs=0.018)
    assert (found["f1"].low, found["f1"].high) == (1, 1)
    assert found["precision"] is not None
    assert found["mcc"] is not None
    assert rate_intervals([empty, empty])["f1"] is None


@pytest.mark.parametrize("groups", [None, ["a"], ["a", "a", "a"]])
def test_one_group_says_nothing_about_others(groups: list[str] | None) -> None:
    values = [0.5] * len(groups or ["only"])
    assert mean_interval(values, groups) is None
    assert set(rate_intervals([Confusion(1, 2, 3, 4)] * len(values), groups).values()) == {None}


def test_no_image_has_no_interval() -> None:
    assert mean_interval([]) is None
    assert mean_interval([None, None], ["a", "b"]) is None
    assert set(rate_intervals([]).values()) == {None}


def test_any_score_of_sums_has_an_interval() -> None:
    rows = np.random.default_rng(8).random((15, 2))
    expected = mean_interval((rows[:, 0] * 2).tolist())
    found = interval(rows, lambda sums: 2 * sums[:, 0] / 15)
    assert expected is not None
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)  # the same draws


def test_a_score_that_is_infinite_in_every_resample_has_no_interval() -> None:
    assert interval(np.ones((4, 2)), lambda sums: sums[:, 0] / (sums[:, 1] - 4)) is None


def test_another_number_of_groups_than_of_images_is_refused() -> None:
    with pytest.raises(ValueError, match="2 groups for 3 images"):
        rate_intervals([Confusion(1, 2, 3, 4)] * 3, ["a", "b"])
