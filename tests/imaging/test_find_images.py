from pathlib import Path

import pytest

from foveate.errors import UsageError
from foveate.imaging import ENDINGS, find_images, images_below, read_photograph


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
    for name in ("eye.png", "eye_mask.png", "eye_probability.png", "eye_overlay.png", "eye_mask.tif", "eye_mask.jpg"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "folder.png" / "deeper.png").write_bytes(b"")
    assert [path.name for path in find_images(tmp_path)] == ["eye.png", "eye_mask.jpg"]


def test_what_is_only_called_dicom_or_nifti_is_listed_where_these_are_looked_for(tmp_path: Path) -> None:
    for name in ("a.dcm", "b.nii", "c.nii.gz", "d.hdr", "e", "eye_mask.nii.gz", "eye_seg.dcm"):
        (tmp_path / name).write_bytes(b"")
    assert [path.name for path in find_images(tmp_path, by_content=True)] == ["a.dcm", "b.nii", "c.nii.gz"]
    assert find_images(tmp_path) == []


def test_an_empty_folder_has_no_images(tmp_path: Path) -> None:
    assert find_images(tmp_path) == []


def test_a_folder_that_is_missing_or_a_file_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file.png").write_bytes(b"")
    for folder in (tmp_path / "missing", tmp_path / "file.png"):
        with pytest.raises(UsageError, match=f"^{folder}: can't be listed"):
            find_images(folder)


def drawn_tree(folder: Path) -> list[str]:
    """Images in folders in folders, with what isn't to be found among them; the names, in their order."""
    names = ["z.png", "10/a.png", "10/deep/a.png", "10/deep/b.tif", "2/a.png"]
    for name in [*names, "10/notes.txt", "10/a_mask.png", ".hidden/a.png"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")
    return names


def test_images_of_all_sub_folders_come_after_their_folders_own_in_the_order_of_names(tmp_path: Path) -> None:
    names = drawn_tree(tmp_path)
    found = find_images(tmp_path, recursive=True)
    assert [path.relative_to(tmp_path).as_posix() for path in found] == names
    assert [path.name for path in find_images(tmp_path)] == ["z.png"]
    assert images_below(tmp_path) == len(names) - 1
    assert images_below(tmp_path / "10" / "deep") == 0


def test_a_folder_that_links_lead_back_to_is_searched_once(tmp_path: Path) -> None:
    names = drawn_tree(tmp_path)
    (tmp_path / "10" / "deep" / "back").symlink_to(tmp_path)
    (tmp_path / "zz").symlink_to(tmp_path / "2")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert len(find_images(tmp_path, recursive=True)) == len(names)


def test_a_link_that_leads_nowhere_is_listed_so_that_reading_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "eye.png").symlink_to(tmp_path / "moved" / "eye.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert [path.name for path in find_images(tmp_path)] == ["eye.png"]
    with pytest.raises(UsageError, match="no such file"):
        read_photograph(tmp_path / "eye.png")
