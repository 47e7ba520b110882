"""Losses that run away while they are still numbers, and those that only look so."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from foveate.datasets import DataSet
from foveate.errors import TrainingError
from foveate.training.run.progress import Descent, Listener, Progress
from foveate.training.run.tensors import load_state
from foveate.training.start import start
from small_run import run, small_recipe

RUNS_AWAY = (
    "training.loss=bce",
    "training.optimiser=sgd",
    "training.learning_rate=10",
    "training.gradient_clip=0.1",
    "training.schedule=constant",
    "training.average=0",
    "training.samples_per_epoch=60",
    "training.epochs=1",
)


def losses(tmp_path: Path, data: list[DataSet], *overrides: str) -> tuple[list[float], str]:
    """Of all steps that were told, and why the run ended."""
    told: list[float] = []
    listener = Listener(lambda _: None, lambda epoch, step, loss: told.append(loss), lambda _: None)
    recipe = small_recipe(*RUNS_AWAY, *overrides)
    try:
        ending = start(recipe, data, folder=tmp_path, resume=False, device="cpu", command="a test", listener=listener)
    except TrainingError as error:
        ending = str(error)
    return told, ending


def test_a_loss_that_runs_away_ends_the_run_in_one_line_that_names_the_step(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    told, ending = losses(tmp_path / "run", small_data)
    assert all(map(math.isfinite, told))
    assert ending.startswith("the loss diverges: its average is ")
    assert f" at step {len(told) + 1} of epoch 1." in ending
    assert "learning_rate" in ending
    assert "\n" not in ending
    assert (tmp_path / "run" / "log.txt").read_text(encoding="utf-8").rstrip().endswith(ending)


def test_without_a_bound_the_same_run_goes_on_past_that_step(tmp_path: Path, small_data: list[DataSet]) -> None:
    stopped, _ = losses(tmp_path / "stopped", small_data)
    told, ending = losses(tmp_path / "run", small_data, "training.divergence=0")
    assert told[: len(stopped)] == stopped
    assert len(told) > len(stopped) + 1
    assert "diverges" not in ending


def judged(values: list[float], factor: float = 3.0) -> int | None:
    """The step, from 1, at which a run with these losses is stopped."""
    descent = Descent()
    for step, loss in enumerate(values, 1):
        descent.add(loss)
        if descent.diverges(factor):
            return step
    return None


def test_the_average_is_the_exponential_one_of_the_steps_that_there_are() -> None:
    values = np.random.default_rng(0).random(250).tolist()
    descent = Descent()
    for value in values:
        descent.add(value)
    weights = 0.99 ** np.arange(250)[::-1]
    assert descent.average == pytest.approx(np.average(values, weights=weights), rel=1e-12)  # float64


def test_a_network_that_loses_what_it_had_learnt_is_stopped_and_one_that_stumbles_is_not() -> None:
    learning = np.geomspace(1.0, 0.2, 400).tolist()
    assert judged(learning) is None
    stopped = judged(learning + [2.0] * 100)
    assert stopped is not None
    assert 400 < stopped < 460
    assert judged(learning + [5.0] * 3 + [0.2] * 100) is None  # three bad steps, forgotten again
    assert judged([0.9, 4.0, 3.0, 2.0] + [0.8] * 200) is None  # the first steps of a high learning rate


@pytest.mark.parametrize("typical", [0.001, 0.05, 0.3])
def test_noise_however_strong_beside_a_small_loss_stops_nothing(typical: float) -> None:
    chance = np.random.default_rng(1)
    assert judged((typical * chance.lognormal(0, 1, 20_000)).tolist()) is None
    # One crop in ten has something to find.
    assert judged(np.where(chance.random(20_000) < 0.1, 10 * typical, typical / 10).clip(max=1).tolist()) is None


def test_an_easy_first_batch_of_a_trained_network_stops_nothing() -> None:
    assert judged([0.001] + [0.3] * 300) is None


def test_a_run_that_goes_on_remembers_its_losses(tmp_path: Path, small_data: list[DataSet]) -> None:
    run(small_recipe("training.epochs=2"), small_data, tmp_path / "run")
    state = load_state(tmp_path / "run")["progress"]
    assert state["descent"]["steps"] == 6  # two epochs of three steps
    progress = Progress()
    progress.restore(state)
    assert progress.descent.average == pytest.approx(np.mean([row.loss for row in progress.rows]), rel=0.01)
    assert progress.to_values() == state


def test_a_network_whose_answers_are_no_numbers_is_found_in_its_validation(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    # Three steps are too few for the loss to tell.
    short = ("training.gradient_clip=0", "training.samples_per_epoch=6")
    _, ending = losses(tmp_path / "run", small_data, *short)
    assert "is not a number" in ending
    assert "learning_rate" in ending


def test_gradients_that_are_no_numbers_do_not_hide_which_step_it_was(tmp_path: Path, small_data: list[DataSet]) -> None:
    recipe = small_recipe("training.epochs=2", "training.learning_rate=1e30", "training.gradient_clip=1e30")
    with pytest.raises(TrainingError, match=r"step \d+ of epoch \d+"):
        run(recipe, small_data, tmp_path / "run")
