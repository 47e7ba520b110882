"""Calls that are wrong in themselves: status 2, one line, and nothing is done."""

from pathlib import Path

import pytest

from foveate.models import shipped
from foveate_command import Ran, names, run, run_apart, save, segment


def check_refused(ran: Ran, *parts: object) -> None:
    assert ran.status == 2
    (line,) = ran.errors
    assert all(str(part) in line for part in parts)
    assert ran.out == ""


def test_an_input_that_is_not_there_is_named_and_the_others_are_not_begun(tmp_path: Path) -> None:
    photograph, missing = save(tmp_path / "photo.png"), tmp_path / "missing.png"
    check_refused(segment(photograph, missing, "-o", tmp_path / "out"), missing, "no such file")
    assert names(tmp_path) == {"photo.png"}


def test_a_folder_without_images_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "notes.txt").write_text("not an image")
    (folder / "photo_mask.png").write_bytes(save(tmp_path / "photo.png").read_bytes())
    ran = segment(tmp_path / "photo.png", folder, "-o", tmp_path / "out")
    check_refused(ran, folder, "no image")
    assert names(tmp_path) == {"photo.png", "folder"}


def test_an_output_folder_that_is_a_file_is_refused_and_the_file_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    check_refused(segment(save(tmp_path / "photo.png"), "-o", tmp_path / "out"), tmp_path / "out")
    assert (tmp_path / "out").read_text() == "mine"


def test_an_unknown_model_is_refused_with_the_nearest_and_all_valid_names(tmp_path: Path) -> None:
    ran = run("segment", save(tmp_path / "photo.png"), "-o", tmp_path / "out", "--model", "vesels")
    check_refused(ran, "'vesels'", "'vessels'", *shipped())
    assert names(tmp_path) == {"photo.png"}


def test_a_model_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "mine.onnx"
    ran = run("segment", save(tmp_path / "photo.png"), "-o", tmp_path / "out", "--model", missing)
    check_refused(ran, missing)
    assert names(tmp_path) == {"photo.png"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--overlays",), "--overlays"),
        (("--threads", "two"), "--threads"),
        (("--threads", "-1"), "--threads"),
        (("--model",), "--model"),
    ],
)
def test_a_wrong_option_is_told_in_one_line(options: tuple[str, ...], told: str, tmp_path: Path) -> None:
    ran = run("segment", save(tmp_path / "photo.png"), "-o", tmp_path / "out", *options)
    check_refused(ran, told)
    assert names(tmp_path) == {"photo.png"}


def test_missing_arguments_are_told_in_one_line(tmp_path: Path) -> None:
    check_refused(run("segment", save(tmp_path / "photo.png")), "out")
    check_refused(run("segment", "-o", tmp_path / "out"), "images")
    assert names(tmp_path) == {"photo.png"}


def test_an_unknown_command_is_told_in_one_line() -> None:
    check_refused(run("segmnt"), "segmnt")


def test_a_wrong_call_ends_the_process_with_status_2_and_without_a_traceback(tmp_path: Path) -> None:
    check_refused(run_apart("segment", "photo.png", "-o", tmp_path / "out", "--overlays"), "--overlays")
    assert names(tmp_path) == set()


def test_help_lists_every_option_of_segment() -> None:
    ran = run("segment", "--help")
    assert (ran.status, ran.err) == (0, "")
    options = ("--out", "--model", "--probabilities", "--overlay", "--overwrite", "--threads")
    assert all(option in ran.out for option in options)


def test_an_input_whose_name_no_file_can_have_is_told_in_one_line(tmp_path: Path) -> None:
    check_refused(segment("x" * 300 + ".png", "-o", tmp_path / "out"), "xxx")


def test_a_link_to_itself_is_no_such_file(tmp_path: Path) -> None:
    loop = tmp_path / "loop.png"
    try:
        loop.symlink_to(loop)
    except OSError:
        pytest.skip("links can't be made here")
    check_refused(segment(loop, "-o", tmp_path / "out"), loop)
