"""A plan fits into hours and memory, is the same for the same numbers, and is a recipe as any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_plan import LESIONS, MACHINE, SPEED, planned

from foveate.errors import RecipeError, UsageError
from foveate.planning.fit import EPOCHS, EXPORT, LEAST_STEPS, LONGEST_EPOCH, REPORT, RESERVE, VALIDATING
from foveate.planning.plan import BACKWARD, SHARE
from foveate.recipes.read import read_recipe
from foveate.training.rehearsal import Speed

HOURS = (0.05, 0.3, 1.0, 3.0, 12.0)


def test_the_same_numbers_give_the_same_plan_to_the_letter() -> None:
    assert planned().text == planned().text
    assert planned(hours=2.0).text != planned().text


@pytest.mark.parametrize("hours", HOURS)
def test_the_plans_file_is_a_recipe_that_reads_back_to_what_is_trained(hours: float, tmp_path: Path) -> None:
    plan = planned(hours=hours)
    (tmp_path / "plan.toml").write_text(plan.text, encoding="utf-8")
    assert read_recipe(str(tmp_path / "plan.toml")) == plan.recipe


@pytest.mark.parametrize("hours", HOURS)
@pytest.mark.parametrize("speed", [SPEED, Speed(2.0, 1.0), Speed(500.0, 0.01)])
def test_a_training_at_the_measured_speed_ends_within_the_hours_and_uses_most_of_them(
    hours: float, speed: Speed
) -> None:
    spent = 40.0
    try:
        plan = planned(hours=hours, speed=speed, spent=spent)
    except UsageError:
        shortest = LESIONS.validation * speed.validation + LEAST_STEPS * 8 / speed.crops
        assert hours * 3600 < spent + 5 * shortest + 60
        return
    training = plan.recipe.training
    reading = (LESIONS.images + LESIONS.validation) * LESIONS.seconds / MACHINE.cores
    validating = training.epochs * LESIONS.validation * speed.validation
    stepping = training.epochs * training.steps_per_epoch * training.crops_per_step / speed.crops
    assert spent + reading + validating + stepping <= hours * 3600
    assert plan.seconds <= hours * 3600
    afterwards = EXPORT + REPORT * LESIONS.validation * speed.validation
    assert plan.seconds == pytest.approx(spent + reading + validating + stepping + afterwards)
    assert training.hours == pytest.approx(hours - (spent + reading + afterwards) / 3600, abs=1e-4)
    # What can't be used is what one more step in each epoch would take, or one more of the shortest epochs.
    left = training.hours * 3600
    assert validating + stepping <= (1 - RESERVE) * left + 1
    assert validating <= VALIDATING * (1 - RESERVE) * left or training.epochs == 1
    lost = training.epochs * training.crops_per_step / speed.crops
    assert validating + stepping + lost >= (1 - RESERVE) * left - 1


def test_more_hours_mean_more_crops_then_more_epochs_but_none_so_long_that_a_break_costs_much() -> None:
    short, long = planned(hours=1).recipe.training, planned(hours=12).recipe.training
    assert short.epochs == EPOCHS < long.epochs
    assert long.samples_per_epoch / SPEED.crops <= LONGEST_EPOCH
    assert long.epochs * long.samples_per_epoch > short.epochs * short.samples_per_epoch


def test_validation_that_takes_long_is_done_less_often() -> None:
    slow = planned(speed=Speed(10.0, 3.0)).recipe.training
    assert slow.epochs < EPOCHS
    assert slow.epochs * 3.0 * LESIONS.validation <= VALIDATING * 3600


def test_hours_that_hold_no_epoch_are_refused_with_hours_that_do() -> None:
    with pytest.raises(UsageError, match=r"--hours 0\.03 is too short here: .* take ([\d.]+) hours") as raised:
        planned(hours=0.03, speed=Speed(0.5, 1.0))
    (enough,) = [word for word in str(raised.value).split() if word.startswith("0.") and word != "0.03"]
    training = planned(hours=float(enough), speed=Speed(0.5, 1.0)).recipe.training
    assert training.epochs == 1
    assert LEAST_STEPS <= training.steps_per_epoch < 2 * LEAST_STEPS


@pytest.mark.parametrize("gigabytes", [0.1, 0.2, 1, 3, 12, 64])
def test_a_batch_takes_no_more_than_its_share_of_the_free_memory(gigabytes: float) -> None:
    weight = 5 * 10**6  # of a crop of 64 pixels' side
    plan = planned(machine=replace(MACHINE, memory=int(gigabytes * 1e9)), weight=weight)
    training = plan.recipe.training
    taken = BACKWARD * weight * (training.crop / 64) ** 2 * training.batch
    assert taken <= SHARE * gigabytes * 1e9
    assert training.crops_per_step == 8
    roomy = planned(weight=1).recipe.training
    assert (training.crop, training.batch) == (roomy.crop, roomy.batch) or 4 * taken > SHARE * gigabytes * 1e9


def test_memory_that_is_too_small_for_anything_is_said() -> None:
    with pytest.raises(UsageError, match="free memory are too little"):
        planned(machine=replace(MACHINE, memory=10**6), weight=10**7)


def test_what_is_asked_for_stands_over_the_tables_and_the_rest_of_the_plan_follows() -> None:
    plan = planned("training.batch=4", "network.name=unet", "network.widths=[8, 16, 32]", "data.validation_share=0.3")
    assert plan.recipe.network.name == "unet"
    assert plan.recipe.training.batch == 4
    assert plan.recipe.data.validation_share == 0.3
    assert {key for key, reason in plan.reasons.items() if reason == "as it was asked for"} == {
        "training.batch",
        "network.name",
        "network.widths",
        "data.validation_share",
    }
    with pytest.raises(RecipeError, match=r"initial_maps"):  # an option of the network that was planned otherwise
        planned("network.name=unet", "network.initial_maps=previous")
    with pytest.raises(RecipeError, match=r"training\.bach"):
        planned("training.bach=4")
