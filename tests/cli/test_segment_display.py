"""What `foveate segment` says of many images."""

import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

import foveate
from foveate.cli.segment_display import FIRST_ESTIMATE, Display
from foveate.inference.sink import Outcome
from foveate_command import green_model, images_in_record, names, opened, save, segment


def test_a_decision_about_many_images_is_told_once_and_counted_at_the_end(tmp_path: Path) -> None:
    for number in range(4):
        pixels = np.full((20, 20), 1000 + number, np.uint16)
        pixels[:, 10:] = 4095
        PillowImage.fromarray(pixels).save(tmp_path / f"deep{number}.png")
    save(tmp_path / "photo.png")
    ran = segment(tmp_path, "-o", tmp_path / "out")
    assert (ran.status, ran.err) == (0, "")
    record = images_in_record(tmp_path / "out")
    for note in record["deep0"]["notes"]:
        lines = [line for line in ran.out.splitlines() if note in line]
        assert "deep0.png" in lines[0]
        assert lines[1:] == [f"4 images: {note}"]
    assert all(record[f"deep{number}"]["notes"] == record["deep0"]["notes"] for number in range(4))


def test_the_time_that_is_left_is_told_after_some_images_and_at_every_tenth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds_each, total = 6.0, 100
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    display = Display(total)
    display.tell(Outcome("kept.png", {"mask": Path("kept_mask.png")}, kept=True))
    for number in range(2, total + 1):
        now[0] += seconds_each
        display.tell(Outcome(f"{number}.png", {"mask": Path(f"{number}_mask.png")}, seconds=seconds_each))
    lines = capsys.readouterr().out.splitlines()
    told = {lines[place - 1].split("/")[0]: line for place, line in enumerate(lines) if " images/s" in line}
    after = [2 + FIRST_ESTIMATE, *range(30, total, 10)]
    assert list(told) == [f"[{number}" for number in after]
    lefts = {number: seconds_each * (total - number) for number in after}
    assert told["[22"] == f"{1 / seconds_each:.3g} images/s, 0 failed, about {lefts[22] / 60:.0f} min left"
    assert told["[90"] == f"{1 / seconds_each:.3g} images/s, 0 failed, about {lefts[90]:.0f} s left"


def test_sub_folders_are_passed_over_with_a_word_or_searched_on_request(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    inputs = [
        save(folder / "top.png", 0),
        save(folder / "patient1" / "left.png", 1),
        save(folder / "patient2" / "left.png", 2),
        save(folder / "patient2" / "deep" / "left.png", 3),
    ]
    ran = segment(folder, "-o", tmp_path / "flat")
    assert (ran.status, ran.err) == (0, "")
    assert f"{folder}: images in its sub-folders are passed over ({len(inputs) - 1}); --recursive takes them" in ran.out
    assert set(images_in_record(tmp_path / "flat")) == {"top"}
    out = tmp_path / "out"
    for made in (len(inputs), 0):
        ran = segment(folder, "-o", out, "--recursive")
        assert (ran.status, ran.err) == (0, "")
        assert f"{made} done, {len(inputs) - made} kept" in ran.out
        assert "passed over" not in ran.out
    below = {path.relative_to(folder).with_suffix("").as_posix(): str(path) for path in inputs}
    record = images_in_record(out)
    assert {name: image["input"] for name, image in record.items()} == below
    files = {path.relative_to(out).as_posix() for path in out.rglob("*_mask.png")}
    assert files == {f"{name}_mask.png" for name in below}
    assert {image["outputs"]["mask"]["file"] for image in record.values()} == files


def test_the_same_tree_in_two_folders_gives_a_result_for_each(tmp_path: Path) -> None:
    inputs = [save(tmp_path / side / "patient" / "photo.png", seed) for seed, side in enumerate(("left", "right"))]
    ran = segment(tmp_path / "left", tmp_path / "right", "-o", tmp_path / "out", "--recursive")
    assert (ran.status, ran.err) == (0, "")
    record = images_in_record(tmp_path / "out")
    assert {name: image["input"] for name, image in record.items()} == {
        "left/patient/photo": str(inputs[0]),
        "right/patient/photo": str(inputs[1]),
    }


def test_a_folder_with_images_in_sub_folders_only_is_refused_with_the_way_to_take_them(tmp_path: Path) -> None:
    save(tmp_path / "in" / "patient" / "photo.png")
    ran = segment(tmp_path / "in", "-o", tmp_path / "out")
    assert ran.status == 2
    (line,) = ran.errors
    assert "no image in this folder" in line
    assert line.endswith("its sub-folders hold 1: --recursive takes them.")
    assert names(tmp_path / "out") == set()


def test_the_overlay_looks_as_asked_for(tmp_path: Path) -> None:
    photograph = save(tmp_path / "photo.png")
    result = foveate.load(green_model()).segment(photograph)
    plain, filled = result.overlay(), result.overlay(style="fill", opacity=0.5)
    assert (plain != filled).any()
    assert segment(photograph, "-o", tmp_path / "plain", "--overlay").status == 0
    np.testing.assert_array_equal(opened(tmp_path / "plain" / "photo_overlay.png"), plain)
    options = ("--overlay-style", "fill", "--overlay-opacity", "0.5")
    assert segment(photograph, "-o", tmp_path / "filled", "--overlay", *options).status == 0
    np.testing.assert_array_equal(opened(tmp_path / "filled" / "photo_overlay.png"), filled)
    result.save(tmp_path / "saved", overlay=True, style="fill", opacity=0.5)
    np.testing.assert_array_equal(opened(tmp_path / "saved" / "photo_overlay.png"), filled)
    ran = segment(photograph, "-o", tmp_path / "none", *options)
    assert (ran.status, len(ran.errors)) == (2, 1)
    assert "Add --overlay." in ran.err
    assert not (tmp_path / "none").exists()
