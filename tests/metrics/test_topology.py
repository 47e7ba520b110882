"""Centrelines and components against scikit-image on whole images, by hand, and where undefined."""

import numpy as np
import pytest
from skimage.measure import label

from foveate.metrics import Centrelines, Components, VesselCounts, count_vessels
from foveate.records import Mask
from real_images import BLOCK, EMPTY, FULL, ONE, Pair, skeleton


def cldice_by_the_paper(prediction: Mask, truth: Mask) -> float:
    """Equations 1 and 2 of the paper, on whole images."""
    lines = [skeleton(mask) for mask in (prediction, truth)]
    precision = (lines[0] * truth).sum() / lines[0].sum()
    sensitivity = (lines[1] * prediction).sum() / lines[1].sum()
    return float(2 * precision * sensitivity / (precision + sensitivity))


def test_cldice_and_its_two_halves_equal_the_papers_equations_inside_the_field_of_view(pair: Pair) -> None:
    prediction, truth = pair.prediction & pair.fov, pair.truth & pair.fov
    lines = count_vessels(*pair).centrelines
    # Few operations on the same integers.
    assert lines.cldice == pytest.approx(cldice_by_the_paper(prediction, truth), rel=1e-12)
    assert lines.precision == pytest.approx(truth[skeleton(prediction)].mean(), rel=1e-12)
    assert lines.sensitivity == pytest.approx(prediction[skeleton(truth)].mean(), rel=1e-12)


def test_numbers_of_components_equal_scikit_images_over_the_whole_image(pair: Pair) -> None:
    components = count_vessels(pair.prediction, pair.truth).components
    labels = [label(mask, connectivity=2) for mask in pair[:2]]  # type: ignore[no-untyped-call]
    assert (components.predicted, components.true) == (labels[0].max(), labels[1].max())
    assert components.betti_0_error == abs(components.difference) == abs(components.predicted - components.true)


def test_a_gap_in_a_line_costs_sensitivity_of_the_centreline_and_makes_one_component_more() -> None:
    truth = np.zeros((20, 40), dtype=bool)
    truth[9:12, 5:35] = True
    prediction = truth.copy()
    prediction[:, 19:21] = False
    vessels = count_vessels(prediction, truth)
    line = skeleton(truth).sum()
    assert vessels.components == Components(predicted=2, true=1)
    assert vessels.components.difference == 1
    assert (vessels.centrelines.precision, vessels.centrelines.sensitivity) == (1, 1 - 2 / line)


def test_pixels_that_touch_by_a_corner_are_connected() -> None:
    diagonal = np.eye(6, dtype=bool)
    assert count_vessels(diagonal, EMPTY[:6, :6]).components == Components(predicted=1, true=0)


def test_missing_components_give_a_negative_difference_and_a_positive_error() -> None:
    few = Components(predicted=2, true=7)
    assert (few.difference, few.betti_0_error) == (-5, 5)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (EMPTY, EMPTY, (None, None, None)),
        (EMPTY, BLOCK, (None, 0, None)),
        (BLOCK, EMPTY, (0, None, None)),
        (FULL, FULL, (1, 1, 1)),
        (ONE, ONE, (1, 1, 1)),
        (ONE, np.roll(ONE, 4), (0, 0, 0)),
    ],
)
def test_centreline_scores_of_empty_full_and_single_pixel_masks(
    prediction: Mask, truth: Mask, expected: tuple[float | None, ...]
) -> None:
    lines = count_vessels(prediction, truth).centrelines
    assert (lines.precision, lines.sensitivity, lines.cldice) == expected


def test_vessels_of_two_images_add_up_count_by_count(observers: list[Pair]) -> None:
    first, second = count_vessels(*observers[0]), count_vessels(*observers[1])
    total = first + second + VesselCounts()
    assert total.centrelines == Centrelines(
        first.centrelines.predicted + second.centrelines.predicted,
        first.centrelines.right + second.centrelines.right,
        first.centrelines.true + second.centrelines.true,
        first.centrelines.found + second.centrelines.found,
    )
    assert total.components.true == first.components.true + second.components.true
    assert total.calibres.thick_found == first.calibres.thick_found + second.calibres.thick_found
    assert total.calibres.thin_true == first.calibres.thin_true + second.calibres.thin_true


def test_a_wider_border_of_background_changes_nothing(pair: Pair) -> None:
    wider = [np.pad(mask, ((7, 3), (1, 12))) for mask in pair]
    assert count_vessels(*wider) == count_vessels(*pair)


def test_masks_of_another_shape_or_type_are_refused() -> None:
    for wrong in (ONE[1:], ONE.astype(np.uint8)):
        with pytest.raises(ValueError, match="expected bool"):
            count_vessels(wrong, ONE)  # type: ignore[arg-type]
