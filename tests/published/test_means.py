"""Which rates can be means over images: those of real masks can, those of other pixels can't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from foveate.datasets import open_set
from foveate.published.counts import image_sets
from foveate.published.means import SPREAD, contradicts_means, may_be_means
from foveate.published.one_count import Bounds, bounds_of
from foveate.published.rows import PrintedNumber
from foveate.records import SCOPES, Scope

MEASURES = ("sensitivity", "specificity", "precision", "accuracy", "f1", "iou")


def observer_rates(shared_data: Path, name: str, folder: str, scope: Scope) -> np.ndarray:
    """images × MEASURES of the second observer of a set's test images against the first, counted here."""
    each = []
    for listed in open_set(f"{name}:{shared_data / folder}").split("test"):
        case = listed.load()
        assert case.fov is not None
        assert case.second_masks is not None
        inside = case.fov if scope == "fov" else np.ones_like(case.fov)
        truth, found = case.mask[inside], case.second_masks[0][inside]
        tp, fp, fn, tn = (truth & found).sum(), (~truth & found).sum(), (truth & ~found).sum(), (~truth & ~found).sum()
        iou = tp / (tp + fp + fn)
        each.append((tp / (tp + fn), tn / (tn + fp), tp / (tp + fp), (tp + tn) / truth.size, 2 * iou / (1 + iou), iou))
    return np.array(each)


def printed(means: np.ndarray) -> Bounds:
    return bounds_of({measure: PrintedNumber(f"{mean:.4f}") for measure, mean in zip(MEASURES, means, strict=True)})


def shares(name: str, scope: Scope) -> list[float]:
    """Of vessels, in each test image."""
    counted = [image.counted(scope) for image in image_sets(name)[0].images]
    return [foreground / (foreground + background) for foreground, background in counted]


@pytest.mark.parametrize(("name", "folder"), [("drive", "DRIVE"), ("stare", "STARE"), ("chase_db1", "CHASE_DB1")])
def test_a_real_observers_means_are_possible_where_they_were_counted_and_nowhere_else(
    shared_data: Path, name: str, folder: str
) -> None:
    for scope in SCOPES:
        bounds = printed(observer_rates(shared_data, name, folder, scope).mean(axis=0))
        assert {other: may_be_means(bounds, shares(name, other)) for other in SCOPES} == {
            other: other == scope for other in SCOPES
        }


@pytest.mark.parametrize(("name", "folder"), [("drive", "DRIVE"), ("stare", "STARE"), ("chase_db1", "CHASE_DB1")])
def test_no_real_image_errs_as_much_or_as_little_as_is_granted(shared_data: Path, name: str, folder: str) -> None:
    errors = 1 - observer_rates(shared_data, name, folder, "fov")[:, :2]
    ratios = errors / errors.mean(axis=0)
    assert ratios.min() > 1 / SPREAD
    assert ratios.max() < SPREAD


def test_means_of_f1_and_iou_lie_where_jensens_inequality_says() -> None:
    draw = np.random.default_rng(0)
    precision, sensitivity = draw.uniform(0.3, 1, (2, 1000, 5))
    f1 = 2 * precision * sensitivity / (precision + sensitivity)
    for values in zip(precision, sensitivity, f1, f1 / (2 - f1), strict=True):
        means = dict(
            zip(("precision", "sensitivity", "f1", "iou"), (f"{each.mean():.4f}" for each in values), strict=True)
        )
        assert not contradicts_means(bounds_of({measure: PrintedNumber(text) for measure, text in means.items()}))


@pytest.mark.parametrize(
    "impossible",
    [
        {"f1": "0.9001", "precision": "0.9000", "sensitivity": "0.8990"},
        {"f1": "0.8000", "iou": "0.6660"},
        {"f1": "0.8000", "iou": "0.8003"},
    ],
)
def test_what_not_even_means_can_be_is_found_out(impossible: dict[str, str]) -> None:
    assert contradicts_means(bounds_of({measure: PrintedNumber(text) for measure, text in impossible.items()}))
