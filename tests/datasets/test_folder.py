"""A folder of one's own: pairing by name, splits, groups, and the sentence for whatever doesn't fit."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError, UsageError
from foveate.evaluation.predictions import PredictionFolder
from foveate.records import Classes

if TYPE_CHECKING:
    from foveate.records import Image, Mask


def drawn(name: str, shape: tuple[int, int] = (20, 30)) -> tuple[Image, Mask]:
    """An image and a mask that no other name has."""
    random = np.random.default_rng(list(name.encode()))
    return random.integers(0, 256, (*shape, 3)).astype(np.uint8), random.random(shape) < 0.5


def put(folder: Path, name: str, *, stem: str | None = None, mask_shape: tuple[int, int] = (20, 30)) -> None:
    """Write images/NAME, and masks/STEM.png where a stem is given."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(drawn(name)[0]).save(folder / "images" / name)
    if stem is not None:
        PillowImage.fromarray(drawn(name, mask_shape)[1]).save(folder / "masks" / f"{stem}.png")


def refusal(root: Path) -> str:
    with pytest.raises(DataError) as caught:
        open_set(f"folder:{root}").split("all")
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_images_and_masks_are_paired_by_their_name_whatever_their_endings(tmp_path: Path) -> None:
    for name in ("b.png", "a.TIF", "c.bmp"):
        put(tmp_path, name, stem=name[0])
    data = open_set(f"folder:{tmp_path}")
    assert [entry.id for entry in data.entries] == ["train_a", "train_b", "train_c"]
    for entry, name in zip(data.entries, ("a.TIF", "b.png", "c.bmp"), strict=True):
        case, (image, mask) = entry.load(), drawn(name)
        np.testing.assert_array_equal(case.image, image)
        np.testing.assert_array_equal(case.mask, mask)
        assert (case.id, case.group, case.fov, case.second_masks) == (entry.id, name[0], None, None)
        assert case.paths == (tmp_path / "images" / name, tmp_path / "masks" / f"{name[0]}.png")


def test_names_with_dots_are_paired_by_all_of_their_stem(tmp_path: Path) -> None:
    for number in ("1", "2"):
        put(tmp_path, f"scan.{number}.png", stem=f"scan.{number}")
    entries = open_set(f"folder:{tmp_path}").entries
    assert [entry.id for entry in entries] == ["train_scan.1", "train_scan.2"]
    for entry, number in zip(entries, ("1", "2"), strict=True):
        np.testing.assert_array_equal(entry.load().mask, drawn(f"scan.{number}.png")[1])


def test_names_that_differ_after_a_dot_are_no_pair(tmp_path: Path) -> None:
    put(tmp_path, "scan.1.png", stem="scan.2")
    assert "scan.1" in refusal(tmp_path)


@pytest.mark.parametrize("name", ["größe 1", "眼底", "œil gauche", "patient#7 (2)"])
def test_names_in_any_language_work(name: str, tmp_path: Path) -> None:
    put(tmp_path / "données", f"{name}.png", stem=name)
    (entry,) = open_set(f"folder:{tmp_path / 'données'}").entries
    assert entry.id == f"train_{name}"
    np.testing.assert_array_equal(entry.load().image, drawn(f"{name}.png")[0])


def test_a_field_of_view_is_used_where_there_is_one(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    put(tmp_path, "b.png", stem="b")
    (tmp_path / "fov").mkdir()
    field = drawn("field")[1]
    PillowImage.fromarray(field).save(tmp_path / "fov" / "b.gif")
    without, with_field = (entry.load() for entry in open_set(f"folder:{tmp_path}").entries)
    assert without.fov is None
    assert with_field.fov is not None
    np.testing.assert_array_equal(with_field.fov, field)


def test_without_sub_folders_every_case_is_training(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    data = open_set(f"folder:{tmp_path}")
    assert [entry.split for entry in data.entries] == ["train"]
    with pytest.raises(UsageError, match="unknown split of folder 'test'"):
        data.split("test")


def test_sub_folders_make_two_splits(tmp_path: Path) -> None:
    put(tmp_path / "train", "a.png", stem="a")
    put(tmp_path / "train", "c.png", stem="c")
    put(tmp_path / "test", "b.png", stem="b")
    data = open_set(f"folder:{tmp_path}")
    assert [entry.id for entry in data.split("train")] == ["train_a", "train_c"]
    assert [entry.id for entry in data.split("test")] == ["test_b"]
    np.testing.assert_array_equal(data.split("test")[0].load().image, drawn("b.png")[0])


def test_a_test_part_alone_is_enough_to_evaluate_on(tmp_path: Path) -> None:
    put(tmp_path / "test", "b.png", stem="b")
    assert [entry.split for entry in open_set(f"folder:{tmp_path}").entries] == ["test"]


def test_what_stands_before_a_double_underscore_is_the_group(tmp_path: Path) -> None:
    stems = ("p1__left", "p1__right", "p2__left__again", "p3_left")
    for stem in stems:
        put(tmp_path, f"{stem}.png", stem=stem)
    assert [entry.group for entry in open_set(f"folder:{tmp_path}").entries] == ["p1", "p1", "p2", "p3_left"]


def test_a_patient_in_both_parts_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "train", "p1__left.png", stem="p1__left")
    put(tmp_path / "test", "p1__right.png", stem="p1__right")
    message = refusal(tmp_path)
    assert "group 'p1'" in message
    assert "'train' and 'test'" in message


def test_an_image_without_a_mask_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    put(tmp_path, "lonely.png")
    assert "image 'lonely' has no mask" in refusal(tmp_path)


def test_a_mask_without_an_image_is_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    put(tmp_path, "b.png", stem="b")
    (tmp_path / "images" / "b.png").unlink()
    assert "mask 'b' has no image" in refusal(tmp_path)


def test_two_images_of_one_name_are_refused_by_name(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    put(tmp_path, "a.bmp")
    message = refusal(tmp_path)
    assert "a.png" in message
    assert "a.bmp" in message


def test_a_mask_of_another_size_is_refused_when_it_is_read(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a", mask_shape=(20, 31))
    (entry,) = open_set(f"folder:{tmp_path}").entries
    with pytest.raises(DataError, match="20×31") as caught:
        entry.load()
    assert str(tmp_path / "masks" / "a.png") in str(caught.value)
    assert "20×30" in str(caught.value)


@pytest.mark.parametrize("missing", ["images", "masks"])
def test_a_missing_or_empty_sub_folder_is_refused_by_name(missing: str, tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    for path in (tmp_path / missing).iterdir():
        path.unlink()
    assert str(tmp_path / missing) in refusal(tmp_path)
    (tmp_path / missing).rmdir()
    assert str(tmp_path / missing) in refusal(tmp_path)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    assert str(tmp_path / "nothing") in refusal(tmp_path / "nothing")


def test_hidden_files_and_notes_lie_about_unnoticed(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    for part in ("images", "masks"):
        (tmp_path / part / "._a.png").write_bytes(b"\0")
        (tmp_path / part / "Thumbs.db").write_bytes(b"\0")
        (tmp_path / part / "readme.txt").write_text("notes", encoding="utf-8")
    assert [entry.id for entry in open_set(f"folder:{tmp_path}").entries] == ["train_a"]


def test_listing_reads_no_pixel(tmp_path: Path) -> None:
    put(tmp_path, "a.png", stem="a")
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    assert [entry.id for entry in open_set(f"folder:{tmp_path}").entries] == ["train_a"]


def test_all_cases_of_a_set_can_be_asked_for_at_once() -> None:
    data = open_set("synthetic:2")
    assert data.split("all") == data.split("train") + data.split("test")


def test_a_name_is_the_same_however_a_system_writes_its_umlauts(tmp_path: Path) -> None:
    composed, decomposed = unicodedata.normalize("NFC", "größe"), unicodedata.normalize("NFD", "größe")
    put(tmp_path, f"{decomposed}.png", stem=composed)
    (entry,) = open_set(f"folder:{tmp_path}").split("all")
    np.testing.assert_array_equal(entry.load().image, drawn(f"{decomposed}.png")[0])
    by_pattern = open_set(f"folder:{tmp_path}/images/*.png|{tmp_path}/masks/*.png").split("all")
    assert [each.id for each in by_pattern] == [composed]
    (tmp_path / "predicted").mkdir()
    PillowImage.fromarray(entry.load().mask).save(tmp_path / "predicted" / f"{decomposed}_mask.png")
    rows = ["image,mask,group", f"images/{composed}.png,masks/{composed}.png,{decomposed}"]
    (tmp_path / "data.csv").write_text("\n".join(rows), encoding="utf-8")
    (listed,) = open_set(f"folder:{tmp_path / 'data.csv'}").split("all")
    assert (listed.id, listed.group) == (composed, composed)
    np.testing.assert_array_equal(listed.load().masks, entry.load().masks)
    found = PredictionFolder(tmp_path / "predicted", Classes())(entry.load())
    np.testing.assert_array_equal(found.masks, entry.load().masks)


def test_images_that_lie_deeper_are_refused_with_the_two_patterns_that_take_them(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        for part in ("images", "masks"):
            (tmp_path / part / patient).mkdir(parents=True)
        PillowImage.fromarray(drawn(patient)[0]).save(tmp_path / "images" / patient / "eye.jpg")
        PillowImage.fromarray(drawn(patient)[1]).save(tmp_path / "masks" / patient / "eye_mask.png")
    told = refusal(tmp_path)
    assert f"such as {tmp_path / 'images/p1/eye.jpg'}" in told
    form = re.search(r"'(folder:[^']*)'", told)
    assert form is not None
    entries = open_set(form.group(1)).split("all")
    assert [(entry.id, entry.group) for entry in entries] == [("p1__eye", "p1"), ("p2__eye", "p2")]
    PillowImage.fromarray(drawn("p1")[1]).save(tmp_path / "masks/p1/eye0_mask.png")  # sorts before eye_mask
    PillowImage.fromarray(drawn("p1")[0]).save(tmp_path / "images/p1/eye0.jpg")
    assert form.group(1) in refusal(tmp_path)
    (tmp_path / "masks/p1/eye_mask.png").unlink()
    table = f"folder:{tmp_path / 'data.csv'}, with the columns image, mask, fov, group, split."
    assert refusal(tmp_path).endswith(table)


@pytest.mark.parametrize(
    "places",
    [
        ("h1/p1/a.png", "h1/p2/b.png", "h2/p1/c.png"),  # whose first folder is no patient
        ("p1/a.png", "p2/b.tif"),  # which one pattern doesn't take
        ("p1/a.png", "c/p2/b.png"),
    ],
)
def test_images_that_no_pair_of_patterns_takes_are_sent_into_a_table(places: tuple[str, ...], tmp_path: Path) -> None:
    for place in places:
        for part, picture in zip(("images", "masks"), drawn(place), strict=True):
            path = (tmp_path / part / place).with_suffix(".png" if part == "masks" else Path(place).suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            PillowImage.fromarray(picture).save(path)
    assert f"folder:{tmp_path / 'data.csv'}" in refusal(tmp_path)
    assert "|" not in refusal(tmp_path)


def test_a_folder_without_the_name_of_a_set_is_said_to_be_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=re.escape(f"folder:{tmp_path}")):
        open_set(str(tmp_path))
