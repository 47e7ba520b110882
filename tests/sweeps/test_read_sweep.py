"""What a sweep's file may say, and the one line that a wrong one gets."""

from __future__ import annotations

import itertools
import shlex
import tomllib
from pathlib import Path

import pytest
from small_sweep import toml

from foveate.cli import app
from foveate.errors import UsageError
from foveate.recipes.read import read_recipe
from foveate.sweeps.read import read_sweep, shipped
from foveate.sweeps.space import check_recipes, grid, recipe_of, runs_of, trials_of

NESTED = """
recipe = "region-guided-vessels"
[fixed.training]
epochs = 3
[search.training]
batch = [1, 2]
learning_rate = [0.1, 0.01, 0.001]
[search.network]
widths = [[4, 4, 8, 8], [8, 8, 16, 16]]
"""
DOTTED = """
recipe = "region-guided-vessels"
[fixed]
"training.epochs" = 3
[search]
training.batch = { low = 1, high = 2, step = 1 }
training.learning_rate = [0.1, 0.01, 0.001]
"network.widths" = [[4, 4, 8, 8], [8, 8, 16, 16]]
"""
BUNDLED = """
recipe = "region-guided-vessels"
[search]
training.schedule = ["step", "cosine"]
[bundles.optimiser]
sgd = { training.optimiser = "sgd", training.learning_rate = 1e-2 }
adam = { training.optimiser = "adam", training.learning_rate = 1e-3 }
"""


def written(folder: Path, text: str) -> str:
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    return str(folder / "mine.toml")


def recipes(path: str) -> list[object]:
    sweep = read_sweep(path)
    return [recipe_of(sweep, settings, sweep.recipe) for settings in grid(sweep)]


@pytest.mark.parametrize("text", [NESTED, DOTTED])
def test_a_grid_is_every_combination_as_the_command_line_would_set_it(text: str, tmp_path: Path) -> None:
    expected = [
        read_recipe(
            "region-guided-vessels",
            [
                f"training.batch={batch}",
                f"training.learning_rate={rate}",
                f"network.widths={widths}",
                "training.epochs=3",
            ],
        )
        for batch, rate, widths in itertools.product((1, 2), (0.1, 0.01, 0.001), ([4, 4, 8, 8], [8, 8, 16, 16]))
    ]
    assert recipes(written(tmp_path, text)) == expected


def test_a_bundle_sets_its_keys_together(tmp_path: Path) -> None:
    expected = [
        read_recipe(
            "region-guided-vessels",
            [f"training.schedule={schedule}", f"training.optimiser={name}", f"training.learning_rate={rate}"],
        )
        for schedule, (name, rate) in itertools.product(("step", "cosine"), (("sgd", 1e-2), ("adam", 1e-3)))
    ]
    path = written(tmp_path, BUNDLED)
    assert recipes(path) == expected
    assert trials_of(read_sweep(path)) == len(expected)


def test_a_range_in_steps_has_both_its_ends_and_no_rounding_in_between(tmp_path: Path) -> None:
    path = written(tmp_path, toml(search=("training.momentum = { low = 0.0, high = 0.9, step = 0.3 }",)))
    assert [settings["training.momentum"] for settings in grid(read_sweep(path))] == ["0.0", "0.3", "0.6", "0.9"]


def test_every_trial_is_run_with_every_seed_on_every_fold(tmp_path: Path) -> None:
    sweep = read_sweep(written(tmp_path, toml(top="seeds = [3, 5]\nfolds = 3")))
    found = {}
    for name, overrides in runs_of(sweep):
        recipe = recipe_of(sweep, grid(sweep)[0], sweep.recipe, *overrides)
        found[name] = (recipe.training.seed, recipe.data.fold, recipe.data.folds)
    assert found == {f"seed-{seed}-fold-{fold}": (seed, fold, 3) for seed in (3, 5) for fold in range(3)}


def test_a_recipe_of_ones_own_is_found_beside_the_sweep(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "own.toml").write_text('description = ""\nnetwork.name = "unet"\n', encoding="utf-8")
    sweep = read_sweep(written(tmp_path / "below", 'recipe = "own.toml"\n[search]\ntraining.accumulate = [1, 2]\n'))
    assert recipe_of(sweep, {}, sweep.recipe).network.name == "unet"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (toml(search=("training.optimizer = ['sgd']",)), r"unknown key 'training\.optimizer'.*'training\.optimiser'"),
        (toml(search=("training.optimiser = ['sgd', 'adamv']",)), r"training\.optimiser = 'adamv'"),
        (toml(search=("network.width = [[4, 4]]",)), r"width.*Did you mean"),
        (toml(fixed=("training.epoch=1",)), r"unknown key 'training\.epoch'.*'training\.epochs'"),
        (toml(search=()), "nothing is searched"),
        (toml(search=("training.accumulate = 4",)), r"training\.accumulate = 4: write a list"),
        (toml(search=("training.accumulate = []",)), "write a list"),
        (toml(search=("training.accumulate = [1, 1]",)), "a value stands twice"),
        (toml(search=("training.accumulate = [2020-01-01]",)), "is not text, a number"),
        (toml(search=("training.accumulate = { low = 1 }",)), r"training\.accumulate\.high is missing"),
        (
            toml(search=("training.accumulate = { low = 1, high = 4, stop = 2 }",)),
            r"'search\.training\.accumulate\.stop'.*\.step'",
        ),
        (toml(search=("training.accumulate = { low = 4, high = 1, step = 1 }",)), "low 4 is not below high 1"),
        (toml(search=("training.accumulate = { low = 1, high = 4, step = 2 }",)), "whole number of steps"),
        (toml(search=("training.accumulate = { low = 1, high = 4 }",)), "a range with a step"),
        (toml(search=("training.momentum = { low = 0.0, high = 0.9, log = true }",)), "log needs a low above 0"),
        (toml(search=("training.seed = [0, 1]",)), "set seeds"),
        (toml(search=("data.fold = [0, 1]",)), "set folds"),
        (toml(search=("training.epochs = [1, 2]",)), r"training\.epochs stands in two places"),
        (toml(search=("training.watch = ['f1', 'loss']",)), "can't be compared"),
        (toml(fixed=("training.watch='loss'",), search=("training.loss = ['bce', 'dice']",)), "can't be compared"),
        (toml(top="method = 'gird'"), "method = 'gird'"),
        (toml(top="methods = 'grid'"), r"unknown key 'methods'.*'method'"),
        (toml(top="method = 'tpe'"), "needs trials"),
        (toml(top="trials = 3"), "a grid has as many"),
        (toml(top="method = 'random'\ntrials = 2", search=("training.average = { low = 0.5, high = 1.5 }",)), r"1\.5"),
        (toml(top="seeds = [0, 0]"), "one stands twice"),
        (toml(top="folds = 1"), "nothing to train on"),
        (toml().replace("region-guided-vessels", "region-guided-vessel"), "Did you mean 'region-guided-vessels'"),
        (toml().partition("\n")[2], "recipe is missing"),
        ("recipe = ", "not valid TOML"),
    ],
)
def test_a_wrong_file_gets_one_line_before_anything_is_done(text: str, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError, match=sentence) as caught:
        check_recipes(read_sweep(path), path)
    assert "\n" not in str(caught.value)


def test_an_unknown_name_gets_the_nearest_and_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Did you mean 'convlstm-unet-drive-study'"):
        read_sweep("convlstm-drive-study")
    with pytest.raises(UsageError, match=r"none\.toml: can't be read"):
        read_sweep(str(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", shipped())
def test_a_shipped_sweep_is_valid_and_begins_with_the_command_that_runs_it(name: str) -> None:
    sweep = read_sweep(name)
    check_recipes(sweep, name)
    assert sweep.name == name
    assert sweep.description
    words = shlex.split(shipped()[name].splitlines()[0].removeprefix("# "))
    assert words[:3] == ["foveate", "sweep", name]
    assert {"--data", "--out"} <= {*words}


def test_the_study_of_paper_004_searches_what_the_paper_names() -> None:
    content = tomllib.loads(shipped()["convlstm-unet-drive-study"])
    sweep = read_sweep("convlstm-unet-drive-study")
    assert {"training.schedule", "optimiser", "augmentation", "frozen"} == {*grid(sweep)[0]}
    choices = [content["search"]["training"]["schedule"], *content["bundles"].values()]
    assert f"{trials_of(sweep)} trials" in sweep.description
    count = 1
    for each in choices:
        count *= len(each)
    assert trials_of(sweep) == count


def test_the_example_of_the_help_names_a_shipped_sweep() -> None:
    (command,) = (each for each in app().registered_commands if each.callback and each.callback.__name__ == "sweep")
    assert any(name in (command.callback.__doc__ or "") for name in shipped())
