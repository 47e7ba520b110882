"""Boundary measures against MONAI's, against distance transforms, and where they are undefined."""

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.metrics import Boundary, boundary
from foveate.records import Mask
from real_images import BLOCK, EMPTY, FULL, ONE, Pair

SPACINGS = [(1.0, 1.0), (0.5, 2.0)]


def by_monai(prediction: Mask, truth: Mask, tolerance: float, spacing: tuple[float, float]) -> Boundary:
    batch: list[Any] = [torch.from_numpy(mask[None, None].astype(np.float32)) for mask in (prediction, truth)]
    options: dict[str, Any] = {"include_background": True, "spacing": list(spacing)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        measured = (
            compute_hausdorff_distance(batch[0], batch[1], percentile=95, **options),
            compute_average_surface_distance(batch[0], batch[1], symmetric=True, **options),
            compute_surface_dice(batch[0], batch[1], [tolerance], **options),
        )
    values = [float(value) for value in measured]
    return Boundary(*(value if np.isfinite(value) else None for value in values))


def by_distance_transforms(prediction: Mask, truth: Mask, tolerance: float, spacing: tuple[float, float]) -> Boundary:
    """The definition, with a distance transform of all pixels in place of a search among those of the boundary."""
    edges = [mask & ~ndimage.binary_erosion(mask) for mask in (prediction, truth)]
    far = [ndimage.distance_transform_edt(~edge, sampling=spacing) for edge in edges]
    one, other = far[1][edges[0]], far[0][edges[1]]
    within = (one <= tolerance).sum() + (other <= tolerance).sum()
    return Boundary(
        hausdorff_95=max(np.quantile(one, 0.95), np.quantile(other, 0.95)),
        average_surface_distance=(one.sum() + other.sum()) / (one.size + other.size),
        surface_dice=within / (one.size + other.size),
    )


def assert_equal(actual: Boundary, expected: Boundary) -> None:
    for name in Boundary.__dataclass_fields__:
        # MONAI keeps its distances in float32.
        assert getattr(actual, name) == pytest.approx(getattr(expected, name), rel=1e-6), name


@pytest.mark.parametrize("spacing", SPACINGS)
def test_boundary_measures_of_real_masks_equal_monais(pair: Pair, spacing: tuple[float, float]) -> None:
    actual = boundary(pair.prediction, pair.truth, tolerance=1.2, spacing=spacing)
    assert_equal(actual, by_monai(pair.prediction, pair.truth, 1.2, spacing))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_boundary_measures_inside_the_field_of_view_are_those_of_masks_cut_to_it(
    pair: Pair, spacing: tuple[float, float]
) -> None:
    fov = pair.fov.copy()
    fov[:, : fov.shape[1] // 2] = False  # through the middle of many vessels
    actual = boundary(pair.prediction, pair.truth, fov, tolerance=1.2, spacing=spacing)
    assert_equal(actual, by_distance_transforms(pair.prediction & fov, pair.truth & fov, 1.2, spacing))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize(
    ("prediction", "truth"), [(FULL, BLOCK), (ONE, BLOCK), (BLOCK, ONE), (FULL, FULL), (ONE, FULL)]
)
def test_boundary_measures_of_full_masks_and_single_pixels_equal_monais(
    prediction: Mask, truth: Mask, spacing: tuple[float, float]
) -> None:
    actual = boundary(prediction, truth, tolerance=2, spacing=spacing)
    assert_equal(actual, by_monai(prediction, truth, 2, spacing))


def test_distances_of_two_single_pixels_are_arithmetic_in_the_spacings_unit() -> None:
    other = EMPTY.copy()
    other[6, 8] = True
    assert boundary(ONE, other, tolerance=4.9) == Boundary(5, 5, 0)
    far = float(np.hypot(3 * 0.5, 4 * 2.0))
    # Equal but for the order of operations.
    assert_equal(boundary(ONE, other, tolerance=far + 1e-9, spacing=(0.5, 2)), Boundary(far, far, 1))


@pytest.mark.parametrize(("prediction", "truth"), [(EMPTY, BLOCK), (BLOCK, EMPTY), (EMPTY, EMPTY)])
def test_with_an_empty_mask_distances_are_undefined_and_surface_dice_is_monais(prediction: Mask, truth: Mask) -> None:
    actual = boundary(prediction, truth, tolerance=1)
    assert (actual.hausdorff_95, actual.average_surface_distance) == (None, None)
    assert actual.surface_dice == by_monai(prediction, truth, 1, (1, 1)).surface_dice


def test_a_mask_that_lies_outside_the_field_of_view_counts_as_empty() -> None:
    assert boundary(ONE, BLOCK, ~ONE & BLOCK, tolerance=1) == Boundary(None, None, 0)
    assert boundary(ONE, BLOCK, EMPTY, tolerance=1) == Boundary(None, None, None)


def test_numbers_and_masks_that_make_no_sense_are_refused() -> None:
    wrong: list[dict[str, Any]] = [{"tolerance": -1.0}, {"tolerance": 1.0, "spacing": (1.0, 0.0)}]
    for options in wrong:
        with pytest.raises(ValueError, match="expected at least 0"):
            boundary(ONE, BLOCK, **options)
    with pytest.raises(ValueError, match="expected bool"):
        boundary(ONE[1:], BLOCK, tolerance=1)
