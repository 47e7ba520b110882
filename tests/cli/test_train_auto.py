"""`foveate train auto`: from a folder to a plan, a run, a model and a report, in one call or two."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from foveate.imaging import write_mask, write_rgb
from foveate.public.plan import plan
from foveate.public.planned import finish
from foveate.public.train import train
from foveate.recipes.read import read_recipe
from foveate.training.rehearsal import Rehearsal, Speed
from foveate.training.run.progress import EpochRow
from foveate_command import Ran, names, run

SHORT = ("training.epochs=2", "training.samples_per_epoch=4", "training.batch=2", "training.crop=64")
SMALL = ("network.widths=[4, 4, 8, 8]", "preparation.working_minimum=96", "preparation.working_maximum=128")


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes that were tried out before, as it were, on a quick machine."""
    monkeypatch.setattr(Rehearsal, "weigh", lambda *_: 10**6)
    monkeypatch.setattr(Rehearsal, "time", lambda *_: Speed(crops=20.0, validation=0.05))


def with_a_test_image_that_cannot_be_read(images: list[Path], folder: Path) -> str:
    """A table of those images to learn from, and one that would end whatever opens it."""
    rows = [f"{image},{image.parent.parent / 'masks' / image.name},train" for image in images]
    for part in ("image", "mask"):
        (folder / f"{part}.png").write_bytes(b"no image")
    (folder / "data.csv").write_text("\n".join(["image,mask,split", "image.png,mask.png,test", *rows, ""]))
    return f"folder:{folder / 'data.csv'}"


def check_refused(ran: Ran, *parts: str, status: int = 2) -> None:
    assert ran.status == status
    (line,) = ran.errors
    assert all(part in line for part in parts), line


@pytest.mark.usefixtures("tried")
def test_only_planning_prints_a_recipe_with_its_reasons_and_writes_nothing(photographs: str, tmp_path: Path) -> None:
    ran = run("train", "auto", "--data", photographs, "--hours", 0.5, "--plan-only", "training.seed=2")
    assert (ran.status, ran.err) == (0, "")
    assert names(tmp_path) == set()
    (tmp_path / "plan.toml").write_text(ran.out, encoding="utf-8")
    assert run("recipes", "check", tmp_path / "plan.toml").status == 0
    recipe = read_recipe(str(tmp_path / "plan.toml"))
    # Drawn eyes.
    assert (recipe.network.name, recipe.preparation.fov, recipe.training.seed) == ("region_guided", "find", 2)
    assert recipe.training.hours < 0.5
    # All that Python plans but for the time, as that passes.
    again = tomllib.loads(plan(photographs, 0.5, {"training.seed": 2}).text)
    printed = tomllib.loads(ran.out)
    for content in (again, printed):
        for key in ("hours", "samples_per_epoch"):
            del content["training"][key]
    assert again == printed


@pytest.mark.slow
@pytest.mark.usefixtures("tried", "exported_once")
def test_a_planned_run_that_was_stopped_goes_on_and_ends_with_a_model_and_a_report(
    photographs: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    images = sorted(Path(photographs.partition(":")[2]).glob("images/*.png"))
    listed = with_a_test_image_that_cannot_be_read(images, tmp_path)

    def stop(row: EpochRow) -> None:
        if row.epoch == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("auto", [*SHORT, *SMALL], data=listed, hours=0.5, out=folder, device="cpu", on_epoch=stop)
    assert {"plan.toml", "state.safetensors"} <= names(folder)
    assert not {"model.onnx", "report"} & names(folder)
    recorded = json.loads((folder / "run.json").read_text(encoding="utf-8"))["command"]
    assert recorded.startswith("foveate train auto ")
    assert "--hours 0.5" in recorded
    ran = run("train", "--resume", folder)
    assert ran.status == 0, ran.err
    planned, trained = (read_recipe(str(folder / name)) for name in ("plan.toml", "recipe.toml"))
    assert planned == trained
    assert "as it was asked for" in (folder / "plan.toml").read_text(encoding="utf-8")
    (line,) = [line for line in ran.out.splitlines() if line.startswith("segment with it: foveate ")]
    assert f"On the test part: foveate report {folder / 'model.onnx'} --data {listed}" in ran.out
    said = list[str]()
    (tmp_path / "mask.png").unlink()
    finish(folder, [listed], said.append)  # the test part has no masks any more
    assert "chose its threshold" in said[-1]
    assert "test part" not in said[-1]
    assert "all 2 epochs done" in ran.out
    assert "no report" not in ran.out
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    assert "validation" in page
    photograph = images[0]
    words = line.partition("foveate ")[2].split()
    words[words.index("photo.jpg")] = str(photograph)
    words[words.index("masks/")] = str(tmp_path / "masks")
    assert run(*words).status == 0
    assert f"{photograph.stem}_mask.png" in names(tmp_path / "masks")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--hours", "0", "--out", "x"), "--hours 0"),
        (("--hours", "-1", "--out", "x"), "--hours -1"),
        (("--hours", "nan", "--out", "x"), "--hours nan"),
        (("--hours", "0.001", "--out", "x"), "too short"),
        (("--out", "x"), "needs --hours"),
        (("--plan-only",), "needs --hours"),
        (("--hours", "1"), "--out FOLDER"),
    ],
)
@pytest.mark.usefixtures("tried")
def test_hours_that_are_missing_or_none_are_refused_before_anything_is_written(
    words: tuple[str, ...], told: str, photographs: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(run("train", "auto", "--data", photographs, *words), told)
    assert names(tmp_path) == set()


def test_hours_and_plans_belong_to_auto(tmp_path: Path) -> None:
    call = ("--data", "synthetic:3", "--hours", "1", "--out", tmp_path / "run")
    check_refused(run("train", "region-guided-drive", *call), "train auto", "training.hours=1")
    check_refused(run("train", "region-guided-drive", *call, "--plan-only"), "--plan-only", "auto")
    check_refused(run("train", "auto", *call, "--from", "vessels", "--plan-only"), "--out, --from would go unread")
    check_refused(run("train", "auto", "--resume", tmp_path), "--resume")
    assert names(tmp_path) == set()


def test_a_folder_that_is_not_empty_is_refused_before_a_minute_is_spent_on_planning(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    check_refused(run("train", "auto", "--data", "synthetic:3", "--hours", "1", "--out", tmp_path), "is not empty")
    assert names(tmp_path) == {"mine.txt"}


@pytest.mark.parametrize(
    ("images", "foreground", "told"),
    [(1, True, "at least two groups"), (4, False, "training masks are empty")],
)
def test_data_that_nothing_can_be_learnt_from_are_refused(
    images: int, foreground: bool, told: str, tmp_path: Path
) -> None:
    for number in range(images):
        write_rgb(np.full((40, 40, 3), 10 * number, np.uint8), tmp_path / f"data/images/{number}.png")
        write_mask(np.full((40, 40), foreground), tmp_path / f"data/masks/{number}.png")
    words = ("--data", f"folder:{tmp_path / 'data'}", "--hours", "1", "--out", tmp_path / "run")
    check_refused(run("train", "auto", *words), told, status=1)
    assert names(tmp_path) == {"data"}


def test_images_without_masks_are_refused(tmp_path: Path) -> None:
    write_rgb(np.zeros((40, 40, 3), np.uint8), tmp_path / "data/images/a.png")
    words = ("--data", f"folder:{tmp_path / 'data'}", "--hours", "1", "--out", tmp_path / "run")
    check_refused(run("train", "auto", *words), "mask", status=1)
    assert names(tmp_path) == {"data"}
