"""Intervals of the areas under the curves, on real images, against scikit-learn's areas and SciPy's bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap  # type: ignore[import-untyped]
from sklearn.metrics import average_precision_score, roc_auc_score

from foveate.metrics import BootstrapInterval, Levels
from foveate.metrics.areas import MOST, LevelsOfImages, area_intervals
from real_images import Predicted

AREAS: dict[str, Callable[[NDArray[np.bool_], NDArray[np.float64]], float]] = {
    "roc_auc": roc_auc_score,
    "average_precision": average_precision_score,
}


class Shown:
    """Some images' pixels inside the FOV, whose probabilities have been rounded to so many levels."""

    def __init__(self, images: Sequence[Predicted], levels: int) -> None:
        steps = levels - 1
        rounded = [np.round(each.probability.astype(np.float64) * steps) / steps for each in images]
        self.pixels = [(each.truth[each.fov], values[each.fov]) for each, values in zip(images, rounded, strict=True)]
        self.levels = [
            Levels.of(values.astype(np.float32), each.truth, each.fov)
            for each, values in zip(images, rounded, strict=True)
        ]

    def together(self, numbers: Sequence[int]) -> Levels:
        return reduce(Levels.merged, [self.levels[number] for number in numbers])

    def intervals(self, groups: Sequence[str] | None = None) -> dict[str, BootstrapInterval | None]:
        return area_intervals(self.together(range(len(self.pixels))), kept(self.levels), groups)


def kept(levels: Sequence[Levels]) -> LevelsOfImages:
    found = LevelsOfImages()
    for each in levels:
        found.add(each)
    return found


@pytest.mark.parametrize("levels", [65536, 256, 3, 2])
@pytest.mark.parametrize("name", AREAS)
def test_of_three_images_the_ends_are_the_areas_of_the_best_and_the_worst_alone(
    name: str, levels: int, predicted: list[Predicted]
) -> None:
    # One image three times is one resample of 27, and an end has one of 40 beyond it.
    shown = Shown(predicted, levels)
    alone = [AREAS[name](*pixels) for pixels in shown.pixels]
    found = shown.intervals()[name]
    assert found is not None
    tolerance = 0.02 * (max(alone) - min(alone))
    assert found.low == pytest.approx(min(alone), abs=tolerance)
    assert found.high == pytest.approx(max(alone), abs=tolerance)


class Weighed:
    """The areas of resamples, from every pixel: an image that is drawn twice weighs twice."""

    def __init__(self, pixels: Sequence[tuple[NDArray[np.bool_], NDArray[np.float32]]]) -> None:
        self.count = len(pixels)
        image = np.repeat(np.arange(self.count), [truth.size for truth, _ in pixels])
        truth, values = (np.concatenate(column) for column in zip(*pixels, strict=True))
        order = np.argsort(values)
        self.truth, self.image, self.ends = truth[order], image[order], np.flatnonzero(np.diff(values[order]))

    def area(self, name: str, numbers: NDArray[np.intp]) -> float:
        weight = np.bincount(numbers, minlength=self.count)[self.image]
        below = [np.cumsum(weight * kind) for kind in (self.truth, ~self.truth)]
        # From the highest threshold to the lowest, one for each of the values.
        hits, false = (np.concatenate([[0], (each[-1] - each[self.ends])[::-1], each[-1:]]) for each in below)
        gained = np.diff(hits) / hits[-1]
        if name == "roc_auc":
            return float(np.trapezoid(hits, false) / (hits[-1] * false[-1]))
        return float((gained * hits[1:] / np.maximum(1, (hits + false)[1:])).sum())

    def bootstrap(self, name: str) -> Any:
        return bootstrap(
            (np.arange(self.count),),
            lambda numbers: self.area(name, numbers),
            vectorized=False,
            n_resamples=1000,
            method="percentile",
            rng=np.random.default_rng(1),
        )


# Four standard errors of the difference of a 2.5 % quantile of 1000 values and one of 10 000, in deviations.
TOLERANCE = 0.36


@pytest.mark.parametrize("name", AREAS)
def test_the_interval_is_that_of_scipys_bootstrap_of_all_pixels(name: str, predicted: list[Predicted]) -> None:
    parts = [
        Predicted(each.probability[part], each.mask[part], each.truth[part], each.fov[part])
        for each in predicted
        for part in product((slice(100, 196), slice(388, 484)), (slice(90, 186), slice(378, 474)))
    ]
    shown = Shown(parts, 65536)
    expected = Weighed([(truth, values.astype(np.float32)) for truth, values in shown.pixels]).bootstrap(name)
    found = shown.intervals()[name]
    assert found is not None
    tolerance = TOLERANCE * expected.standard_error
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=tolerance)


@pytest.mark.parametrize("levels", [65536, 256, 2])
def test_where_every_resample_is_all_images_the_interval_is_the_exact_area(
    levels: int, predicted: list[Predicted]
) -> None:
    shown = Shown(predicted[:1] * 3, levels)
    for name, area in AREAS.items():
        found, exact = shown.intervals()[name], area(*shown.pixels[0])
        assert found is not None
        assert (found.low, found.high) == pytest.approx((exact, exact), abs=1e-9)


def test_images_of_one_patient_are_drawn_together(predicted: list[Predicted]) -> None:
    shown = Shown([*predicted, predicted[0]], 65536)
    apart = Shown(predicted, 65536)
    apart.levels[0] = apart.levels[0].merged(apart.levels[0])
    for name, found in shown.intervals(["first", "second", "third", "first"]).items():
        expected = apart.intervals()[name]
        assert found is not None
        assert expected is not None
        assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert shown.intervals(["one"] * 4) == dict.fromkeys(AREAS)


def test_resamples_without_vessels_are_left_out_and_counted(predicted: list[Predicted]) -> None:
    empty = predicted[1]._replace(truth=np.zeros_like(predicted[1].truth))
    for name, found in Shown([predicted[0], empty], 65536).intervals().items():
        assert found is not None
        assert found.undefined == pytest.approx(2500, abs=200), name
    assert Shown([empty, empty], 65536).intervals() == dict.fromkeys(AREAS)


def test_what_is_kept_of_many_images_is_bounded_and_every_pixel_in_it(predicted: list[Predicted]) -> None:
    probability, _, truth, fov = predicted[0]
    images = [Levels.of(np.roll(probability, step, axis=0), truth, fov) for step in range(8)]
    found = kept(images).images
    assert sum(each.places.size for each in images) > MOST >= sum(each.places.size for each in found)
    for each in found:
        assert (each.positives.sum(), each.negatives.sum()) == (truth[fov].sum(), (~truth[fov]).sum())


@pytest.mark.parametrize("centre", [1e-6, 0.3, 0.5, 1 - 1e-5])
@pytest.mark.parametrize("name", AREAS)
def test_narrow_probabilities_have_scikit_learns_area_and_the_interval_of_a_bootstrap(name: str, centre: float) -> None:
    generator = np.random.default_rng(2)
    count, side, area = 12, 24, AREAS[name]
    truths = generator.random((count, side, side)) < 0.3
    # Some images are told apart well and some hardly, all within 2e-4 of the odds.
    quality = generator.uniform(0.2, 2.5, count)[:, None, None]
    rank = quality * truths + generator.normal(0, 1, truths.shape)
    near = min(centre, 1 - centre)
    probability = np.clip(centre + 2e-5 * near * rank, 0, 1)
    if centre > 0.9:
        # Multiples of 2**-24, as float32 has them here.
        probability = 1 - np.round((3 * rank.max() - 2 * rank).clip(0) * 16) * 2.0**-24
    probability = probability.astype(np.float32)
    levels = [Levels.of(*pair) for pair in zip(probability, truths, strict=True)]
    together = reduce(Levels.merged, levels)
    exact = area(truths.ravel(), probability.ravel())
    assert getattr(together, name) == pytest.approx(exact, abs=1e-9)
    weighed = Weighed([(truth.ravel(), values.ravel()) for truth, values in zip(truths, probability, strict=True)])
    assert weighed.area(name, np.arange(count)) == pytest.approx(exact, abs=1e-9)
    expected, found = weighed.bootstrap(name), area_intervals(together, kept(levels))[name]
    assert found is not None
    tolerance = TOLERANCE * expected.standard_error
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval), abs=tolerance)
    assert found.high - found.low > 3 * expected.standard_error
