"""The signed-rank test against all assignments of signs, and its correction against the step-down procedure."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, rankdata, wilcoxon  # type: ignore[import-untyped]

from foveate.metrics import compare_paired
from foveate.metrics.paired import holm, smallest_p


def p_by_all_signs(differences: list[float]) -> float:
    """Two-sided, from the definition: each rank's sign is equally likely plus or minus."""
    ranks = rankdata(np.abs(differences))
    sums = np.array([np.dot(ranks, signs) for signs in itertools.product((0, 1), repeat=len(ranks))])
    observed = min(ranks[np.array(differences) > 0].sum(), ranks[np.array(differences) < 0].sum())
    return min(1.0, 2 * float(np.mean(sums <= observed)))


@pytest.mark.parametrize("seed", range(4))
def test_p_of_few_images_equals_that_of_all_assignments_of_signs(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first = generator.normal(0.80, 0.03, 11)
    second = first - generator.normal(0.01, 0.02, 11)
    (found,) = compare_paired({"a": first.tolist(), "b": second.tolist()})
    assert found.p == found.corrected == pytest.approx(p_by_all_signs((first - second).tolist()), rel=1e-9)
    assert found.difference == pytest.approx((first - second).mean(), rel=1e-12)
    assert (found.images, found.left_out, found.ties) == (11, 0, 0)


def test_many_images_are_judged_by_all_signs_or_by_the_normal_distribution_with_little_between_them() -> None:
    generator = np.random.default_rng(1)
    for differences in (generator.normal(0.1, 1, 80), np.round(generator.normal(0.3, 2, 40))):
        values = {"a": differences.tolist(), "b": [0.0] * len(differences)}
        telling = differences[differences != 0]
        (found,) = compare_paired(values)
        # Of so many the normal distribution, which scipy corrects for ties, is near: away from its tails to 1 %.
        assert found.p == pytest.approx(wilcoxon(telling, method="asymptotic").pvalue, abs=0.01)
        assert found.ties == len(differences) - len(telling)
    differences = generator.normal(0.03, 1, 2000)
    (found,) = compare_paired({"a": differences.tolist(), "b": [0.0] * 2000})
    assert found.p == pytest.approx(wilcoxon(differences, method="asymptotic").pvalue, rel=1e-9)


def test_up_to_fifty_images_have_scipys_exact_p() -> None:
    differences = np.random.default_rng(6).normal(0.3, 1, 50)
    (found,) = compare_paired({"a": differences.tolist(), "b": [0.0] * 50})
    assert found.p == pytest.approx(wilcoxon(differences, method="exact").pvalue, rel=1e-9)


def test_tied_differences_are_judged_by_all_signs() -> None:
    differences = [1.0, 1, 2, 2, -1, 3, 3, -2, 4, 4, 5, 1]
    (found,) = compare_paired({"a": differences, "b": [0.0] * 12})
    assert found.p == pytest.approx(p_by_all_signs(differences), rel=1e-9)


def p_by_all_signs_of_groups(differences: list[float], groups: list[str]) -> float:
    """Two-sided, from the definition: a group's ranks change their signs together."""
    ranks = rankdata(np.abs(differences)) * np.sign(differences)
    sums = [ranks[np.array(groups) == name].sum() for name in sorted(set(groups))]
    signs = itertools.product((-1, 1), repeat=len(sums))
    return float(np.mean([abs(np.dot(sums, each)) >= abs(sum(sums)) - 1e-9 for each in signs]))


@pytest.mark.parametrize("patients", [3, 8, 17])
def test_images_of_one_patient_change_their_signs_together(patients: int) -> None:
    generator = np.random.default_rng(patients)
    names = [f"patient {number}" for number in range(patients)]
    groups = names + generator.choice(names, patients).tolist()
    differences = np.round(generator.normal(0.4, 1, len(groups)), 1)
    differences[:3] = 0.7, -0.7, 0.2
    (found,) = compare_paired({"a": differences.tolist(), "b": [0.0] * len(groups)}, groups)
    telling = [(value, name) for value, name in zip(differences.tolist(), groups, strict=True) if value]
    expected = p_by_all_signs_of_groups([value for value, _ in telling], [name for _, name in telling])
    assert found.p == pytest.approx(expected, rel=1e-9)
    assert found.groups == len({name for _, name in telling})


def test_equal_models_seldom_differ_though_each_patient_has_many_images() -> None:
    generator = np.random.default_rng(9)
    patients, images, repetitions, level = 10, 30, 400, 0.05
    groups = np.repeat(np.arange(patients), images).astype(str).tolist()
    rejected = 0
    for _ in range(repetitions):
        leaning = np.repeat(generator.normal(0, 1, patients), images)
        differences = leaning + generator.normal(0, 0.5, patients * images)
        (found,) = compare_paired({"a": differences.tolist(), "b": [0.0] * len(groups)}, groups)
        assert found.p is not None
        rejected += found.p <= level
    # Of 400 tests at 5 % about 20 reject; the bounds hold but once in ten thousand times.
    low, high = binom.ppf([0.0001, 0.9999], repetitions, level)
    assert low <= rejected <= high


@pytest.mark.parametrize("groups", [1, 2, 6, 10, 20])
def test_the_smallest_p_is_that_of_groups_that_all_lean_to_one_side(groups: int) -> None:
    names = [str(number // 2) for number in range(2 * groups)]
    (found,) = compare_paired({"a": [1.0 + n for n in range(2 * groups)], "b": [0.0] * 2 * groups}, names)
    assert found.p == pytest.approx(smallest_p(groups), rel=1e-9)
    assert found.smallest == smallest_p(groups)
    mixed = [(-1.0) ** (number // 2) * (number + 1) for number in range(2 * groups)]
    (other,) = compare_paired({"a": mixed, "b": [0.0] * 2 * groups}, names)
    assert other.p is not None
    assert other.p >= found.smallest


def test_undefined_values_are_left_out_in_pairs_and_counted() -> None:
    first = [0.9, None, 0.8, 0.75, None, 0.6, 0.85]
    second = [0.8, 0.7, None, 0.72, None, 0.66, 0.80]
    (found,) = compare_paired({"a": first, "b": second})
    (complete,) = compare_paired({"a": [0.9, 0.75, 0.6, 0.85], "b": [0.8, 0.72, 0.66, 0.80]})
    assert (found.images, found.left_out) == (4, 3)
    assert (found.p, found.difference) == (complete.p, complete.difference)


def test_equal_images_are_dropped_and_counted() -> None:
    (found,) = compare_paired({"a": [1.0, 0.5, 0.3, 0.9], "b": [1.0, 0.4, 0.5, 0.6]})
    assert (found.images, found.ties, found.p) == (4, 1, p_by_all_signs([0.1, -0.2, 0.3]))


def test_models_that_are_equal_everywhere_or_share_no_image_have_no_p() -> None:
    found = compare_paired({"a": [0.5, 0.6], "b": [0.5, 0.6], "c": [None, None]})
    assert [(each.first, each.second, each.p, each.corrected) for each in found] == [
        ("a", "b", None, None),
        ("a", "c", None, None),
        ("b", "c", None, None),
    ]
    assert [each.difference for each in found] == [0, None, None]


def test_corrected_values_reject_what_the_step_down_procedure_rejects() -> None:
    generator = np.random.default_rng(2)
    for _ in range(20):
        values = (generator.random(6) ** 3).tolist()
        corrected = holm(values)
        for level in generator.random(20):
            rejected = set()
            for step, index in enumerate(np.argsort(values)):
                if values[index] > level / (len(values) - step):
                    break
                rejected.add(int(index))
            assert {index for index, value in enumerate(corrected) if (value or 0) <= level} == rejected


def test_the_correction_is_for_the_comparisons_that_have_a_p() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([0.6, 0.7]) == [1, 1]
    assert holm([]) == []


def test_three_models_are_compared_two_by_two_in_their_order() -> None:
    values = np.random.default_rng(3).random((3, 10))
    found = compare_paired(dict(zip("cab", values.tolist(), strict=True)))
    assert [(each.first, each.second) for each in found] == [("c", "a"), ("c", "b"), ("a", "b")]
    assert [each.corrected for each in found] == holm([each.p for each in found])


def test_another_number_of_values_is_refused() -> None:
    with pytest.raises(ValueError, match="one per image"):
        compare_paired({"a": [0.5], "b": [0.5, 0.6]})
    with pytest.raises(ValueError, match="one per image"):
        compare_paired({"a": [0.5, 0.6], "b": [0.5, 0.6]}, ["one patient"])
