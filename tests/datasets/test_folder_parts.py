"""Which sub-folders of one's own images make splits, and that what is passed over is said."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.datasets.check import check_set
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def put(folder: Path, count: int = 1) -> None:
    """Drawn images and masks in a part of a set."""
    for number in range(count):
        random = np.random.default_rng([number, *folder.as_posix().encode()])
        for kind, values in (("images", random.random((48, 64, 3))), ("masks", random.random((48, 64)) < 0.5)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            picture = PillowImage.fromarray((values * 255).astype(np.uint8))
            picture.save(folder / kind / f"{folder.name}{number}.png")


@pytest.mark.parametrize("name", ["val", "valid", "validation", "Val"])
def test_every_name_of_a_validation_folder_makes_the_same_split(name: str, tmp_path: Path) -> None:
    put(tmp_path / "train", 3)
    put(tmp_path / name, 2)
    data = open_set(f"folder:{tmp_path}")
    assert Counter(entry.split for entry in data.entries) == {"train": 3, "validation": 2}
    assert len(data.split("validation")) == 2
    assert data.notes == ()


def test_two_folders_that_are_one_split_are_refused(tmp_path: Path) -> None:
    for name in ("train", "val", "validation"):
        put(tmp_path / name)
    with pytest.raises(DataError, match="'val' and 'validation' are both 'validation'"):
        open_set(f"folder:{tmp_path}")


def said(folder: Path) -> list[str]:
    """What opening the folder notes; a check says the same, as remarks."""
    notes = open_set(f"folder:{folder}").notes
    report = check_set(f"folder:{folder}")
    assert [finding.text for finding in report.findings if finding.kind == "unused"] == list(notes)
    assert report.faults == 0
    return list(notes)


def test_nothing_is_said_of_a_folder_that_is_used_whole(tmp_path: Path) -> None:
    put(tmp_path, 2)
    (tmp_path / "copy").symlink_to(tmp_path / "images")
    assert said(tmp_path) == []


@pytest.mark.parametrize("place", ["extra", "train/images/more/deeper", "train/other/more", "fold_2/images"])
def test_folders_that_look_like_data_and_are_not_used_are_said_with_a_count(place: str, tmp_path: Path) -> None:
    put(tmp_path / "train", 2)
    folder = tmp_path / place
    folder.mkdir(parents=True)
    for name in "abc":
        PillowImage.new("L", (48, 64)).save(folder / f"{name}.png")
    (note,) = said(tmp_path)
    assert note.startswith(f"images in {folder} that are not used: 3, such as a.png.")


def test_images_beside_the_folders_of_the_splits_are_said(tmp_path: Path) -> None:
    put(tmp_path / "train", 2)
    put(tmp_path)
    assert len(said(tmp_path)) == 2  # images/ and masks/


def test_a_part_without_images_and_masks_of_its_own_is_said_and_spoils_no_other(tmp_path: Path) -> None:
    put(tmp_path / "train", 2)
    (tmp_path / "test").mkdir()
    PillowImage.new("RGB", (48, 64)).save(tmp_path / "test" / "eye.png")
    (note,) = said(tmp_path)
    assert note.startswith(f"images in {tmp_path / 'test'} that are not used: 1")
    assert len(open_set(f"folder:{tmp_path}").split("train")) == 2


def test_links_that_lead_nowhere_are_said(tmp_path: Path) -> None:
    put(tmp_path, 2)
    for kind in ("images", "masks"):
        (tmp_path / kind / "gone.png").symlink_to(tmp_path / "moved" / kind / "gone.png")
    (note,) = said(tmp_path)
    assert note == f"links that lead nowhere are passed over: 2, such as {tmp_path / 'images' / 'gone.png'}."
