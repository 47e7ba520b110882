"""Intervals of the areas under the curves, on real images, against scikit-learn's areas and SciPy's bootstrap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import bootstrap  # type: ignore[import-untyped]
from sklearn.metrics import average_precision_score, roc_auc_score

from foveate.metrics import Histogram, Interval
from foveate.metrics.areas import JOINED_BINS, area_intervals, joined
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
        self.histograms = [Histogram() for _ in images]
        for histogram, each, values in zip(self.histograms, images, rounded, strict=True):
            histogram.add(values.astype(np.float32), each.truth, each.fov)

    def together(self, numbers: Sequence[int]) -> Histogram:
        total = Histogram()
        for number in numbers:
            total.merge(self.histograms[number])
        return total

    def intervals(self, groups: Sequence[str] | None = None) -> dict[str, Interval | None]:
        return area_intervals(self.together(range(len(self.pixels))), list(map(joined, self.histograms)), groups)


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


@pytest.mark.parametrize("name", AREAS)
def test_the_interval_is_that_of_scipys_bootstrap_of_all_bins(name: str, predicted: list[Predicted]) -> None:
    parts = [
        Predicted(each.probability[part], each.mask[part], each.truth[part], each.fov[part])
        for each in predicted
        for part in product((slice(100, 292), slice(292, 484)), (slice(90, 282), slice(282, 474)))
    ]
    shown = Shown(parts, 65536)
    expected = bootstrap(
        (np.arange(len(parts)),),
        lambda numbers: getattr(shown.together(numbers), name),
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(1),
    )
    found = shown.intervals()[name]
    assert found is not None
    # Four standard errors of the difference of a 2.5 % quantile of 2000 values and one of 10 000, in deviations.
    tolerance = 0.26 * expected.standard_error
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
    apart.histograms[0].merge(apart.histograms[0])
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


def test_what_is_kept_of_an_image_is_small_and_every_pixel_in_it(predicted: list[Predicted]) -> None:
    shown = Shown(predicted[:1], 65536)
    kept = joined(shown.histograms[0])
    truth, _ = shown.pixels[0]
    assert kept.nbytes < 2000
    assert (kept[:JOINED_BINS].sum(), kept[JOINED_BINS:].sum()) == (truth.sum(), (~truth).sum())
