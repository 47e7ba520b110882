"""Optimisers and schedules: what they do to the weights, and that they go on bit by bit the same."""

from __future__ import annotations

import io
from math import cos, pi
from typing import get_args

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.recipes.schema import Recipe, TrainingSection
from foveate.records import Classes
from foveate.training.step.learner import Learner, build_learner, restore_learner, state_of
from small_run import small_recipe

OPTIMISERS, SCHEDULES = (get_args(TrainingSection.model_fields[key].annotation) for key in ("optimiser", "schedule"))

VESSEL = Classes(("vessel",))

# Six steps of three epochs.
SHORT = ("training.epochs=3", "training.samples_per_epoch=4", "training.batch=2", "training.average=0")


def recipe_of(*overrides: str) -> Recipe:
    return small_recipe(*SHORT, *overrides)


def take_steps(learner: Learner, steps: range) -> list[float]:
    """Optimiser steps on a loss that falls with the weights; every second one ends an epoch. The learning rates."""
    rates = []
    for step in steps:
        rates.append(learner.optimiser.param_groups[0]["lr"])
        learner.optimiser.zero_grad()
        loss = sum((weight - step).square().sum() for weight in learner.network.parameters())
        assert isinstance(loss, torch.Tensor)
        loss.backward()  # type: ignore[no-untyped-call]
        learner.optimiser.step()
        if not isinstance(learner.scheduler, ReduceLROnPlateau):
            learner.scheduler.step()
        elif step % 2:
            learner.scheduler.step(0.5)
    return rates


def one_cycle(step: int, steps: int) -> tuple[float, float]:
    """Learning rate, as a share of the highest, and momentum: half a cosine each way about three tenths of the way."""
    top = 0.3 * steps - 1
    if step <= top:
        way = (1 - cos(pi * step / top)) / 2
        return 1 / 25 + way * (1 - 1 / 25), 0.95 - 0.1 * way
    way = (1 - cos(pi * (step - top) / (steps - 1 - top))) / 2
    return 1 + way * (1 / 25 / 1e4 - 1), 0.85 + 0.1 * way


def test_the_step_schedule_falls_after_every_so_many_epochs() -> None:
    recipe = recipe_of(
        "training.schedule=step", "training.step_epochs=1", "training.step_factor=0.5", "training.learning_rate=0.8"
    )
    assert take_steps(build_learner(recipe, VESSEL), range(6)) == pytest.approx([0.8, 0.8, 0.4, 0.4, 0.2, 0.2])


def test_a_warm_up_rises_into_the_step_schedule() -> None:
    recipe = recipe_of(
        "training.schedule=step", "training.step_epochs=2", "training.warm_up=3", "training.learning_rate=0.9"
    )
    assert take_steps(build_learner(recipe, VESSEL), range(6)) == pytest.approx([0.3, 0.6, 0.9, 0.9, 0.09, 0.09])


def test_the_plateau_falls_by_its_factor() -> None:
    recipe = recipe_of(
        "training.schedule=plateau",
        "training.plateau_patience=1",
        "training.plateau_factor=0.25",
        "training.learning_rate=0.8",
    )
    rates = take_steps(build_learner(recipe, VESSEL), range(8))
    assert rates == pytest.approx([0.8] * 6 + [0.2] * 2)  # the third epoch is the second without a better score


@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_one_cycle_moves_learning_rate_and_momentum_against_each_other(optimiser: str) -> None:
    recipe = recipe_of("training.schedule=one_cycle", f"training.optimiser={optimiser}", "training.learning_rate=0.1")
    learner = build_learner(
        recipe.model_copy(update={"training": recipe.training.model_copy(update={"epochs": 10})}), VESSEL
    )
    group = learner.optimiser.param_groups[0]
    for step in range(20):
        rate, momentum = one_cycle(step, 20)
        assert group["lr"] == pytest.approx(0.1 * rate)
        assert group["momentum" if optimiser == "sgd" else "betas"] == pytest.approx(
            momentum if optimiser == "sgd" else (momentum, 0.999)
        )
        take_steps(learner, range(step, step + 1))


def test_sgd_follows_its_formula() -> None:
    recipe = recipe_of(
        "training.optimiser=sgd",
        "training.schedule=constant",
        "training.momentum=0.7",
        "training.weight_decay=0.1",
        "training.learning_rate=0.01",
    )
    learner = build_learner(recipe, VESSEL)
    first = next(learner.network.parameters())
    weight = first.detach().numpy().astype(np.float64)
    velocity = np.zeros_like(weight)
    for step in range(4):
        velocity = 0.7 * velocity + 2 * (weight - step) + 0.1 * weight
        weight = weight - 0.01 * velocity
    take_steps(learner, range(4))
    assert first.detach().numpy() == pytest.approx(weight, rel=1e-5, abs=1e-6)  # float32


@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_restored_parts_go_on_bit_by_bit_the_same(optimiser: str, schedule: str) -> None:
    recipe = recipe_of(
        f"training.optimiser={optimiser}",
        f"training.schedule={schedule}",
        "training.plateau_patience=1",
        "training.step_epochs=1",
        "training.warm_up=2",
    )
    through = build_learner(recipe, VESSEL)
    rates = take_steps(through, range(6))
    broken = build_learner(recipe, VESSEL)
    before = take_steps(broken, range(3))
    file = io.BytesIO()
    torch.save(state_of(broken), file)
    file.seek(0)
    restored = build_learner(recipe, VESSEL)
    restore_learner(restored, torch.load(file, weights_only=True))
    assert before + take_steps(restored, range(3, 6)) == rates
    now, expected = (learner.optimiser.state_dict()["param_groups"] for learner in (restored, through))
    assert now == expected
    for one, other in zip(through.network.parameters(), restored.network.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("schedule", ["cosine", "one_cycle"])
def test_a_run_resumed_with_more_epochs_follows_the_longer_schedule(schedule: str) -> None:
    short, long = (recipe_of(f"training.schedule={schedule}", f"training.epochs={epochs}") for epochs in (3, 6))
    learner = build_learner(short, VESSEL)
    take_steps(learner, range(6))
    longer = build_learner(long, VESSEL)
    restore_learner(longer, state_of(learner))
    take_steps(longer, range(6, 7))  # the step that was computed before the break
    assert take_steps(longer, range(7, 12)) == take_steps(build_learner(long, VESSEL), range(12))[7:]


@pytest.mark.parametrize("warm_up", [True, False])
def test_the_moving_average_forgets_the_first_weights_and_goes_on_the_same(warm_up: bool) -> None:
    recipe = small_recipe("training.average=0.9", f"training.average_warm_up={str(warm_up).lower()}")
    learner, chance = build_learner(recipe, VESSEL), torch.Generator().manual_seed(0)
    values = torch.rand(120, generator=chance).tolist()
    expected = values[0]  # the first weights that a step has made
    for steps, value in enumerate(values):
        with torch.no_grad():
            for weight in learner.network.parameters():
                weight.fill_(value)
        assert learner.average is not None
        learner.average.update_parameters(learner.network)
        decay = min(0.9, (1 + steps) / (10 + steps)) if warm_up else 0.9
        expected = decay * expected + (1 - decay) * value if steps else value
        for averaged in learner.average.module.parameters():
            assert averaged.detach().numpy() == pytest.approx(expected, abs=1e-6)  # float32
        if steps == 3:
            broken, learner = learner, build_learner(recipe, VESSEL)
            restore_learner(learner, state_of(broken))
