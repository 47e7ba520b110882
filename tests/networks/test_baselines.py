"""U-Net, SegNet, Attention U-Net and U-Net++: sizes by arithmetic, and each whole network against NumPy in float64."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from foveate.networks.attention_unet import AttentionUNet
from foveate.networks.segnet import SegNet, pool, unpool
from foveate.networks.unet import UNet
from foveate.networks.unetpp import UNetPlusPlus
from layers_by_hand import (
    Array,
    assert_close,
    batch,
    convolution_by_hand,
    convolutions_by_hand,
    convolutions_count,
    count,
    double_by_hand,
    double_count,
    drawn,
    encoded_by_hand,
    encoder_count,
    force_weights,
    gate_by_hand,
    gate_count,
    nodes_by_hand,
    normal,
    numbers,
    resize_by_hand,
    unetpp_count,
)

Options = dict[str, Any]

SMALL: Options = {"in_channels": 2, "classes": 3, "widths": (4, 3, 5)}


def unet_count(*, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...], gated: bool = False) -> int:
    """Ronneberger et al., figure 1; with Oktay et al.'s gates, half as wide inside as the skip."""
    total = encoder_count(in_channels, widths)
    for skip, below in pairwise(widths):
        total += double_count(below, skip) + convolutions_count(2 * skip, skip)
        total += gate_count(skip, skip, max(1, skip // 2)) if gated else 0
    return total + widths[0] * classes + classes


def segnet_encoder_count(*, in_channels: int = 3, widths: tuple[int, ...]) -> int:
    """The 13 convolutions of VGG-16, for five widths."""
    depths = [2, 2, *[3] * (len(widths) - 2)]
    levels = zip(pairwise((in_channels, *widths)), depths, strict=True)
    return sum(convolutions_count(a, b, depth=depth) for (a, b), depth in levels)


def segnet_count(*, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...]) -> int:
    """The encoder mirrored, ending with the classes' 3×3 convolution in the place of the image's."""
    total = segnet_encoder_count(in_channels=in_channels, widths=widths)
    for level, (above, here) in enumerate(pairwise(widths), start=1):
        total += convolutions_count(here, here, depth=1 if level < 2 else 2) + convolutions_count(here, above, depth=1)
    return total + convolutions_count(widths[0], widths[0], depth=1) + 9 * widths[0] * classes + classes


@pytest.mark.parametrize("options", [{}, SMALL, {"in_channels": 1, "widths": (1, 2)}], ids=str)
def test_the_number_of_parameters_is_that_of_each_papers_layers(options: Options) -> None:
    unet: Options = {"widths": (64, 128, 256, 512, 1024)} | options
    assert count(UNet(**options)) == unet_count(**unet)
    assert count(AttentionUNet(**options)) == unet_count(**unet, gated=True)
    nested: Options = {"widths": (32, 64, 128, 256, 512)} | options
    assert count(UNetPlusPlus(**options)) == unetpp_count(**nested)
    vgg: Options = {"widths": (64, 128, 256, 512, 512)} | options
    assert count(SegNet(**options)) == segnet_count(**vgg)


def without_batch_norm(module: nn.Module) -> int:
    """Parameters if every convolution had a bias instead of batch norm's two, as the papers count."""
    return count(module) - sum(norm.num_features for norm in module.modules() if isinstance(norm, nn.BatchNorm2d))


def test_unetpp_has_the_9_04_million_parameters_and_segnets_encoder_the_14_7_million_that_their_papers_print() -> None:
    assert round(without_batch_norm(UNetPlusPlus()) / 1e6, 2) == 9.04  # Zhou et al. 2018, the table of results
    assert round(without_batch_norm(SegNet().encoder) / 1e6, 1) == 14.7  # Badrinarayanan et al. 2017, section 3


def image_of(options: Options, *, size: tuple[int, int] = (13, 18)) -> Array:
    return normal(options.get("in_channels", 3), *size)


def unet_by_hand(network: Any, x: Array) -> Array:
    """From top to bottom and back; a network with gates lets them weigh the skip by the signal."""
    *skips, x = encoded_by_hand(network.encoder, x)
    for index, skip in enumerate(reversed(skips)):
        signal = resize_by_hand(double_by_hand(network.up[index], x), like=skip)
        if isinstance(network, AttentionUNet):
            skip = gate_by_hand(network.gate[f"level{len(skips) - 1 - index}"], skip, signal)[1]
        x = convolutions_by_hand(network.decoder[index], np.concatenate((skip, signal)))
    return convolution_by_hand(network.head, x)


@pytest.mark.parametrize("size", [(12, 16), (13, 18)])
@pytest.mark.parametrize("constructor", [UNet, AttentionUNet])
def test_unet_and_attention_unet_are_their_papers_layers_with_equations_1_and_2_of_oktay(
    constructor: type[nn.Module], size: tuple[int, int]
) -> None:
    network, x = drawn(constructor(**SMALL)), image_of(SMALL, size=size)
    assert_close(network(batch(x)), unet_by_hand(network, x))


def test_attention_unet_with_every_alpha_1_is_unet() -> None:
    gated, plain, x = drawn(AttentionUNet(**SMALL)), drawn(UNet(**SMALL)), batch(image_of(SMALL))
    plain.load_state_dict({key: value for key, value in gated.state_dict().items() if not key.startswith("gate.")})
    assert not torch.allclose(gated(x), plain(x))
    force_weights(gated, 1)
    assert torch.equal(gated(x), plain(x))


@pytest.mark.parametrize("size", [(12, 16), (13, 18)])
def test_unetpp_is_equation_1_of_zhou_with_the_head_on_the_last_node_of_the_top_row(size: tuple[int, int]) -> None:
    network, x = drawn(UNetPlusPlus(**SMALL)), image_of(SMALL, size=size)
    nodes = nodes_by_hand(network.decoder, encoded_by_hand(network.encoder, x))
    assert_close(network(batch(x)), convolution_by_hand(network.head, nodes[0, 2]))


def pool_by_loop(x: Array) -> tuple[Array, list[tuple[int, int, int]]]:
    """The largest of each 2×2, and its channel, row and column: the first of equals, row by row."""
    channels, height, width = x.shape
    pooled, places = np.zeros((channels, -(-height // 2), -(-width // 2))), []
    for c, i, j in np.ndindex(pooled.shape):
        window = [(c, y, z) for y in range(2 * i, min(2 * i + 2, height)) for z in range(2 * j, min(2 * j + 2, width))]
        places.append(max(window, key=lambda place: x[place]))
        pooled[c, i, j] = x[places[-1]]
    return pooled, places


def unpool_by_loop(x: Array, places: list[tuple[int, int, int]], height: int, width: int) -> Array:
    back = np.zeros((len(x), height, width))
    for value, place in zip(x.ravel(), places, strict=True):
        back[place] = value
    return back


@pytest.mark.parametrize("size", [(8, 12), (7, 12), (8, 5), (9, 7), (1, 1)])
@pytest.mark.parametrize("values", ["ties", "no ties"])
def test_segnet_puts_every_maximum_back_to_its_place_and_0_elsewhere(size: tuple[int, int], values: str) -> None:
    generator = np.random.default_rng(0)
    x = generator.integers(-2, 1, size=(3, *size)).astype(float) if values == "ties" else image_of({}, size=size)
    pooled, places = pool_by_loop(x)
    found, indices = pool(batch(x))
    np.testing.assert_array_equal(numbers(found)[0], pooled)
    other = generator.normal(size=pooled.shape)
    back = unpool(batch(other), indices, torch.Size((1, *x.shape)))
    np.testing.assert_array_equal(numbers(back)[0], unpool_by_loop(other, places, *size))


def segnet_by_hand(network: Any, x: Array) -> Array:
    pooled = []
    for block in network.encoder:
        features = convolutions_by_hand(block, x)
        x, places = pool_by_loop(features)
        pooled.append((places, *features.shape[1:]))
    for block, (places, *size) in zip((*network.decoder, network.finest), reversed(pooled), strict=True):
        x = convolutions_by_hand(block, unpool_by_loop(x, places, *size))
    return convolution_by_hand(network.head, x)


@pytest.mark.parametrize("size", [(12, 16), (13, 18)])
def test_segnet_is_its_papers_layers_one_by_one(size: tuple[int, int]) -> None:
    network, x = drawn(SegNet(**SMALL)), image_of(SMALL, size=size)
    assert_close(network(batch(x)), segnet_by_hand(network, x))


def test_nothing_but_places_crosses_from_segnets_encoder_to_its_decoder() -> None:
    network = drawn(SegNet(**SMALL))
    bottom: list[torch.Tensor] = []

    def cut(_block: nn.Module, _x: tuple[torch.Tensor], features: torch.Tensor) -> torch.Tensor:
        bottom.append(features.detach())
        return bottom[0]  # always the first image's

    network.encoder[-1].register_forward_hook(cut)
    image = batch(image_of(SMALL)).requires_grad_()
    first, second = network(image), network(image.flip(3))
    assert not torch.allclose(first, second)  # the other image's places
    values = torch.autograd.grad(first.sum(), [image, *network.encoder.parameters()], allow_unused=True)
    assert all(gradient is None for gradient in values)  # and no value of any feature
