"""The share of foreground that rates imply, against confusion matrices made at random and against a plain search."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, jaccard_score, precision_score, recall_score

from foveate.published.one_count import bounds_of, share_of, shares_of_parts, true_positives_of
from foveate.published.rows import PrintedNumber


def rates(truth: np.ndarray, found: np.ndarray, digits: int) -> dict[str, PrintedNumber]:
    """All six rates of two masks, rounded, by scikit-learn."""
    exact = {
        "sensitivity": recall_score(truth, found),
        "specificity": recall_score(~truth, ~found),
        "precision": precision_score(truth, found),
        "accuracy": accuracy_score(truth, found),
        "f1": f1_score(truth, found),
        "iou": jaccard_score(truth, found),
    }
    return {measure: PrintedNumber(f"{value:.{digits}f}") for measure, value in exact.items()}


@pytest.mark.parametrize("seed", range(5))
def test_the_true_share_is_always_among_those_implied(seed: int) -> None:
    draw = np.random.default_rng(seed)
    truth = draw.random(20_000) < draw.uniform(0.02, 0.6)
    found = np.where(draw.random(20_000) < draw.uniform(0.01, 0.2), ~truth, truth)
    share = share_of(bounds_of(rates(truth, found, digits=4)))
    assert share is not None
    assert share[0] <= Fraction(int(truth.sum()), truth.size) <= share[1]
    assert share[1] - share[0] < 0.02
    positives = true_positives_of(bounds_of(rates(truth, found, digits=4)), Fraction(int(truth.sum()), truth.size))
    assert positives is not None
    assert positives[0] <= Fraction(int((truth & found).sum()), truth.size) <= positives[1]
    assert positives[1] - positives[0] < 0.001


def test_the_ends_of_the_interval_are_those_of_a_plain_search() -> None:
    printed = {
        "sensitivity": PrintedNumber("0.72"),
        "specificity": PrintedNumber("0.98"),
        "accuracy": PrintedNumber("0.95"),
    }
    share = share_of(bounds_of(printed))
    assert share is not None
    # accuracy = s * sensitivity + (1 - s) * specificity, so s lies between these quotients at the bounds' corners.
    corners = [
        (specificity - accuracy) / (specificity - sensitivity)
        for sensitivity in (0.71, 0.73)
        for specificity in (0.97, 0.99)
        for accuracy in (0.94, 0.96)
    ]
    assert [float(end) for end in share] == pytest.approx([min(corners), max(corners)], abs=1e-12)


def test_one_rate_moved_by_a_hundredth_is_found_out() -> None:
    draw = np.random.default_rng(3)
    truth = draw.random(20_000) < 0.1
    found = np.where(draw.random(20_000) < 0.05, ~truth, truth)
    honest = rates(truth, found, digits=4)
    for measure, value in honest.items():
        moved = honest | {measure: PrintedNumber(f"{float(value) + 0.01 * (1 if value.exact < 0.98 else -1):.4f}")}
        assert share_of(bounds_of(moved)) is None


def test_digits_that_were_cut_off_count_as_rounding() -> None:
    # F1 2/3 belongs to IoU 1/2; cut off, it is printed as 0.6666.
    assert share_of(bounds_of({"f1": PrintedNumber("0.6666"), "iou": PrintedNumber("0.5000")})) is not None
    assert share_of(bounds_of({"f1": PrintedNumber("0.6664"), "iou": PrintedNumber("0.5000")})) is None


def test_a_number_without_decimals_means_itself() -> None:
    assert share_of(bounds_of({"f1": PrintedNumber("1"), "iou": PrintedNumber("0.90")})) is None
    assert share_of(bounds_of({"f1": PrintedNumber("1.0"), "iou": PrintedNumber("0.90")})) is not None


def test_f1_and_iou_alone_imply_no_share_and_make_no_choice_of_three() -> None:
    printed = {"f1": PrintedNumber("0.8694"), "iou": PrintedNumber("0.7690"), "accuracy": PrintedNumber("0.9700")}
    assert share_of(bounds_of({measure: printed[measure] for measure in ("f1", "iou")})) == (Fraction(0), Fraction(1))
    assert shares_of_parts(bounds_of(printed)) == {}
