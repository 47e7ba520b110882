"""DICOM files as a source: found by content, frame by frame, under the names of their files."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest import mock

import numpy as np
import pydicom
import pytest

import foveate
from foveate.imaging import read_photograph
from foveate.inference.source import items_of
from foveate_command import green_model, images_in_record, names, opened, run, save, segment
from made_dicom import CAPTURE, FUNDUS, colours, image, packed, saved

DISC = Path(pydicom.__file__).parent / "data" / "test_files" / "dicomdirtests"


def masks(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*_mask.png")}


def report() -> bytes:
    """A file without an image."""
    dataset = image(colours(), CAPTURE)
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(dataset, keyword)
    return packed(dataset)


def test_a_folder_of_files_without_endings_is_segmented_beside_other_photographs(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    saved(folder / "IM0001", image(colours(), FUNDUS))
    saved(folder / "1.2.840.113619.5", image(colours(seed=2), FUNDUS, number=2))
    saved(folder / "scan.dcm", image(colours(seed=3), FUNDUS, number=3))
    save(folder / "photo.png")
    (folder / "REPORT").write_bytes(report())
    (folder / "notes").write_text("no image", encoding="utf-8")
    ran = segment(folder, "-o", tmp_path / "out")
    assert (ran.status, ran.errors) == (0, [])
    found = {"IM0001_mask.png", "1.2.840.113619.5_mask.png", "scan_mask.png", "photo_mask.png"}
    assert masks(tmp_path / "out") == found
    assert np.array_equal(opened(tmp_path / "out" / "scan_mask.png") > 0, colours(seed=3)[..., 1] >= 90)


def test_a_file_without_an_image_fails_where_it_was_named(tmp_path: Path) -> None:
    (tmp_path / "REPORT").write_bytes(report())
    ran = segment(tmp_path / "REPORT", "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "is a DICOM file without an image" in ran.errors[0]
    folder = run("segment", tmp_path, "-o", tmp_path / "out", "--model", green_model())
    assert (folder.status, len(folder.errors)) == (2, 1)


def test_each_frame_is_an_image_with_its_number_in_its_name(tmp_path: Path) -> None:
    frames = np.stack([colours(seed=seed) for seed in range(3)])
    path = saved(tmp_path / "film.dcm", image(frames, FUNDUS, PixelSpacing=[0.02, 0.02]))
    ran = segment(path, "-o", tmp_path / "out")
    assert (ran.status, ran.errors) == (0, [])
    assert masks(tmp_path / "out") == {f"film_f00{number}_mask.png" for number in (1, 2, 3)}
    for number, frame in enumerate(frames, start=1):
        assert np.array_equal(opened(tmp_path / "out" / f"film_f00{number}_mask.png") > 0, frame[..., 1] >= 90)
    record = images_in_record(tmp_path / "out")["film_f002"]
    assert (record["input"], record["spacing_mm"]) == (f"{path}, frame 2", [0.02, 0.02])
    again = segment(path, "-o", tmp_path / "out")
    assert "0 done, 3 kept" in again.out + again.err
    assert read_photograph(path).notes == ("first of 3 frames",)


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit"])
def test_a_dicomdir_means_the_images_that_it_names(name: str) -> None:
    items = items_of([DISC / name])
    on_disc = [path for path in DISC.glob("*/*/*") if path.name.isdecimal()]
    assert {item.place for item in items} == {path.resolve() for path in on_disc}
    assert {item.name for item in items} == {path.relative_to(DISC).as_posix() for path in on_disc}


def test_without_the_extra_a_dicom_file_is_one_line_that_says_what_to_install(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    saved(folder / "scan", image(colours(), FUNDUS))
    save(folder / "photo.png")
    loaded = [
        name
        for name in sys.modules
        if name.startswith(("pydicom", "foveate.imaging.dicom.", "foveate.inference.dicom"))
    ]
    with mock.patch.dict(sys.modules, dict.fromkeys([*loaded, "pydicom"])):
        for name in loaded:
            if name.startswith("foveate"):
                del sys.modules[name]
        with mock.patch("importlib.util.find_spec", return_value=None):
            ran = segment(folder, "-o", tmp_path / "out")
    assert (ran.status, len(ran.errors)) == (1, 1)
    assert "reading DICOM needs pydicom, which is not installed: pip install" in ran.errors[0]
    assert masks(tmp_path / "out") == {"photo_mask.png"}


def test_text_that_may_be_burned_in_is_said(tmp_path: Path) -> None:
    for said, note in (("YES", "text is burned into"), (None, "doesn't say whether"), ("NO", "")):
        notes = read_photograph(packed(image(colours(), CAPTURE, BurnedInAnnotation=said))).notes
        assert (note in notes[0]) if note else notes == ()


def test_pixels_that_are_not_square_are_said_and_have_no_scale(tmp_path: Path) -> None:
    path = saved(tmp_path / "eye", image(colours(), FUNDUS, PixelSpacing=[0.01, 0.02]))
    assert "not square (0.01 to 0.02)" in read_photograph(path).notes[0]
    assert foveate.measure(path, model=green_model()).um_per_pixel is None


def test_a_measure_has_the_scale_of_the_file_unless_another_is_given(tmp_path: Path) -> None:
    path = saved(tmp_path / "eye", image(colours(), FUNDUS, PixelSpacing=[0.0072, 0.0072]))
    own = foveate.measure(path, model=green_model(), fov_degrees=45)
    given = foveate.measure(path, model=green_model(), um_per_pixel=5)
    assert own.um_per_pixel == pytest.approx(7.2)
    assert own.row["scale_from"] == "the file"
    assert (given.um_per_pixel, given.row["scale_from"]) == (5, "given")


def test_a_dicom_segmentation_in_a_folder_is_no_image_to_segment(tmp_path: Path) -> None:
    saved(tmp_path / "in" / "eye", image(colours(), FUNDUS))
    assert segment(tmp_path / "in", "-o", tmp_path / "out", "--dicom-seg", "binary").status == 0
    (tmp_path / "out" / "eye_seg.dcm").rename(tmp_path / "in" / "under another name")
    assert [item.name for item in items_of([tmp_path / "in"])] == ["eye"]
    assert names(tmp_path / "in") == {"eye", "under another name"}
