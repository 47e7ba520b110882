"""Where a mask is right and wrong: the colour of known pixels, and whether everyone can tell the colours apart."""

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from foveate.errors import ImageError
from foveate.imaging import read_photograph
from foveate.pictures import OUTCOMES, Palette, Panel, analytic_mask, missed, panels, strip, words
from foveate.pictures.colours import DIMMED, NOT_COUNTED

PREDICTION = np.array([[1, 1, 0, 0, 1]], bool)
TRUTH = np.array([[1, 0, 1, 0, 1]], bool)
WITHIN = np.array([[1, 1, 1, 1, 0]], bool)

Vision = NDArray[np.float64]

VISIONS: dict[str, Vision] = {
    "normal": np.eye(3),
    "protan": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deutan": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]]
    ),
    "tritan": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]]
    ),
}
"""Of linear RGB at full severity: Machado, Oliveira and Fernandes, IEEE TVCG 15(6), 2009."""


def lab(colour: tuple[float, ...], vision: Vision) -> NDArray[np.float64]:
    """CIELAB (D65) of an sRGB colour as a vision has it."""
    srgb = np.array(colour) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = np.array(
        [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
    )
    relative = xyz @ (vision @ linear).clip(0, 1) / np.array([0.95047, 1, 1.08883])
    x, y, z = np.where(relative > 216 / 24389, np.cbrt(relative), (24389 / 27 * relative + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The smallest distance in CIELAB that any vision has between two colours."""
    return min(float(np.linalg.norm(lab(one, vision) - lab(other, vision))) for vision in VISIONS.values())


@pytest.mark.parametrize("palette", ["safe", "paper"])
def test_every_kind_of_pixel_has_its_colour(palette: Palette) -> None:
    colours = OUTCOMES[palette]
    drawing = analytic_mask(PREDICTION, TRUTH, WITHIN, palette=palette)
    expected = [colours.true_positive, colours.false_positive, colours.false_negative, (0, 0, 0), NOT_COUNTED]
    assert [tuple(pixel) for pixel in drawing[0].tolist()] == expected
    without_field = analytic_mask(PREDICTION, TRUTH, palette=palette)
    assert tuple(without_field[0, 4].tolist()) == colours.true_positive


def test_the_papers_colours_are_green_red_and_blue() -> None:
    paper = OUTCOMES["paper"]
    assert (paper.true_positive, paper.false_negative, paper.false_positive) == ((0, 255, 0), (255, 0, 0), (0, 0, 255))


def test_the_safe_colours_are_far_apart_for_every_colour_vision_and_from_black_and_a_dimmed_fundus(
    shared_data: Path,
) -> None:
    safe = OUTCOMES["safe"]
    outcomes = (safe.true_positive, safe.false_negative, safe.false_positive)
    image = read_photograph(shared_data / "DRIVE" / "test" / "images" / "01_test.tif").pixels
    lit = image[image.sum(axis=2) > 120]
    fundus = [tuple(DIMMED * np.percentile(lit, part, axis=0)) for part in (10, 50, 90)]
    # 30 is more than a dozen of just noticeable differences (2.3 each).
    assert min(apart(one, other) for one, other in combinations(outcomes, 2)) > 30
    assert min(apart(one, ground) for one in outcomes for ground in ((0, 0, 0), *fundus)) > 30
    assert apart(safe.missed, tuple(np.median(lit, axis=0))) > 30


def test_only_what_was_missed_and_counts_is_drawn_over_the_photograph() -> None:
    image = np.arange(15, dtype=np.uint8).reshape(1, 5, 3)
    drawing = missed(image, np.zeros_like(PREDICTION), TRUTH, WITHIN)
    changed = (drawing != image).any(axis=2)
    assert changed.tolist() == (TRUTH & WITHIN).tolist()
    assert {tuple(pixel) for pixel in drawing[changed].tolist()} == {OUTCOMES["safe"].missed}
    assert image.tolist() == np.arange(15).reshape(1, 5, 3).tolist()


@pytest.mark.parametrize("wrong", ["truth", "within"])
def test_masks_of_different_sizes_are_refused(wrong: str) -> None:
    arrays = {"prediction": PREDICTION, "truth": TRUTH, "within": WITHIN} | {wrong: np.ones((2, 5), bool)}
    with pytest.raises(ImageError, match=r"\(2, 5\)"):
        analytic_mask(arrays["prediction"], arrays["truth"], arrays["within"])


def test_a_page_has_its_pictures_pixel_by_pixel_its_legend_and_room_for_the_small_print() -> None:
    random = np.random.default_rng(0)
    one, two = (random.integers(0, 255, (300, 280, 3), dtype=np.uint8) for _ in range(2))
    legend = words("safe", with_grey=True)
    short = panels([Panel("one", one), Panel("two", two)], legend, "short")
    long = panels([Panel("one", one), Panel("two", two)], legend, "longer " * 60)
    for picture in (one, two):
        top, left = found(short, picture)
        assert (short[top : top + 300, left : left + 280] == picture).all()
        short = short.copy()
        short[top : top + 300, left : left + 280] = 255
    assert {colour for _, colour in legend} <= {tuple(pixel) for pixel in short.reshape(-1, 3).tolist()}
    assert long.shape[0] > short.shape[0] + 30
    assert long.shape[1] == short.shape[1]


def found(page: NDArray[np.uint8], picture: NDArray[np.uint8]) -> tuple[int, int]:
    """Where the first row of a picture stands."""
    rows = np.lib.stride_tricks.sliding_window_view(page, picture[:1].shape)[:, :, 0]
    top, left = np.argwhere((rows == picture[:1]).all(axis=(2, 3, 4)))[0]
    return int(top), int(left)


def test_a_strip_shows_image_truth_and_prediction_and_smaller_classes_on_top() -> None:
    image = np.full((300, 300, 3), 77, np.uint8)
    truth = np.zeros((2, 300, 300), bool)
    truth[0, 100:200, 100:200] = truth[1, 140:160, 140:160] = True
    drawing = strip(image, truth, np.zeros_like(truth), ("large", "small"), "note")
    _, left = found(drawing, image)
    gap = (drawing.shape[1] - 3 * 300) // 4
    row = drawing[found(drawing, image)[0] + 150]
    in_truth, in_prediction = row[left + 300 + gap :][:300], row[left + 600 + 2 * gap :][:300]
    large, small = ((230, 159, 0), (86, 180, 233))
    assert [tuple(in_truth[x].tolist()) for x in (50, 110, 150)] == [(0, 0, 0), large, small]
    assert not in_prediction.any()
