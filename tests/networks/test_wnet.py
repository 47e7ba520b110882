"""W-Net (Galdran et al. 2022): its parameters by hand, and the whole network against NumPy in float64."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from foveate.networks import wnet
from foveate.networks.wnet import ShortcutBlock, WNet
from layers_by_hand import (
    Array,
    assert_close,
    batch,
    convolution_by_hand,
    count,
    double_by_hand,
    drawn,
    halve_by_hand,
    norm_by_hand,
    normal,
)


def parameters_by_hand(*, in_channels: int, classes: int, widths: tuple[int, ...]) -> int:
    """Of one U-Net: a 3×3 convolution has a bias and batch norm, a shortcut 1×1 without bias and batch norm."""

    def convolution(before: int, after: int) -> int:
        return 9 * before * after + after + 2 * after

    def block(before: int, after: int) -> int:
        return convolution(before, after) + convolution(after, after) + before * after + 2 * after

    encoder = sum(block(a, b) for a, b in pairwise((in_channels, *widths)))
    steps = [(4 * below * c + c) + convolution(c, c) + block(2 * c, c) for c, below in pairwise(widths)]
    return encoder + sum(steps) + widths[0] * classes + classes


@pytest.mark.parametrize(
    "options",
    [
        {"in_channels": 3, "classes": 1, "widths": (8, 16, 32)},
        {"in_channels": 1, "classes": 4, "widths": (5, 7)},
        {"in_channels": 2, "classes": 2, "widths": (4, 6, 9, 11)},
    ],
)
def test_the_number_of_parameters_is_that_of_two_small_u_nets(options: dict[str, Any]) -> None:
    network = WNet(**options)
    second = options | {"in_channels": options["in_channels"] + options["classes"]}  # the image and the first's logits
    assert count(network.first) == parameters_by_hand(**options)
    assert count(network.second) == parameters_by_hand(**second)
    assert count(network) == parameters_by_hand(**options) + parameters_by_hand(**second)


def test_the_defaults_have_the_68_482_parameters_of_the_authors_code_and_its_u_net_34_201() -> None:
    network = WNet()
    assert (count(network), count(network.first)) == (68_482, 34_201)
    for number in (68_482, 34_201):
        assert f"{number:,}".replace(",", " ") in (wnet.__doc__ or "")


def convolution_relu_norm_by_hand(layers: Any, x: Array) -> Array:
    convolution, _relu, norm = layers
    return norm_by_hand(norm, np.maximum(convolution_by_hand(convolution, x), 0))


def block_by_hand(block: Any, x: Array) -> Array:
    """BN(ReLU(C(BN(ReLU(C(x)))))) + BN(C1×1(x))."""
    convolution, norm = block.shortcut
    shortcut = norm_by_hand(norm, convolution_by_hand(convolution, x))
    for layers in block.convolutions:
        x = convolution_relu_norm_by_hand(layers, x)
    return x + shortcut


def unet_by_hand(unet: Any, x: Array) -> Array:
    """For sizes that are multiples of the coarsest level."""
    skips: list[Array] = []
    for level, block in enumerate(unet.encoder):
        x = block_by_hand(block, halve_by_hand(x) if level else x)
        skips.append(x)
    for up, bridge, block, skip in zip(unet.up, unet.bridge, unet.decoder, reversed(skips[:-1]), strict=True):
        bridged = convolution_relu_norm_by_hand(bridge, skip)
        x = block_by_hand(block, np.concatenate((bridged, double_by_hand(up, x))))
    return convolution_by_hand(unet.head, x)


@pytest.mark.parametrize(("before", "after"), [(3, 8), (5, 5), (7, 2)])
def test_a_block_is_two_convolutions_relu_norm_plus_its_shortcut(before: int, after: int) -> None:
    block, x = drawn(ShortcutBlock(before, after)), normal(before, 6, 9)
    assert_close(block(batch(x)), block_by_hand(block, x))


@pytest.mark.parametrize(
    "options", [{}, {"in_channels": 1, "classes": 3, "widths": (3, 5)}, {"widths": (3, 4, 5, 6)}], ids=str
)
def test_the_second_u_net_reads_the_image_and_the_firsts_logits_and_both_come_out(options: dict[str, Any]) -> None:
    network, x = drawn(WNet(**options), spread=0.3), normal(options.get("in_channels", 3), 16, 24)
    coarse = unet_by_hand(network.first, x)
    fine = unet_by_hand(network.second, np.concatenate((x, coarse)))
    image = batch(x)
    logits, side = network.forward_all(image)
    assert_close(logits, fine)
    assert_close(side, coarse)
    assert torch.equal(network(image), logits)


@pytest.mark.parametrize("output", [0, 1])
def test_a_loss_on_the_logits_trains_both_u_nets_and_one_on_the_firsts_the_first_alone(output: int) -> None:
    network = WNet()
    image = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    network.forward_all(image)[output].square().sum().backward()  # type: ignore[no-untyped-call]
    for part, trained in ((network.first, True), (network.second, output == 0)):
        assert {value.grad is not None for value in part.parameters()} == {trained}
