"""What a run's folder tells."""

from __future__ import annotations

import csv
import json
import os
import platform
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from foveate.datasets import DataSet
from foveate.training.run.curves import draw_curves
from foveate.training.run.folder import CACHE
from foveate.training.run.progress import EpochRow, Listener
from foveate.training.start import start
from small_run import small_recipe


def test_a_finished_run_holds_every_file_that_the_page_names(finished_run: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "training.md"
    section = page.read_text(encoding="utf-8").partition("## What a run's folder holds")[2]
    table = section.partition("| file |")[2].partition("\n\n")[0]
    named = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert {path.name for path in finished_run.iterdir()} == named - {CACHE}  # gone when the run is over


def test_every_column_of_the_table_is_on_the_page(finished_run: Path) -> None:
    page = (Path(__file__).parents[3] / "docs" / "training.md").read_text(encoding="utf-8")
    with (finished_run / "log.csv").open(encoding="utf-8") as file:
        columns = next(csv.reader(file))
    assert [name for name in columns if f"`{name.replace('f1_synthetic', 'f1_SET')}`" not in page] == []


def test_the_folder_tells_on_which_machine_the_run_was_made(finished_run: Path) -> None:
    hardware = json.loads((finished_run / "run.json").read_text(encoding="utf-8"))["hardware"]
    assert hardware["system"] == platform.platform()
    assert hardware["cores"] == os.cpu_count()
    assert hardware["processor"]
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        kilobytes = int(meminfo.read_text(encoding="utf-8").split()[1])
        assert hardware["memory_gib"] == pytest.approx(kilobytes / 2**20, abs=0.1)  # one decimal


def test_the_log_has_everything_that_was_said_and_a_line_for_every_epoch(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    said: list[str] = []
    listener = Listener(said.append, lambda *_: None, lambda row: said.append(row.sentence(2)))
    recipe = small_recipe("training.epochs=2", "training.schedule=step", "training.step_epochs=1")
    call = "foveate train x --out y"
    start(recipe, small_data, folder=tmp_path, resume=False, device="cpu", command=call, listener=listener)
    first, *lines, last = (tmp_path / "log.txt").read_text(encoding="utf-8").splitlines()
    assert first.endswith(f"begins on cpu: {call}")
    assert [line.split(maxsplit=2)[2] for line in lines] == said
    assert last.endswith("all 2 epochs done")


def test_the_picture_shows_each_curve_where_its_numbers_are(tmp_path: Path) -> None:
    def row(epoch: int, loss: float, rate: float) -> EpochRow:
        return EpochRow(epoch, loss, 1.0, {"a": {"x": 0.5}, "b": {"x": 0.7}}, (0.5,), rate, epoch == 1, 10.0, 1.0)

    def picture(*rows: EpochRow) -> np.ndarray:
        draw_curves(rows, tmp_path)
        with Image.open(tmp_path / "curves.png") as image:
            return np.asarray(image.convert("RGB"))

    level = picture(row(1, 0.5, 1e-3), row(2, 0.5, 1e-3))
    falling = picture(row(1, 0.5, 1e-3), row(2, 0.25, 1e-3))
    changed = np.flatnonzero((level != falling).any(axis=(1, 2)))
    third = len(level) // 3
    assert changed.size
    assert changed.max() < 1.2 * third  # the losses are drawn at the top, and nothing else has changed
    slower = picture(row(1, 0.5, 1e-3), row(2, 0.5, 0.0))
    changed = np.flatnonzero((level != slower).any(axis=(1, 2)))
    assert changed.min() > 1.8 * third
