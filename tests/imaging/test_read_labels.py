"""Label images: each form is read as what it means, and the rest is refused with what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.errors import DataError
from foveate.imaging import Label, as_masks, names_of, read_label_file, read_labels

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

COLOURS = {1: (255, 0, 0), 2: (0, 0, 255), 3: (0, 255, 0)}
TABLE = tuple(Label(value, name, COLOURS[value]) for value, name in ((1, "artery"), (2, "vein"), (3, "crossing")))
NUMBERS = tuple(Label(label.value, label.name) for label in TABLE)
CLASSES = np.random.default_rng(1).integers(0, 4, (40, 50)).astype(np.uint8)


def palette_image(colours: Sequence[tuple[int, int, int]]) -> PillowImage.Image:
    image = PillowImage.frombytes("P", (50, 40), CLASSES.tobytes())
    image.putpalette(bytes(level for colour in colours for level in colour))
    return image


def rgb(classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.array([(0, 0, 0), *COLOURS.values()], np.uint8)[classes]


OWN_COLOURS = [(9, 9, 9), (200, 10, 10), (255, 255, 255), (128, 128, 128)]


@pytest.mark.parametrize("table", [TABLE, NUMBERS], ids=["with colours", "numbers alone"])
@pytest.mark.parametrize(
    ("image", "name", "options"),
    [
        (PillowImage.fromarray(CLASSES), "grey.png", {}),
        (PillowImage.fromarray(CLASSES), "grey.gif", {}),
        (PillowImage.fromarray(CLASSES), "grey.tif", {"compression": "tiff_lzw"}),
        (PillowImage.fromarray(CLASSES.astype(np.uint16)), "16bit.png", {}),
        (PillowImage.fromarray(CLASSES.astype(np.int32)), "32bit.tif", {}),
        (PillowImage.fromarray(CLASSES).convert("RGB"), "equal.png", {}),
        (PillowImage.fromarray(CLASSES).convert("RGBA"), "opaque.png", {}),
        (palette_image(OWN_COLOURS), "palette.png", {}),
        (palette_image(OWN_COLOURS), "palette.gif", {}),
        (palette_image(OWN_COLOURS), "palette.tif", {}),
        (palette_image(OWN_COLOURS), "palette.bmp", {}),
        (palette_image([(level, level, level) for level in range(4)]), "ramp.png", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_form_of_a_label_image_means_the_same(
    tmp_path: Path, table: tuple[Label, ...], image: PillowImage.Image, name: str, options: dict[str, Any]
) -> None:
    image.save(tmp_path / name, **options)
    classes = read_labels(tmp_path / name, table)
    assert classes.dtype == np.uint8
    np.testing.assert_array_equal(classes, CLASSES)


def test_one_bit_is_the_numbers_0_and_1(tmp_path: Path) -> None:
    PillowImage.fromarray(CLASSES > 1).save(tmp_path / "1bit.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "1bit.png", NUMBERS), CLASSES > 1)


def test_a_palette_that_is_grey_all_over_shows_its_numbers_as_greys(tmp_path: Path) -> None:
    palette_image([(level, level, level) for level in (3, 2, 1, 0)]).save(tmp_path / "turned.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "turned.png", NUMBERS), 3 - CLASSES)


def test_colours_are_looked_up_in_the_table(tmp_path: Path) -> None:
    PillowImage.fromarray(rgb(CLASSES)).save(tmp_path / "colours.png")
    file = read_label_file(tmp_path / "colours.png", TABLE)
    np.testing.assert_array_equal(file.classes, CLASSES)
    assert (file.found, file.soft) == ("colours", False)


def test_rows_of_one_name_are_one_class_and_white_alone_is_a_colour(tmp_path: Path) -> None:
    table = (*TABLE, Label(3, "crossing", (255, 255, 255)), Label(7, "vein"))
    assert names_of(table) == ("artery", "vein", "crossing")
    white = np.where(CLASSES[..., None] == 1, 255, 0).astype(np.uint8).repeat(3, axis=2)
    PillowImage.fromarray(white).save(tmp_path / "white.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "white.png", table), np.where(CLASSES == 1, 3, 0))
    PillowImage.fromarray(np.where(CLASSES == 2, 7, CLASSES).astype(np.uint8)).save(tmp_path / "seven.png")
    np.testing.assert_array_equal(read_labels(tmp_path / "seven.png", table), CLASSES)


def test_soft_edges_are_cut_in_their_middle(tmp_path: Path) -> None:
    edge = np.zeros((40, 50, 3), np.uint8)
    edge[:, :, 0] = np.linspace(0, 255, 50).astype(np.uint8)
    PillowImage.fromarray(edge).save(tmp_path / "soft.png")
    file = read_label_file(tmp_path / "soft.png", TABLE)
    assert file.soft
    np.testing.assert_array_equal(file.classes, edge[..., 0] >= 128)


@pytest.mark.parametrize("other", [(0, 0, 0), COLOURS[2], COLOURS[3]])
def test_every_mixture_of_two_colours_is_one_of_the_two(tmp_path: Path, other: tuple[int, int, int]) -> None:
    share = np.linspace(0, 1, 50)[:, None]
    line = np.rint((1 - share) * COLOURS[1] + share * np.array(other)).astype(np.uint8)
    PillowImage.fromarray(np.tile(line, (40, 1, 1))).save(tmp_path / "mixture.png")
    classes = read_labels(tmp_path / "mixture.png", TABLE)[0]
    known = {(0, 0, 0): 0} | {colour: number for number, colour in COLOURS.items()}
    assert set(classes[:20]) == {1}
    assert set(classes[-20:]) == {known[other]}


def refusal(path: Path, table: tuple[Label, ...] = TABLE) -> str:
    with pytest.raises(DataError) as caught:
        read_labels(path, table)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


@pytest.mark.parametrize("value", [4, 255])
@pytest.mark.parametrize("form", ["L", "RGB", "I;16"])
def test_a_number_of_no_class_is_refused_with_all_that_were_found(tmp_path: Path, value: int, form: str) -> None:
    numbers = CLASSES.astype(np.uint16 if form == "I;16" else np.uint8)
    numbers[7, 9] = value
    image = PillowImage.fromarray(numbers)
    (image.convert("RGB") if form == "RGB" else image).save(tmp_path / "labels.png")
    told = refusal(tmp_path / "labels.png")
    assert told.startswith(f"holds the values 0, 1, 2, 3, {value}; ")
    assert f"0 background, 1 artery, 2 vein, 3 crossing, and none is {value}:" in told


def test_an_index_of_no_class_is_refused_though_its_colour_is_one_of_the_palette(tmp_path: Path) -> None:
    palette_image([(0, 0, 0), *COLOURS.values()]).save(tmp_path / "labels.png")
    assert "and none is 3:" in refusal(tmp_path / "labels.png", TABLE[:2])


def test_a_colour_far_from_all_is_refused_with_its_place(tmp_path: Path) -> None:
    colours = rgb(CLASSES)
    colours[7, 9] = (255, 255, 0)
    PillowImage.fromarray(colours).save(tmp_path / "labels.png")
    told = refusal(tmp_path / "labels.png")
    assert told.startswith("is coloured (RGB [255, 255, 0] at row 7, column 9); ")
    assert "[0, 0, 0], [255, 0, 0], [0, 0, 255], [0, 255, 0]" in told


def test_colours_without_a_table_of_them_are_refused_with_their_place(tmp_path: Path) -> None:
    colours = np.zeros((40, 50, 3), np.uint8)
    colours[7, 9] = (255, 0, 0)
    PillowImage.fromarray(colours).save(tmp_path / "labels.png")
    told = refusal(tmp_path / "labels.png", NUMBERS)
    assert told.startswith("is coloured (RGB [255, 0, 0] at row 7, column 9); its classes have numbers")


@pytest.mark.parametrize(("name", "told"), [("a.jpg", "compressed with loss"), ("a.tif", "holds 2 frames")])
def test_what_can_not_be_exact_is_refused_as_for_masks(tmp_path: Path, name: str, told: str) -> None:
    image = PillowImage.fromarray(CLASSES)
    options: dict[str, Any] = {"save_all": True, "append_images": [image]} if name.endswith("tif") else {}
    image.save(tmp_path / name, **options)
    assert told in refusal(tmp_path / name)


def test_masks_are_the_places_of_each_class() -> None:
    masks = as_masks(CLASSES, 3)
    assert masks.dtype == np.bool_
    np.testing.assert_array_equal(masks, np.stack([number == CLASSES for number in (1, 2, 3)]))


def test_of_two_equally_near_colours_the_first_of_the_table_counts(tmp_path: Path) -> None:
    PillowImage.new("RGB", (50, 40), (128, 0, 128)).save(tmp_path / "between.png")
    for table, first in ((TABLE, 1), ((TABLE[1], TABLE[0]), 1)):
        assert (read_labels(tmp_path / "between.png", table) == first).all()
