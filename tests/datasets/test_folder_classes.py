"""Several classes in a folder or a table of one's own: how they are named, read, and refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from foveate.records import Case

SHAPE = (20, 30)
NAMED = "value,name\n1,artery\n2,vein\n"
COLOURED = "value,name,colour\n1,artery,#ff0000\n2,vein,#0000FF\n"


def classes_of(name: str) -> NDArray[np.uint8]:
    """Numbers from 0 to 2 that no other name has."""
    return np.random.default_rng(list(name.encode())).integers(0, 3, SHAPE).astype(np.uint8)


def mask_of(name: str, kind: str) -> NDArray[np.bool_]:
    return np.random.default_rng(list(f"{name} {kind}".encode())).random(SHAPE) < 0.5


def put_image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(list(path.stem.encode()))
    PillowImage.fromarray(random.integers(0, 256, (*SHAPE, 3)).astype(np.uint8)).save(path)


def put_labels(folder: Path, name: str) -> Path:
    """An image and a label image of numbers."""
    put_image(folder / "images" / f"{name}.png")
    (folder / "masks").mkdir(exist_ok=True)
    PillowImage.fromarray(classes_of(name)).save(folder / "masks" / f"{name}.png")
    return folder / "masks" / f"{name}.png"


def put_masks(folder: Path, name: str, *kinds: str) -> None:
    """An image, and a mask for each class."""
    put_image(folder / "images" / f"{name}.png")
    for kind in kinds:
        (folder / "masks" / kind).mkdir(parents=True, exist_ok=True)
        PillowImage.fromarray(mask_of(name, kind)).save(folder / "masks" / kind / f"{name}.png")


def put_table(folder: Path, text: str) -> Path:
    (folder / "classes.csv").write_text(text, encoding="utf-8")
    return folder


def load(spec: str) -> list[Case]:
    return [entry.load() for entry in open_set(spec).split("all")]


def refusal(spec: str) -> str:
    with pytest.raises(DataError) as caught:
        load(spec)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("parts", [("",), ("train", "test")])
def test_label_images_with_a_class_table_are_exclusive_classes(tmp_path: Path, parts: tuple[str, ...]) -> None:
    for number, part in enumerate(parts):
        put_labels(tmp_path / part, f"eye{number}")
    data = open_set(f"folder:{put_table(tmp_path, NAMED)}")
    assert (data.classes.names, data.classes.exclusive) == (("artery", "vein"), True)
    assert len(data.entries) == len(parts)
    for number, entry in enumerate(data.entries):
        expected = classes_of(f"eye{number}")
        np.testing.assert_array_equal(entry.load().masks, np.stack([expected == 1, expected == 2]))


def test_colours_of_the_table_are_read_and_the_background_may_have_a_row(tmp_path: Path) -> None:
    path = put_labels(tmp_path, "a")
    colours = np.array([(0, 0, 0), (255, 0, 0), (0, 0, 255)], np.uint8)[classes_of("a")]
    PillowImage.fromarray(colours).save(path)
    put_table(tmp_path, COLOURED.replace("1,artery", "0,Background,#000000\n1,artery"))
    (entry,) = open_set(f"folder:{tmp_path}").entries
    np.testing.assert_array_equal(entry.load().masks, np.stack([classes_of("a") == 1, classes_of("a") == 2]))


def test_rows_of_one_name_are_one_class_and_one_class_alone_may_have_a_name(tmp_path: Path) -> None:
    put_labels(tmp_path, "a")
    put_table(tmp_path, "value,name\n1,vessel\n2,vessel\n")
    data = open_set(f"folder:{tmp_path}")
    assert (data.classes.names, data.classes.softmax) == (("vessel",), False)
    np.testing.assert_array_equal(data.entries[0].load().masks, classes_of("a")[None] > 0)


def test_without_a_table_numbers_are_refused_with_the_way_to_name_them(tmp_path: Path) -> None:
    path = put_labels(tmp_path, "a")
    data = open_set(f"folder:{tmp_path}")
    assert data.classes.names == ("foreground",)
    told = refusal(f"folder:{tmp_path}")
    assert told.startswith(f"{path}: holds the values 0, 1, 2;")
    assert "classes.csv" in told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column 'value'"),
        ("value,name\n", "names no class"),
        ("value,name\n0,background\n", "names no class"),
        ("value,name,color\n1,a,#ff0000\n", "Did you mean 'colour'?"),
        ("value\n1\n", "no column 'name'"),
        ("value,name,name\n1,a,a\n", "two columns 'name'"),
        ("value,name\n1.5,a\n", "line 2: value '1.5' is no whole number from 0 to 65535"),
        ("value,name\n65536,a\n", "line 2: value '65536'"),
        ("value,name\n1,a\n1,b\n", "line 3: 'b' has the value or colour of 'a'"),
        ("value,name,colour\n1,a,#ff0000\n2,b,#FF0000\n", "line 3: 'b' has the value or colour of 'a'"),
        ("value,name,colour\n1,a,red\n", "line 2: colour 'red' isn't one"),
        ("value,name\n0,a\n", "classes.csv: 0 and #000000 are the background, not 'a'"),
        ("value,name,colour\n1,a,#000000\n", "classes.csv: 0 and #000000 are the background, not 'a'"),
        ("value,name\n1,background\n", "names no class"),
        ("value,name\n1,\n", "line 2: '' can't be a class's name"),
        ("value,name\n1,a/b\n", "line 2: 'a/b' can't be a class's name"),
        ("value,name\n1,a,more\n", "line 2: has more cells"),
        ("value,name\n" + "".join(f"{number},class {number}\n" for number in range(1, 257)), "more than 255"),
    ],
)
def test_a_class_table_that_can_not_be_understood_is_refused_where_it_is_wrong(
    text: str, told: str, tmp_path: Path
) -> None:
    put_labels(tmp_path, "a")
    message = refusal(f"folder:{put_table(tmp_path, text)}")
    assert message.startswith(str(tmp_path / "classes.csv"))
    assert told in message


def test_a_folder_for_each_class_makes_classes_that_may_lie_over_each_other(tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "disc", "optic cup")
    put_masks(tmp_path, "b", "disc", "optic cup")
    data = open_set(f"folder:{tmp_path}")
    assert (data.classes.names, data.classes.exclusive) == (("disc", "optic cup"), False)
    assert len(data.entries) == 2
    for entry, name in zip(data.entries, "ab", strict=True):
        case = entry.load()
        expected = np.stack([mask_of(name, "disc"), mask_of(name, "optic cup")])
        assert (expected.sum(axis=0) == 2).any()
        np.testing.assert_array_equal(case.masks, expected)
        assert case.paths[1:] == tuple(tmp_path / "masks" / kind / f"{name}.png" for kind in ("disc", "optic cup"))


def test_an_image_without_the_mask_of_one_class_is_refused_by_its_name(tmp_path: Path) -> None:
    for name in "ab":
        put_masks(tmp_path, name, "cup", "disc")
    (tmp_path / "masks/cup/b.png").unlink()
    told = refusal(f"folder:{tmp_path}")
    assert told.startswith(f"{tmp_path / 'masks/cup/b.png'}: missing: image 'b' has no cup mask")


def test_a_class_that_only_one_split_has_is_refused_in_the_other(tmp_path: Path) -> None:
    put_masks(tmp_path / "train", "a", "cup", "disc")
    put_masks(tmp_path / "test", "b", "disc")
    assert refusal(f"folder:{tmp_path}").startswith(
        f"{tmp_path / 'test/masks/cup/b.png'}: missing: image 'b' has no cup mask"
    )


def test_two_ways_of_showing_classes_at_once_are_refused(tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "cup")
    put_labels(tmp_path, "a")
    assert "holds masks and folders of masks" in refusal(f"folder:{tmp_path}")
    (tmp_path / "masks/a.png").unlink()
    assert "classes.csv and masks of each class" in refusal(f"folder:{put_table(tmp_path, NAMED)}")


def test_hidden_folders_are_no_class_and_a_name_that_can_not_be_one_is_refused(tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "cup")
    (tmp_path / "masks" / ".cache").mkdir()
    assert open_set(f"folder:{tmp_path}").classes.names == ("cup",)
    (tmp_path / "masks" / "notes").mkdir()
    assert open_set(f"folder:{tmp_path}").classes.names == ("cup",)
    put_masks(tmp_path, "a", "x=y")
    assert "'x=y' can't be a class's name" in refusal(f"folder:{tmp_path}")


def test_a_table_has_a_column_for_each_class_that_may_lie_over_others(tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "cup", "disc")
    table = tmp_path / "data.csv"
    table.write_text("image,mask_disc,mask_cup\nimages/a.png,masks/disc/a.png,masks/cup/a.png\n", encoding="utf-8")
    data = open_set(f"folder:{table}")
    assert (data.classes.names, data.classes.exclusive) == (("disc", "cup"), False)
    expected = np.stack([mask_of("a", "disc"), mask_of("a", "cup")])
    np.testing.assert_array_equal(data.entries[0].load().masks, expected)


def test_a_table_beside_a_class_table_lists_label_images(tmp_path: Path) -> None:
    put_labels(tmp_path, "a")
    table = put_table(tmp_path, NAMED) / "data.csv"
    table.write_text("image,mask\nimages/a.png,masks/a.png\n", encoding="utf-8")
    data = open_set(f"folder:{table}")
    assert (data.classes.names, data.classes.exclusive) == (("artery", "vein"), True)
    np.testing.assert_array_equal(data.entries[0].load().masks, np.stack([classes_of("a") == 1, classes_of("a") == 2]))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("image,mask,mask_cup\na.png,a.png,a.png\n", "has a column 'mask' and 'mask_cup'"),
        ("image,mask_cup,mask_cup\na.png,a.png,a.png\n", "two columns 'mask_cup'"),
        ("image,mask_\na.png,a.png\n", "'' can't be a class's name"),
        ("image,mask_cup,mask_disc\na.png,a.png,\n", "line 2: has no mask_disc"),
        ("mask_cup\na.png\n", "no column 'image'"),
        ("image,mask_cup\nimages/a.png,lost.png\n", "its only image has no mask, such as"),
    ],
)
def test_a_table_of_classes_that_can_not_be_understood_is_refused(text: str, told: str, tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "cup")
    (tmp_path / "data.csv").write_text(text, encoding="utf-8")
    assert told in refusal(f"folder:{tmp_path / 'data.csv'}")


def test_two_patterns_know_one_class(tmp_path: Path) -> None:
    put_masks(tmp_path, "a", "cup")
    put_table(tmp_path, NAMED)
    data = open_set(f"folder:{tmp_path}/images/*.png|{tmp_path}/masks/cup/*.png")
    assert data.classes.names == ("foreground",)
    np.testing.assert_array_equal(data.entries[0].load().masks, mask_of("a", "cup")[None])
