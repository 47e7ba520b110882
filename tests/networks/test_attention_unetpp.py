"""Paper 000: what each node of the grid reads, its gates, its residual encoder; all of it against NumPy in float64."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from foveate.networks import NETWORKS, build
from foveate.networks.attention_unetpp import AttentionUNetPlusPlus
from foveate.networks.blocks.additive_gate import AdditiveGate
from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.residual import BasicBlock
from foveate.networks.unetpp import UNetPlusPlus
from layers_by_hand import (
    Array,
    assert_close,
    batch,
    convolution_by_hand,
    convolutions_count,
    count,
    double_by_hand,
    drawn,
    encoded_by_hand,
    encoder_count,
    force_weights,
    gate_by_hand,
    gate_count,
    nodes_by_hand,
    norm_by_hand,
    normal,
    normed_count,
    numbers,
    resize_by_hand,
    unetpp_count,
)

Options = dict[str, Any]

WIDTHS = (2, 3, 4, 5, 6)
NODES = [(i, j) for j in range(1, 5) for i in range(5 - j)]
"""Of the decoder: (0, 1), (1, 1), … (0, 4)."""


def residual_encoder_count(in_channels: int, widths: tuple[int, ...]) -> int:
    """Two 3×3 convolutions a block; where channels or size change, a 1×1 one with batch norm on the shortcut."""
    total = 0
    for (before, width), depth in zip(pairwise((in_channels, *widths)), (1, 3, 4, 6, 3), strict=True):
        total += convolutions_count(before, width) + normed_count(before, width, kernel=1)
        total += (depth - 1) * convolutions_count(width, width)
    return total


def parameters_by_hand(
    *,
    in_channels: int = 3,
    classes: int = 1,
    widths: tuple[int, ...] = (8, 16, 32, 64, 128),
    encoder: str = "residual",
    gates: bool = True,
    deep_supervision: bool = False,
) -> int:
    """U-Net++'s, with the encoder exchanged, and for each map that a node reads from its left one gate."""
    total = unetpp_count(in_channels=in_channels, classes=classes, widths=widths)
    if encoder == "residual":
        total += residual_encoder_count(in_channels, widths) - encoder_count(in_channels, widths)
    if gates:
        total += sum(j * gate_count(widths[i], widths[i], widths[i] // 2) for i, j in NODES)
    return total + (3 * (widths[0] * classes + classes) if deep_supervision else 0)


@pytest.mark.parametrize("variant", NETWORKS["attention_unetpp"].variants)
@pytest.mark.parametrize("more", [{}, {"in_channels": 1, "classes": 4, "widths": WIDTHS}], ids=str)
def test_the_number_of_parameters_is_that_of_the_papers_layers(variant: str, more: Options) -> None:
    options: Options = {**NETWORKS["attention_unetpp"].variants[variant], **more}
    assert count(build("attention_unetpp", variant=variant, **more)) == parameters_by_hand(**options)


def random_network(**options: Any) -> AttentionUNetPlusPlus:
    return drawn(AttentionUNetPlusPlus(**{"widths": WIDTHS} | options))


def encoded_maps() -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    sizes = [(33, 47), (17, 24), (9, 12), (5, 6), (3, 3)]
    return [
        torch.randn(1, c, *size, generator=generator, dtype=torch.float64)
        for c, size in zip(WIDTHS, sizes, strict=True)
    ]


def gradients_between_nodes(decoder: NestedDecoder) -> dict[tuple[int, int], set[tuple[int, int]]]:
    """Node to those that it reads itself: each node is cut off from what went before, and so are X[i,0]."""
    leaves = {(i, 0): x.requires_grad_() for i, x in enumerate(encoded_maps())}
    computed: dict[tuple[int, int], Tensor] = {}
    for i, j in NODES:

        def cut(_block: nn.Module, _x: object, node: Tensor, at: tuple[int, int] = (i, j)) -> Tensor:
            computed[at] = node
            leaves[at] = node.detach().requires_grad_()
            return leaves[at]

        decoder.block[f"x{i}{j}"].register_forward_hook(cut)
    decoder([leaves[i, 0] for i in range(5)])
    read = {}
    for at, node in computed.items():
        values = torch.autograd.grad(node.sum(), list(leaves.values()), allow_unused=True)
        read[at] = {key for key, value in zip(leaves, values, strict=True) if value is not None and value.any()}
    return read


@pytest.mark.parametrize("gated", [True, False])
def test_node_x_ij_reads_exactly_x_i0_to_x_i_j_minus_1_and_x_i_plus_1_j_minus_1(gated: bool) -> None:
    expected = {(i, j): {(i, k) for k in range(j)} | {(i + 1, j - 1)} for i, j in NODES}
    assert gradients_between_nodes(drawn(NestedDecoder(WIDTHS, gated=gated))) == expected


def test_each_gate_of_x_ij_weighs_one_x_ik_with_the_upsampled_x_i_plus_1_j_minus_1_as_its_signal() -> None:
    decoder, encoded = drawn(NestedDecoder(WIDTHS, gated=True)), encoded_maps()
    read: dict[str, tuple[Tensor, Tensor]] = {}
    for name, gate in decoder.gate.items():
        gate.register_forward_hook(lambda _gate, inputs, _x, name=name: read.update({name: inputs}))
    decoder(encoded)
    nodes = nodes_by_hand(decoder, [numbers(x)[0] for x in encoded])
    assert len(read) == sum(j for _, j in NODES)
    for i, j in NODES:
        for k in range(j):
            features, signal = read[f"x{i}{j}_x{i}{k}"]
            assert_close(features, nodes[i, k])
            below = double_by_hand(decoder.up[f"x{i}{j}"], nodes[i + 1, j - 1])
            assert_close(signal, resize_by_hand(below, like=nodes[i, 0]))


def test_a_gate_is_equations_1_and_2_of_oktay_alpha_is_a_sigmoid_of_psi_relu_and_weighs_every_channel_alike() -> None:
    gate, generator = drawn(AdditiveGate(features=4, signal=3, hidden=2)), np.random.default_rng(0)
    features, signal = generator.normal(size=(4, 7, 9)), 3 * generator.normal(size=(3, 7, 9))
    alphas: list[Tensor] = []
    gate.map.register_forward_hook(lambda _map, _scores, alpha: alphas.append(alpha))
    found = gate(batch(features), batch(signal))
    alpha, weighted = gate_by_hand(gate, features, signal)
    assert alpha.shape == (1, 7, 9)
    assert np.ptp(alpha) > 0.1
    assert_close(alphas[0], alpha)
    assert_close(found, weighted)


def ungated_weights(network: nn.Module) -> dict[str, Tensor]:
    return {key: value for key, value in network.state_dict().items() if not key.startswith("decoder.gate.")}


@pytest.mark.parametrize("encoder", ["residual", "plain"])
def test_with_every_alpha_1_it_is_the_ungated_network_of_the_same_weights(encoder: str) -> None:
    gated, ungated, image = (
        random_network(encoder=encoder),
        random_network(encoder=encoder, gates=False),
        normal(3, 33, 47),
    )
    ungated.load_state_dict(ungated_weights(gated))
    assert not torch.allclose(gated(batch(image)), ungated(batch(image)))
    force_weights(gated, 1)
    assert torch.equal(gated(batch(image)), ungated(batch(image)))


def test_with_every_alpha_1_and_the_plain_encoder_it_is_unetpp() -> None:
    gated, plain, image = random_network(encoder="plain"), drawn(UNetPlusPlus(widths=WIDTHS)), batch(normal(3, 33, 47))
    force_weights(gated, 1)
    plain.load_state_dict({key.replace("heads.0.", "head."): x for key, x in ungated_weights(gated).items()})
    assert torch.equal(gated(image), plain(image))


def test_the_residual_encoder_has_1_block_at_full_resolution_then_resnet_34s_3_4_6_3_each_halving_once() -> None:
    encoder = AttentionUNetPlusPlus().encoder
    strides: list[list[tuple[int, int]]] = []
    for stage in encoder:
        assert isinstance(stage, nn.Sequential)
        assert all(isinstance(block, BasicBlock) for block in stage)
        strides.append([layer.stride for block in stage for layer in block.modules() if conv3x3(layer)])  # type: ignore[misc]
    halving = [[(2, 2)] + [(1, 1)] * (2 * depth - 1) for depth in (3, 4, 6, 3)]
    assert strides == [[(1, 1), (1, 1)], *halving]


def conv3x3(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)


@pytest.mark.parametrize("encoder", ["residual", "plain"])
@pytest.mark.parametrize("size", [(48, 64), (49, 67), (16, 31)])
def test_level_i_has_the_papers_filters_at_the_images_size_over_2_to_the_i(encoder: str, size: tuple[int, int]) -> None:
    network = AttentionUNetPlusPlus(encoder=encoder).eval()  # type: ignore[arg-type]
    shapes: list[tuple[int, ...]] = []
    for stage in network.encoder:
        stage.register_forward_hook(lambda _stage, _x, features: shapes.append(tuple(features.shape[1:])))
    with torch.inference_mode():
        network(torch.zeros(1, 3, *size))
    expected = [(8 * 2**i, *(-(-length // 2**i) for length in size)) for i in range(5)]
    assert shapes == expected


def block_by_hand(block: Any, x: Array) -> Array:
    """He et al., eqs. 1 and 2: ReLU(F(x) + W_s x)."""
    shortcut, stride = x, block.conv1.stride[0]
    if block.downsample is not None:
        shortcut = norm_by_hand(block.downsample[1], convolution_by_hand(block.downsample[0], x, stride=stride))
    x = np.maximum(norm_by_hand(block.bn1, convolution_by_hand(block.conv1, x, stride=stride)), 0)
    return np.maximum(norm_by_hand(block.bn2, convolution_by_hand(block.conv2, x)) + shortcut, 0)


def residually_encoded_by_hand(stages: Any, x: Array) -> list[Array]:
    levels = []
    for stage in stages:
        for block in stage:
            x = block_by_hand(block, x)
        levels.append(x)
    return levels


@pytest.mark.parametrize("encoder", ["residual", "plain"])
@pytest.mark.parametrize("size", [(16, 32), (21, 18)])
def test_the_logits_of_all_heads_and_their_mean_are_those_of_the_papers_layers_written_out(
    encoder: str, size: tuple[int, int]
) -> None:
    network, image = random_network(encoder=encoder, deep_supervision=True, classes=2), normal(3, *size)
    by_hand = encoded_by_hand if encoder == "plain" else residually_encoded_by_hand
    nodes = nodes_by_hand(network.decoder, by_hand(network.encoder, image))
    logits = [convolution_by_hand(head, nodes[0, j]) for j, head in enumerate(network.heads, start=1)]
    found = network.forward_all(batch(image))
    for one, expected in zip(found, [sum(logits) / 4, *logits], strict=True):
        assert_close(one, np.asarray(expected))
    assert torch.equal(network(batch(image)), found[0])


def test_without_deep_supervision_the_only_head_is_on_x_04() -> None:
    network, image = random_network(), normal(3, 16, 32)
    nodes = nodes_by_hand(network.decoder, residually_encoded_by_hand(network.encoder, image))
    (logits,) = network.forward_all(batch(image))
    assert_close(logits, convolution_by_hand(network.heads[0], nodes[0, 4]))
    assert torch.equal(network(batch(image)), logits)
