"""Drawn photographs in DRIVE's layout must be read back, pixel for pixel, by whatever reads DRIVE."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.datasets import open_set
from foveate.drawn.cases import write_synthetic_drive
from foveate.errors import OutputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_adapter_of_drive_reads_back_what_was_drawn(tmp_path: Path) -> None:
    write_synthetic_drive(2, tmp_path / "drawn")
    written, drawn = open_set(f"drive:{tmp_path / 'drawn'}"), open_set("synthetic:2")
    for split in ("train", "test"):
        for there, here in zip(written.split(split), drawn.split(split), strict=True):
            case, expected = there.load(), here.load()
            np.testing.assert_array_equal(case.image, expected.image)
            np.testing.assert_array_equal(case.mask, expected.mask)
            np.testing.assert_array_equal(case.fov, expected.fov)
            assert case.second_masks is None


def test_names_sizes_and_formats_are_those_of_drive(tmp_path: Path, shared_data: Path) -> None:
    write_synthetic_drive(1, tmp_path)
    written = [path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 6
    for path in written:
        name = path.name.replace("02_", "21_") if path.parts[0] == "training" else path.name
        with (
            PillowImage.open(tmp_path / path) as ours,
            PillowImage.open(shared_data / "DRIVE" / path.with_name(name)) as theirs,
        ):
            assert (ours.format, ours.size) == (theirs.format, theirs.size)
            assert set(np.unique(np.asarray(ours.convert("L")))) <= {0, 255} or ours.mode == theirs.mode == "RGB"


def test_names_of_many_are_of_one_length_so_that_they_sort(tmp_path: Path) -> None:
    with pytest.raises(InterruptedError):
        write_synthetic_drive(50, tmp_path, stop_at_once)
    assert [path.name for path in (tmp_path / "test" / "images").iterdir()] == ["001_test.tif"]


def stop_at_once(done: int, total: int) -> None:
    raise InterruptedError(f"{done} of {total}")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    for taken in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(OutputError, match="not empty"):
            write_synthetic_drive(1, taken)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(UsageError):
        write_synthetic_drive(0, tmp_path / "new")
    assert not (tmp_path / "new").exists()
