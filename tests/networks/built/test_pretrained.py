"""Pretrained weights of local files: what is loaded, and what is refused. For the hub see test_pretrained_hub.py."""

from __future__ import annotations

import copy
import hashlib
import pickle
import re
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

import checkpoint_files
from checkpoint_files import random_weights, sha256_of
from foveate.errors import FoveateError, ModelError, UsageError, install_line
from foveate.networks import NETWORKS, build, resnet
from foveate.networks.blocks.resnet import DEPTHS, Depth, ResNet
from foveate.networks.built.pretrained import CHECKPOINTS, encoder_of, load_encoder_weights

# Fixtures, which pytest finds by these names.
file, tidy, weights = checkpoint_files.file, checkpoint_files.tidy, checkpoint_files.weights


def state_of(body: ResNet) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in body.state_dict().items()}


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return set(a) == set(b) and all(torch.equal(a[name], b[name]) for name in a)


def refusal(kind: type[FoveateError], body: ResNet, source: str | Path, **options: Any) -> str:
    """The one line by which loading is refused; the body must be as it was."""
    before = state_of(body)
    with pytest.raises(kind) as caught:
        load_encoder_weights(body, source, **options)
    assert type(caught.value) is kind
    assert same(before, state_of(body))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.fixture(scope="module")
def new_body() -> ResNet:
    return resnet(18)


@pytest.fixture
def body(new_body: ResNet) -> ResNet:
    return copy.deepcopy(new_body)


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection or looks up a host fails the test."""

    def refuse(*_: object, **__: object) -> None:
        pytest.fail("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("depth", [18, 50])
def test_every_tensor_of_a_file_arrives_but_the_classifier(depth: Depth, tmp_path: Path) -> None:
    weights = random_weights(depth, seed=2)
    save_file(weights, tmp_path / "weights.safetensors")
    body = resnet(depth)
    sha256 = load_encoder_weights(body, tmp_path / "weights.safetensors")
    assert sha256 == sha256_of(tmp_path / "weights.safetensors")
    assert same(state_of(body), {name: each for name, each in weights.items() if not name.startswith("fc.")})


def test_the_path_may_be_a_string_and_the_file_a_body_of_our_own(body: ResNet, tmp_path: Path) -> None:
    save_file(body.state_dict(), tmp_path / "own.safetensors")
    again = resnet(18)
    load_encoder_weights(again, str(tmp_path / "own.safetensors"))
    image = torch.rand(1, 3, 40, 40, generator=torch.Generator().manual_seed(3))
    maps = zip(body.eval()(image), again.eval()(image), strict=True)
    assert all(torch.equal(a, b) for a, b in maps)


def test_what_is_frozen_is_loaded_and_stays_frozen(file: Path, weights: dict[str, Tensor]) -> None:
    body = resnet(18, freeze="layer1")
    load_encoder_weights(body, file)
    assert torch.equal(body.bn1.running_mean, weights["bn1.running_mean"])  # type: ignore[arg-type]  # a tensor
    assert not body.conv1.weight.requires_grad
    assert not body.train().bn1.training


def test_an_old_file_without_the_batch_norms_counters_is_loaded(
    body: ResNet, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    old = {name: each for name, each in weights.items() if not name.endswith("num_batches_tracked")}
    save_file(old, tmp_path / "old.safetensors")
    load_encoder_weights(body, tmp_path / "old.safetensors")
    found = state_of(body)
    assert all(torch.equal(found[name], each) for name, each in old.items() if not name.startswith("fc."))


def test_half_precision_is_widened(body: ResNet, weights: dict[str, Tensor], tmp_path: Path) -> None:
    half = {name: each.half() if each.is_floating_point() else each for name, each in weights.items()}
    save_file(half, tmp_path / "half.safetensors")
    load_encoder_weights(body, tmp_path / "half.safetensors")
    assert body.conv1.weight.dtype == torch.float32
    assert torch.equal(body.conv1.weight, half["conv1.weight"].float())


Change = Callable[[dict[str, Tensor]], dict[str, Tensor]]

CHANGES: dict[str, tuple[Change, str]] = {
    "a tensor missing": (
        lambda w: {name: each for name, each in w.items() if name != "layer2.1.bn2.running_mean"},
        "'layer2.1.bn2.running_mean' is missing.",
    ),
    "a tensor too many": (lambda w: w | {"fc.scale": torch.ones(1)}, "'fc.scale' is not part of it."),
    "another shape": (
        lambda w: w | {"layer4.0.conv1.weight": torch.ones(512, 256, 1, 1)},
        "'layer4.0.conv1.weight' is 512×256×1×1 instead of 512×256×3×3.",
    ),
    "a stem for two channels": (
        lambda w: w | {"conv1.weight": torch.ones(64, 2, 7, 7)},
        "'conv1.weight' is 64×2×7×7 instead of 64×3×7×7.",
    ),
    "names with a prefix": (
        lambda w: {f"encoder.{name}": each for name, each in w.items()},
        "'conv1.weight' is missing (and ",
    ),
    "a deeper body than any of ours": (
        lambda w: w | {"layer3.35.conv1.weight": torch.ones(1)},
        "'layer3.35.conv1.weight' is not part of it.",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_does_not_fit_is_refused(
    change: str, body: ResNet, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    alter, said = CHANGES[change]
    save_file(alter(weights), tmp_path / "other.safetensors")
    message = refusal(ModelError, body, tmp_path / "other.safetensors")
    assert message.startswith(f"{tmp_path / 'other.safetensors'}: doesn't fit a ResNet-18 body: ")
    assert said.rstrip(".") in message


@pytest.mark.parametrize("found", DEPTHS)
@pytest.mark.parametrize("expected", DEPTHS)
def test_a_file_of_another_depth_is_refused_by_both_depths(found: Depth, expected: Depth, tmp_path: Path) -> None:
    with torch.device("meta"):
        names, body = ResNet(found).state_dict(), ResNet(expected)
    save_file({name: torch.zeros(1) for name in names}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError) as caught:
        load_encoder_weights(body, tmp_path / "other.safetensors")
    said = f"the weights of a ResNet-{found}, where those of a ResNet-{expected} are expected"
    assert (said in str(caught.value)) == (found != expected)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [name for name in CHECKPOINTS if name != "resnet18"])
@pytest.mark.usefixtures("no_connection")
def test_a_name_of_another_depth_is_refused_before_anything_is_fetched(name: str, body: ResNet) -> None:
    message = refusal(UsageError, body, name)
    assert f"'{name}' is a ResNet-{CHECKPOINTS[name].depth}, but the encoder is a ResNet-18" in message
    assert "give 'resnet18'" in message


@pytest.mark.parametrize("name", ["resnet-18", "resnet152", "timm/resnet18.tv_in1k", "imagenet", ""])
@pytest.mark.usefixtures("no_connection")
def test_an_unknown_name_is_refused_with_all_the_valid_ones(name: str, body: ResNet) -> None:
    message = refusal(UsageError, body, name)
    assert message.startswith("unknown pretrained weights ")
    assert all(known in message for known in CHECKPOINTS)
    assert ".safetensors" in message


def test_the_table_names_each_depth_once() -> None:
    assert {name: row.depth for name, row in CHECKPOINTS.items()} == {f"resnet{depth}": depth for depth in DEPTHS}
    assert all(row.file.endswith(".safetensors") for row in CHECKPOINTS.values())


class Intruder:
    """An object whose pickle makes a file when it is read."""

    def __init__(self, made: Path) -> None:
        self.made = made

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return Path.touch, (self.made,)


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".pkl", ".bin", ".PTH", ".weights", ".safetensors"])
def test_a_pickle_is_refused_and_not_run(suffix: str, body: ResNet, tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / f"intruder{suffix}"
    path.write_bytes(pickle.dumps(Intruder(made)))
    message = refusal(ModelError, body, path)
    assert message.startswith(f"{path}: ")
    assert "safetensors" in message
    assert not made.exists()
    pickle.loads(path.read_bytes())
    assert made.exists()  # so it would have been, had anybody read the pickle


def test_the_refusal_of_a_pickle_has_the_code_that_converts_it(
    body: ResNet, weights: dict[str, Tensor], tmp_path: Path
) -> None:
    torch.save(weights, tmp_path / "common.pth")
    code = re.search(r'python -c "(.*)"$', refusal(ModelError, body, tmp_path / "common.pth"))
    assert code is not None
    exec(code[1], {})
    load_encoder_weights(body, tmp_path / "common.safetensors")
    assert torch.equal(body.conv1.weight, weights["conv1.weight"])


def test_a_missing_file_is_an_error_of_the_call(body: ResNet, tmp_path: Path) -> None:
    assert f"{tmp_path / 'none.safetensors'}: no such file" in refusal(UsageError, body, tmp_path / "none.safetensors")


@pytest.mark.parametrize("damage", ["cut", "empty", "other content", "folder"])
def test_a_damaged_file_is_refused_by_name(damage: str, body: ResNet, file: Path, tmp_path: Path) -> None:
    path = tmp_path / "damaged.safetensors"
    if damage == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": file.read_bytes()[:-1], "empty": b"", "other content": b"<html>" * 99}[damage])
    assert refusal(ModelError, body, path).startswith(f"{path}: can't be read")


def test_the_right_hash_is_accepted_in_either_case(body: ResNet, file: Path) -> None:
    sha256 = sha256_of(file)
    assert load_encoder_weights(body, file, sha256=sha256) == sha256
    assert load_encoder_weights(body, file, sha256=sha256.upper()) == sha256


def test_a_wrong_hash_is_refused_with_both_and_what_to_do(body: ResNet, file: Path) -> None:
    wrong = hashlib.sha256(b"something else").hexdigest()
    message = refusal(ModelError, body, file, sha256=wrong)
    assert message.startswith(f"{file}: ")
    assert sha256_of(file) in message
    assert wrong in message
    assert f"Delete {file}" in message


@pytest.mark.parametrize("channels", [1, 2, 4, 5])
def test_a_stem_of_other_channels_sees_grey_as_the_stem_of_three_does(
    channels: int, file: Path, weights: dict[str, Tensor]
) -> None:
    colour, other = resnet(18), resnet(18, in_channels=channels)
    load_encoder_weights(colour, file)
    load_encoder_weights(other, file)
    grey = torch.rand(1, 1, 32, 32, generator=torch.Generator().manual_seed(4))
    expected = colour.conv1(grey.expand(-1, 3, -1, -1))
    # float32, 147 terms of up to 1 in another order
    torch.testing.assert_close(other.conv1(grey.expand(-1, channels, -1, -1)), expected, rtol=1e-5, atol=1e-5)
    assert all(torch.equal(other.conv1.weight[:, 0], other.conv1.weight[:, index]) for index in range(channels))
    rest = {name: each for name, each in weights.items() if name != "conv1.weight" and not name.startswith("fc.")}
    assert same({name: each for name, each in state_of(other).items() if name != "conv1.weight"}, rest)


def test_a_file_with_the_stem_that_is_needed_is_taken_as_it_is(tmp_path: Path) -> None:
    weights = random_weights(18, in_channels=2, seed=5)
    save_file(weights, tmp_path / "two.safetensors")
    body = resnet(18, in_channels=2)
    load_encoder_weights(body, tmp_path / "two.safetensors")
    assert torch.equal(body.conv1.weight, weights["conv1.weight"])


@pytest.mark.parametrize(("network", "depth"), [("dual_attention_unet", 50), ("atten_res_unet", 34)])
def test_the_body_of_a_network_is_found(network: str, depth: Depth) -> None:
    with torch.device("meta"):
        built, alone = build(network), ResNet(depth)
    assert encoder_of(built) is built.get_submodule("encoder")
    assert encoder_of(built).state_dict().keys() == alone.state_dict().keys()
    assert encoder_of(alone) is alone


@pytest.mark.parametrize(("network", "options"), [("unet", {}), ("dual_attention_unet", {"encoder": "plain"})])
def test_a_network_without_a_body_is_an_error_that_names_it(network: str, options: dict[str, str]) -> None:
    built = build(network, **options)
    with pytest.raises(UsageError, match=f"^{type(built).__name__} has no ResNet") as caught:
        encoder_of(built)
    assert "\n" not in str(caught.value)


def test_two_bodies_are_an_error_too(body: ResNet) -> None:
    with pytest.raises(UsageError, match=r"^Sequential has 2 ResNet"):
        encoder_of(torch.nn.Sequential(body, resnet(18)))


@pytest.mark.usefixtures("no_connection")
def test_building_a_network_fetches_nothing() -> None:
    with torch.device("meta"):
        assert [build(name) for name in NETWORKS]
        assert [resnet(row.depth) for row in CHECKPOINTS.values()]


def test_without_huggingface_hub_a_name_is_an_error_with_the_line_that_installs_it(
    body: ResNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    message = refusal(ModelError, body, "resnet18")
    assert f"huggingface_hub, which is not installed: {install_line('train')}." in message
