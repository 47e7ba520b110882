"""ISIC 2018, Task 1: the challenge's own folders and names, all three parts, on the copy at hand and on drawn ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def put(root: Path, part: str, number: str) -> None:
    """Write one drawn case of a part."""
    random = np.random.default_rng(int(number))
    images, masks = (
        root / f"ISIC2018_Task1{task}_{part}_{kind}" for task, kind in (("-2", "Input"), ("", "GroundTruth"))
    )
    for folder in (images, masks):
        folder.mkdir(parents=True, exist_ok=True)
    PillowImage.fromarray(random.integers(0, 256, (20, 30, 3)).astype(np.uint8)).save(images / f"ISIC_{number}.jpg")
    PillowImage.fromarray(random.random((20, 30)) < 0.5).save(masks / f"ISIC_{number}_segmentation.png")
    (images / "ATTRIBUTION.txt").write_text("by somebody", encoding="utf-8")


def test_every_image_of_the_training_part_is_a_case_and_a_group_of_its_own(shared_data: Path) -> None:
    root = shared_data / "ISIC2018"
    names = sorted(path.stem for path in (root / "ISIC2018_Task1-2_Training_Input").glob("*.jpg"))
    entries = open_set(f"isic2018:{root}").entries
    assert [entry.id for entry in entries] == [f"isic2018_{name.removeprefix('ISIC_')}" for name in names]
    assert {entry.split for entry in entries} == {"train"}
    assert len({entry.group for entry in entries}) == len(names)


def test_a_case_holds_what_its_files_show(shared_data: Path) -> None:
    root = shared_data / "ISIC2018"
    for entry in open_set(f"isic2018:{root}").entries[::80]:
        case, name = entry.load(), f"ISIC_{entry.group}"
        with PillowImage.open(root / "ISIC2018_Task1-2_Training_Input" / f"{name}.jpg") as image:
            np.testing.assert_array_equal(case.image, np.asarray(image.convert("RGB")))
        with PillowImage.open(root / "ISIC2018_Task1_Training_GroundTruth" / f"{name}_segmentation.png") as mask:
            np.testing.assert_array_equal(case.mask, np.asarray(mask.convert("L")) > 0)
        assert 0 < case.mask.mean() <= 1
        assert (case.fov, case.second_masks) == (None, None)


def test_the_parts_of_the_challenge_are_the_splits(tmp_path: Path) -> None:
    put(tmp_path, "Training", "0000001")
    put(tmp_path, "Test", "0000003")
    put(tmp_path, "Validation", "0000002")
    splits = {entry.id: entry.split for entry in open_set(f"isic2018:{tmp_path}").entries}
    assert splits == {"isic2018_0000001": "train", "isic2018_0000002": "validation", "isic2018_0000003": "test"}


@pytest.mark.parametrize(("folder", "part"), [("*_Input", "image"), ("*_GroundTruth", "mask")])
def test_a_lone_file_is_refused_by_the_name_of_its_partner(folder: str, part: str, tmp_path: Path) -> None:
    put(tmp_path, "Training", "0000001")
    put(tmp_path, "Training", "0000002")
    (missing,) = tmp_path.glob(f"{folder}/*2*")
    missing.unlink()
    with pytest.raises(DataError, match=rf"has no {part} of that name") as caught:
        open_set(f"isic2018:{tmp_path}").split("all")
    assert str(caught.value).startswith(f"{missing}: missing")
