"""Images and masks of one's own by a CSV table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.datasets import DataSet


def put(folder: Path, *paths: str) -> None:
    for path in paths:
        random = np.random.default_rng(list(path.encode()))
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        picture = PillowImage.fromarray((random.random((20, 30)) < 0.5).astype(np.uint8) * 255)
        picture.save(folder / path)


def opened(folder: Path, text: str, encoding: str = "utf-8") -> DataSet:
    (folder / "data.csv").write_text(text, encoding=encoding)
    return open_set(f"folder:{folder / 'data.csv'}")


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(DataError) as caught:
        opened(folder, text).split("all")
    message = str(caught.value)
    assert message.startswith(str(folder))
    assert "\n" not in message
    return message


def test_every_column_is_used_and_rows_keep_their_order(tmp_path: Path) -> None:
    put(tmp_path, "eyes/b.png", "eyes/a.tif", "drawn/1.png", "drawn/2.gif", "round.png")
    data = opened(
        tmp_path,
        "split,mask,image,fov,group\ntest,drawn/1.png,eyes/b.png,,anna\ntrain,drawn/2.gif,eyes/a.tif,round.png,bert\n",
    )
    assert [(entry.id, entry.group, entry.split) for entry in data.entries] == [
        ("b", "anna", "test"),
        ("a", "bert", "train"),
    ]
    first, second = (entry.load() for entry in data.entries)
    assert first.paths == (tmp_path / "eyes/b.png", tmp_path / "drawn/1.png")
    assert second.paths == (tmp_path / "eyes/a.tif", tmp_path / "drawn/2.gif", tmp_path / "round.png")
    assert first.fov is None
    for found, path in ((second.mask, "drawn/2.gif"), (second.fov, "round.png")):
        with PillowImage.open(tmp_path / path) as file:
            np.testing.assert_array_equal(found, np.asarray(file.convert("L")) == 255)


def test_without_the_optional_columns_every_image_is_training_and_groups_follow_the_names(tmp_path: Path) -> None:
    put(tmp_path, "p__left.png", "p__right.png", "q.png", "m.png")
    data = opened(tmp_path, "image,mask\np__left.png,m.png\np__right.png,m.png\nq.png,m.png\n")
    assert [(entry.id, entry.group, entry.split) for entry in data.entries] == [
        ("p__left", "p", "train"),
        ("p__right", "p", "train"),
        ("q", "q", "train"),
    ]


def test_images_of_one_name_in_several_folders_are_told_apart_by_them(tmp_path: Path) -> None:
    put(tmp_path, "all/p1/eye.png", "all/p2/eye.png", "m.png")
    data = opened(tmp_path, "image,mask\nall/p1/eye.png,m.png\nall/p2/eye.png,m.png\n")
    assert [(entry.id, entry.group) for entry in data.entries] == [("p1__eye", "p1__eye"), ("p2__eye", "p2__eye")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_table_as_a_spreadsheet_saves_it_is_read(encoding: str, tmp_path: Path) -> None:
    put(tmp_path, "größe, 1.png", "m.png")
    (entry,) = opened(tmp_path, 'image,mask,group\r\n"größe, 1.png", m.png ,\r\n\r\n', encoding).entries
    assert (entry.id, entry.group) == ("größe, 1", "größe, 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "no column 'image'"),
        ("image,mask\n", "has no row"),
        ("image\na.png\n", "no column 'mask'"),
        ("image|mask\na.png|m.png\n", "unknown column 'image|mask'"),
        ("image,mask,spilt\na.png,m.png,test\n", "Did you mean 'split'?"),
        ("image,mask,mask\na.png,m.png,m.png\n", "two columns 'mask'"),
        ("image,mask\na.png,\n", "line 2: has no mask"),
        ("image,mask\na.png\n", "line 2: has no mask"),
        ("image,mask\na.png,m.png,more\n", "line 2: has more cells"),
        ("image,mask,split\na.png,m.png,train\nb.png,m.png,tets\n", "line 3: unknown split 'tets'"),
        ("image,mask\na.png,m.png\nb.png,lost.png\n", "lost.png: missing: image 'b' has no mask"),
        ("image,mask,fov\na.png,m.png,lost.png\n", "lost.png: missing: image 'a' has no field of view"),
    ],
)
def test_a_table_that_can_not_be_understood_is_refused_where_it_is_wrong(text: str, told: str, tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png", "m.png")
    assert told in refusal(tmp_path, text)


def test_an_image_that_is_listed_twice_and_a_group_in_two_splits_are_refused(tmp_path: Path) -> None:
    put(tmp_path, "a.png", "b.png", "m.png")
    with pytest.raises(DataError, match="two cases have the id 'a'"):
        opened(tmp_path, "image,mask\na.png,m.png\na.png,m.png\n")
    with pytest.raises(DataError, match="group 'p' stands in both 'train' and 'test'"):
        opened(tmp_path, "image,mask,group,split\na.png,m.png,p,train\nb.png,m.png,p,test\n")


def test_a_table_that_is_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.csv: can't be read as a table"):
        open_set(f"folder:{tmp_path / 'data.csv'}")
    (tmp_path / "data.csv").write_bytes(b"image,mask\n\xff\xfe\x00,m.png\n")
    with pytest.raises(DataError, match=r"data\.csv: can't be read as a table"):
        open_set(f"folder:{tmp_path / 'data.csv'}")


@pytest.mark.parametrize("sign", [";", "\t"])
def test_a_table_parted_as_spreadsheets_of_many_countries_do_it_is_read_alike(sign: str, tmp_path: Path) -> None:
    put(tmp_path, "a.png", "m.png", "b,1.png")
    text = "image,mask,split\na.png,m.png,train\n"
    (expected,) = opened(tmp_path, text).entries
    first, second = opened(tmp_path, text.replace(",", sign) + f"b,1.png{sign}m.png{sign}test\n").entries
    assert (first.id, first.group, first.split) == (expected.id, expected.group, expected.split)
    np.testing.assert_array_equal(first.load().mask, expected.load().mask)
    assert (second.id, second.split) == ("b,1", "test")


@pytest.mark.parametrize("word", ["val", "valid", "Validation", "VAL"])
def test_all_words_for_validation_are_one_split(word: str, tmp_path: Path) -> None:
    put(tmp_path, "a.png", "m.png")
    (entry,) = opened(tmp_path, f"image,mask,split\na.png,m.png,{word}\n").entries
    assert entry.split == "validation"
