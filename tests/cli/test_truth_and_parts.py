"""Truth given back as predictions, and sets that lack what isn't used, as a user types the commands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from foveate.drawn.cases import write_synthetic_drive
from foveate_command import run

ROWS, COLUMNS = np.mgrid[:96, :112]
DISC, CUP = (np.hypot(ROWS - 48, COLUMNS - 56) < radius for radius in (36, 18))
TABLE = "value,name\n2,cup\n1,disc\n"


def labelled(folder: Path, values: np.ndarray, table: str = "") -> Path:
    """Two images with the same label image or mask."""
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    for number in range(2):
        PillowImage.new("RGB", (112, 96), (150 + number, 60, 40)).save(folder / "images" / f"{number}.png")
        PillowImage.fromarray(values.astype(np.uint8)).save(folder / "masks" / f"{number}.png")
    if table:
        (folder / "classes.csv").write_text(table, encoding="utf-8")
    return folder


@pytest.mark.parametrize("table", [TABLE, "value,name\n1,disc\n2,cup\n"])
def test_the_truth_as_predictions_scores_1_whatever_the_order_of_its_table(table: str, tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", DISC * 1 + CUP * 1, table)
    ran = run(
        *("evaluate", "--predictions", folder / "masks", "--data", f"folder:{folder}", "--split", "all"),
        *("--json", tmp_path / "report.json"),
    )
    assert (ran.status, ran.err) == (0, "")
    classes = json.loads((tmp_path / "report.json").read_text())["classes"]
    scopes = [found["fov"] or found["image"] for found in classes.values()]
    assert [each["pooled"]["values"]["f1"] for each in scopes] == [1.0, 1.0]


def test_masks_given_with_a_threshold_are_refused_in_one_line(tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", DISC)
    ran = run(
        *("evaluate", "--predictions", folder / "masks", "--threshold", "0.5"),
        *("--data", f"folder:{folder}", "--split", "all"),
    )
    assert ran.status == 2
    (line,) = ran.errors
    assert "holds the values 0, 1, and nothing in this folder reaches the threshold 0.5" in line


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """DRIVE as the challenge hands it out, drawn."""
    write_synthetic_drive(1, tmp_path / "DRIVE")
    for path in ("1st_manual", "2nd_manual"):
        shutil.rmtree(tmp_path / "DRIVE" / "test" / path, ignore_errors=True)
    return tmp_path / "DRIVE"


def test_drive_without_masks_of_its_test_images_is_checked_and_said_to_lack_them(official: Path) -> None:
    checked = run("data", "check", f"drive:{official}")
    assert checked.status == 0
    assert "remark: 'test': its only image has no mask" in checked.out
    ran = run("evaluate", "vessels", "--data", f"drive:{official}", "--split", "test")
    assert ran.status == 1
    (line,) = ran.errors
    assert f"'test': its only image has no mask, such as {official / 'test' / '1st_manual'}" in line
