"""The recipes in the package: valid, runnable as their first line says, and true to their paper."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from foveate.datasets import SETS
from foveate.networks.registry import NETWORKS
from foveate.recipes.read import read_recipe, shipped, to_toml
from foveate.recipes.schema import (
    AugmentationSection,
    DataSection,
    NetworkSection,
    Recipe,
    Section,
    TrainingSection,
)

if TYPE_CHECKING:
    from pathlib import Path

every_recipe = pytest.mark.parametrize("name", shipped())


def test_there_are_recipes_and_they_are_sorted() -> None:
    assert list(shipped()) == sorted(shipped())
    assert {"region-guided-drive", "region-guided-vessels"} <= shipped().keys()


@every_recipe
def test_a_shipped_recipe_is_valid_and_carries_its_own_name(name: str) -> None:
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.description
    assert recipe.network.name in NETWORKS


@every_recipe
def test_the_first_line_of_a_shipped_recipe_is_the_command_that_runs_it(name: str) -> None:
    first = shipped()[name].splitlines()[0]
    assert first.startswith("# ")
    command = shlex.split(first.removeprefix("# "))
    assert command[:3] == ["foveate", "train", name]
    options = dict.fromkeys(command[3::2])
    assert {"--data", "--out"} <= options.keys() <= {"--data", "--from", "--out"}
    sets = [value for option, value in zip(command[3::2], command[4::2], strict=True) if option == "--data"]
    assert sets
    assert {value.partition(":")[0] for value in sets} <= SETS.keys()


@every_recipe
def test_a_shipped_recipe_written_out_in_full_reads_back_the_same(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(name)
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(recipe), encoding="utf-8")
    assert read_recipe(str(path)) == recipe


@every_recipe
def test_a_recipe_written_out_in_full_names_every_key_of_the_schema(name: str) -> None:
    written = to_toml(read_recipe(name)).splitlines()
    sections = {key: field.annotation for key, field in Recipe.model_fields.items()}
    for key, section in sections.items():
        if isinstance(section, type) and issubclass(section, Section):
            start = written.index(f"[{key}]") + 1
            stop = written.index("", start) if "" in written[start:] else len(written)
            keys = [*section.model_fields, *getattr(getattr(read_recipe(name), key), "options", {})]
            assert [line.split(" = ")[0] for line in written[start:stop]] == keys
        else:
            assert any(line.startswith(f"{key} = ") for line in written)


def test_every_key_has_a_default_but_the_networks_name() -> None:
    assert NetworkSection(name="region_guided").options["widths"] == (8, 16, 24, 32)
    for section in (DataSection, AugmentationSection, TrainingSection):
        assert section() == section.model_validate({})


def test_the_drive_recipe_is_the_papers_training() -> None:
    recipe = read_recipe("region-guided-drive")
    assert recipe.paper == "003"
    assert recipe.network.options["widths"] == (8, 16, 24, 32)
    assert (recipe.data.working_minimum, recipe.data.working_maximum, recipe.training.crop) == (512, 512, 512)
    training, augmentation = recipe.training, recipe.augmentation
    assert (training.optimiser, training.learning_rate, training.loss) == ("adam", 1e-3, "dice_bce")
    assert (training.schedule, training.plateau_patience, training.epochs) == ("plateau", 5, 70)
    assert training.samples_per_epoch == 20 * 363  # the paper's 7260 stored images of 20 photographs
    assert (augmentation.rotation, augmentation.flip) == (180, True)
    others = ("scale", "brightness", "contrast", "gamma", "colour")
    assert [getattr(augmentation, name) for name in others] == [0] * len(others)


@every_recipe
def test_what_is_published_stands_in_the_paper(name: str, shared_papers: Path) -> None:
    recipe = read_recipe(name)
    if not recipe.paper.isdigit():
        assert not recipe.published
        return
    (path,) = shared_papers.glob(f"{recipe.paper}-*.txt")
    words = set(re.findall(r"[0-9.]+", path.read_text(encoding="utf-8")))
    numbers = {float(word) for word in words if re.fullmatch(r"\d*\.?\d+", word)}
    # Papers print shares as such or in per cent.
    assert [value for value in recipe.published.values() if not {value, round(100 * value, 4)} & numbers] == []


@every_recipe
def test_a_recipe_is_named_by_its_network_and_its_data(name: str) -> None:
    recipe = read_recipe(name)
    network = recipe.network.name.replace("_", "-")
    assert name.startswith(f"{network}-")
    first = shipped()[name].splitlines()[0]
    sets = re.findall(r"--data (\w+):", first)
    data = name.removeprefix(f"{network}-")
    assert len(sets) > 1 or data.startswith(sets[0].replace("_", "-"))
