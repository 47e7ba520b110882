"""Reading a recipe of one's own, overriding keys, and the sentence for each kind of mistake."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from foveate.errors import RecipeError, UsageError
from foveate.networks import NETWORKS
from foveate.networks.registry import constructor_of
from foveate.recipes.read import checked_recipe, overrides_of, read_recipe, read_recipe_of_run, to_toml

if TYPE_CHECKING:
    from pathlib import Path

SHIPPED = "region-guided-vessels"

OWN = """
description = "Mine."
[network]
name = "region_guided"
depth = 3
[training]
epochs = 2
"""


def file_of(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def value_at(recipe: object, key: str) -> Any:
    for part in key.split("."):
        recipe = recipe[part] if isinstance(recipe, dict) else getattr(recipe, part)
    return recipe


def refusal(overrides: list[str], source: str = SHIPPED) -> str:
    """The one line with which a recipe is refused."""
    with pytest.raises(RecipeError) as caught:
        read_recipe(source, overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_file_of_ones_own_is_read_and_named_after_the_file(tmp_path: Path) -> None:
    recipe = read_recipe(file_of(tmp_path, OWN))
    assert (recipe.name, recipe.description) == ("mine", "Mine.")
    assert (recipe.network.options["depth"], recipe.training.epochs) == (3, 2)
    assert recipe.training.batch == read_recipe(SHIPPED).training.batch  # the default of both


def test_a_name_in_the_file_counts_more_than_the_files_own(tmp_path: Path) -> None:
    assert read_recipe(file_of(tmp_path, 'name = "Größe"\n' + OWN)).name == "Größe"


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("training.epochs", "4", 4),
        ("training.learning_rate", "2e-4", 2e-4),
        ("training.learning_rate", "1", 1.0),
        ("augmentation.flip", "false", False),
        ("training.loss", "dice", "dice"),
        ("training.loss", '"dice"', "dice"),
        ("training.loss", " dice ", "dice"),
        ("description", "two words, even = signs", "two words, even = signs"),
        ("network.widths", "[4, 5, 6, 7]", (4, 5, 6, 7)),
        ("data.weights", "{ drive = 3, hrf = 0.5 }", {"drive": 3.0, "hrf": 0.5}),
        ("data.weights.drive", "3", 3.0),
        ("data.weights.chase_db1", "1.5", 1.5),
        ("data.validation_share", "0", 0.0),
    ],
)
def test_an_override_sets_one_key_and_leaves_every_other(key: str, text: str, value: object) -> None:
    original, changed = read_recipe(SHIPPED), read_recipe(SHIPPED, [f"{key}={text}"])
    assert value_at(changed, key) == value
    assert type(value_at(changed, key)) is type(value)
    top, _, rest = key.partition(".")
    assert changed.model_dump(exclude={top}) == original.model_dump(exclude={top})
    if rest and not rest.startswith("weights"):
        sections = getattr(changed, top), getattr(original, top)
        one, other = (section.model_dump(exclude={rest}) for section in sections)
        assert one == other


def test_the_last_override_of_a_key_counts() -> None:
    assert read_recipe(SHIPPED, ["training.seed=3", "training.seed=4"]).training.seed == 4


def test_an_override_reaches_into_a_section_that_the_file_leaves_out(tmp_path: Path) -> None:
    recipe = read_recipe(file_of(tmp_path, OWN), ["augmentation.rotation=15", "data.weights.stare=2"])
    assert recipe.augmentation.rotation == 15
    assert recipe.data.weights == {"stare": 2}


def test_a_section_of_several_keys_leaves_its_other_keys_as_they_are() -> None:
    one_by_one = read_recipe(SHIPPED, ["training.epochs=1", "training.batch=2", "data.weights={drive = 2}"])
    given = {"training": {"epochs": 1, "batch": 2}, "data": {"weights": {"drive": 2}}}
    assert read_recipe(SHIPPED, overrides_of(given)) == one_by_one
    assert read_recipe(SHIPPED, ["training={epochs = 1, batch = 2}", "data={weights={drive = 2}}"]) == one_by_one
    network = 'network={widths = [4, 8], name = "unet"}'
    assert read_recipe(SHIPPED, [network]) == read_recipe(SHIPPED, ["network.widths=[4, 8]", "network.name=unet"])


@pytest.mark.parametrize(
    ("override", "key", "nearest"),
    [
        ("trainig.epochs=4", "trainig", "training"),
        ("training.epoch=4", "training.epoch", "training.epochs"),
        ("preparation.working_min=3", "preparation.working_min", "preparation.working_minimum"),
        ("augmentation.color=0.1", "augmentation.color", "augmentation.colour"),
        ("descripton=x", "descripton", "description"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(override: str, key: str, nearest: str) -> None:
    message = refusal([override])
    assert message.startswith(f"{SHIPPED}: unknown key '{key}'. Did you mean '{nearest}'?")
    assert nearest in message.split("Valid: ")[1].rstrip(".").split(", ")


def test_an_unknown_key_in_a_file_names_the_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWN + "epoch = 3\n")
    message = refusal([], path)
    assert message.startswith(path)
    assert "'training.epochs'" in message


@pytest.mark.parametrize(
    "override",
    [
        "training.epochs=0",
        "training.epochs=2.5",
        "training.epochs=four",
        "training.seed=-1",
        "training.crop=8",
        "training.crop=100",
        "training.learning_rate=0",
        "training.learning_rate=nan",
        "training.average=1",
        "training.side_weight=-0.1",
        "training.loss=hinge",
        "training.optimiser=lion",
        "training.momentum=1",
        "training.schedule=triangle",
        "training.plateau_factor=1",
        "training.step_factor=0",
        "training.step_epochs=0",
        "training.precision=8",
        "network.depth=0",
        "network.widths=8",
        "preparation.working_minimum=0",
        "data.validation_share=1",
        "data.validation_share=-0.1",
        "data.weights.drive=0",
        "augmentation.rotation=181",
        "augmentation.scale=1.5",
        "augmentation.contrast=1",
        "augmentation.place=fovea",
        "augmentation.shift=1",
        "augmentation.shear=46",
        "augmentation.noise=-0.1",
        "augmentation.flip=perhaps",
        "description=[1]",
    ],
)
def test_a_value_out_of_range_is_refused_with_its_key_and_what_was_found(override: str) -> None:
    key, _, value = override.partition("=")
    message = refusal([override])
    assert message.startswith(f"{SHIPPED}: {key} = ")
    assert value.strip("[]") in message.removeprefix(f"{SHIPPED}: {key} = ")


@pytest.mark.parametrize("widths", ["[8, 16, 24]", "[8, 16, 24, 32, 40]", "[8, 16, 24, 0]", "[8, 16, 24, 1.5]"])
def test_widths_are_four_positive_whole_numbers(widths: str) -> None:
    assert refusal([f"network.widths={widths}"]).startswith(f"{SHIPPED}: network.widths")


@pytest.mark.parametrize(
    "override", ["training.learning_rate=inf", "preparation.working_maximum=inf", "data.weights.drive=inf"]
)
def test_what_is_not_finite_is_refused(override: str) -> None:
    assert override.partition("=")[0] in refusal([override])


def test_a_smallest_working_size_above_the_largest_is_refused() -> None:
    message = refusal(["preparation.working_minimum=1200", "preparation.working_maximum=800"])
    assert "preparation.working_minimum = 1200" in message
    assert "800" in message


@pytest.mark.parametrize("override", ["training.epochs", "training.=3", "=3", ".epochs=3", ""])
def test_what_is_no_override_is_refused_with_an_example(override: str) -> None:
    with pytest.raises(UsageError, match=r"section\.key=value") as caught:
        read_recipe(SHIPPED, [override])
    assert f"'{override}'" in str(caught.value)


def test_what_is_no_list_is_refused_with_one_in_quotes() -> None:
    for override in ('training.freeze=["level0",', "training.freeze=level0"):
        assert "a list is needed. Write it in brackets and all of it in quotes" in refusal([override])


def test_what_stands_in_a_section_s_place_is_refused_with_what_to_write() -> None:
    for override in ("training=5", "preparation=5", "training={epochs=1", 'data={"folds": 1}'):
        section = override.partition("=")[0]
        assert f"is a section. Set its keys, as in '{section}." in refusal([override])
    with pytest.raises(UsageError, match="None"):
        overrides_of({"training": {"epochs": None}})


@pytest.mark.parametrize("override", ["training=5", "training.epochs.x=3", "name.x=3"])
def test_sections_and_keys_are_not_mixed_up(override: str) -> None:
    assert override.split("=")[0].split(".")[0] in refusal([override])


@pytest.mark.parametrize(
    ("missing", "text"),
    [
        ("description", '[network]\nname = "region_guided"\n'),
        ("network", 'description = "Mine."\n'),
        ("network.name", 'description = "Mine."\n[network]\ndepth = 2\n'),
    ],
)
def test_a_missing_key_is_named_and_said_to_be_missing(missing: str, text: str, tmp_path: Path) -> None:
    path = file_of(tmp_path, text)
    message = refusal([], path)
    assert message.startswith(path)
    assert missing in message
    # It has no value, so none may be shown for it.
    assert f"{missing} = " not in message


def test_invalid_toml_is_an_error_that_names_the_file_and_the_line(tmp_path: Path) -> None:
    path = file_of(tmp_path, OWN + "batch = \n")
    message = refusal([], path)
    assert message.startswith(path)
    assert "not valid TOML" in message
    assert f"line {(OWN + 'batch').count(chr(10)) + 1}" in message


def test_a_missing_file_and_a_folder_are_errors_that_name_them(tmp_path: Path) -> None:
    folder = tmp_path / "folder.toml"
    folder.mkdir()
    for path in (tmp_path / "nothing.toml", folder):
        with pytest.raises(UsageError) as caught:
            read_recipe(str(path))
        assert str(caught.value).startswith(str(path))


def test_a_file_that_is_not_text_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError) as caught:
        read_recipe(str(path))
    assert str(caught.value).startswith(str(path))


def test_an_unknown_recipe_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=f"unknown recipe 'region-guided-vesels'. Did you mean '{SHIPPED}'") as caught:
        read_recipe("region-guided-vesels")
    assert "region-guided-drive" in str(caught.value)
    assert ".toml" in str(caught.value)


@pytest.mark.parametrize(
    "text", ['quotes " and \\ and ümläute', "lines\nand\ttabs", "😀 and \u2028", "a control \x01 or \x7f"]
)
def test_any_text_survives_being_written_out(text: str, tmp_path: Path) -> None:
    recipe = checked_recipe({"name": text, "description": text, "network": {"name": "region_guided"}}, "memory")
    assert read_recipe(file_of(tmp_path, to_toml(recipe))) == recipe


@pytest.mark.parametrize("name", ["drive", "my set", "a.b"])
def test_a_weight_survives_being_written_out_whatever_its_name(name: str, tmp_path: Path) -> None:
    content = {"name": "n", "description": "d", "network": {"name": "region_guided"}}
    recipe = checked_recipe({**content, "data": {"weights": {name: 2.5, "hrf": 1}}}, "memory")
    assert read_recipe(file_of(tmp_path, to_toml(recipe))) == recipe


def test_a_recipe_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_recipe(SHIPPED).training.epochs = 3


NETWORK = 'description = "Mine."\n[network]\n'


@pytest.mark.parametrize("name", NETWORKS)
def test_a_recipe_can_name_every_network_and_resolves_all_options_but_the_datas(name: str, tmp_path: Path) -> None:
    recipe = read_recipe(file_of(tmp_path, f'{NETWORK}name = "{name}"\n'))
    defaults = {key: option.default for key, option in inspect.signature(constructor_of(name)).parameters.items()}
    assert recipe.network.options == {key: defaults[key] for key in defaults if key not in ("in_channels", "classes")}


VARIANTS = [(name, variant) for name in NETWORKS for variant in NETWORKS[name].variants]


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_a_variant_in_a_recipe_is_the_registrys(name: str, variant: str, tmp_path: Path) -> None:
    found = read_recipe(file_of(tmp_path, f'{NETWORK}name = "{name}"\nvariant = "{variant}"\n')).network.options
    default = read_recipe(file_of(tmp_path, f'{NETWORK}name = "{name}"\n')).network.options
    assert found == default | dict(NETWORKS[name].variants[variant])


def test_a_resolved_variant_is_read_back_as_itself(tmp_path: Path) -> None:
    recipe = read_recipe(file_of(tmp_path, f'{NETWORK}name = "atten_res_unet"\nvariant = "encoder"\n'))
    assert read_recipe(file_of(tmp_path, to_toml(recipe))) == recipe.model_copy(update={"name": "mine"})


@pytest.mark.parametrize(
    ("section", "parts"),
    [
        ('name = "unett"', ["unknown network 'unett'", "Did you mean 'unet'?", "fr_unet"]),
        ('name = "unet"\nwidth = [4, 8]', ["unknown option of unet 'network.width'", "Did you mean 'network.widths'?"]),
        ('name = "unet"\nclasses = 3', ["unknown option of unet 'network.classes'"]),
        ('name = "unet"\nwidths = [4]', ["widths = [4]", "two or more"]),
        ('name = "unet"\nwidths = "4,8"', ["widths = '4,8'", "two or more"]),
        ('name = "unet"\nvariant = "plain"', ["unet has no named variants"]),
        ('name = "atten_res_unet"\nvariant = "limt"', ["unknown variant", "Did you mean 'limit'?", "encoder_gated"]),
        ('name = "atten_res_unet"\ndepth = 20', ["depth = 20", "18, 34, 50, 101"]),
        ("widths = [4, 8]", ["network.name is missing"]),
        (
            'name = "atten_res_unet"\nvariant = "encoder"\ndecoder_gates = true',
            ["variant 'encoder' has decoder_gates = False, not True"],
        ),
    ],
)
def test_a_wrong_network_section_is_refused_before_anything_is_built(
    section: str, parts: list[str], tmp_path: Path
) -> None:
    message = refusal([], source=file_of(tmp_path, NETWORK + section + "\n"))
    assert [part for part in parts if part not in message] == []


def test_reading_a_recipe_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from foveate.recipes.read import read_recipe; read_recipe('{}')"
    subprocess.run([sys.executable, "-c", code.format(SHIPPED)], check=True)


@pytest.mark.parametrize("key", ["fov", "channels", "clahe", "working_minimum", "working_maximum"])
def test_a_key_that_has_moved_is_refused_with_its_new_place_and_read_in_a_run_of_before(
    key: str, tmp_path: Path
) -> None:
    assert f"data.{key} is preparation.{key} since version 0.2.0" in refusal([f"data.{key}=1"])
    recipe = read_recipe(SHIPPED, ["preparation.clahe=2", "preparation.channels=green"])
    before = to_toml(recipe).replace("\n[data]\n", "\n").replace("[preparation]", "[data]")
    (tmp_path / "recipe.toml").write_text(before.replace("\n\nown_validation", "\nown_validation"), encoding="utf-8")
    assert read_recipe_of_run(str(tmp_path / "recipe.toml")) == recipe
