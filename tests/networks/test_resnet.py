"""The ResNet bodies: names and shapes of the common checkpoints, the arithmetic by hand, and what frozen means."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

from foveate.networks import build, resnet
from foveate.networks.blocks.residual import BasicBlock, Bottleneck
from foveate.networks.blocks.resnet import Depth, Freeze, ResNet
from layers_by_hand import BLOCKS_PER_STAGE, Array, correlate, count, drawn, numbers

TENSORS_OF_COMMON_FILES = {18: 122, 34: 218, 50: 320, 101: 626}
"""With the two of the classifier."""

PARAMETERS_WITH_CLASSIFIER = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160}
"""As torchvision's documentation prints them, with its classifier of 1000 classes."""

PARAMETERS = {18: 11_176_512, 34: 21_284_672, 50: 23_508_032, 101: 42_500_160}

PARTS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")

FROZEN = {"none": 0, "stem": 2, "layer1": 3, "layer2": 4, "layer3": 5, "layer4": 6}
"""How many of the parts."""


def batch_norm_layout(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for tensor in ("weight", "bias", "running_mean", "running_var"):
        yield f"{name}.{tensor}", (channels,)
    yield f"{name}.num_batches_tracked", ()


def layout(depth: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the common ImageNet files, as their known layout has them, without the classifier."""
    bottleneck = depth >= 50
    yield "conv1.weight", (64, 3, 7, 7)
    yield from batch_norm_layout("bn1", 64)
    before = 64
    for stage, blocks in enumerate(BLOCKS_PER_STAGE[depth], start=1):
        width = 32 * 2**stage
        after = 4 * width if bottleneck else width
        for block in range(blocks):
            name = f"layer{stage}.{block}"
            kernels = [(width, before, 1), (width, width, 3), (after, width, 1)]
            for number, (o, i, k) in enumerate(kernels if bottleneck else [(width, before, 3), (width, width, 3)], 1):
                yield f"{name}.conv{number}.weight", (o, i, k, k)
                yield from batch_norm_layout(f"{name}.bn{number}", o)
            if block == 0 and before != after:
                yield f"{name}.downsample.0.weight", (after, before, 1, 1)
                yield from batch_norm_layout(f"{name}.downsample.1", after)
            before = after


def body_without_memory(depth: Depth) -> ResNet:
    with torch.device("meta"):
        return ResNet(depth)


@pytest.mark.parametrize("depth", get_args(Depth))
def test_names_and_shapes_are_those_of_the_common_checkpoints(depth: Depth) -> None:
    expected = dict(layout(depth))
    assert len(expected) == TENSORS_OF_COMMON_FILES[depth] - len(("fc.weight", "fc.bias"))
    found = {name: tuple(tensor.shape) for name, tensor in body_without_memory(depth).state_dict().items()}
    assert found == expected


@pytest.mark.parametrize("depth", get_args(Depth))
def test_each_depth_has_its_published_number_of_parameters(depth: Depth) -> None:
    body = body_without_memory(depth)
    assert count(body) == PARAMETERS[depth]
    assert count(body) + 1000 * (body.channels[-1] + 1) == PARAMETERS_WITH_CLASSIFIER[depth]


@pytest.mark.parametrize("size", [(64, 96), (67, 45), (33, 1)])
@pytest.mark.parametrize("depth", get_args(Depth))
def test_the_five_maps_halve_the_size_each_time_and_round_up(depth: Depth, size: tuple[int, int]) -> None:
    body = body_without_memory(depth).eval()
    maps = body(torch.empty(2, 3, *size, device="meta"))
    expected = [
        (2, channels, -(-size[0] // 2**level), -(-size[1] // 2**level))
        for level, channels in enumerate(body.channels, start=1)
    ]
    assert [tuple(each.shape) for each in maps] == expected


def normed(x: Array, state: dict[str, Tensor], convolution: str, norm: str, *, stride: int) -> Array:
    """A convolution, then batch norm by its running statistics, with the usual 1e-5."""
    x = correlate(x, numbers(state[f"{convolution}.weight"]), stride=stride)
    scale, shift, mean, variance = (
        numbers(state[f"{norm}.{part}"])[:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    found: Array = (x - mean) / np.sqrt(variance + 1e-5) * scale + shift
    return found


def residual_by_hand(x: Array, state: dict[str, Tensor], strides: tuple[int, ...]) -> Array:
    """ReLU(F(x) + x), where F has as many convolutions as there are strides."""
    shortcut, found = x, x
    if "downsample.0.weight" in state:
        shortcut = normed(x, state, "downsample.0", "downsample.1", stride=max(strides))
    for number, stride in enumerate(strides, start=1):
        found = np.maximum(found, 0) if number > 1 else found
        found = normed(found, state, f"conv{number}", f"bn{number}", stride=stride)
    return np.maximum(found + shortcut, 0)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("in_channels", [6, 8])
def test_a_basic_block_computes_equation_1_or_2(in_channels: int, stride: int) -> None:
    block = drawn(BasicBlock(in_channels, 8, stride=stride), seed=1, spread=0.25)
    x = torch.randn(1, in_channels, 9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    found = block(x).detach().numpy()[0]
    expected = residual_by_hand(x.numpy()[0], block.state_dict(), (stride, 1))
    assert (found > 0).any()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)  # float64, sums of some hundred terms near 1


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("in_channels", [6, 16])
def test_a_bottleneck_strides_in_its_3x3_convolution(in_channels: int, stride: int) -> None:
    block = drawn(Bottleneck(in_channels, 4, stride=stride), seed=3, spread=0.25)
    x = torch.randn(1, in_channels, 9, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    found = block(x).detach().numpy()[0]
    expected = residual_by_hand(x.numpy()[0], block.state_dict(), (1, stride, 1))
    assert (found > 0).any()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12)  # float64, sums of some hundred terms near 1


def test_stem_and_first_layer_are_convolution_norm_relu_pooling_and_two_blocks() -> None:
    body = drawn(ResNet(18), seed=5, spread=0.25)
    state = body.state_dict()
    x = torch.randn(1, 3, 21, 26, dtype=torch.float64, generator=torch.Generator().manual_seed(6))
    stem, first = (each.detach().numpy()[0] for each in body(x)[:2])
    expected = np.maximum(normed(x.numpy()[0], state, "conv1", "bn1", stride=2), 0)
    np.testing.assert_allclose(stem, expected, rtol=0, atol=1e-12)  # float64, 147 terms near 1
    ringed = np.pad(expected, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    expected = sliding_window_view(ringed, (3, 3), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))
    for block in ("layer1.0.", "layer1.1."):
        part = {name.removeprefix(block): tensor for name, tensor in state.items() if name.startswith(block)}
        expected = residual_by_hand(expected, part, (1, 1))
    np.testing.assert_allclose(first, expected, rtol=1e-10, atol=1e-10)  # float64, values up to some hundreds


def head_on_each_map(body: ResNet) -> nn.ModuleDict:
    """A network around the body, in which there is something to learn even if the whole body is frozen."""
    heads = nn.ModuleList(nn.Conv2d(channels, 1, kernel_size=1) for channels in body.channels)
    return nn.ModuleDict({"encoder": body, "heads": heads})


def take_a_step(network: nn.ModuleDict, seed: int) -> None:
    """One step of SGD with momentum and weight decay, which moves all that learns."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    image = 1 + torch.randn(2, 3, 40, 40, generator=torch.Generator().manual_seed(seed))
    heads = network["heads"]
    assert isinstance(heads, nn.ModuleList)
    losses = [head(each).square().mean() for head, each in zip(heads, network["encoder"](image), strict=True)]
    torch.autograd.backward(losses)
    optimizer.step()


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def names_of(body: ResNet, parts: tuple[str, ...]) -> set[str]:
    return {name for name in body.state_dict() if name.partition(".")[0] in parts}


def test_every_value_of_freeze_is_tested_here() -> None:
    assert set(FROZEN) == set(get_args(Freeze))


@pytest.mark.parametrize("freeze", FROZEN)
def test_a_training_step_changes_everything_but_the_frozen_parts(freeze: Freeze) -> None:
    torch.manual_seed(7)
    body = resnet(18, freeze=freeze)
    network = head_on_each_map(body).eval().train()
    before = copy.deepcopy(body.state_dict())
    take_a_step(network, seed=8)
    assert changed(before, body.state_dict()) == names_of(body, PARTS[FROZEN[freeze] :])


@pytest.mark.parametrize("freeze", FROZEN)
def test_frozen_parts_get_no_gradient_and_stay_in_evaluation_mode(freeze: Freeze) -> None:
    body = resnet(18, freeze=freeze)
    network = head_on_each_map(body).train()
    take_a_step(network, seed=9)
    still = PARTS[: FROZEN[freeze]]
    no_gradient = {name for name, parameter in body.named_parameters() if parameter.grad is None}
    assert no_gradient == {name for name, _ in body.named_parameters() if name.partition(".")[0] in still}
    for again in (body, resnet(18, freeze=freeze)):  # after .train(), and as built
        evaluating = {name for name, module in again.named_modules() if name and not module.training}
        assert evaluating == {name for name, _ in body.named_modules() if name.partition(".")[0] in still}
    assert not any(module.training for module in network.eval().modules())


def test_copies_and_averages_of_a_frozen_body_keep_it_frozen() -> None:
    torch.manual_seed(10)
    network = head_on_each_map(resnet(18, freeze="layer2"))
    average = AveragedModel(network)
    average.update_parameters(network)
    for again in (copy.deepcopy(network), average.module, copy.deepcopy(average).module):
        assert isinstance(again, nn.ModuleDict)
        body = again.train()["encoder"]
        assert isinstance(body, ResNet)
        before = copy.deepcopy(body.state_dict())
        take_a_step(again, seed=11)
        assert changed(before, body.state_dict()) == names_of(body, PARTS[FROZEN["layer2"] :])


def test_a_frozen_body_stays_frozen_inside_the_network_of_a_paper() -> None:
    with torch.device("meta"):
        network = build("dual_attention_unet", variant="resnet_attention").train()
    encoder = network.get_submodule("encoder")
    norms = {name: each for name, each in encoder.named_modules() if isinstance(each, nn.BatchNorm2d)}
    still = {name for name in norms if name.partition(".")[0] in PARTS[: FROZEN["layer3"]]}
    assert {name for name, norm in norms.items() if not norm.training} == still
    assert {name for name, norm in norms.items() if not norm.weight.requires_grad} == still
    assert still < set(norms)
