"""Shared blocks against NumPy in float64; with the layers written out here whole networks are checked, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage  # type: ignore[import-untyped]
from torch import nn

from foveate.networks.blocks.attention_map import AttentionMap
from foveate.networks.blocks.convolution import Convolutions, double, he_normal
from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.sampling import halve, resize

Array = NDArray[np.float64]
"""C×H×W, one image."""

Network = TypeVar("Network", bound=nn.Module)


def numbers(tensor: object) -> Array:
    return cast("torch.Tensor", tensor).detach().numpy()


def batch(image: Array) -> torch.Tensor:
    return torch.from_numpy(image)[None]


def seeded(make: Callable[[], Network], *, seed: int = 0) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return make()


def drawn(network: Network, *, seed: int = 4) -> Network:
    """In float64 and evaluation mode; every weight and statistic drawn, so that none hides behind a 0 or 1."""
    network = network.double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, value in network.state_dict().items():
            if key.endswith("running_var"):
                value.uniform_(0.5, 2.0, generator=generator)
            elif value.is_floating_point():
                value.normal_(0, 0.4, generator=generator)
    return network


def force_weights(network: nn.Module, value: float) -> None:
    """Every attention says the same everywhere, from now on."""
    for module in network.modules():
        if isinstance(module, AttentionMap):
            module.register_forward_hook(lambda _map, _scores, weights: torch.full_like(weights, value))


def assert_close(found: torch.Tensor, by_hand: Array) -> None:
    scale = np.abs(by_hand).max()
    assert scale > 0.01
    # Float64 over a few tens of layers.
    np.testing.assert_allclose(found[0].detach().numpy() / scale, by_hand / scale, rtol=0, atol=1e-10)


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def convolutions_count(channels: int, filters: int, *, depth: int = 2) -> int:
    """3×3 convolutions without bias, each with a batch norm's weight and bias per filter."""
    return 9 * channels * filters + 9 * (depth - 1) * filters * filters + 2 * depth * filters


def double_count(channels: int, filters: int) -> int:
    return 2 * 2 * channels * filters + filters


def gate_count(features: int, signal: int, hidden: int) -> int:
    """W_x, W_g and b_g, ψ and b_ψ."""
    return features * hidden + (signal * hidden + hidden) + (hidden + 1)


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def convolution_by_hand(layer: Any, x: Array) -> Array:
    """Any odd kernel with as many zeros around as keep the size; with a stride every so many of its pixels."""
    kernels = numbers(layer.weight)
    sums = [sum(ndimage.correlate(a, k, mode="constant") for a, k in zip(x, one, strict=True)) for one in kernels]
    shift = 0 if layer.bias is None else numbers(layer.bias)[:, None, None]
    found: Array = np.stack(sums)[:, :: layer.stride[0], :: layer.stride[1]] + shift
    return found


def norm_by_hand(norm: Any, x: Array) -> Array:
    scale = numbers(norm.weight) / np.sqrt(numbers(norm.running_var) + norm.eps)
    shift = numbers(norm.bias) - numbers(norm.running_mean) * scale
    found: Array = x * scale[:, None, None] + shift[:, None, None]
    return found


def convolutions_by_hand(block: Any, x: Array, *, norm: bool = True) -> Array:
    """Convolution, batch norm (or not), ReLU, as often as the block has a convolution."""
    layers = [layer for layer in block.modules() if list(layer.parameters(recurse=False))]
    for index in range(0, len(layers), 2 if norm else 1):
        x = convolution_by_hand(layers[index], x)
        x = np.maximum(norm_by_hand(layers[index + 1], x) if norm else x, 0)
    return x


def double_by_hand(layer: Any, x: Array) -> Array:
    """Each pixel becomes 2×2."""
    spread = np.einsum("chw,coab->ohawb", x, numbers(layer.weight))
    enlarged: Array = spread.reshape(spread.shape[0], 2 * x.shape[1], 2 * x.shape[2])
    return enlarged + numbers(layer.bias)[:, None, None]


def halve_by_hand(x: Array) -> Array:
    """The largest of each 2×2, or of what is left of it at the lower and right border."""
    rows, columns = (range(0, length, 2) for length in x.shape[1:])
    return np.stack([[x[:, i : i + 2, j : j + 2].max(axis=(1, 2)) for j in columns] for i in rows]).transpose(2, 0, 1)


def resize_by_hand(x: Array, *, like: Array) -> Array:
    """Bilinear at the pixels' centres."""
    sizes = zip(x.shape[1:], like.shape[1:], strict=True)
    places = np.stack(np.meshgrid(*((np.arange(new) + 0.5) * old / new - 0.5 for old, new in sizes), indexing="ij"))
    return np.stack([ndimage.map_coordinates(one, places, order=1, mode="nearest") for one in x])


def gate_by_hand(gate: Any, features: Array, signal: Array) -> tuple[Array, Array]:
    """Oktay et al., eqs. 1 and 2: α, 1×H×W, and x̂."""
    score = convolution_by_hand(gate.of_features, features) + convolution_by_hand(gate.of_signal, signal)
    alpha = sigmoid(convolution_by_hand(gate.score, np.maximum(score, 0)))
    return alpha, alpha * features


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


SIZES = [(8, 12), (7, 12), (8, 5), (9, 7), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_halving_takes_the_largest_of_each_2x2_and_keeps_the_last_odd_row_and_column(size: tuple[int, int]) -> None:
    x = np.random.default_rng(0).normal(size=(3, *size)) - 9  # below 0, so that padding with 0 would show
    x[:, -1, -1] = -1  # the largest of all
    found = numbers(halve(batch(x)))[0]
    assert found.shape == (3, *(-(-length // 2) for length in size))
    assert (found[:, -1, -1] == -1).all()
    np.testing.assert_array_equal(found, halve_by_hand(x))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("to", [(8, 12), (15, 9), (3, 20)])
def test_resizing_is_bilinear_at_the_pixels_centres(size: tuple[int, int], to: tuple[int, int]) -> None:
    x, like = np.random.default_rng(0).normal(size=(3, *size)), np.zeros((1, *to))
    found = resize(batch(x), like=batch(like))
    np.testing.assert_allclose(numbers(found)[0], resize_by_hand(x, like=like), rtol=0, atol=1e-12)  # float64


def test_resizing_to_the_size_it_has_returns_the_very_same_tensor() -> None:
    x = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert resize(x, like=torch.zeros(1, 1, 5, 6)) is x


@pytest.mark.parametrize("size", SIZES)
def test_doubling_makes_a_learned_2x2_of_every_pixel(size: tuple[int, int]) -> None:
    layer, x = drawn(double(3, 4)), np.random.default_rng(0).normal(size=(3, *size))
    assert_close(layer(batch(x)), double_by_hand(layer, x))
    assert count(layer) == double_count(3, 4)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("norm", [True, False])
def test_convolutions_are_3x3_sums_then_batch_norm_if_any_then_relu(depth: int, norm: bool) -> None:
    block, x = drawn(Convolutions(3, 5, depth=depth, norm=norm)), np.random.default_rng(0).normal(size=(3, 7, 9))
    assert sum(isinstance(layer, nn.Conv2d) for layer in block) == depth
    assert_close(block(batch(x)), convolutions_by_hand(block, x, norm=norm))
    # Without norm a bias takes the place of its weight and bias.
    assert count(block) == convolutions_count(3, 5, depth=depth) - (0 if norm else 5 * depth)


@pytest.mark.parametrize("gated", [False, True])
def test_the_nested_decoders_top_row_is_equation_1_of_zhou(gated: bool) -> None:
    decoder = drawn(NestedDecoder((3, 4, 2, 5), gated=gated))
    generator = np.random.default_rng(0)
    encoded = [generator.normal(size=size) for size in ((3, 13, 18), (4, 7, 9), (2, 4, 5), (5, 2, 3))]
    found, nodes = decoder([batch(x) for x in encoded]), nodes_by_hand(decoder, encoded)
    for j, x in enumerate(found, start=1):
        assert_close(x, nodes[0, j])
    assert len(found) == 3


def test_a_sigmoid_map_weighs_each_score_by_itself() -> None:
    scores = 4 * np.random.default_rng(0).normal(size=(3, 5, 6))
    found = numbers(AttentionMap()(batch(scores)))[0]
    np.testing.assert_allclose(found, sigmoid(scores), rtol=0, atol=1e-15)  # float64
    assert 0 < found.min() < 0.1 < 0.9 < found.max() < 1


def test_a_softmax_map_shares_1_among_the_channels_of_each_position() -> None:
    scores = 4 * np.random.default_rng(0).normal(size=(3, 5, 6))
    found = numbers(AttentionMap("softmax")(batch(scores)))[0]
    np.testing.assert_allclose(found, np.exp(scores) / np.exp(scores).sum(axis=0), rtol=0, atol=1e-15)  # float64
    np.testing.assert_allclose(found.sum(axis=0), 1, rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("layer", "inputs"),
    [
        (nn.Conv2d(32, 96, 3), 9 * 32),
        (nn.Conv2d(96, 32, 1), 96),
        (double(128, 64), 128),  # each of the 2×2 pixels that one becomes is made by one weight a channel
    ],
    ids=["3x3", "1x1", "doubling"],
)
def test_he_normal_has_variance_2_over_the_inputs_that_each_output_reads_he_2015_eq_10(
    layer: nn.Conv2d | nn.ConvTranspose2d, inputs: int
) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        he_normal(nn.Sequential(nn.Sequential(layer)))
    weights = numbers(layer.weight).ravel()
    # A variance from n normal draws is off by √(2/n) of itself, a mean by √(1/n) of the deviation: five times that.
    assert weights.var() == pytest.approx(2 / inputs, rel=5 * (2 / weights.size) ** 0.5)
    assert abs(weights.mean()) < 5 * (2 / inputs / weights.size) ** 0.5
    assert layer.bias is not None
    assert not layer.bias.any()
