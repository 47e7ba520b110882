"""ARIA, whose subjects stand in a table, and ORVS: whole subjects on one side, masks as Pillow reads them."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_photographs_of_one_subject_of_aria_stand_on_one_side(shared_data: Path) -> None:
    with (shared_data / "ARIA" / "groups.csv").open(newline="", encoding="utf-8") as file:
        subjects = {f"aria_{row['file'].removesuffix('.jpg')}": row["subject"] for row in csv.DictReader(file)}
    entries = open_set(f"aria:{shared_data / 'ARIA'}").entries
    assert {entry.id: entry.group for entry in entries} == subjects
    sides = defaultdict(set)
    for entry in entries:
        sides[entry.group].add(entry.split)
    assert all(len(found) == 1 for found in sides.values())
    share = sum(found == {"test"} for found in sides.values()) / len(sides)
    assert 0.1 < share < 0.3


def test_the_parts_of_orvs_are_its_folders(shared_data: Path) -> None:
    folder = shared_data / "ORVS"
    listed = {(entry.id, entry.split) for entry in open_set(f"orvs:{folder}").entries}
    assert listed == {(f"orvs_{path.stem}", path.parts[-3]) for path in folder.glob("*/images/*.jpg")}


@pytest.mark.parametrize("spec", ["aria:ARIA", "orvs:ORVS"])
def test_a_case_holds_image_and_mask_of_its_files(spec: str, shared_data: Path) -> None:
    name, _, folder = spec.partition(":")
    for entry in open_set(f"{name}:{shared_data / folder}").entries[::20]:
        case = entry.load()
        image, mask = case.paths
        assert image.stem == mask.stem == entry.id.removeprefix(f"{name}_")
        with PillowImage.open(image) as file:
            np.testing.assert_array_equal(case.image, np.asarray(file.convert("RGB")))
        with PillowImage.open(mask) as file:
            np.testing.assert_array_equal(case.mask, np.asarray(file.convert("L")) >= 128)
        assert 0.01 < case.mask.mean() < 0.15


@pytest.fixture
def small_aria(tmp_path: Path) -> Callable[[str], str]:
    """Two photographs with a table of these lines."""
    for name in ("500", "501"):
        for folder, ending in (("images", "jpg"), ("vessels", "png")):
            path = tmp_path / folder / f"{name}.{ending}"
            path.parent.mkdir(exist_ok=True)
            PillowImage.new("L", (16, 16)).save(path)

    def spec(lines: str) -> str:
        (tmp_path / "groups.csv").write_text(lines, encoding="utf-8")
        return f"aria:{tmp_path}"

    return spec


def test_an_image_of_aria_that_the_table_does_not_know_is_refused_by_name(small_aria: Callable[[str], str]) -> None:
    with pytest.raises(DataError, match=r"501\.jpg: groups\.csv does not say whose it is"):
        open_set(small_aria("file,subject\n500.jpg,a10\n501.jpg,\n"))


def test_a_table_of_aria_without_its_columns_is_refused(small_aria: Callable[[str], str]) -> None:
    with pytest.raises(DataError, match=r"groups\.csv: has no column 'subject'"):
        open_set(small_aria("file,person\n500.jpg,a10\n501.jpg,a10\n"))
