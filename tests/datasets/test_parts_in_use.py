"""A set must be complete only in the part that is used: owners of challenges keep the masks of their test images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.datasets.check import check_set
from foveate.datasets.sets.lgg import split_of
from foveate.errors import DataError, UsageError

PATIENTS = {split_of(name): name for name in (f"TCGA_CS_{number}" for number in range(4940, 4960))}
"""One of each split of LGG."""
ISIC = "ISIC2018_Task1-2_{0}_Input/ISIC_{1}.jpg", "ISIC2018_Task1_{0}_GroundTruth/ISIC_{1}_segmentation.png"
LAYOUTS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "drive": (
        {"training/images/21_training.tif": "training/1st_manual/21_manual1.gif"},
        {"test/images/01_test.tif": "test/1st_manual/01_manual1.gif"},
    ),
    "drive_av": (
        {"training/images/21_training.tif": "training/av/21_training.png"},
        {"test/images/01_test.tif": "test/av/01_test.png"},
    ),
    "stare": (
        {f"stare-images/im{number:04}.ppm": f"labels-ah/im{number:04}.ah.ppm" for number in range(10)},
        {"stare-images/im0300.ppm": "labels-ah/im0300.ah.ppm"},
    ),
    "chase_db1": (
        {f"Image_{child:02}{eye}.jpg": f"Image_{child:02}{eye}_1stHO.png" for child in range(1, 11) for eye in "LR"},
        {"Image_11L.jpg": "Image_11L_1stHO.png"},
    ),
    "hrf": ({"images/01_h.jpg": "manual1/01_h.tif"}, {"images/06_h.jpg": "manual1/06_h.tif"}),
    "isic2018": (
        {ISIC[0].format("Training", 1): ISIC[1].format("Training", 1)},
        {ISIC[0].format("Test", 2): ISIC[1].format("Test", 2)},
    ),
    "lgg": (
        {"{0}/{0}_1.tif".format(PATIENTS["train"]): "{0}/{0}_1_mask.tif".format(PATIENTS["train"])},
        {"{0}/{0}_1.tif".format(PATIENTS["test"]): "{0}/{0}_1_mask.tif".format(PATIENTS["test"])},
    ),
    "folder": ({"train/images/a.png": "train/masks/a.png"}, {"test/images/b.png": "test/masks/b.png"}),
}
"""The images of a set's training part and of its test part, each with its mask."""


def drawn(root: Path, name: str) -> Path:
    """The set in small, its test images without masks."""
    learnt, kept_back = LAYOUTS[name]
    random = np.random.default_rng(len(name))
    for image in [*learnt, *kept_back]:
        put(root / image, random.integers(0, 256, (48, 64, 3), dtype=np.uint8))
    for mask in learnt.values():
        put(root / mask, np.where(np.eye(48, 64, dtype=bool), 255, 0).astype(np.uint8))
    return root


def put(path: Path, values: NDArray[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.parent.name == "av":  # red is an artery
        values = np.dstack([values, np.zeros_like(values), np.zeros_like(values)])
    PillowImage.fromarray(values).save(path)


every_layout = pytest.mark.parametrize("name", LAYOUTS)


@every_layout
def test_the_training_part_is_used_without_the_masks_of_the_test_part(name: str, tmp_path: Path) -> None:
    data = open_set(f"{name}:{drawn(tmp_path, name)}")
    cases = [entry.load() for entry in data.split("train")]
    assert len(cases) == len(LAYOUTS[name][0])
    assert all(case.mask.sum() == np.eye(48, 64).sum() for case in cases)
    assert (data.has_truth("train"), data.has_truth("test"), data.has_truth("other")) == (True, False, False)


@every_layout
def test_whoever_asks_for_the_test_part_hears_which_masks_it_lacks(name: str, tmp_path: Path) -> None:
    data = open_set(f"{name}:{drawn(tmp_path, name)}")
    (mask,) = LAYOUTS[name][1].values()
    with pytest.raises(DataError, match=rf"^{name}, 'test': its only image has no mask, such as .*{Path(mask).name}"):
        data.split("test")
    with pytest.raises(DataError, match=f"{Path(mask).name}: missing: image"):
        data.split("all")


@every_layout
def test_a_check_remarks_on_a_part_without_masks_and_finds_no_fault(name: str, tmp_path: Path) -> None:
    report = check_set(f"{name}:{drawn(tmp_path, name)}")
    assert report.faults == 0
    (text,) = [finding.text for finding in report.findings if finding.kind == "missing"]
    assert text.startswith("'test': its only image has no mask")


def test_a_training_part_without_masks_is_a_fault_in_one_line(tmp_path: Path) -> None:
    for number in range(3):
        put(tmp_path / "images" / f"{number}.png", np.eye(48, 64, number).astype(np.uint8))
    (fault,) = [finding for finding in check_set(f"folder:{tmp_path}").findings if finding.fault]
    assert fault.text.startswith("'train': none of its 3 images has a mask")


def test_the_same_image_in_a_part_that_is_not_scored_on_is_no_fault(tmp_path: Path) -> None:
    root = drawn(tmp_path, "drive")
    (root / "test/images/01_test.tif").write_bytes((root / "training/images/21_training.tif").read_bytes())
    report = check_set(f"drive:{root}")
    assert {finding.kind for finding in report.findings} == {"missing", "duplicate", "split"}
    assert report.faults == 0
    put(root / "test/1st_manual/01_manual1.gif", np.full((48, 64), 255, np.uint8))
    assert check_set(f"drive:{root}").faults == 1


@pytest.mark.parametrize("name", ["drive", "stare", "chase_db1", "hrf"])
def test_what_a_set_has_of_no_image_is_not_missing(name: str, tmp_path: Path) -> None:
    for entry in open_set(f"{name}:{drawn(tmp_path, name)}").split("train"):
        case = entry.load()
        assert case.fov is None
        assert case.second_masks is None


def test_an_unknown_split_is_told_with_the_name_for_every_case(tmp_path: Path) -> None:
    put(tmp_path / "images" / "a.png", np.zeros((48, 64, 3), np.uint8))
    put(tmp_path / "masks" / "a.png", np.zeros((48, 64), np.uint8))
    with pytest.raises(UsageError, match=r"unknown split of folder 'test'.*--split all"):
        open_set(f"folder:{tmp_path}").split("test")
