"""`foveate data check`, `show`, `synth` and `info`, as a user types them."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as PillowImage
from test_fresh_process import NOT_INSTALLED_WITH_FOVEATE, RUN_COMMAND, last_line

from foveate.datasets import SETS, facts
from foveate.datasets.splits import too_few
from foveate.drawn.cases import write_synthetic_drive
from foveate.imaging import class_colours
from foveate_command import Ran, names, opened, run, run_apart

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One training and one test case in DRIVE's layout; not to be changed."""
    folder = tmp_path_factory.mktemp("drawn") / "DRIVE"
    write_synthetic_drive(1, folder)
    return folder


@pytest.fixture
def copied(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn set that may be broken."""
    copy: Path = shutil.copytree(drawn, tmp_path / "DRIVE")
    return copy


def check_refused(ran: Ran, status: int, *parts: object) -> None:
    assert (ran.status, ran.out) == (status, "")
    (line,) = ran.errors
    assert all(str(part) in line for part in parts)


def vessel_percent(folder: Path) -> float:
    """How much of all masks is foreground, in percent."""
    return 100 * float(np.mean([opened(path) > 0 for path in folder.glob("*/1st_manual/*.gif")]))


def test_a_whole_set_is_counted_and_ends_well(drawn: Path) -> None:
    ran = run("data", "check", f"drive:{drawn}")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "test: 1 image, 1 group",
        "train: 1 image, 1 group",
        "size, height×width (images): 584×565 (2)",
        "mask, values (files): 0, 255 (2)",
        "field of view, values (files): 0, 255 (2)",
        f"classes, share of all pixels (images): vessel {vessel_percent(drawn):.3g} % (2)",
        f"remark: 'train': {too_few(['02'])}",
        "0 faults, 1 remark",
    ]


def test_each_fault_is_a_line_with_the_file_s_name_and_the_status_says_so(copied: Path) -> None:
    mask, image = copied / "test/mask/01_test_mask.gif", copied / "training/images/02_training.tif"
    mask.unlink()
    image.write_bytes(b"no image")
    ran = run("data", "check", f"drive:{copied}")
    assert (ran.status, ran.err) == (2, "")
    faults = [line for line in ran.out.splitlines() if line.startswith("fault: ")]
    assert [str(mask) in faults[0], str(image) in faults[1]] == [True, True]
    assert ran.out.endswith("2 faults, 1 remark\n")


def test_a_remark_leaves_the_status_alone(copied: Path) -> None:
    PillowImage.new("L", (565, 584)).save(copied / "test/1st_manual/01_manual1.gif")
    ran = run("data", "check", f"drive:{copied}")
    assert (ran.status, ran.err) == (0, "")
    assert "remark: 1 masks are empty: 01_manual1.gif" in ran.out.splitlines()


def test_json_has_all_that_the_lines_have_and_nothing_else_is_printed(copied: Path) -> None:
    (copied / "test/mask/01_test_mask.gif").unlink()
    ran = run("data", "check", f"drive:{copied}", "--json")
    assert (ran.status, ran.err) == (2, "")
    report = json.loads(ran.out)
    assert report["splits"] == {part: {"images": 1, "groups": 1} for part in ("test", "train")}
    assert report["sizes"] == {"584×565": 2}
    assert report["faults"] == 1
    finding, remark = report["findings"]
    assert [(one["kind"], one["fault"]) for one in (finding, remark)] == [("missing", True), ("split", False)]
    assert finding["files"] == [str(copied / "test/mask/01_test_mask.gif")]


def test_a_folder_that_is_not_there_is_a_fault_and_an_unknown_set_a_wrong_call(tmp_path: Path) -> None:
    ran = run("data", "check", f"drive:{tmp_path / 'nothing'}")
    assert ran.status == 2
    assert f"fault: {tmp_path / 'nothing'}: no such folder" in ran.out
    check_refused(run("data", "check", f"drvie:{tmp_path}"), 2, "'drvie'", "Did you mean 'drive'?")


def test_two_patterns_and_a_table_are_checked_as_typed(tmp_path: Path) -> None:
    for name in ("a", "b"):
        pixels = np.random.default_rng(list(name.encode())).integers(0, 256, (20, 30, 3))
        PillowImage.fromarray(pixels.astype(np.uint8)).save(tmp_path / f"{name}.jpg")
        PillowImage.fromarray(pixels[..., 0] < 99).save(tmp_path / f"{name}_mask.png")
    (tmp_path / "data.csv").write_text("image,mask\na.jpg,a_mask.png\nb.jpg,b_mask.png\n", encoding="utf-8")
    for spec in (f"folder:{tmp_path}/*.jpg|{tmp_path}/*_mask.png", f"folder:{tmp_path / 'data.csv'}"):
        ran = run("data", "check", spec)
        assert (ran.status, ran.out.splitlines()[0]) == (0, "train: 2 images, 2 groups")


def test_a_sheet_is_drawn_and_never_written_over_unasked(drawn: Path, tmp_path: Path) -> None:
    sheet = tmp_path / "new" / "sheet.png"
    call = ("data", "show", f"drive:{drawn}", "--out", sheet)
    ran = run(*call)
    assert (ran.status, ran.err, ran.out) == (0, "", f"Written: {sheet}\n")
    first = sheet.read_bytes()
    assert names(sheet.parent) == {"sheet.png"}
    check_refused(run(*call, "--split", "test"), 1, sheet, "--overwrite")
    assert sheet.read_bytes() == first
    assert run(*call, "--split", "test", "--overwrite").status == 0
    assert sheet.read_bytes() != first


def test_as_many_images_are_shown_as_asked_for_and_there_are(drawn: Path, tmp_path: Path) -> None:
    widths = []
    for number, options in enumerate((("--split", "all"), ("--split", "all", "--count", "1"), ())):
        out = tmp_path / f"{number}.png"
        assert run("data", "show", f"drive:{drawn}", "-o", out, *options).status == 0
        sheet = opened(out)
        right = sheet[sheet.shape[0] // 2, sheet.shape[1] // 2 :]
        widths.append(bool((right.max(axis=0) - right.min(axis=0)).any()))
    assert widths == [True, False, False]  # is there a second image?


def test_augmentation_follows_the_recipe(drawn: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('description = "x"\nnetwork.name = "unet"\ntraining.crop = 64\n', encoding="utf-8")
    sheets = {}
    for name, options in {"plain": (), "shipped": ("--augment",), "own": ("--augment", "--recipe", own)}.items():
        ran = run("data", "show", f"drive:{drawn}", "-o", tmp_path / f"{name}.png", *options)
        assert (ran.status, ran.err) == (0, "")
        sheets[name] = opened(tmp_path / f"{name}.png")
    assert not any(
        np.array_equal(sheets[one], sheets[other]) for one, other in (("plain", "shipped"), ("shipped", "own"))
    )
    check_refused(
        run("data", "show", f"drive:{drawn}", "-o", tmp_path / "x.png", "--augment", "--recipe", "x"), 2, "'x'"
    )


def test_a_wrong_file_name_split_or_broken_set_is_told_in_one_line(copied: Path, tmp_path: Path) -> None:
    spec, out = f"drive:{copied}", tmp_path / "sheet.png"
    check_refused(run("data", "show", spec, "-o", tmp_path / "sheet.jpg"), 2, "sheet.jpg", ".png")
    check_refused(run("data", "show", spec, "-o", out, "--split", "tets"), 2, "Did you mean 'test'?")
    check_refused(run("data", "show", spec, "-o", out, "--count", "0"), 2, "--count")
    (copied / "test/mask/01_test_mask.gif").unlink()
    check_refused(run("data", "show", spec, "-o", out, "--split", "test"), 1, "01_test_mask.gif", "missing")
    assert names(tmp_path) == {"DRIVE"}


def test_drawn_photographs_are_a_set_that_can_be_checked_and_are_not_drawn_over(tmp_path: Path) -> None:
    out = tmp_path / "drawn"
    ran = run("data", "synth", 1, "--out", out)
    assert (ran.status, ran.err) == (0, "")
    assert f"drive:{out}" in ran.out
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert run("data", "check", f"drive:{out}").status == 0
    check_refused(run("data", "synth", 1, "--out", out), 1, out, "not empty")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    check_refused(run("data", "synth", 0, "--out", tmp_path / "none"), 2, "count")


def test_the_list_has_every_set_and_one_set_all_its_facts() -> None:
    ran = run("data", "info")
    assert (ran.status, ran.err) == (0, "")
    assert [line.split()[0] for line in ran.out.splitlines()[: len(SETS)]] == list(SETS)
    for name in SETS:
        shown, known = run("data", "info", name).out, facts(name)
        assert all(text in shown for text in (known.title, known.terms, known.citation, known.source, known.layout))
        assert known.split in shown
        assert known.classes in shown
    check_refused(run("data", "info", "drvie"), 2, "Did you mean 'drive'?")


def test_without_a_sub_command_the_sub_commands_are_listed() -> None:
    ran = run("data")
    assert all(each in ran.out + ran.err for each in ("check", "show", "synth", "info"))
    check_refused(run("data", "chekc"), 2, "chekc")


def test_checking_and_showing_load_nothing_of_training(drawn: Path, tmp_path: Path) -> None:
    for call in (("check", f"drive:{drawn}"), ("show", f"drive:{drawn}", "-o", tmp_path / "sheet.png")):
        status, modules = last_line(RUN_COMMAND, "data", *call)
        assert status == 0
        assert modules.isdisjoint(NOT_INSTALLED_WITH_FOVEATE)


def test_a_failed_check_ends_the_process_with_status_2(copied: Path) -> None:
    (copied / "test/mask/01_test_mask.gif").unlink()
    assert run_apart("data", "check", f"drive:{copied}").status == 2


def test_a_set_of_several_classes_is_checked_and_shown_with_each_in_its_colour(tmp_path: Path) -> None:
    classes = np.zeros((200, 200), np.uint8)
    for number in (1, 2, 3):
        classes[40:160, 50 * number : 50 * number + 30] = number
    for part, pixels in (("images", np.full((200, 200, 3), 90, np.uint8)), ("masks", classes)):
        (tmp_path / part).mkdir()
        PillowImage.fromarray(pixels).save(tmp_path / part / "a.png")
    (tmp_path / "classes.csv").write_text("value,name\n1,artery\n2,vein\n3,crossing\n4,unseen\n", encoding="utf-8")
    ran = run("data", "check", f"folder:{tmp_path}")
    assert (ran.status, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert "mask, values (files): 0, 1, 2, 3 (1)" in lines
    # 120 rows and 30 columns of 200 × 200 pixels are 9 %.
    assert (
        "classes, share of all pixels (images): artery 9 % (1), vein 9 % (1), crossing 9 % (1), unseen 0 % (0)" in lines
    )
    assert "remark: class 'unseen' occurs in none of the 1 masks of 'train'." in lines
    assert run("data", "show", f"folder:{tmp_path}", "-o", tmp_path / "sheet.png").status == 0
    sheet = opened(tmp_path / "sheet.png")
    below = sheet[100:]
    for colour, drawn in zip(class_colours(4), (True, True, True, False), strict=True):
        assert (sheet[:58] == colour).all(axis=-1).sum() >= 5 * 20  # its swatch in the legend
        assert bool((np.abs(below.astype(int) - colour).max(axis=-1) < 40).any()) is drawn
    classes[0, 0] = 9
    PillowImage.fromarray(classes).save(tmp_path / "masks" / "a.png")
    ran = run("data", "check", f"folder:{tmp_path}")
    assert ran.status == 2
    assert f"fault: {tmp_path / 'masks/a.png'}: holds the values 0, 1, 2, 3, 9;" in ran.out
