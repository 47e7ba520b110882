"""The recipes in the package: valid, runnable as their first line says, with scores that their paper prints."""

from __future__ import annotations

import re
import shlex
from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
from headers import places

from foveate.arrays.prepare import Preparation
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
    assert {"--data", "--out"} <= set(command[3::2]) <= {"--data", "--from", "--out"}
    assert {place.partition(":")[0] for place in places(name)} <= SETS.keys()


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
        own = None
        if section is Preparation:
            own = [field.name for field in fields(Preparation)]
        elif isinstance(section, type) and issubclass(section, Section):
            own = [*section.model_fields, *getattr(getattr(read_recipe(name), key), "options", {})]
        if own is not None:
            start = written.index(f"[{key}]") + 1
            stop = written.index("", start) if "" in written[start:] else len(written)
            assert [line.split(" = ")[0] for line in written[start:stop]] == own
        else:
            assert any(line.startswith(f"{key} = ") for line in written)


REQUIRED = {(Recipe, "name"), (Recipe, "description"), (Recipe, "network"), (NetworkSection, "name")}


def test_every_key_has_a_default_but_the_recipes_and_the_networks_name_description_and_network() -> None:
    sections = (Recipe, NetworkSection, DataSection, AugmentationSection, TrainingSection)
    required = {(each, key) for each in sections for key, field in each.model_fields.items() if field.is_required()}
    assert required == REQUIRED
    assert NetworkSection(name="region_guided").options["widths"] == (8, 16, 24, 32)


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
    names = [place.partition(":")[0].replace("_", "-") for place in places(name)]
    data = name.removeprefix(f"{network}-")
    if names == ["folder"]:  # of a set that is read in another way than its own
        (place,) = places(name)
        names = [re.split(r"[:/]", place)[1].lower()]
    assert len(names) > 1 or data.startswith(names[0])
