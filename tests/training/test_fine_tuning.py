"""Stages that rest, and stages with a rate of their own: in one step, in every schedule, in whole runs that break."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from foveate.datasets import DataSet
from foveate.errors import RecipeError, UsageError
from foveate.networks.built.stages import stages
from foveate.recipes.schema import Recipe, TrainingSection
from foveate.records import Classes
from foveate.training.run.progress import Listener
from foveate.training.start import start
from foveate.training.step.learner import Learner, build_learner
from small_run import small_recipe

SCHEDULES = get_args(TrainingSection.model_fields["schedule"].annotation)

FACTORS = {"level0": 0.1, "level2": 3.0, "decoder": 0.5}
RATES = "training.stage_rates={level0 = 0.1, level2 = 3.0, decoder = 0.5}"


def begin(recipe: Recipe, data: list[DataSet], folder: Path, *, resume: bool = False, **changes: object) -> None:
    """Train in a folder; `stop` is the number of the step that is broken off, `initial` what the run begins with."""
    taken: list[float] = []

    def on_step(epoch: int, step: int, loss: float) -> None:
        taken.append(loss)
        if len(taken) == changes.get("stop"):
            raise KeyboardInterrupt

    initial = changes.get("initial")
    start(
        recipe,
        data,
        folder=folder,
        resume=resume,
        device="cpu",
        command="a test",
        listener=Listener(lambda _: None, on_step, lambda _: None),
        initial=str(initial) if initial else None,
    )


def parts_of(*overrides: str) -> Learner:
    short = ("training.epochs=5", "training.samples_per_epoch=4", "training.batch=2", "training.average=0")
    return build_learner(small_recipe(*short, *overrides), Classes())


def take_step(learner: Learner, step: int) -> list[float]:
    """One step on a loss of the weights themselves, two of which make an epoch; the groups' rates in it."""
    rates = [float(group["lr"]) for group in learner.optimiser.param_groups]
    learner.optimiser.zero_grad()
    loss = torch.stack([weight.square().sum() for weight in learner.network.parameters()]).sum()
    loss.backward()  # type: ignore[no-untyped-call]
    learner.optimiser.step()
    if not isinstance(learner.scheduler, ReduceLROnPlateau):
        learner.scheduler.step()
    elif step % 2:
        learner.scheduler.step(0.5)
    return rates


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_in_every_schedule_a_stage_has_its_factor_times_the_rate_without(schedule: str) -> None:
    options = (f"training.schedule={schedule}", "training.plateau_patience=1", "training.step_epochs=1")
    plain, staged = parts_of(*options), parts_of(*options, RATES)
    factors = [FACTORS.get(stage, 1.0) for stage in stages(staged.network)]
    seen = set()
    for step in range(10):
        (rate,) = take_step(plain, step)
        seen.add(rate)
        assert take_step(staged, step) == pytest.approx([factor * rate for factor in factors], rel=1e-6)
    assert (len(seen) == 1) == (schedule == "constant")


def test_a_step_moves_each_stage_by_its_factor_times_what_it_would_without() -> None:
    options = (
        "training.optimiser=sgd",
        "training.momentum=0",
        "training.schedule=constant",
        "training.weight_decay=0.1",
    )
    moved = [movement_of(parts_of(*options, *more)) for more in ((), (RATES,))]
    for stage, names in stages(parts_of().network).items():
        for name in names:
            if name in moved[0]:
                plain, staged = moved[0][name], moved[1][name]
                # Differences of float32 weights of about 1.
                torch.testing.assert_close(staged, FACTORS.get(stage, 1.0) * plain, rtol=1e-3, atol=2e-7)
                assert plain.any() or "bias" in name


def movement_of(learner: Learner) -> dict[str, Tensor]:
    before = {name: weight.detach().clone() for name, weight in learner.network.named_parameters()}
    take_step(learner, 0)
    return {name: weight.detach() - before[name] for name, weight in learner.network.named_parameters()}


def test_frozen_stages_end_as_they_began_bit_by_bit_and_all_others_learn(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    frozen = ("level0", "level2")
    recipe = small_recipe(
        "training.epochs=2",
        f"training.freeze={list(frozen)}",
        "training.weight_decay=0.1",
        "training.average=0.9",
        "training.gradient_clip=1",
    )
    begin(recipe, small_data, tmp_path / "run", initial=finished_run)
    began, ended = load_file(finished_run / "best.safetensors"), load_file(tmp_path / "run" / "last.safetensors")
    changed = {name for name, tensor in ended.items() if not torch.equal(tensor, began[name])}
    for stage, names in stages(build_learner(recipe, Classes()).network).items():
        if stage in frozen:
            assert not changed & set(names)
        else:
            statistics = {name for name in names if name.endswith(("running_mean", "running_var"))}
            assert statistics <= changed
            assert len(changed & set(names)) > 0.9 * len(names)


@pytest.mark.parametrize("schedule", ["one_cycle", "plateau", "cosine"])
def test_a_broken_run_with_frozen_stages_and_rates_goes_on_to_the_same_bits(
    schedule: str, finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe(
        "training.epochs=3",
        f"training.schedule={schedule}",
        "training.plateau_patience=1",
        "training.average=0.9",
        'training.freeze=["level1"]',
        RATES,
    )
    begin(recipe, small_data, tmp_path / "whole", initial=finished_run)
    with pytest.raises(KeyboardInterrupt):
        begin(recipe, small_data, tmp_path / "broken", initial=finished_run, stop=5)  # the second step of epoch 2
    begin(recipe, small_data, tmp_path / "broken", resume=True)
    for name in ("best.safetensors", "last.safetensors"):
        assert (tmp_path / "broken" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert rates_in(tmp_path / "broken") == rates_in(tmp_path / "whole")


def rates_in(folder: Path) -> list[float]:
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        return [float(row["learning_rate"]) for row in csv.DictReader(file)]


def test_the_log_has_the_largest_rate_of_the_stages_that_learn(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe(
        "training.epochs=1",
        "training.schedule=constant",
        "training.learning_rate=0.008",
        'training.freeze=["level0"]',
        "training.stage_rates={level1 = 0.25, level2 = 0.5, decoder = 0.125}",
    )
    begin(recipe, small_data, tmp_path / "run", initial=finished_run)
    assert rates_in(tmp_path / "run") == pytest.approx([0.5 * 0.008], rel=1e-3)  # four digits


@pytest.mark.parametrize(
    ("override", "message"),
    [
        (
            'training.freeze=["levle1"]',
            r"^training\.freeze: unknown stage 'levle1'\. Did you mean 'level1'\? Valid: decoder",
        ),
        ("training.stage_rates={encoder = 0.1}", r"^training\.stage_rates: unknown stage 'encoder'\. .*Valid: decoder"),
        ('training.freeze=["level0"]', r"^training\.freeze = \['level0'\] would freeze random weights, 'encoder\.0\."),
        ('training.freeze=["level0", "level1", "level2", "decoder"]', "nothing would learn"),
    ],
)
def test_stages_that_can_not_be_so_are_refused_in_one_line_before_anything_is_written(
    override: str, message: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        begin(small_recipe(override), small_data, tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ('training.freeze=["level0"]', "training.stage_rates={level0 = 2}"),
            "'level0' is in freeze and in stage_rates",
        ),
        (("training.stage_rates={level0 = 0}",), r"training\.stage_rates\.level0.*greater than 0"),
        (("training.freeze=level0",), r"training\.freeze = 'level0'"),
    ],
)
def test_a_recipe_that_contradicts_itself_about_stages_is_refused(overrides: tuple[str, ...], message: str) -> None:
    with pytest.raises(RecipeError, match=message) as caught:
        small_recipe(*overrides)
    assert "\n" not in str(caught.value)


def test_the_networks_own_option_and_the_recipes_list_freeze_the_same_and_add_up() -> None:
    base = ("network.name=dual_attention_unet", "training.average=0")
    with torch.device("meta"):
        by_option, by_list, by_both = (
            build_learner(small_recipe(*base, *more), Classes()).network
            for more in (
                ("network.freeze=layer1",),
                ('training.freeze=["stem", "layer1"]',),
                ("network.freeze=stem", 'training.freeze=["layer1"]'),
            )
        )
    assert frozen_in(by_option) == frozen_in(by_list) == frozen_in(by_both) != set()


def frozen_in(network: nn.Module) -> set[str]:
    return {name for name, parameter in network.named_parameters() if not parameter.requires_grad}
