from pathlib import Path

import pytest

from foveate.errors import UsageError
from foveate.imaging import ENDINGS, find_images


def test_images_are_found_by_their_endings_in_any_case_and_sorted_by_name(tmp_path: Path) -> None:
    names = ["10.TIF", "2.jpg", "a b.PNG", "b.Ppm.GZ", "größer.webp", "scan.tiff"]
    others = ["notes.txt", "data.gz", "jpg", "image.png.part", ".hidden.png", "table.csv"]
    for name in names + others:
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_images(tmp_path)] == names
    assert all(path.parent == tmp_path for path in find_images(tmp_path))


def test_every_ending_is_in_lower_case_and_is_searched_for(tmp_path: Path) -> None:
    assert {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".gif", ".bmp", ".webp", ".ppm", ".ppm.gz"} <= ENDINGS
    for ending in ENDINGS:
        assert ending == ending.lower()
        (tmp_path / f"image{ending}").write_bytes(b"")
    assert len(find_images(tmp_path)) == len(ENDINGS)


def test_the_programs_own_results_and_folders_are_left_out(tmp_path: Path) -> None:
    for name in ("eye.png", "eye_mask.png", "eye_probability.png", "eye_overlay.png", "eye_mask.tif"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "deeper.png").write_bytes(b"")
    assert [path.name for path in find_images(tmp_path)] == ["eye.png", "eye_mask.tif"]


def test_an_empty_folder_has_no_images(tmp_path: Path) -> None:
    assert find_images(tmp_path) == []


def test_a_folder_that_is_missing_or_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(b"")
    for folder in (tmp_path / "missing", tmp_path / "file.png"):
        with pytest.raises(UsageError, match=f"^{folder}: can't be listed"):
            find_images(folder)
