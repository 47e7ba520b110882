"""The colours of classes, and the label images that are written in them."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.errors import OutputError
from foveate.imaging import Label, class_colours, read_labels, write_labels

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

OKABE_ITO = {
    "orange": (230, 159, 0),
    "sky blue": (86, 180, 233),
    "bluish green": (0, 158, 115),
    "yellow": (240, 228, 66),
    "blue": (0, 114, 178),
    "vermilion": (213, 94, 0),
    "reddish purple": (204, 121, 167),
}
"""Masataka Okabe and Kei Ito, Color Universal Design, 2008."""

CLASSES = np.random.default_rng(2).integers(0, 4, (40, 50)).astype(np.uint8)

# Linear RGB as people without one of the three kinds of cones see it: Viénot, Brettel, Mollon, Color Research and
# Application 24, 1999, for protanopes and deuteranopes.
MISSING_CONES = {
    "protanopia": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
    "deuteranopia": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
}


def lab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIE L*a*b* (D65) of linear sRGB."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = np.cbrt(np.maximum(linear, 0) @ to_xyz.T / to_xyz.sum(axis=1)).T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


@pytest.mark.parametrize("sight", MISSING_CONES)
def test_seven_classes_can_be_told_apart_by_people_without_red_or_green_cones(sight: str) -> None:
    colours = class_colours(7)
    assert set(colours) == set(OKABE_ITO.values())
    seen = lab((np.array(colours) / 255) ** 2.2 @ np.transpose(MISSING_CONES[sight]))
    # 2.3 is a just noticeable difference; pure red and green, at the same lightness, come to nearly 0.
    assert min(np.hypot.reduce(one - other) for one, other in combinations(seen, 2)) > 10


def test_the_first_colours_are_the_same_however_many_there_are_and_one_class_alone_is_sky_blue() -> None:
    assert class_colours(1) == (OKABE_ITO["sky blue"],)
    for count in range(2, 20):
        assert class_colours(count) == class_colours(20)[:count]
    assert class_colours(3)[:2] == (OKABE_ITO["orange"], OKABE_ITO["sky blue"])


def test_no_two_of_the_most_classes_share_a_colour_and_none_is_grey() -> None:
    colours = class_colours(255)
    assert len(set(colours)) == len(colours) == 255
    assert all(max(colour) - min(colour) > 40 for colour in colours)


def test_a_label_image_is_a_palette_png_whose_indices_are_the_numbers(tmp_path: Path) -> None:
    names = ("artery", "vein", "Gefäß 血管")
    write_labels(CLASSES, names, tmp_path / "labels.png")
    with PillowImage.open(tmp_path / "labels.png") as image:
        assert (image.format, image.mode) == ("PNG", "P")
        np.testing.assert_array_equal(np.asarray(image), CLASSES)
        shown = np.array([(0, 0, 0), *class_colours(3)], np.uint8)[CLASSES]
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), shown)
        assert image.info == {"Classes": "0 background, 1 artery, 2 vein, 3 Gefäß 血管"}


@pytest.mark.parametrize("count", [1, 3, 7, 8, 255])
def test_what_was_written_is_read_again_even_if_not_every_class_is_there(tmp_path: Path, count: int) -> None:
    names = [f"class {number}" for number in range(1, count + 1)]
    for classes in (np.minimum(CLASSES, count), np.zeros_like(CLASSES), np.full_like(CLASSES, count)):
        write_labels(classes, names, tmp_path / "labels.png")
        table = [Label(number, name) for number, name in enumerate(names, start=1)]
        np.testing.assert_array_equal(read_labels(tmp_path / "labels.png", table), classes)


def test_a_view_is_written_as_it_looks_and_a_folder_that_is_a_file_refused(tmp_path: Path) -> None:
    write_labels(CLASSES[::-1, ::2], ("a", "b", "c"), tmp_path / "view.png")
    with PillowImage.open(tmp_path / "view.png") as image:
        np.testing.assert_array_equal(np.asarray(image), CLASSES[::-1, ::2])
    with pytest.raises(OutputError, match=r"view\.png"):
        write_labels(CLASSES, ("a", "b", "c"), tmp_path / "view.png" / "labels.png")
