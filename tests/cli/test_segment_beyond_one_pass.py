"""Several views, post-processing and confidence, on a model whose probability is green / 255."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage
from scipy import ndimage  # type: ignore[import-untyped]
from skimage.filters import apply_hysteresis_threshold
from skimage.morphology import remove_small_holes

import foveate
from foveate.metrics.confidence import Correction
from foveate_command import opened, run, segment
from green_model import LEAST_GREEN, THRESHOLD, write_green_model

EIGHT = np.ones((3, 3), bool)
"""Neighbours at sides and corners."""


def photograph(folder: Path) -> tuple[Path, NDArray[np.uint8]]:
    """Smooth green noise without a dark border, so that all of it is the field of view."""
    noise = ndimage.gaussian_filter(np.random.default_rng(1).normal(size=(90, 110)), 3)
    green = (LEAST_GREEN + 300 * noise).clip(40, 255).astype(np.uint8)
    image = np.stack((np.full_like(green, 200), green, np.full_like(green, 60)), axis=2)
    PillowImage.fromarray(image).save(folder / "photo.png")
    return folder / "photo.png", green


def mask_of(folder: Path) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = opened(folder / "photo_mask.png") == 255
    return mask


def record_of(folder: Path) -> dict[str, object]:
    images: dict[str, dict[str, object]] = json.loads((folder / "segment.json").read_text("utf-8"))["images"]
    return images["photo"]


def test_the_mean_of_many_views_of_a_model_that_looks_at_single_pixels_is_one_views(tmp_path: Path) -> None:
    photo, green = photograph(tmp_path)
    for views in ("1", "2", "4", "8"):
        assert segment(photo, "-o", tmp_path / views, "--tta", views).status == 0
        np.testing.assert_array_equal(mask_of(tmp_path / views), green >= LEAST_GREEN)
    assert "8 views" in str(record_of(tmp_path / "8")["model"])


def test_small_parts_are_removed_and_the_largest_is_kept(tmp_path: Path) -> None:
    photo, green = photograph(tmp_path)
    labels, count = ndimage.label(green >= LEAST_GREEN, EIGHT)
    sizes = ndimage.sum_labels(np.ones_like(labels), labels, range(1, count + 1))
    limit = int(np.median(sizes)) + 1
    assert 1 < limit < sizes.max()
    assert segment(photo, "-o", tmp_path / "min", "--min-size", limit).status == 0
    np.testing.assert_array_equal(mask_of(tmp_path / "min"), np.isin(labels, 1 + np.flatnonzero(sizes >= limit)))
    assert segment(photo, "-o", tmp_path / "largest", "--largest").status == 0
    np.testing.assert_array_equal(mask_of(tmp_path / "largest"), labels == 1 + sizes.argmax())


def test_a_second_threshold_takes_what_hangs_together_with_the_first(tmp_path: Path) -> None:
    photo, green = photograph(tmp_path)
    low = THRESHOLD - 30 / 255
    assert segment(photo, "-o", tmp_path / "out", "--hysteresis", low).status == 0
    # Strictly above, but both lie between two greens.
    expected = apply_hysteresis_threshold(green / 255, low, THRESHOLD)  # type: ignore[no-untyped-call]
    found = mask_of(tmp_path / "out")
    # Here a corner joins parts, there only a side does: what differs hangs on by a corner.
    assert (found >= expected).all()
    assert (found & ~expected).mean() < 0.01
    assert found.sum() > (green >= LEAST_GREEN).sum()


def test_holes_up_to_a_size_are_filled(tmp_path: Path) -> None:
    photo, green = photograph(tmp_path)
    assert segment(photo, "-o", tmp_path / "out", "--fill-holes", 40).status == 0
    mask = green >= LEAST_GREEN
    expected = remove_small_holes(mask, max_size=40)
    background, _ = ndimage.label(~mask)
    at_the_edge = set(np.unique(np.concatenate((background[0], background[-1], background[:, 0], background[:, -1]))))
    expected &= mask | ~np.isin(background, sorted(at_the_edge))  # open to the edge is no hole
    np.testing.assert_array_equal(mask_of(tmp_path / "out"), expected)


def test_confidence_is_said_and_kept_as_the_soft_dice_of_the_mask(tmp_path: Path) -> None:
    photo, green = photograph(tmp_path)
    ran = segment(photo, "-o", tmp_path / "out", "--confidence")
    probability, mask = green.astype(np.float64) / 255, green >= LEAST_GREEN
    expected = 2 * probability[mask].sum() / (probability.sum() + mask.sum())
    assert f"expected F1 of vessel {expected:.2f}" in ran.out
    assert "expected F1: by the model's own probabilities" in ran.out
    kept = {"value": pytest.approx(expected, rel=1e-6), "low": None, "high": None}  # float32
    assert record_of(tmp_path / "out")["expected_f1"] == {"vessel": kept}


def test_a_card_that_knows_how_far_to_trust_makes_the_expected_f1_an_interval(tmp_path: Path) -> None:
    photo, _ = photograph(tmp_path)
    (tmp_path / "model").mkdir()
    model = write_green_model(tmp_path / "model")
    plain = foveate.load(model).segment(photo).expected_f1()["vessel"].value
    card = json.loads((model.parent / "card.json").read_text(encoding="utf-8"))
    card["trust"] = {"shift": -0.1, "margin": 0.05, "images": 20, "command": "a test"}
    (model.parent / "card.json").write_text(json.dumps(card), encoding="utf-8")
    expected = foveate.load(model).segment(photo).expected_f1()["vessel"]
    assert expected.value == pytest.approx(plain - 0.1)
    assert expected.low is not None
    assert expected.high is not None
    assert (expected.low + expected.high) / 2 == pytest.approx(plain - 0.1)
    # The margin, and a little for pixels that scatter for themselves.
    assert 0.1 < expected.high - expected.low < 0.14
    ran = run("segment", photo, "-o", tmp_path / "out", "--confidence", "--model", model)
    assert f"expected F1 of vessel {expected.value:.2f} ({expected.low:.2f}–{expected.high:.2f})" in ran.out
    assert "corrected by 20 validation images; of other cameras" in ran.out


def test_views_that_disagree_widen_the_interval(tmp_path: Path) -> None:
    photo, _ = photograph(tmp_path)
    vessels = foveate.load("vessels").segment(photo)
    correction = Correction(0.0, 0.0)
    half = np.full_like(vessels.probabilities, 0.1)
    sure, unsure = (
        replace(vessels, probabilities=half * 4, masks=half > 0, correction=correction, spread=spread)
        for spread in (None, half)
    )
    narrow, wide = (each.expected_f1()["vessel"] for each in (sure, unsure))
    assert wide.value == narrow.value
    assert wide.low is not None
    assert narrow.low is not None
    # The soft Dice of .3 and of .5 everywhere: half of what lies between them counts 1.96 times, and variances add up.
    low, high = (2 * p / (p + 1) for p in (0.3, 0.5))
    scatter = narrow.value - narrow.low
    assert wide.value - wide.low == pytest.approx(np.hypot(scatter, 1.96 * (high - low) / 2), rel=1e-3)  # float32


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (("--hysteresis", "0.9"), ("0.9", "threshold")),
        (("--hysteresis", "1.5"), ("1.5",)),
        (("--min-size", "-3"), ("min_size", "-3")),
        (("--fill-holes", "-2"), ("fill_holes", "-2")),
        (("--tta", "3"), ("--tta",)),
    ],
)
def test_a_value_without_a_meaning_is_refused_before_anything_is_written(
    options: tuple[str, ...], parts: tuple[str, ...], tmp_path: Path
) -> None:
    photo, _ = photograph(tmp_path)
    ran = run("segment", photo, "-o", tmp_path / "out", *options)
    assert ran.status == 2
    (line,) = ran.errors
    assert all(part in line for part in parts)
    assert not (tmp_path / "out").exists()
