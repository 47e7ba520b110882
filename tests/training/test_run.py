import csv
import json
from pathlib import Path
from typing import get_args

import pytest
import torch
from safetensors.torch import load_file

from foveate.datasets import DataSet
from foveate.errors import TrainingError, UsageError
from foveate.networks import build
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import AugmentationSection, TrainingSection
from foveate.training.run.existing import plan_of
from foveate.training.run.progress import Listener
from foveate.training.run.tensors import load_weights
from foveate.training.start import start
from small_run import run, small_recipe


def test_a_resumed_run_ends_with_bit_identical_weights(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    interrupted = tmp_path / "interrupted"

    class PowerLossError(Exception):
        pass

    def on_step(epoch: int, step: int, loss: float) -> None:
        if (epoch, step) == (1, 1):
            raise PowerLossError

    recipe = small_recipe("training.epochs=3")
    listener = Listener(lambda _: None, on_step, lambda _: None)
    with pytest.raises(PowerLossError):
        start(recipe, small_data, folder=interrupted, resume=False, device="cpu", command="a test", listener=listener)
    run(recipe, small_data, interrupted, resume=True)

    uninterrupted_weights = load_file(finished_run / "last.safetensors")
    resumed_weights = load_file(interrupted / "last.safetensors")
    assert uninterrupted_weights.keys() == resumed_weights.keys()
    for name, tensor in uninterrupted_weights.items():
        assert torch.equal(tensor, resumed_weights[name]), name


def test_two_seeds_give_different_weights(finished_run: Path, tmp_path: Path, small_data: list[DataSet]) -> None:
    run(small_recipe("training.epochs=1", "training.seed=1"), small_data, tmp_path / "other")
    network, _ = load_weights(tmp_path / "other" / "last.safetensors")
    other, _ = load_weights(finished_run / "last.safetensors")
    assert not torch.equal(next(network.parameters()), next(other.parameters()))


def test_a_folder_that_holds_a_run_is_refused_and_left_as_it_is(finished_run: Path, small_data: list[DataSet]) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished_run.iterdir()}
    with pytest.raises(UsageError, match="--resume"):
        run(small_recipe("training.epochs=3"), small_data, finished_run)
    assert {path: path.stat().st_mtime_ns for path in finished_run.iterdir()} == before


def test_resuming_with_another_recipe_is_refused(finished_run: Path, small_data: list[DataSet]) -> None:
    with pytest.raises(TrainingError, match="recipe"):
        run(small_recipe("training.epochs=3", "training.learning_rate=0.5"), small_data, finished_run, resume=True)


def test_a_run_can_not_go_on_to_fewer_epochs_than_are_done(finished_run: Path, small_data: list[DataSet]) -> None:
    before = {path.name: path.read_bytes() for path in finished_run.iterdir()}
    with pytest.raises(TrainingError, match=r"3 epochs are done, more than training\.epochs=2\. Give 3 or more"):
        run(small_recipe("training.epochs=2"), [], finished_run, resume=True)
    assert {path.name: path.read_bytes() for path in finished_run.iterdir()} == before
    assert plan_of(finished_run, ["training={epochs = 4}"]).recipe.training.epochs == 4
    with pytest.raises(UsageError, match=r"only training\.epochs and training\.hours may change"):
        plan_of(finished_run, ["training={epochs = 4, batch = 3}"])


def test_resuming_where_there_is_no_run_is_refused(tmp_path: Path, small_data: list[DataSet]) -> None:
    with pytest.raises(TrainingError, match="without --resume"):
        run(small_recipe(), small_data, tmp_path / "nothing", resume=True)


def test_the_folder_tells_how_the_run_was_made(finished_run: Path, small_data: list[DataSet]) -> None:
    facts = json.loads((finished_run / "run.json").read_text(encoding="utf-8"))
    assert facts["command"] == "a test"
    assert facts["versions"]["torch"] == torch.__version__
    parts = facts["data"]["synthetic"]
    assert len(parts["training"]) == 2
    assert len(parts["validation"]) == 1
    assert not set(parts["training"]) & set(parts["validation"])
    loaded = {entry.id: entry.load() for entry in small_data[0].entries}
    for part in ("training", "validation"):
        assert parts[f"{part}_contents"] == [loaded[each].content for each in parts[part]]
    assert read_recipe(str(finished_run / "recipe.toml")) == small_recipe("training.epochs=3")
    with (finished_run / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]


def test_best_weights_are_those_of_the_epoch_with_the_highest_validation_f1(finished_run: Path) -> None:
    with (finished_run / "log.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = max(rows, key=lambda row: float(row["mean_f1"]))
    _, facts = load_weights(finished_run / "best.safetensors")
    assert facts.epoch == int(best["epoch"])
    assert facts.thresholds == pytest.approx([float(best["threshold"])], abs=1e-5)  # the log has five decimals


def test_a_loss_that_is_no_number_ends_the_run_and_names_the_step(tmp_path: Path, small_data: list[DataSet]) -> None:
    recipe = small_recipe("training.epochs=2", "training.learning_rate=1e30", "training.gradient_clip=0")
    with pytest.raises(TrainingError, match=r"step \d+ of epoch \d+"):
        run(recipe, small_data, tmp_path / "diverged")


def test_early_stopping_ends_the_run_and_says_why(tmp_path: Path, small_data: list[DataSet]) -> None:
    # Weights that hardly move can't reach a better validation F1 for long.
    recipe = small_recipe("training.epochs=40", "training.patience=2", "training.learning_rate=1e-12")
    assert "stopped early" in run(recipe, small_data, tmp_path / "stale")


def every_name(key: str) -> list[str]:
    """An override for each name that the schema allows there."""
    return [f"training.{key}={name}" for name in get_args(TrainingSection.model_fields[key].annotation)]


def every_augmentation() -> list[str]:
    """An override that switches each key of the section on."""
    found = []
    for key, field in AugmentationSection.model_fields.items():
        values = get_args(field.annotation) or (("true",) if isinstance(field.default, bool) else (0.25,))
        found += [f"augmentation.{key}={value}" for value in values if value != field.default]
    return found


@pytest.mark.parametrize(
    "override",
    [
        *every_name("loss"),
        *every_name("optimiser"),
        *every_name("schedule"),
        *every_augmentation(),
        "training.precision=bf16-mixed",
        "training.average=0",
        "training.side_weight=0",
        "training.gradient_clip=0",
        "training.weight_decay=0",
        "network.depth=1",
    ],
)
def test_every_way_to_train_moves_the_weights(override: str, tmp_path: Path, small_data: list[DataSet]) -> None:
    # Without the average, so that what is kept are the trained weights themselves.
    recipe = small_recipe("training.epochs=1", "training.average=0", override)
    run(recipe, small_data, tmp_path / "run")
    torch.manual_seed(recipe.training.seed)
    fresh = build(recipe.network.name, **recipe.network.options)
    trained, _ = load_weights(tmp_path / "run" / "last.safetensors")
    for name, parameter in fresh.named_parameters():
        found = trained.get_parameter(name)
        assert torch.isfinite(found).all(), name
        assert not torch.equal(found, parameter), name


@pytest.mark.parametrize("schedule", ["cosine", "step", "one_cycle"])
def test_the_logged_learning_rate_follows_the_schedule(
    schedule: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    recipe = small_recipe(
        "training.epochs=3", f"training.schedule={schedule}", "training.step_epochs=1", "training.learning_rate=1e-3"
    )
    run(recipe, small_data, tmp_path / "run")
    with (tmp_path / "run" / "log.csv").open(encoding="utf-8") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert 1e-3 > rates[0] > rates[1] > 2 * rates[2]


def test_a_plateau_lowers_the_learning_rate_tenfold(tmp_path: Path, small_data: list[DataSet]) -> None:
    recipe = small_recipe(
        "training.epochs=5",
        "training.schedule=plateau",
        "training.plateau_patience=1",
        "training.learning_rate=1e-12",
        "training.average=0",
    )
    run(recipe, small_data, tmp_path / "run")
    with (tmp_path / "run" / "log.csv").open(encoding="utf-8") as file:
        rates = [float(row["learning_rate"]) for row in csv.DictReader(file)]
    assert rates[0] == pytest.approx(1e-12)
    assert rates[-1] == pytest.approx(1e-13)


def test_half_precision_on_a_cpu_is_refused_before_anything_is_done(tmp_path: Path, small_data: list[DataSet]) -> None:
    with pytest.raises(UsageError, match="'16-mixed' needs a GPU"):
        run(small_recipe("training.precision=16-mixed"), small_data, tmp_path / "run")
    assert not (tmp_path / "run").exists()
