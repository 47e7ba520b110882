"""A recipe of a row is its paper's training: it says where it differs, and what the paper leaves open."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch
from headers import header, keys, named, places
from printed import PRINTED

from foveate.datasets import open_set
from foveate.errors import UsageError
from foveate.networks.registry import variant_options
from foveate.recipes.read import read_recipe, shipped
from foveate.records import Classes
from foveate.training.data.augmentation import draw_placement
from foveate.training.data.reading import prepared
from foveate.training.step.first_weights import first_weights

PARTED_BY = {"folder": "images", "lgg": "patients"}
"""By the adapter; the others have a training part."""

every_row = pytest.mark.parametrize("name", PRINTED)


def set_in_the_file(name: str) -> set[str]:
    """Every key that the file itself decides, its network's variant spelt out."""
    content = tomllib.loads(shipped()[name])
    network = content["network"]
    given = {f"network.{key}" for key in {*network, *variant_options(network["name"], network.get("variant"))}}
    sections = ("preparation", "data", "augmentation", "training")
    given |= {f"{section}.{key}" for section in sections for key in content.get(section, {})}
    return given - {"network.name", "network.variant"}


def value_of(name: str, key: str) -> Any:
    """What the recipe has, whether its file says so or leaves the default."""
    if key == "split":
        (place,) = places(name)
        return PARTED_BY.get(place.partition(":")[0], "official")
    recipe = read_recipe(name)
    section, _, own = key.partition(".")
    if section == "network" and own != "name":
        return recipe.network.options[own]
    return getattr(getattr(recipe, section), own)


def test_every_recipe_of_a_row_and_those_of_others_code_are_held_against_what_is_printed() -> None:
    rows = {name for name in shipped() if read_recipe(name).row}
    assert set(PRINTED) == rows | {"wnet-drive", "fr-unet-drive"}


@every_row
def test_the_header_names_every_key_that_differs_from_the_paper_and_no_other(name: str) -> None:
    differing = {key for key, printed in PRINTED[name].items() if value_of(name, key) != printed}
    assert sorted(keys(name, "Deviation")) == sorted(differing)


@every_row
def test_the_header_names_every_key_that_the_paper_leaves_open_and_no_other(name: str) -> None:
    assert sorted(keys(name, "Ours")) == sorted(set_in_the_file(name) - PRINTED[name].keys())


@pytest.mark.parametrize("name", shipped())
def test_a_line_of_a_header_that_begins_like_a_statement_about_keys_is_one(name: str) -> None:
    begun = Counter(line.partition(":")[0] for line in header(name))
    for kind in ("Deviation", "Ours", "Offline"):
        assert len(named(name, kind)) == begun[kind]


def table_2() -> dict[str, tuple[str, ...]]:
    """The rows of paper 003's table II that have a recipe, by its name: loss and variant."""
    recipes = {name: read_recipe(name) for name in shipped()}
    rows = {name: recipe for name, recipe in recipes.items() if recipe.row.startswith("table II,")}
    return {name: (recipe.network.variant, recipe.training.loss) for name, recipe in rows.items()}


def test_each_of_the_eight_rows_of_paper_003s_ablation_has_a_recipe_of_its_own(shared_papers: Path) -> None:
    (path,) = shared_papers.glob("003-*.txt")
    text = path.read_text(encoding="utf-8")
    printed = re.findall(r"^((?:IAA \+ )?(?:PD \+ )?UNET)\s*(\*?)\s*(IoU|Dice \+ BCE|Dice)\s+0\.", text, re.MULTILINE)
    variants = {"UNET": "unet", "IAA + UNET": "iaa", "IAA + PD + UNET": "iaa_pd"}
    expected = [
        (variants[row] + ("_narrow" if star else ""), loss.lower().replace(" + ", "_")) for row, star, loss in printed
    ]
    assert len(expected) == 8
    assert sorted(table_2().values()) == sorted(expected)


PRETRAINED = [name for name in shipped() if read_recipe(name).training.encoder_weights]


@pytest.mark.parametrize("name", PRETRAINED)
def test_a_row_with_imagenets_weights_names_the_one_that_stands_in_and_that_one_begins_offline(name: str) -> None:
    ((said, reason),) = named(name, "Offline")
    overrides = [word.strip("'") for word in re.findall(r"'[^']+'", said)]
    assert "from random weights" in reason
    with torch.device("meta"):
        recipe = read_recipe(name, overrides)
    weights, facts = first_weights(recipe, Classes(), None)
    assert (weights, facts) == (None, {})
    assert recipe.training.freeze == ()
    assert recipe.network.options == read_recipe(name).network.options


@pytest.mark.parametrize("name", [name for name in PRETRAINED if read_recipe(name).training.freeze])
def test_random_weights_are_not_frozen_unseen(name: str) -> None:
    with pytest.raises(UsageError, match=r"^training\.freeze = \[.*would freeze random weights") as caught:
        first_weights(read_recipe(name, ["training.encoder_weights="]), Classes(), None)
    assert "training.freeze=[]" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_as_many_patches_of_convlstms_recipe_lie_inside_the_fov_as_its_header_says(shared_data: Path) -> None:
    recipe = read_recipe("convlstm-unet-drive")
    (said,) = [reason for key, reason in named("convlstm-unet-drive", "Ours") if key == "augmentation.jitter"]
    inside, outside = (int(percent) for percent in re.findall(r"(\d+) %", said))
    preparation, side = recipe.preparation, recipe.training.crop
    generator = torch.Generator().manual_seed(0)
    shares = []
    for entry in open_set(f"drive:{shared_data / 'DRIVE'}").split("train")[:5]:
        case = prepared(entry, preparation)
        fov = (case[-1] > 127).double()
        for _ in range(1000):
            x, y = draw_placement(case, side, recipe.augmentation, generator).centre
            left, top = round(x - side / 2), round(y - side / 2)
            patch = fov[max(top, 0) : top + side, max(left, 0) : left + side]
            shares.append(float(patch.sum()) / side**2)
    found = torch.tensor(shares)
    # Of 5000 patches; four standard deviations, and half of a percent that the header rounds off.
    for expected, share in ((inside, (found == 1).double().mean()), (outside, (found == 0).double().mean())):
        spread = 4 * float((share * (1 - share) / len(found)).sqrt())
        assert abs(float(share) - expected / 100) < spread + 0.005
