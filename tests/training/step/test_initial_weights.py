import hashlib
import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from checkpoint_files import random_weights
from foveate.cli import app
from foveate.datasets import DataSet
from foveate.errors import ModelError, UsageError
from foveate.models import open_model, shipped
from foveate.networks import encoder_of, resnet
from foveate.recipes.read import read_recipe
from foveate.records import Classes
from foveate.training.after.export import TOLERANCE, compared, export
from foveate.training.after.validation import Exportable
from foveate.training.run.progress import Listener
from foveate.training.run.tensors import WEIGHTS, WeightsHeader, load_weights, save_weights
from foveate.training.start import start
from foveate.training.step.first_weights import first_weights, sentences
from foveate.training.step.learner import fresh_network
from small_run import small_recipe


def begin_with(weights: Path | str | None, folder: Path, data: list[DataSet], *overrides: str) -> list[str]:
    """Train one epoch; what is said."""
    said: list[str] = []
    silent = Listener(said.append, lambda *_: None, lambda _: None)
    recipe = small_recipe("training.epochs=1", *overrides)
    start(
        recipe,
        data,
        folder=folder,
        resume=False,
        device="cpu",
        command="the second part",
        listener=silent,
        initial=weights,
    )
    return said


def test_a_run_begins_with_the_weights_it_is_given_and_says_where_they_come_from(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    weights = finished_run / "best.safetensors"
    # A learning rate of next to nothing leaves the weights where they began.
    begin_with(weights, tmp_path / "second", small_data, "training.learning_rate=1e-12", "training.average=0")
    given, _ = load_weights(weights)
    found, _ = load_weights(tmp_path / "second" / "last.safetensors")
    for name, parameter in given.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), parameter, rtol=0, atol=1e-9)
    facts = json.loads((tmp_path / "second" / "run.json").read_text(encoding="utf-8"))
    assert facts["initial"]["file"] == str(weights)
    assert facts["initial"]["command"] == "a test"
    card = export(tmp_path / "second", tmp_path / "model" / "model.onnx").card
    assert card.command == "a test; then the second part"


def test_a_file_from_before_an_option_was_there_has_the_options_default(
    finished_run: Path, tmp_path: Path, small_data: list[DataSet]
) -> None:
    with safe_open(finished_run / "best.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["foveate"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    assert header["options"].pop("partial_decoder") is True
    save_file(tensors, tmp_path / "old.safetensors", metadata={"foveate": json.dumps(header)})
    begin_with(tmp_path / "old.safetensors", tmp_path / "second", small_data)
    assert (tmp_path / "second" / "best.safetensors").is_file()


def test_weights_of_another_network_are_refused(finished_run: Path, tmp_path: Path, small_data: list[DataSet]) -> None:
    first = r"'encoder\.0\.0\.2\.weight' is 4, not 8\. Set 'network\.widths=\[4, 4, 8, 8\]'\.$"
    with pytest.raises(ModelError, match=first):
        begin_with(finished_run / "best.safetensors", tmp_path / "wider", small_data, "network.widths=[8, 8, 8, 8]")
    with pytest.raises(ModelError, match=r"encoder\.0\.2\.0\.weight' is missing\. Set network\.depth=2\.$"):
        begin_with(finished_run, tmp_path / "wider", small_data, "network.depth=3")
    with pytest.raises(
        ModelError, match=r"another network.* Set network\.name=region_guided 'network\.widths=\[4, 4, 8, 8"
    ):
        begin_with(finished_run, tmp_path / "wider", small_data, "network.name=unet", "network.widths=[4, 4, 8, 8]")
    assert not (tmp_path / "wider").exists()


@pytest.mark.parametrize("learnt_with", ["random", "previous"])
def test_how_a_network_began_makes_no_other_network_of_it(learnt_with: str, tmp_path: Path) -> None:
    path = weights_of(tmp_path / "weights.safetensors", f"network.initial_maps={learnt_with}")
    given = load_weights(path)[0].state_dict()
    for begun_with in ("random", "previous"):
        found, facts = first_weights(small_recipe(f"network.initial_maps={begun_with}"), Classes(), path)
        assert facts["initial"]["differing"] == ""
        assert sentences(facts) == []
        assert found is not None
        assert all(torch.equal(tensor, found[name]) for name, tensor in given.items())


def test_a_runs_folder_stands_for_its_best_weights(finished_run: Path) -> None:
    by_folder, facts = first_weights(small_recipe(), Classes(), finished_run)
    by_file, same = first_weights(small_recipe(), Classes(), str(finished_run / "best.safetensors"))
    assert by_folder is not None
    assert by_file is not None
    assert facts == same
    assert facts["initial"]["drawn_anew"] == facts["initial"]["left_out"] == sentences(facts) == []
    assert all(torch.equal(tensor, by_file[name]) for name, tensor in by_folder.items())


SHIPPED = ("network.widths=[16, 24, 40, 56]",)


@pytest.mark.parametrize("name", shipped())
def test_the_weights_beside_a_shipped_model_give_the_probabilities_of_its_file(name: str) -> None:
    model = open_model(name)
    network, facts = load_weights(Path(str(shipped()[name])) / WEIGHTS)
    exportable = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()
    differences = compared(model.content, exportable, "both")
    assert max(differences.values()) < TOLERANCE  # the export folds batch norms, which rounds otherwise
    card = model.card
    assert (facts.network, facts.thresholds) == (card.network, card.thresholds)
    assert {key: facts.options[key] for key in card.options} == {
        key: tuple(value) if isinstance(value, list) else value for key, value in card.options.items()
    }


def test_a_run_begins_with_a_shipped_model_by_its_name_and_says_what_that_has_seen(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    still = ("training.learning_rate=1e-12", "training.average=0")
    said = begin_with("vessels", tmp_path / "run", small_data, *SHIPPED, *still)
    given, _ = load_weights(Path(str(shipped()["vessels"])) / WEIGHTS)
    found, _ = load_weights(tmp_path / "run" / "last.safetensors")
    for name, parameter in given.named_parameters():
        torch.testing.assert_close(found.get_parameter(name), parameter, rtol=0, atol=1e-9)
    initial = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))["initial"]
    card = open_model("vessels").card
    assert (initial["file"], initial["command"]) == ("vessels", card.command)
    assert initial["data"]["drive"]["training"] == list(card.training_data[0].training)
    assert not [line for line in said if "vessels" in line]


def test_a_shipped_model_wants_its_own_options_and_says_which() -> None:
    recipe = small_recipe("network.partial_decoder=false")
    with pytest.raises(
        ModelError, match=r"^vessels: .*Set 'network\.widths=\[16, 24, 40, 56\]' network\.partial_decoder=true\.$"
    ):
        first_weights(recipe, Classes(), "vessels")


def test_what_a_shipped_model_wants_of_a_recipe_with_a_variant_of_its_own_is_enough() -> None:
    with pytest.raises(ModelError, match=r"Set network\.variant= ") as caught:
        first_weights(read_recipe("region-guided-drive"), Classes(), "vessels")
    overrides = shlex.split(str(caught.value).partition(" Set ")[2].removesuffix("."))
    weights, _ = first_weights(read_recipe("region-guided-drive", overrides), Classes(), "vessels")
    assert weights is not None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("vesels", r"unknown model 'vesels'\. Did you mean 'vessels'"),
        ("missing.safetensors", r"^missing\.safetensors: no such file"),
    ],
)
def test_weights_that_are_not_there_are_refused_with_what_there_is(source: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        first_weights(small_recipe(), Classes(), source)


def test_a_folder_without_best_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"best\.safetensors: no such file"):
        first_weights(small_recipe(), Classes(), tmp_path)


TWO = ("artery", "vein")


def weights_of(
    path: Path,
    *overrides: str,
    channels: int = 3,
    classes: tuple[str, ...] = ("vessel",),
    exclusive: bool = False,
) -> Path:
    """Weights of the small recipe's network for other data, drawn by a seed of their own."""
    recipe = small_recipe(*overrides)
    mean = (100.0,) * channels
    facts = WeightsHeader(
        network=recipe.network.name,
        options=recipe.network.options,
        mean=mean,
        deviation=mean,
        classes=classes,
        exclusive=exclusive,
        thresholds=(0.5,),
        validation_f1={},
        epoch=1,
    )
    torch.manual_seed(11)
    save_weights(path, facts.build().state_dict(), facts)
    return path


@pytest.mark.parametrize(
    ("file", "recipe", "classes", "drawn"),
    [
        ({}, (), Classes(TWO, exclusive=False), {"head.weight", "head.bias"}),
        ({}, (), Classes(TWO), {"head.weight", "head.bias"}),  # by softmax: three channels
        ({"classes": TWO}, (), Classes(), {"head.weight", "head.bias"}),
        ({"classes": TWO}, (), Classes(TWO, exclusive=False), set()),
        ({}, ("preparation.channels=green",), Classes(), {"encoder.0.0.0.weight", "encoder.0.0.1.weight"}),
        ({"channels": 1}, (), Classes(), {"encoder.0.0.0.weight", "encoder.0.0.1.weight"}),
    ],
)
def test_of_weights_for_other_data_all_is_taken_but_what_reads_the_image_or_tells_classes(
    file: dict[str, object], recipe: tuple[str, ...], classes: Classes, drawn: set[str], tmp_path: Path
) -> None:
    path = weights_of(tmp_path / "weights.safetensors", **file)  # type: ignore[arg-type]
    wanted = small_recipe(*recipe)
    found, facts = first_weights(wanted, classes, path)
    given, fresh = load_weights(path)[0].state_dict(), fresh_network(wanted, classes).state_dict()
    assert found is not None
    for name, tensor in found.items():
        assert torch.equal(tensor, (fresh if name in drawn else given)[name])
        constant = bool((tensor == tensor.flatten()[0]).all())  # as batch norms begin
        assert name in drawn or constant or not torch.equal(tensor, fresh[name])
    assert set(facts["initial"]["drawn_anew"]) == set(facts["initial"]["left_out"]) == drawn
    told = " ".join(sentences(facts))
    assert all(name in told for name in drawn)
    assert bool(told) == bool(drawn)


def test_a_run_says_what_it_begins_without_in_its_log_too(tmp_path: Path, small_data: list[DataSet]) -> None:
    path = weights_of(tmp_path / "weights.safetensors", classes=TWO)
    said = begin_with(path, tmp_path / "run", small_data)
    (line,) = [line for line in said if "so that the seed draws it: head.weight, head.bias" in line]
    assert line in (tmp_path / "run" / "log.txt").read_text(encoding="utf-8")
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["initial"]["drawn_anew"] == ["head.weight", "head.bias"]


def test_of_another_decoder_what_is_in_both_is_taken_and_the_rest_is_said(finished_run: Path) -> None:
    recipe = small_recipe("network.partial_decoder=false")
    found, facts = first_weights(recipe, Classes(), finished_run)
    assert found is not None
    assert facts["initial"]["drawn_anew"] == []
    assert {name.partition(".")[0] for name in facts["initial"]["left_out"]} == {"partial_decoder"}
    assert facts["initial"]["differing"] == "network.partial_decoder=true"
    assert [line for line in sentences(facts) if "network.partial_decoder=true" in line]
    more = len(facts["initial"]["left_out"]) - 4
    assert [line for line in sentences(facts) if line.endswith(f"and {more} more")]
    back, again = first_weights(small_recipe(), Classes(), None)
    assert (back, again) == (None, {})


def test_what_is_drawn_anew_can_not_be_frozen_and_what_is_taken_can(tmp_path: Path) -> None:
    path = weights_of(tmp_path / "weights.safetensors", classes=TWO)
    first_weights(small_recipe('training.freeze=["level0", "level1", "level2"]'), Classes(), path)
    with pytest.raises(
        UsageError, match=r"training\.freeze = \['decoder'\] would freeze random weights, 'head\.weight'"
    ):
        first_weights(small_recipe('training.freeze=["decoder"]'), Classes(), path)
    green = small_recipe('training.freeze=["level1"]', "preparation.channels=green")
    first_weights(green, Classes(TWO, exclusive=False), path)
    green = small_recipe('training.freeze=["level0"]', "preparation.channels=green")
    with pytest.raises(UsageError, match=r"'encoder\.0\.0\.0\.weight'"):
        first_weights(green, Classes(TWO, exclusive=False), path)


def test_weights_of_the_encoder_alone_let_the_encoder_be_frozen_and_not_the_decoder(tmp_path: Path) -> None:
    body = resnet(18).state_dict()
    save_file(body, tmp_path / "body.safetensors")
    given = (*RESNET, f"training.encoder_weights={tmp_path / 'body.safetensors'}")
    stem = small_recipe(*given, 'training.freeze=["stem", "layer4"]')
    found, _ = first_weights(stem, Classes(), None)
    network = fresh_network(stem, Classes())
    assert found is not None
    network.load_state_dict(found)
    assert all(torch.equal(tensor, body[name]) for name, tensor in encoder_of(network).state_dict().items())
    with pytest.raises(UsageError, match=r"training\.freeze = \['stem', 'decoder'\] would freeze random weights"):
        first_weights(small_recipe(*given, 'training.freeze=["stem", "decoder"]'), Classes(), None)


RESNET = ("network.name=atten_res_unet", "network.depth=18", "training.learning_rate=1e-12", "training.average=0")


def test_an_encoder_begins_with_the_weights_of_the_recipe_and_the_run_says_which(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    body = resnet(18).state_dict()
    save_file(body, tmp_path / "body.safetensors")
    given = f"training.encoder_weights={tmp_path / 'body.safetensors'}"
    begin_with(None, tmp_path / "run", small_data, *RESNET, given)
    found, _ = load_weights(tmp_path / "run" / "last.safetensors")
    for name, parameter in resnet(18).named_parameters():
        torch.testing.assert_close(found.get_parameter(f"encoder.{name}"), body[name], rtol=0, atol=1e-9)
        assert parameter.ndim < 2 or not torch.equal(parameter, body[name])
    facts = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    sha256 = hashlib.sha256((tmp_path / "body.safetensors").read_bytes()).hexdigest()
    assert facts["encoder_weights"] == {"source": str(tmp_path / "body.safetensors"), "sha256": sha256}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (("network.name=dual_attention_unet", "network.freeze=layer4"), "would freeze random weights"),
        (("network.name=dual_attention_unet", "network.variant=resnet"), "would freeze random weights"),
        (("training.encoder_weights=resnet50",), "region_guided|RegionGuided"),
        (("network.name=atten_res_unet", "training.encoder_weights=resnet50"), "34"),
        (("network.name=atten_res_unet", "training.encoder_weights=resnet43"), "Did you mean 'resnet34'"),
    ],
)
def test_an_encoder_that_can_not_begin_so_is_refused_in_one_line(
    overrides: tuple[str, ...], message: str, tmp_path: Path, small_data: list[DataSet]
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        begin_with(None, tmp_path / "run", small_data, *overrides)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_two_ways_to_begin_at_once_are_refused(finished_run: Path, tmp_path: Path, small_data: list[DataSet]) -> None:
    with pytest.raises(UsageError, match="Leave one of the two out"):
        begin_with(finished_run / "best.safetensors", tmp_path / "run", small_data, "training.encoder_weights=resnet34")


def test_a_network_named_on_the_command_line_leaves_the_recipes_own_options_behind() -> None:
    by_name = read_recipe("region-guided-vessels", ["network.widths=[4, 8]", "network.name=unet"]).network.options
    assert by_name == {"widths": (4, 8)}
    plain = read_recipe("region-guided-vessels", ["network.name=region_guided"])
    assert plain == read_recipe("region-guided-vessels")


def test_an_exported_model_is_refused_and_its_run_named_instead(tmp_path: Path) -> None:
    recipe = small_recipe("training.epochs=1")
    with pytest.raises(UsageError, match=r"model\.onnx: an exported model can't be learnt on.*run's folder"):
        first_weights(recipe, Classes(), tmp_path / "model.onnx")


def test_a_crop_that_leaves_one_pixel_to_a_batch_norm_is_refused_before_anything_is_done() -> None:
    five_levels = ("network.name=unet", "network.widths=[4, 4, 4, 4, 4]")  # the deepest has one of 16 pixels

    def begin(*overrides: str, processes: int = 1) -> None:
        first_weights(small_recipe(*five_levels, *overrides), Classes(), None, processes)

    with pytest.raises(UsageError, match=r"training\.crop = 16 leaves one pixel.*training\.batch = 1") as caught:
        begin("training.crop=16", "training.batch=1")
    assert "\n" not in str(caught.value)
    begin("training.crop=16", "training.batch=2")
    with pytest.raises(UsageError, match="1 in a process"):
        begin("training.crop=16", "training.batch=2", processes=2)
    begin("training.crop=32", "training.batch=1")


IMAGENET = [(123.675, 116.28, 103.53), (58.395, 57.12, 57.375)]  # of 255, as torchvision states them


def normalisation_of(folder: Path) -> list[tuple[float, ...]]:
    facts = load_weights(folder / "best.safetensors")[1]
    return [facts.mean, facts.deviation]


def test_with_pretrained_weights_images_are_normalised_as_these_expect(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    file = tmp_path / "resnet18.safetensors"
    save_file(random_weights(18, seed=1), file)
    said = begin_with(None, tmp_path / "run", small_data, *RESNET, f"training.encoder_weights={file}")
    assert [line for line in said if "123.7, 116.3, 103.5" in line and "ImageNet" in line]
    assert np.array(normalisation_of(tmp_path / "run")) == pytest.approx(np.array(IMAGENET))

    network, facts = load_weights(tmp_path / "run" / "best.safetensors")
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    mean, deviation = (torch.tensor(values)[:, None, None] for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
    with torch.inference_mode():
        exported = Exportable(network, facts.mean, facts.deviation, facts.told_apart).eval()(255 * image)
        torch.testing.assert_close(exported, torch.sigmoid(network((image - mean) / deviation)))


def test_of_a_single_channel_pretrained_weights_expect_the_mean_of_three(tmp_path: Path) -> None:
    file = tmp_path / "resnet18.safetensors"
    save_file(random_weights(18, seed=1), file)
    recipe = small_recipe(*RESNET, "preparation.channels=green", f"training.encoder_weights={file}")
    _, facts = first_weights(recipe, Classes(), None)
    found = facts["normalisation"]
    assert (found["mean"], found["deviation"]) == (
        pytest.approx((np.mean(IMAGENET[0]),)),
        pytest.approx((np.mean(IMAGENET[1]),)),
    )


def test_a_run_that_begins_with_anothers_weights_normalises_as_that_one_and_goes_on_so(
    tmp_path: Path, small_data: list[DataSet]
) -> None:
    path, run = weights_of(tmp_path / "weights.safetensors"), tmp_path / "run"
    begin_with(path, run, small_data)
    assert normalisation_of(run) == [(100.0,) * 3, (100.0,) * 3]
    path.unlink()
    app()(["train", "--resume", str(run), "training.epochs=2"], standalone_mode=False)
    assert normalisation_of(run) == [(100.0,) * 3, (100.0,) * 3]


def test_normalised_by_the_images_where_the_recipe_says_so_or_the_weights_are_for_other_channels(
    tmp_path: Path, small_data: list[DataSet], finished_run: Path
) -> None:
    own = normalisation_of(finished_run)  # of a run without weights to begin with, on the same images
    path = weights_of(tmp_path / "weights.safetensors")
    begin_with(path, tmp_path / "run", small_data, "training.normalisation=images")
    assert normalisation_of(tmp_path / "run") == own
    green = small_recipe("preparation.channels=green")
    assert "normalisation" not in first_weights(green, Classes(), path)[1]
