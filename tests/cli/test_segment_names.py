import hashlib
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from foveate.inference.source import items_of
from foveate_command import RECORD, images_in_record, names, opened, pixels, run_apart, save, segment


def check_all_done(out: Path, inputs: list[Path]) -> None:
    """Every input has a mask of its own, that of its own pixels, under a name that no other has."""
    recorded = images_in_record(out)
    assert sorted(image["input"] for image in recorded.values()) == sorted(map(str, inputs))
    masks = [image["outputs"]["mask"]["file"] for image in recorded.values()]
    assert names(out) == {*RECORD, *masks}
    assert len({mask.lower() for mask in masks}) == len(inputs)
    for number, image in enumerate(recorded.values()):
        source = Path(image["input"])
        assert image["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
        alone = out.parent / f"alone{number}"
        assert segment(source, "-o", alone).status == 0
        (mask,) = names(alone) - RECORD
        np.testing.assert_array_equal(opened(out / image["outputs"]["mask"]["file"]), opened(alone / mask))


def test_the_same_name_in_two_folders_gives_two_results(tmp_path: Path) -> None:
    inputs = [save(tmp_path / "left" / "photo.png", 0), save(tmp_path / "right" / "photo.png", 1)]
    ran = segment(*inputs, "-o", tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    check_all_done(tmp_path / "out", inputs)


def test_one_stem_with_several_endings_gives_a_result_for_each(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    inputs = [save(folder / f"photo.{ending}", seed) for seed, ending in enumerate(("png", "tif", "bmp"))]
    ran = segment(folder, "-o", tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    check_all_done(tmp_path / "out", inputs)


def test_names_that_differ_in_upper_and_lower_case_only_give_files_that_differ_in_more(
    tmp_path: Path,
) -> None:
    inputs = [save(tmp_path / "a" / "Photo.png", 0), save(tmp_path / "A2" / "PHOTO.png", 1)]
    ran = segment(*inputs, "-o", tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    check_all_done(tmp_path / "out", inputs)


def test_whatever_the_files_are_called_no_two_results_share_a_name(tmp_path: Path) -> None:
    paths = [
        tmp_path / folder / name
        for folder in ("a", "b", "a_a", "c/a")
        for name in ("x.png", "x.jpg", "X.png", "a_x.png", "a_x_png.png", "x.ppm.gz", "x-2.png", "b.a_x", "x")
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    there = {path.resolve() for path in paths}
    items = items_of(paths)
    assert {item.place for item in items} == there
    assert len({item.name.lower() for item in items}) == len(items)


def test_names_of_any_script_and_with_spaces_are_kept(tmp_path: Path) -> None:
    inputs = [
        save(tmp_path / "in" / name, seed)
        for seed, name in enumerate(("Übung æøå 眼.png", "two  words.png", "a.b.c.png"))
    ]
    ran = segment(tmp_path / "in", "-o", tmp_path / "där ute")
    assert (ran.status, ran.err) == (0, "")
    assert names(tmp_path / "där ute") == {
        *RECORD,
        "Übung æøå 眼_mask.png",
        "two  words_mask.png",
        "a.b.c_mask.png",
    }
    check_all_done(tmp_path / "där ute", inputs)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_output_that_cannot_show_a_name_stops_nothing(encoding: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    inputs = save(tmp_path / "Übung 眼.png"), tmp_path / "眼.png"
    inputs[1].write_bytes(b"")
    ran = run_apart("segment", *inputs, "-o", out, environment={"PYTHONIOENCODING": encoding})
    assert ran.status == 1
    assert len(ran.errors) == 1
    assert names(out) == {*RECORD, "Übung 眼_mask.png"}


@pytest.mark.skipif(sys.platform != "linux", reason="only there a name may be any bytes")
def test_a_name_that_is_no_text_is_done_or_told_in_one_line(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.png"))
    photograph, out = save(tmp_path / "photo.png"), tmp_path / "out"
    shutil.copyfile(photograph, strange)
    ran = run_apart("segment", strange, photograph, "-o", out)
    assert ran.status in (0, 1)
    assert len(ran.errors) == ran.status
    assert "photo" in images_in_record(out)


def test_a_file_that_is_given_several_times_is_done_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photograph = save(tmp_path / "in" / "photo.png")
    monkeypatch.chdir(tmp_path)
    ways = [photograph, Path("in/photo.png"), tmp_path / "in", Path("in/../in/photo.png")]
    ran = segment(*ways, "-o", "out")
    assert (ran.status, ran.err) == (0, "")
    assert len(images_in_record(tmp_path / "out")) == 1
    assert names(tmp_path / "out") == {*RECORD, "photo_mask.png"}
    assert ran.out.count("photo_mask.png") == 1


def test_files_of_one_name_around_the_working_folder_give_results_that_are_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed, folder in enumerate((tmp_path, tmp_path / "here", tmp_path / "here" / "below")):
        save(folder / "photo.png", seed)
    monkeypatch.chdir(tmp_path / "here")
    ran = segment("photo.png", "../photo.png", "below/photo.png", "-o", "out")
    assert (ran.status, ran.err) == (0, "")
    masks = names(tmp_path / "here" / "out") - RECORD
    assert len(masks) == 3
    assert all(mask.endswith("photo_mask.png") and mask[0] not in "._" for mask in masks)


def test_the_results_of_a_link_have_the_links_name(tmp_path: Path) -> None:
    try:
        (tmp_path / "patient.png").symlink_to(save(tmp_path / "store" / "MD5E-s7--d41d8c.png"))
    except OSError:
        pytest.skip("links can't be made here")
    assert segment(tmp_path / "patient.png", "-o", tmp_path / "out").status == 0
    assert names(tmp_path / "out") == {"patient_mask.png", *RECORD}


def test_a_photograph_that_is_called_like_a_result_is_never_written_over(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    inputs = [save(folder / "eye.png", 0), save(folder / "eye_mask.png", 1)]
    before = inputs[1].read_bytes()
    segment(*inputs, "-o", folder, "--overwrite")
    assert inputs[1].read_bytes() == before
    np.testing.assert_array_equal(opened(inputs[1]), pixels(1))
