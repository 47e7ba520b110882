"""Thin and thick vessels: straight ones of known width, and real ones against a search through all pairs of pixels."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist  # type: ignore[import-untyped]

from foveate.metrics import Calibres, count_vessels
from foveate.metrics.calibre import THIN, thick
from foveate.records import Mask
from real_images import BLOCK, EMPTY, FULL, ONE, Pair, skeleton

OFFSETS = [(0.0, 0.0), (-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)]


def thick_by_search(mask: Mask) -> Mask:
    """The definition: the largest disc on each centreline pixel or its corners, then the nearest of these pixels."""
    line, background = np.argwhere(skeleton(mask)), np.argwhere(~np.pad(mask, 1)) - 1
    discs = [2 * cdist(line + np.asarray(offset), background).min(axis=1) - 1 for offset in OFFSETS]
    calibre = np.max(discs, axis=0)
    pixels = np.argwhere(mask)
    far = ((pixels[:, None] - line[None]) ** 2).sum(axis=2)
    nearest = far == far.min(axis=1, keepdims=True)
    found = np.zeros_like(mask)
    found[tuple(pixels.T)] = np.where(nearest, calibre, 0).max(axis=1) > THIN + 1e-9
    return found


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("width", range(1, 9))
def test_a_straight_vessel_of_up_to_three_pixels_is_thin_and_a_wider_one_thick(width: int, transposed: bool) -> None:
    vessel = np.zeros((30, 60), dtype=bool)
    vessel[10 : 10 + width, :] = True
    vessel = vessel.T if transposed else vessel
    found = count_vessels(vessel, vessel).calibres
    middle = thick(vessel, skeleton(vessel))[slice(20, 40) if transposed else slice(None)]
    middle = middle if transposed else middle[:, 20:40]
    assert middle.sum() == (0 if width <= 3 else 20 * width)
    assert found.thin_true + found.thick_true == vessel.sum()


@pytest.mark.parametrize("corner", [(180, 90), (250, 300), (400, 200)])
def test_thick_vessels_of_real_masks_equal_those_of_a_search_through_all_pairs(
    observers: list[Pair], corner: tuple[int, int]
) -> None:
    for observer in observers[3:5]:
        mask = observer.truth[corner[0] : corner[0] + 90, corner[1] : corner[1] + 90]
        expected = thick_by_search(mask)
        assert 0 < expected.sum() < mask.sum()
        np.testing.assert_array_equal(thick(mask, skeleton(mask)), expected)


def test_sensitivity_and_precision_by_calibre_are_shares_of_their_pixels_inside_the_field_of_view(pair: Pair) -> None:
    prediction, truth = pair.prediction & pair.fov, pair.truth & pair.fov
    of_truth, of_prediction = thick(truth, skeleton(truth)), thick(prediction, skeleton(prediction))
    calibres = count_vessels(*pair).calibres
    # One division of the same integers.
    assert calibres.thick_sensitivity == pytest.approx(prediction[of_truth].mean(), rel=1e-12)
    assert calibres.thin_sensitivity == pytest.approx(prediction[truth & ~of_truth].mean(), rel=1e-12)
    assert calibres.thick_precision == pytest.approx(truth[of_prediction].mean(), rel=1e-12)
    assert calibres.thin_precision == pytest.approx(truth[prediction & ~of_prediction].mean(), rel=1e-12)


def test_a_thin_branch_of_a_thick_vessel_is_thin() -> None:
    mask = np.zeros((60, 60), dtype=bool)
    mask[10:18, :] = True
    mask[18:55, 30:32] = True
    found = thick(mask, skeleton(mask))
    assert found[10:18, 5:55].all()
    assert not found[24:55].any()


def test_a_large_disc_is_thick_throughout() -> None:
    row, column = np.mgrid[:40, :40] - 20
    mask = row**2 + column**2 < 12**2
    np.testing.assert_array_equal(thick(mask, skeleton(mask)), mask)


@pytest.mark.parametrize(
    ("prediction", "truth", "expected"),
    [
        (EMPTY, EMPTY, Calibres()),
        (EMPTY, BLOCK, Calibres(thick_true=24)),
        (BLOCK, EMPTY, Calibres(thick_predicted=24)),
        (FULL, FULL, Calibres(0, 0, 108, 108, 0, 0, 108, 108)),
        (ONE, BLOCK, Calibres(0, 0, 24, 1, 1, 1, 0, 0)),
        (BLOCK, ONE, Calibres(1, 1, 0, 0, 0, 0, 24, 1)),
    ],
)
def test_calibres_of_empty_full_and_single_pixel_masks(prediction: Mask, truth: Mask, expected: Calibres) -> None:
    assert count_vessels(prediction, truth).calibres == expected


def test_a_share_of_vessels_that_are_not_there_is_undefined() -> None:
    only_thin = Calibres(thin_true=4, thin_found=1, thin_predicted=2, thin_right=1)
    assert (only_thin.thin_sensitivity, only_thin.thin_precision) == (0.25, 0.5)
    assert (only_thin.thick_sensitivity, only_thin.thick_precision) == (None, None)
    assert (Calibres().thin_sensitivity, Calibres().thin_precision) == (None, None)
