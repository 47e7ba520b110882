"""What a run goes by: the validation's F1 or its loss."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from foveate.arrays.fov import find_fov
from foveate.arrays.prepare import STRIDE, prepare, prepare_mask
from foveate.datasets import DataSet
from foveate.datasets.splits import hold_out
from foveate.training.after.validation import Validation
from foveate.training.run.tensors import load_weights
from small_run import run, small_recipe

F1 = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
LOSS = (1.0, 0.9, 1.1, 1.2, 0.95, 1.3)


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validations whose F1 gets better and better, while their loss is best in the second epoch."""
    found: Iterator[Validation] = (
        Validation((0.5,), {"x": {"vessel": f1}}, loss) for f1, loss in zip(F1, LOSS, strict=True)
    )
    monkeypatch.setattr("foveate.training.loop.validate", lambda *_, **__: next(found))


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def progress(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))["progress"]
    return found


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("watch", "best", "done"), [("f1", F1.index(max(F1)) + 1, 6), ("loss", LOSS.index(min(LOSS)) + 1, 5)]
)
def test_best_epoch_and_early_stopping_go_by_what_is_watched(
    watch: str, best: int, done: int, tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe("training.epochs=6", "training.patience=3", f"training.watch={watch}")
    ending = run(recipe, small_data, tmp_path)
    assert load_weights(tmp_path / "best.safetensors")[1].epoch == best
    assert progress(tmp_path)["best"]["epoch"] == best
    assert len(rows(tmp_path)) == done
    assert [float(row["validation_loss"]) for row in rows(tmp_path)] == list(LOSS[:done])
    assert [float(row["mean_f1"]) for row in rows(tmp_path)] == list(F1[:done])
    assert progress(tmp_path)["ending"] == ending
    assert (tmp_path / "log.txt").read_text(encoding="utf-8").rstrip().endswith(ending)
    if watch == "loss":
        assert ending == "stopped early after epoch 5: no better validation loss for 3 epochs, since epoch 2"


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(("watch", "drops"), [("f1", []), ("loss", [4])])
def test_the_plateau_goes_by_what_is_watched_and_says_why(
    watch: str, drops: list[int], tmp_path: Path, small_data: list[DataSet]
) -> None:
    plateau = ("training.schedule=plateau", "training.plateau_patience=1", "training.learning_rate=1e-3")
    run(small_recipe("training.epochs=5", f"training.watch={watch}", *plateau), small_data, tmp_path)
    rates = [float(row["learning_rate"]) for row in rows(tmp_path)]
    assert [number for number, (a, b) in enumerate(pairwise(rates), start=1) if b < a] == drops
    events = progress(tmp_path)["events"]
    assert [event.partition(":")[0] for event in events] == [f"epoch {number}" for number in drops]
    log = (tmp_path / "log.txt").read_text(encoding="utf-8")
    for event in events:
        assert "from 0.001 to 0.0001" in event
        assert "no better validation loss for more than 1 epochs" in event
        assert event in log


def test_the_falls_of_the_step_schedule_are_told(tmp_path: Path, small_data: list[DataSet]) -> None:
    step = ("training.schedule=step", "training.step_epochs=1", "training.samples_per_epoch=2")
    run(small_recipe("training.epochs=2", *step), small_data, tmp_path)
    assert [event.partition(":")[0] for event in progress(tmp_path)["events"]] == ["epoch 1", "epoch 2"]


def test_the_validation_loss_is_the_recipes_loss_inside_the_fov_at_working_size(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe("training.epochs=1", "training.loss=bce", "training.side_weight=0")
    run(recipe, small_data, tmp_path)
    network, facts = load_weights(tmp_path / "last.safetensors")
    _, held_out = hold_out(small_data[0].split("train"), recipe.data.validation_share, seed=recipe.training.seed)
    losses = []
    for entry in held_out:
        case = entry.load()
        fov = find_fov(case.image)
        frame = recipe.preparation.frame(fov)
        pixels = prepare(case.image, fov, frame).astype(np.float32)
        height, width = frame.working
        pixels = np.pad(pixels, ((0, -height % STRIDE), (0, -width % STRIDE), (0, 0)))
        normal = (pixels - np.array(facts.mean, np.float32)) / np.array(facts.deviation, np.float32)
        with torch.inference_mode():
            logits = network(torch.from_numpy(normal.transpose(2, 0, 1)[None]))[0, 0, :height, :width].double().numpy()
        share = prepare_mask(case.mask, frame)
        counted = prepare_mask(fov.mask if case.fov is None else case.fov & fov.mask, frame) > 0.5
        probability = 1 / (1 + np.exp(-logits))
        entropy = -share * np.log(probability) - (1 - share) * np.log(1 - probability)
        losses.append(entropy[counted].mean())
    # The log has five decimals.
    assert float(rows(tmp_path)[0]["validation_loss"]) == pytest.approx(np.mean(losses), abs=1e-5)
