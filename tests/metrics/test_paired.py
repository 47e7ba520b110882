"""The signed-rank test against all assignments of signs, and its correction against the step-down procedure."""

import itertools

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon  # type: ignore[import-untyped]

from foveate.metrics import compare_paired
from foveate.metrics.paired import holm


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


def test_many_images_and_equal_differences_take_the_normal_distribution_corrected_for_ties() -> None:
    generator = np.random.default_rng(1)
    for differences in (generator.normal(0.1, 1, 80), np.round(generator.normal(1, 2, 40))):
        values = {"a": differences.tolist(), "b": [0.0] * len(differences)}
        telling = differences[differences != 0]
        (found,) = compare_paired(values)
        assert found.p == pytest.approx(wilcoxon(telling, method="asymptotic").pvalue, rel=1e-12)
        assert found.ties == len(differences) - len(telling)


def test_the_normal_distribution_is_near_that_of_all_signs_for_tied_differences() -> None:
    differences = [1.0, 1, 2, 2, -1, 3, 3, -2, 4, 4, 5, 1]
    (found,) = compare_paired({"a": differences, "b": [0.0] * 12})
    assert found.p == pytest.approx(p_by_all_signs(differences), abs=0.01)


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
