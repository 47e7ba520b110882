"""Shared blocks against NumPy in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from foveate.networks.blocks.attention_map import AttentionMap
from foveate.networks.blocks.convolution import Convolutions, double, he_normal
from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.sampling import halve, resize
from layers_by_hand import (
    assert_close,
    batch,
    convolutions_by_hand,
    convolutions_count,
    count,
    double_by_hand,
    double_count,
    drawn,
    halve_by_hand,
    nodes_by_hand,
    normal,
    numbers,
    resize_by_hand,
    sigmoid,
)

SIZES = [(8, 12), (7, 12), (8, 5), (9, 7), (1, 1)]


@pytest.mark.parametrize("size", SIZES)
def test_halving_takes_the_largest_of_each_2x2_and_keeps_the_last_odd_row_and_column(size: tuple[int, int]) -> None:
    x = normal(3, *size) - 9  # below 0, so that padding with 0 would show
    x[:, -1, -1] = -1  # the largest of all
    found = numbers(halve(batch(x)))[0]
    assert found.shape == (3, *(-(-length // 2) for length in size))
    assert (found[:, -1, -1] == -1).all()
    np.testing.assert_array_equal(found, halve_by_hand(x))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("to", [(8, 12), (15, 9), (3, 20)])
def test_resizing_is_bilinear_at_the_pixels_centres(size: tuple[int, int], to: tuple[int, int]) -> None:
    x, like = normal(3, *size), np.zeros((1, *to))
    found = resize(batch(x), like=batch(like))
    np.testing.assert_allclose(numbers(found)[0], resize_by_hand(x, like=like), rtol=0, atol=1e-12)  # float64


def test_resizing_to_the_size_it_has_returns_the_very_same_tensor() -> None:
    x = torch.randn(2, 3, 5, 6, generator=torch.Generator().manual_seed(0))
    assert resize(x, like=torch.zeros(1, 1, 5, 6)) is x


@pytest.mark.parametrize("size", SIZES)
def test_doubling_makes_a_learned_2x2_of_every_pixel(size: tuple[int, int]) -> None:
    layer, x = drawn(double(3, 4)), normal(3, *size)
    assert_close(layer(batch(x)), double_by_hand(layer, x))
    assert count(layer) == double_count(3, 4)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("norm", [True, False])
def test_convolutions_are_3x3_sums_then_batch_norm_if_any_then_relu(depth: int, norm: bool) -> None:
    block, x = drawn(Convolutions(3, 5, depth=depth, norm=norm)), normal(3, 7, 9)
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
    scores = 4 * normal(3, 5, 6)
    found = numbers(AttentionMap()(batch(scores)))[0]
    np.testing.assert_allclose(found, sigmoid(scores), rtol=0, atol=1e-15)  # float64
    assert 0 < found.min() < 0.1 < 0.9 < found.max() < 1


def test_a_softmax_map_shares_1_among_the_channels_of_each_position() -> None:
    scores = 4 * normal(3, 5, 6)
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
