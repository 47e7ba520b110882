"""FR-UNet (Liu et al. 2022): its lattice, its parameters by hand, and the whole network against NumPy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from foveate.networks import fr_unet
from foveate.networks.fr_unet import DROPOUT, FeatureAggregation, FRUNet, ModifiedResidualBlock
from layers_by_hand import (
    Array,
    assert_close,
    batch,
    convolution_by_hand,
    count,
    double_by_hand,
    drawn,
    norm_by_hand,
    normal,
    numbers,
)

PUBLISHED = (32, 64, 128, 256)
Node = tuple[int, int]

every_height = pytest.mark.parametrize("widths", [(3, 4), (4, 3, 5), (3, 4, 5, 6), (2, 3, 4, 3, 2)], ids=len)


def columns(row: int, rows: int) -> range:
    """The picture in the docstring: each row begins a column later and ends one earlier."""
    return range(row, 2 * (rows - 1) - row + 1)


def lattice(rows: int) -> list[Node]:
    return sorted(((r, c) for r in range(rows) for c in columns(r, rows)), key=lambda node: node[1])


def readers_sources(node: Node, rows: int) -> list[Node]:
    """What a node reads: the column before, of its own row, the one below and the one above."""
    row, column = node
    return [(r, column - 1) for r in (row, row + 1, row - 1) if 0 <= r < rows and column - 1 in columns(r, rows)]


def name(node: Node) -> str:
    return "row{}_{}".format(*node)


def parameters_by_hand(widths: tuple[int, ...], *, in_channels: int = 3, classes: int = 1) -> int:
    """Of all that a gradient reaches; no convolution but the heads' has a bias."""
    total, rows = 0, len(widths)
    for row, column in lattice(rows):
        width = widths[row]
        total += 2 * (9 * width * width + 2 * width)  # the residual block
        entering = sum(width for _ in readers_sources((row, column), rows)) or in_channels
        if entering != width:
            total += (1 + 9 + 9) * entering * width + 2 * width  # 1×1, 3×3, dilated 3×3, one batch norm
        for other in (row - 1, row + 1):
            if 0 <= other < rows and column + 1 in columns(other, rows):
                total += 4 * width * widths[other] + 2 * widths[other]  # 2×2, on its way up or down
    return total + len(columns(0, rows)[2:]) * (widths[0] * classes + classes)


def test_with_one_input_channel_the_5_719_621_parameters_that_get_a_gradient_in_the_authors_code() -> None:
    assert parameters_by_hand(PUBLISHED, in_channels=1) == count(FRUNet(in_channels=1)) == 5_719_621
    assert "5 719 621" in (fr_unet.__doc__ or "")
    assert count(FRUNet()) == parameters_by_hand(PUBLISHED)


@every_height
def test_the_number_of_parameters_is_that_of_the_lattice(widths: tuple[int, ...]) -> None:
    assert count(FRUNet(widths=widths, classes=3)) == parameters_by_hand(widths, classes=3)
    assert count(FRUNet(widths=widths, in_channels=widths[0])) == parameters_by_hand(widths, in_channels=widths[0])


def leaky(x: Array) -> Array:
    return np.where(x > 0, x, 0.1 * x)


def block_by_hand(block: Any, x: Array) -> Array:
    """x + LeakyReLU(BN(C(LeakyReLU(BN(C(x))))), dropout asleep."""
    first, norm, _dropout, _leaky, second, other_norm, *_ = block.convolutions
    inner = leaky(norm_by_hand(norm, convolution_by_hand(first, x)))
    return x + leaky(norm_by_hand(other_norm, convolution_by_hand(second, inner)))


def test_feature_aggregation_looks_at_a_pixel_its_neighbours_and_those_two_away() -> None:
    fusion, impulse = drawn(FeatureAggregation(1, 4)), torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    far = fusion(impulse)
    impulse[0, 0, 4, 4] = 1
    seen = (fusion(impulse) != far).any(dim=1)[0].numpy()
    expected = np.zeros((9, 9), dtype=bool)
    expected[3:6, 3:6] = expected[2:7:2, 2:7:2] = True  # 3×3, and 3×3 dilated by two
    np.testing.assert_array_equal(seen, expected)


def down_by_hand(layers: Any, x: Array) -> Array:
    """2×2 convolution of stride 2, batch norm, leaky ReLU."""
    tiles = x.reshape(len(x), x.shape[1] // 2, 2, x.shape[2] // 2, 2)
    return leaky(norm_by_hand(layers[1], np.einsum("chawb,ocab->ohw", tiles, numbers(layers[0].weight))))


def up_by_hand(layers: Any, x: Array) -> Array:
    return leaky(norm_by_hand(layers[1], double_by_hand(layers[0], x)))


def aggregation_by_hand(fusion: Any, x: Array) -> Array:
    """1×1, 3×3 and, dilated by two, 3×3 convolutions; their sum through batch norm."""
    scales = zip(fusion.scales, (1, 1, 2), strict=True)
    maps = [convolution_by_hand(scale, x, dilation=dilation) for scale, dilation in scales]
    return norm_by_hand(fusion.norm, np.sum(maps, axis=0))


def network_by_hand(network: Any, image: Array, rows: int) -> dict[Node, Array]:
    """Every node's map, for sizes that every row halves evenly."""
    maps: dict[Node, Array] = {}
    for node in lattice(rows):
        row, column = node
        entering = [image] if node == (0, 0) else []
        for source in readers_sources(node, rows):
            x = maps[source]
            if source[0] != row:
                x = (up_by_hand if source[0] > row else down_by_hand)(
                    (network.up if source[0] > row else network.down)[name(source)], x
                )
            entering.append(x)
        x = np.concatenate(entering)
        if len(x) != network.block[name(node)].convolutions[0].in_channels:
            x = aggregation_by_hand(network.aggregation[name(node)], x)
        maps[row, column] = block_by_hand(network.block[name(node)], x)
    return maps


@every_height
def test_every_node_and_the_mean_of_the_heads_are_those_of_the_lattice(widths: tuple[int, ...]) -> None:
    network, rows = drawn(FRUNet(widths=widths, classes=2), spread=0.25), len(widths)
    found: dict[str, Tensor] = {}
    for key, block in network.block.items():
        block.register_forward_hook(lambda _, __, out, k=key: found.update({k: out}))
    image = normal(3, 16, 32)
    logits, maps = network(batch(image)), network_by_hand(network, image, rows)
    assert set(found) == {name(node) for node in maps}
    for node, by_hand in maps.items():
        assert_close(found[name(node)], by_hand)
    top = columns(0, rows)[2:]  # from the first node that another row has a say in
    assert list(network.heads) == [name((0, column)) for column in top]
    heads = [convolution_by_hand(network.heads[name((0, column))], maps[0, column]) for column in top]
    assert_close(logits, np.mean(heads, axis=0))


def entering_blocks(network: Any, made_up: dict[str, Tensor]) -> dict[str, Tensor]:
    """What enters each block, if what left every block before was made up."""
    found: dict[str, Tensor] = {}
    hooks = [
        block.register_forward_hook(lambda _, given, __, k=key: (found.update({k: given[0]}), made_up[k])[1])
        for key, block in network.block.items()
    ]
    with torch.no_grad():
        network(torch.zeros(1, 3, 16, 16, dtype=torch.float64))
    for hook in hooks:
        hook.remove()
    return found


@pytest.mark.parametrize("widths", [(3, 4), (3, 4, 5, 6)], ids=len)
def test_a_change_in_one_node_is_read_by_its_neighbours_in_the_next_column_and_no_other(
    widths: tuple[int, ...],
) -> None:
    network, rows = drawn(FRUNet(widths=widths)), len(widths)
    generator = torch.Generator().manual_seed(0)
    made_up = {
        name((r, c)): torch.randn(1, widths[r], 16 >> r, 16 >> r, dtype=torch.float64, generator=generator)
        for r, c in lattice(rows)
    }
    before = entering_blocks(network, made_up)
    for changed in lattice(rows):
        after = entering_blocks(network, made_up | {name(changed): made_up[name(changed)] + 1})
        readers = {key for key, value in after.items() if not torch.equal(value, before[key])}
        assert readers == {name(node) for node in lattice(rows) if changed in readers_sources(node, rows)}


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (17, 65)])
def test_the_top_row_keeps_the_images_size_from_end_to_end_and_each_row_below_has_half(size: tuple[int, int]) -> None:
    network: Any = FRUNet(widths=(3, 4, 5, 6)).eval()
    found: dict[str, Tensor] = {}
    for key, block in network.block.items():
        block.register_forward_hook(lambda _, __, out, k=key: found.update({k: out}))
    with torch.inference_mode():
        network(torch.zeros(1, 3, *size))
    for row, column in lattice(4):
        assert found[name((row, column))].shape[2:] == tuple(-(-length // 2**row) for length in size)


def test_dropout_leaves_out_whole_channels_in_training_and_none_in_evaluation() -> None:
    block: Any = ModifiedResidualBlock(64)
    x = torch.randn(32, 64, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        out = block.train()(x) - x
        first, second = block.eval()(x), block(x)
    share = float((out == 0).flatten(2).all(dim=2).double().mean())
    # The second of two convolutions; 2 048 channels, and five times the spread of their count.
    assert abs(share - DROPOUT) < 5 * (DROPOUT * (1 - DROPOUT) / (32 * 64)) ** 0.5
    assert torch.equal(first, second)
    assert not (first == x).flatten(2).all(dim=2).any()
