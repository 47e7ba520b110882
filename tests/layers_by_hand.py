"""What tests hold networks against: layers in NumPy and float64, weights drawn at random, parameters by arithmetic.

Maps are C×H×W, of one image.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]
from torch import nn

from foveate.networks.blocks.attention_map import AttentionMap

Array = NDArray[np.float64]

Network = TypeVar("Network", bound=nn.Module)

BLOCKS_PER_STAGE = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}
"""Of each depth of ResNet (He et al., table 1)."""


def numbers(tensor: object) -> Array:
    """The values of a tensor, gradient or not."""
    return cast("torch.Tensor", tensor).detach().numpy()


def batch(x: Array) -> torch.Tensor:
    """A batch of one, 1×C×H×W."""
    return torch.from_numpy(x)[None]


def normal(*shape: int, seed: int = 0) -> Array:
    """Numbers from the standard normal distribution."""
    return np.random.default_rng(seed).normal(size=shape)


def seeded(make: Callable[[], Network]) -> Network:
    """With the weights that it begins to learn with, the same each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return make()


def drawn(network: Network, *, seed: int = 4, spread: float = 0.4) -> Network:
    """In float64 and evaluation mode; every weight and statistic drawn, so that none hides behind a 0 or 1."""
    network = network.double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 2.0, generator=generator)
            elif value.is_floating_point():
                value.normal_(0, spread, generator=generator)
    return network


def force_weights(network: nn.Module, value: float) -> None:
    """Every attention says the same everywhere, from now on."""
    for module in network.modules():
        if isinstance(module, AttentionMap):
            module.register_forward_hook(lambda _map, _scores, weights: torch.full_like(weights, value))


def assert_close(found: torch.Tensor, by_hand: Array) -> None:
    """The first image of a batch, beside its largest value; one that is 0 throughout would show nothing."""
    scale = np.abs(by_hand).max()
    assert scale > 0.01
    # Float64 over a few tens of layers.
    np.testing.assert_allclose(numbers(found[0]) / scale, by_hand / scale, rtol=0, atol=1e-10)


def sigmoid(x: Array) -> Array:
    """σ(x) = 1 / (1 + e⁻ˣ)."""
    return 1 / (1 + np.exp(-x))


def correlate(x: Array, kernels: Array, *, stride: int = 1, dilation: int = 1) -> Array:
    """Odd kernels, O×C×k×k, with as many zeros around as keep the size; with a stride, every so many of its pixels."""
    margin, (height, width) = dilation * (kernels.shape[2] // 2), x.shape[1:]
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    total = np.zeros((len(kernels), -(-height // stride), -(-width // stride)))
    for row, column in np.ndindex(*kernels.shape[2:]):
        top, left = row * dilation, column * dilation
        seen = padded[:, top : top + height : stride, left : left + width : stride]
        total += np.einsum("oc,chw->ohw", kernels[:, :, row, column], seen)
    return total


def convolution_by_hand(layer: Any, x: Array, *, stride: int = 1, dilation: int = 1) -> Array:
    """Of the layer only kernels and bias are read: stride and dilation are what the paper says."""
    total = correlate(x, numbers(layer.weight), stride=stride, dilation=dilation)
    return total if layer.bias is None else total + numbers(layer.bias)[:, None, None]


def norm_by_hand(norm: Any, x: Array) -> Array:
    """Batch norm in evaluation mode."""
    scale = numbers(norm.weight) / np.sqrt(numbers(norm.running_var) + norm.eps)
    centred = x - numbers(norm.running_mean)[:, None, None]
    normalised: Array = centred * scale[:, None, None] + numbers(norm.bias)[:, None, None]
    return normalised


def convolutions_by_hand(block: Any, x: Array, *, norm: bool = True) -> Array:
    """Convolution, batch norm (or not), ReLU, as often as the block has a convolution."""
    layers = [layer for layer in block.modules() if list(layer.parameters(recurse=False))]
    for index in range(0, len(layers), 2 if norm else 1):
        x = convolution_by_hand(layers[index], x)
        x = np.maximum(norm_by_hand(layers[index + 1], x) if norm else x, 0)
    return x


def double_by_hand(layer: Any, x: Array) -> Array:
    """A transposed convolution by which each pixel becomes 2×2."""
    spread = np.einsum("chw,coab->ohawb", x, numbers(layer.weight))
    enlarged: Array = spread.reshape(spread.shape[0], 2 * x.shape[1], 2 * x.shape[2])
    return enlarged if layer.bias is None else enlarged + numbers(layer.bias)[:, None, None]


def halve_by_hand(x: Array) -> Array:
    """The largest of each 2×2, or of what is left of it at the lower and right border."""
    rows, columns = (range(0, length, 2) for length in x.shape[1:])
    return np.stack([[x[:, i : i + 2, j : j + 2].max(axis=(1, 2)) for j in columns] for i in rows]).transpose(2, 0, 1)


def resize_by_hand(x: Array, *, like: Array) -> Array:
    """Bilinear at the pixels' centres, to the height and width of `like`."""
    sizes = zip(x.shape[1:], like.shape[1:], strict=True)
    places = np.stack(np.meshgrid(*((np.arange(new) + 0.5) * old / new - 0.5 for old, new in sizes), indexing="ij"))
    return np.stack([ndimage.map_coordinates(one, places, order=1, mode="nearest") for one in x])


def gate_by_hand(gate: Any, features: Array, signal: Array) -> tuple[Array, Array]:
    """Oktay et al., eqs. 1 and 2, where all convolutions are 1×1 and W_x has no bias: α, 1×H×W, and x̂ = αx."""
    assert gate.of_features.bias is None
    assert all(layer.kernel_size == (1, 1) for layer in (gate.of_features, gate.of_signal, gate.score))
    score = convolution_by_hand(gate.of_features, features) + convolution_by_hand(gate.of_signal, signal)
    alpha = sigmoid(convolution_by_hand(gate.score, np.maximum(score, 0)))
    return alpha, alpha * features


def encoded_by_hand(blocks: Any, x: Array) -> list[Array]:
    """U-Net's encoder: the map of each level, each from the halved one before."""
    levels = [convolutions_by_hand(blocks[0], x)]
    for block in blocks[1:]:
        levels.append(convolutions_by_hand(block, halve_by_hand(levels[-1])))
    return levels


def nodes_by_hand(decoder: Any, encoded: list[Array]) -> dict[tuple[int, int], Array]:
    """Zhou et al., eq. 1, node by node; X[i,0] … X[i,j−1] gated by up(X[i+1,j−1]) where the decoder has gates."""
    nodes = {(i, 0): x for i, x in enumerate(encoded)}
    for j in range(1, len(encoded)):
        for i in range(len(encoded) - j):
            below = double_by_hand(decoder.up[f"x{i}{j}"], nodes[i + 1, j - 1])
            signal = resize_by_hand(below, like=nodes[i, 0])
            left = [nodes[i, k] for k in range(j)]
            if decoder.gate:
                left = [gate_by_hand(decoder.gate[f"x{i}{j}_x{i}{k}"], x, signal)[1] for k, x in enumerate(left)]
            nodes[i, j] = convolutions_by_hand(decoder.block[f"x{i}{j}"], np.concatenate((*left, signal)))
    return nodes


def count(network: nn.Module) -> int:
    """All parameters, frozen or not."""
    return sum(parameter.numel() for parameter in network.parameters())


def normed_count(channels: int, filters: int, *, kernel: int = 3) -> int:
    """One convolution without bias, and batch norm's weight and bias per filter."""
    return kernel * kernel * channels * filters + 2 * filters


def convolutions_count(channels: int, filters: int, *, depth: int = 2) -> int:
    """So many 3×3 convolutions without bias, each with batch norm."""
    return normed_count(channels, filters) + (depth - 1) * normed_count(filters, filters)


def double_count(channels: int, filters: int) -> int:
    """A transposed 2×2 convolution with bias."""
    return 2 * 2 * channels * filters + filters


def gate_count(features: int, signal: int, hidden: int) -> int:
    """W_x, W_g and b_g, ψ and b_ψ."""
    return features * hidden + (signal * hidden + hidden) + (hidden + 1)


def encoder_count(in_channels: int, widths: tuple[int, ...]) -> int:
    """U-Net's encoder, two convolutions a level."""
    return sum(convolutions_count(a, b) for a, b in pairwise((in_channels, *widths)))


def unetpp_count(*, in_channels: int = 3, classes: int = 1, widths: tuple[int, ...]) -> int:
    """Zhou et al., figure 1a: node X[i,j] reads j maps of its level and one brought up from below."""
    total = encoder_count(in_channels, widths)
    for i, (here, below) in enumerate(pairwise(widths)):
        for j in range(1, len(widths) - i):
            total += double_count(below, here) + convolutions_count((j + 1) * here, here)
    return total + widths[0] * classes + classes


def resnet_count(depth: int, *, in_channels: int = 3) -> int:
    """He et al., table 1, without the classifier."""
    total, before = normed_count(in_channels, 64, kernel=7), 64
    for width, blocks in zip((64, 128, 256, 512), BLOCKS_PER_STAGE[depth], strict=True):
        after = width if depth < 50 else 4 * width
        total += normed_count(before, after, kernel=1) if before != after else 0  # the first block's shortcut
        for _ in range(blocks):
            narrow = normed_count(before, width, kernel=1) + convolutions_count(width, width, depth=1)
            narrow += normed_count(width, after, kernel=1)
            total, before = total + (narrow if depth >= 50 else convolutions_count(before, width)), after
    return total
