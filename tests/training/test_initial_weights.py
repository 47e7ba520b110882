import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from foveate.datasets import DataSet
from foveate.errors import ModelError, UsageError
from foveate.networks import resnet
from foveate.recipes.read import read_recipe
from foveate.training.export import export
from foveate.training.start import Listener, start
from foveate.training.weights import load_weights
from small_run import small_recipe


def begin_with(weights: Path | None, folder: Path, data: list[DataSet], *overrides: str) -> None:
    silent = Listener(lambda _: None, lambda *_: None, lambda _: None)
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
    with pytest.raises(ModelError, match=r"network\.\*"):
        begin_with(finished_run / "best.safetensors", tmp_path / "wider", small_data, "network.widths=[8, 8, 8, 8]")
    assert not (tmp_path / "wider").exists()


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
