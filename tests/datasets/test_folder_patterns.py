"""Images and masks of one's own by two name patterns: paired by what the stars stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def put(path: Path) -> Path:
    """An image that no other name has."""
    random = np.random.default_rng(list(path.name.encode()))
    path.parent.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray((random.random((20, 30)) < 0.5).astype(np.uint8) * 255).save(path)
    return path


def spec(folder: Path, images: str, masks: str) -> str:
    return f"folder:{folder / images}|{folder / masks}"


def test_a_pair_is_what_the_star_stands_for_whatever_the_order_of_the_files(tmp_path: Path) -> None:
    for name in ("b", "a", "a.1"):
        put(tmp_path / f"{name}_photo.png")
    masks = {name: put(tmp_path / "outlines" / f"vessels {name}.gif") for name in ("a", "b", "a.1")}
    data = open_set(spec(tmp_path, "*_photo.png", "outlines/vessels *.gif"))
    assert [(entry.id, entry.group, entry.split) for entry in data.entries] == [
        (name, name, "train") for name in ("a", "a.1", "b")
    ]
    for entry in data.entries:
        case = entry.load()
        assert case.paths == (tmp_path / f"{entry.id}_photo.png", masks[entry.id])
        with PillowImage.open(masks[entry.id]) as file:
            np.testing.assert_array_equal(case.mask, np.asarray(file.convert("L")) == 255)


def test_images_and_masks_may_lie_in_one_folder_if_the_patterns_tell_them_apart(tmp_path: Path) -> None:
    for name in ("x__left", "x__right", "y"):
        put(tmp_path / f"{name}.tif")
        put(tmp_path / f"{name}.png")
    entries = open_set(spec(tmp_path, "*.tif", "*.png")).entries
    assert [(entry.id, entry.group) for entry in entries] == [("x__left", "x"), ("x__right", "x"), ("y", "y")]


def test_with_a_star_for_the_folder_each_folder_is_a_group(tmp_path: Path) -> None:
    for patient in ("p1", "p2"):
        for number in ("1", "2"):
            put(tmp_path / "scans" / patient / f"slice{number}.png")
            put(tmp_path / "masks" / patient / f"{number}_mask.png")
    entries = open_set(spec(tmp_path, "scans/*/slice*.png", "masks/*/*_mask.png")).entries
    assert [(entry.id, entry.group) for entry in entries] == [
        (f"{patient}__{number}", patient) for patient in ("p1", "p2") for number in ("1", "2")
    ]
    for entry in entries:
        patient, number = entry.id.split("__")
        image, mask = entry.load().paths
        assert image == tmp_path / "scans" / patient / f"slice{number}.png"
        assert mask == tmp_path / "masks" / patient / f"{number}_mask.png"


def test_patterns_relative_to_the_working_folder_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "i" / "a.png")
    put(tmp_path / "m" / "a.png")
    monkeypatch.chdir(tmp_path)
    (entry,) = open_set("folder:i/*.png|./m/*.png").entries
    assert entry.id == "a"
    assert entry.load().mask.any()


def test_brackets_and_question_marks_stand_for_themselves_and_endings_in_any_case_match(tmp_path: Path) -> None:
    put(tmp_path / "set [1]" / "a?.PNG")
    put(tmp_path / "set [1]" / "ab.PNG")
    put(tmp_path / "m" / "a?.png")
    with pytest.raises(DataError, match="'ab' has no mask"):
        open_set(spec(tmp_path, "set [1]/*.png", "m/*.png")).split("all")
    put(tmp_path / "m" / "ab.png")
    assert [entry.id for entry in open_set(spec(tmp_path, "set [1]/*.png", "m/*.png")).entries] == ["a?", "ab"]
    assert [entry.id for entry in open_set(spec(tmp_path, "set [1]/a?*.png", "m/a?*.png")).entries] == [""]


@pytest.mark.parametrize(("lone", "expected"), [("i/b.png", "m/b_mask.png"), ("m/b_mask.png", "i/b.png")])
def test_a_leftover_is_refused_by_the_name_of_what_is_missing(lone: str, expected: str, tmp_path: Path) -> None:
    for path in ("i/a.png", "m/a_mask.png", lone):
        put(tmp_path / path)
    with pytest.raises(DataError) as caught:
        open_set(spec(tmp_path, "i/*.png", "m/*_mask.png")).split("all")
    assert str(caught.value).startswith(f"{tmp_path / expected}: missing")
    assert "\n" not in str(caught.value)


def test_several_leftovers_are_counted(tmp_path: Path) -> None:
    for name in "abc":
        put(tmp_path / "i" / f"{name}.png")
    put(tmp_path / "m" / "a.png")
    with pytest.raises(DataError, match="1 more"):
        open_set(spec(tmp_path, "i/*.png", "m/*.png")).split("all")


def test_two_images_of_one_key_are_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.png")
    put(tmp_path / "a.PNG")
    if len(list(tmp_path.iterdir())) < 2:
        pytest.skip("file names here don't tell upper from lower case")
    put(tmp_path / "a.gif")
    with pytest.raises(DataError, match="share a name"):
        open_set(spec(tmp_path, "*.png", "*.gif")).split("all")


@pytest.mark.parametrize("pair", ["i/*.png|m/all.png", "i/*.png|m/*/*.png", "i/a.png|m/a.png", "*.png|*.png", "*.png|"])
def test_patterns_that_pair_nothing_are_a_wrong_call(pair: str) -> None:
    with pytest.raises(UsageError, match="pair of patterns") as caught:
        open_set(f"folder:{pair}")
    assert pair in str(caught.value)


def test_patterns_that_match_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing matches"):
        open_set(spec(tmp_path, "i/*.png", "m/*.png")).split("all")
