"""A rehearsal measures what the training itself would do, and leaves nothing behind."""

from __future__ import annotations

import math
from itertools import count

import pytest
import torch

from foveate.datasets import DataSet
from foveate.errors import TrainingError
from foveate.training.rehearsal import STEPS, Rehearsal
from small_run import small_recipe

CPU = torch.device("cpu")


def rehearsal(data: list[DataSet], seconds: float = 0.0) -> Rehearsal:
    """With a clock by which every look at it takes a second."""
    ticks = count()
    return Rehearsal(data[0].split("train"), data[0].classes, CPU, seconds, lambda: float(next(ticks)))


@pytest.mark.parametrize("seconds", [0.0, 6.0])
def test_steps_are_timed_for_the_seconds_given_and_at_least_some(seconds: float, small_data: list[DataSet]) -> None:
    recipe = small_recipe("training.batch=3", "training.accumulate=2")
    speed = rehearsal(small_data, seconds).time(recipe)
    # One look begins, and there is one after each step.
    steps = max(STEPS, math.ceil(seconds) - 1)
    assert speed.crops == pytest.approx(steps * 6 / (steps + 1))
    assert speed.validation == 1


def test_the_memory_of_a_crop_is_what_its_layers_keep_and_grows_with_its_pixels(small_data: list[DataSet]) -> None:
    small, large = (
        rehearsal(small_data).weigh(small_recipe("network.name=unet", "network.widths=[4, 8]", f"training.crop={crop}"))
        for crop in (64, 128)
    )
    assert large / small == pytest.approx(4, rel=0.02)
    # A convolution keeps what goes into it, batch norm too, ReLU what comes out: of the first level's two blocks, in
    # the encoder and in the decoder, that is at least eight maps of four channels in float32; all else is less again.
    maps = 8 * 4 * 64 * 64 * 4
    assert maps <= small <= 4 * maps


def test_a_rehearsal_takes_no_number_from_the_chance_of_the_training_after_it(small_data: list[DataSet]) -> None:
    torch.manual_seed(7)
    expected = torch.rand(1)
    torch.manual_seed(7)
    rehearsal(small_data).time(small_recipe())
    assert torch.equal(torch.rand(1), expected)


def test_a_crop_that_does_not_fit_into_memory_is_said_with_what_to_change(
    small_data: list[DataSet], monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_much(*_: object, **__: object) -> None:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("foveate.training.step.step.draw_batch", too_much)
    with pytest.raises(TrainingError, match=r"training\.batch="):
        rehearsal(small_data).time(small_recipe())
