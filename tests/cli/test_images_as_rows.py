"""`foveate evaluate --csv`: a row of numbers for each image; names of masks, and of measures."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from foveate.imaging import write_mask, write_rgb
from foveate_command import run

NAMES = ("=1+1", "b")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two images with masks of two classes that may overlap, and another tool's, whose names end in _pred."""
    for number, name in enumerate(NAMES):
        image = np.full((40, 50, 3), 90 + number, np.uint8)
        write_rgb(image, tmp_path / "set" / "images" / f"{name}.png")
        for place, class_name in enumerate(("disc", "cup")):
            mask = np.zeros((40, 50), bool)
            mask[5 + place : 20 + number, 10:30] = True
            write_mask(mask, tmp_path / "set" / "masks" / class_name / f"{name}.png")
            write_mask(np.roll(mask, 3, axis=1), tmp_path / "theirs" / f"{name}_{class_name}_pred.png")
    return tmp_path / "set"


def call(root: Path, *more: object) -> tuple[object, ...]:
    data = ("--data", f"folder:{root}", "--split", "all", "--predictions", root.parent / "theirs", "--suffix", "_pred")
    return ("evaluate", *data, *more)


def test_the_rows_hold_the_numbers_of_the_report_by_its_names(root: Path, tmp_path: Path) -> None:
    ran = run(*call(root, "--csv", tmp_path / "images.csv", "--json", tmp_path / "report.json"))
    assert (ran.status, ran.err) == (0, "")
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    with (tmp_path / "images.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(report["images"]) == 2
    for row, image in zip(rows, report["images"], strict=True):
        assert (int(row["height"]), int(row["width"]), row["fov_source"]) == (40, 50, "whole")
        for name, scopes in image["classes"].items():
            for scope, score in scopes.items():
                for measure, value in score["values"].items():
                    assert row[f"{name}.{scope}.{measure}"] == ("" if value is None else str(value)), measure
                counts = score["counts"]
                foreground = counts["true_positive"] + counts["false_positive"]
                assert float(row[f"{name}.{scope}.predicted_share"]) == foreground / 2000


def test_a_name_that_a_spreadsheet_would_calculate_is_a_text(root: Path, tmp_path: Path) -> None:
    (root / "data.csv").write_text(
        "image,mask_disc,mask_cup,group\n"
        + "".join(f"images/{n}.png,masks/disc/{n}.png,masks/cup/{n}.png,{n}\n" for n in NAMES),
        encoding="utf-8",
    )
    theirs = ("--predictions", tmp_path / "theirs", "--suffix", "_pred")
    data = ("--data", f"folder:{root / 'data.csv'}", "--split", "all")
    ran = run("evaluate", *data, *theirs, "--csv", tmp_path / "images.csv")
    assert (ran.status, ran.err) == (0, "")
    with (tmp_path / "images.csv").open(encoding="utf-8", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]
    assert "'=1+1" in cells


def test_rows_that_are_there_are_kept_unless_they_may_be_replaced(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "images.csv"
    file.write_text("mine", encoding="utf-8")
    ran = run(*call(root, "--csv", file))
    assert ran.status == 1
    assert "is there already" in ran.err
    assert file.read_text(encoding="utf-8") == "mine"
    assert run(*call(root, "--csv", file, "--overwrite")).status == 0
    assert file.read_text(encoding="utf-8").startswith("model,")


def test_a_suffix_without_masks_of_other_tools_is_refused() -> None:
    ran = run("evaluate", "vessels", "--data", "synthetic:1", "--suffix", "_pred")
    assert ran.status == 2
    assert "--suffix is for --predictions" in ran.err


@pytest.mark.parametrize(("name", "own"), [("dice", "f1"), ("Dice", "f1"), ("jaccard", "iou")])
@pytest.mark.parametrize("command", ["compare", "cross"])
def test_dice_and_jaccard_are_names_of_f1_and_iou(command: str, name: str, own: str, tmp_path: Path) -> None:
    texts = []
    for number, measure in enumerate((name, own)):
        out = tmp_path / f"{number}.md"
        assert run(command, "vessels", "--data", "synthetic:1", "--measure", measure, "-o", out).status == 0
        texts.append([line for line in out.read_text(encoding="utf-8").splitlines() if "pooled" not in line])
    assert texts[0] == texts[1]
