"""Paper 004: the cell and the whole network against NumPy in float64, its two heads, and its parameters by hand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from foveate.networks import NETWORKS, build
from foveate.networks.blocks.convlstm import ConvLSTM
from foveate.networks.convlstm_unet import ConvLSTMUNet, Order, SequenceFusion
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
    numbers,
    sigmoid,
)

VARIANTS: dict[str, dict[str, Any]] = {
    "one_head": {"heads": 1, "bidirectional": False, "order": "up_skip"},
    "two_heads": {"heads": 2, "bidirectional": False, "order": "up_skip"},
    "bidirectional": {"heads": 1, "bidirectional": True, "order": "up_skip"},
}

UNNAMED: dict[str, dict[str, Any]] = {
    "skip first": {"heads": 1, "bidirectional": False, "order": "skip_up"},
    "both ways, skip first": {"heads": 1, "bidirectional": True, "order": "skip_up"},
    "dropout": {"heads": 1, "bidirectional": False, "order": "up_skip", "dropout": True},
}
"""Options that no variant has."""

every_option = pytest.mark.parametrize("options", [*VARIANTS.values(), *UNNAMED.values()], ids=[*VARIANTS, *UNNAMED])


def sequence_by_hand(cell: Any, sequence: list[Array]) -> Array:
    """Step by step: i, f, o = σ(W_x x + W_h h + b), g = tanh(…), c ← f c + i g, h ← o tanh(c), from zeros."""
    h = c = np.zeros((cell.hidden, *sequence[0].shape[1:]))
    for x in sequence:
        gates = convolution_by_hand(cell.of_input, x) + convolution_by_hand(cell.of_state, h)
        i, f, o = sigmoid(gates[: 3 * cell.hidden]).reshape(3, *h.shape)
        g = np.tanh(gates[3 * cell.hidden :])
        c = f * c + i * g
        h = o * np.tanh(c)
    return h


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_cell_is_the_equations_of_a_convlstm_step_by_step_and_its_last_state_alone_comes_out(steps: int) -> None:
    lstm = drawn(ConvLSTM(3, 5))
    sequence = [normal(3, 7, 9, seed=step) for step in range(steps)]
    found = lstm([batch(x) for x in sequence])
    assert found.shape == (1, 5, 7, 9)
    assert_close(found, sequence_by_hand(lstm.cell, sequence))


def test_a_sequence_needs_a_map() -> None:
    with pytest.raises(ValueError, match="at least one map"):
        ConvLSTM(3, 5)(())


def test_a_sequence_of_two_zero_maps_gives_the_state_of_the_biases_alone() -> None:
    lstm = drawn(ConvLSTM(3, 5))
    i, f, o, g = numbers(lstm.cell.of_input.bias).reshape(4, 5)
    c = sigmoid(i) * np.tanh(g)
    h = sigmoid(o) * np.tanh(c)
    nothing = torch.zeros(1, 3, 7, 9, dtype=torch.float64)
    assert_close(lstm((nothing,)), np.broadcast_to(h[:, None, None], (5, 7, 9)))
    # Away from the border every state sees the same 3×3 states, so their kernel's sum is all that counts.
    recurrent = numbers(lstm.cell.of_state.weight).sum(axis=(2, 3)) @ h
    i, f, o, g = (numbers(lstm.cell.of_input.bias) + recurrent).reshape(4, 5)
    h = sigmoid(o) * np.tanh(sigmoid(f) * c + sigmoid(i) * np.tanh(g))
    inside = lstm((nothing, nothing))[:, :, 1:-1, 1:-1]
    assert_close(inside, np.broadcast_to(h[:, None, None], (5, 5, 7)))


def fusion_by_hand(fusion: Any, skip: Array, up: Array, order: str) -> Array:
    """The sequence (up, skip) as the family's code reads it, or (skip, up); both ways where it is bidirectional."""
    sequence = {"up_skip": [up, skip], "skip_up": [skip, up]}[order]
    last = sequence_by_hand(fusion.forwards.cell, sequence)
    if fusion.backwards is None:
        return last
    return np.concatenate((last, sequence_by_hand(fusion.backwards.cell, sequence[::-1])))


@pytest.mark.parametrize("order", ["up_skip", "skip_up"])
@pytest.mark.parametrize(("bidirectional", "channels"), [(False, 3), (True, 6)])
def test_the_sequence_is_read_in_its_order_and_each_direction_gives_half_the_channels(
    bidirectional: bool, channels: int, order: Order
) -> None:
    fusion = drawn(SequenceFusion(6, order=order, bidirectional=bidirectional))
    skip, up = normal(6, 8, 5, seed=0), normal(6, 8, 5, seed=1)
    found, swapped = fusion(batch(skip), batch(up)), fusion(batch(up), batch(skip))
    assert found.shape == (1, channels, 8, 5)
    assert fusion.channels == channels
    assert_close(found, fusion_by_hand(fusion, skip, up, order))
    assert (found - swapped).abs().max() > 0.01


def network_by_hand(network: Any, x: Array, order: str) -> list[Array]:
    """Section 2.1 for sizes that are multiples of the coarsest level: what each head says."""

    def rectified(layer: Any, x: Array) -> Array:
        return np.maximum(convolution_by_hand(layer, x), 0)

    skips: list[Array] = []
    for level, (first, _relu, second, _relu_too) in enumerate(network.encoder):
        x = rectified(second, rectified(first, halve_by_hand(x) if level else x))
        skips.append(x)
    stages = zip(network.up, network.fusion, network.decoder, reversed(skips[:-1]), strict=True)
    for (deconvolution, norm, _relu), fusion, (first, _relu_too, second, _last_relu), skip in stages:
        up = np.maximum(norm_by_hand(norm, double_by_hand(deconvolution, x)), 0)
        x = rectified(second, rectified(first, fusion_by_hand(fusion, skip, up, order)))
    return [convolution_by_hand(head, x) for head in network.heads]


@every_option
@pytest.mark.parametrize("sizes", [{"widths": (4, 6, 8, 10)}, {"widths": (3, 7, 5), "in_channels": 1, "classes": 2}])
def test_logits_are_those_of_section_2_1_layer_by_layer(options: dict[str, Any], sizes: dict[str, Any]) -> None:
    network = drawn(ConvLSTMUNet(**options, **sizes), spread=0.3)
    image = normal(sizes.get("in_channels", 3), 16, 24)
    found, (vessel, *background) = network.forward_all(batch(image)), network_by_hand(network, image, options["order"])
    assert len(found) == options["heads"]
    assert_close(found[0], vessel)
    for one, other in zip(found[1:], background, strict=True):
        assert_close(one, -other)
    assert torch.equal(network(batch(image)), found[0])


def test_the_default_is_the_order_of_the_familys_code() -> None:
    network, image = drawn(ConvLSTMUNet(widths=(4, 6, 8)), spread=0.3), normal(3, 16, 24)
    assert_close(network(batch(image)), network_by_hand(network, image, "up_skip")[0])


def test_dropout_halves_the_coarsest_skip_and_the_bottleneck_while_it_learns_and_nothing_else() -> None:
    network: Any = ConvLSTMUNet(widths=(4, 6, 8), dropout=True).train()
    seen: dict[str, list[torch.Tensor]] = {}

    def look(name: str, module: torch.nn.Module) -> None:
        module.register_forward_hook(lambda _, given, result: seen.update({name: [*given, result]}))

    for level, block in enumerate(network.encoder):
        look(f"encoder{level}", block)
    look("first up", network.up[0])
    for place, fusion in enumerate(network.fusion):
        look(f"fusion{place}", fusion)
    torch.manual_seed(0)
    network(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    for into, out_of in ((seen["first up"][0], seen["encoder2"][-1]), (seen["fusion0"][0], seen["encoder1"][-1])):
        alive = out_of > 0
        kept = into[alive] != 0
        torch.testing.assert_close(into[alive][kept], 2 * out_of[alive][kept])  # as much on average
        assert abs(kept.float().mean() - 0.5) < 4 * (0.25 / kept.numel()) ** 0.5  # four standard deviations
    assert torch.equal(seen["fusion1"][0], seen["encoder0"][-1])
    assert torch.equal(seen["encoder2"][0], torch.nn.functional.max_pool2d(seen["encoder1"][-1], 2))


def test_the_loss_of_the_second_output_against_the_mask_is_that_of_the_background_against_its_own() -> None:
    network = drawn(ConvLSTMUNet(widths=(4, 6, 8), heads=2), spread=0.3)
    kept: list[torch.Tensor] = []
    network.heads[1].register_forward_hook(lambda _, __, logits: kept.append(logits))
    vessel, turned = network.forward_all(batch(normal(3, 16, 16)))
    mask = (torch.rand(turned.shape, generator=torch.Generator().manual_seed(0)) < 0.13).double()
    loss = F.binary_cross_entropy_with_logits(turned, mask)
    background = F.binary_cross_entropy(torch.sigmoid(kept[0]), 1 - mask)  # the second sigmoid channel as printed
    torch.testing.assert_close(loss, background, rtol=1e-12, atol=0)  # float64
    assert (loss - F.binary_cross_entropy_with_logits(vessel, mask)).abs() > 1e-3


def test_the_encoder_has_no_batch_norm_so_images_of_a_training_batch_do_not_see_each_other_there() -> None:
    network: Any = ConvLSTMUNet(widths=(4, 6, 8)).train()
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for block in network.encoder[:2]:
        together, alone = block(images), block(images[:1])
        torch.testing.assert_close(together[:1], alone, rtol=0, atol=1e-5)  # float32
        images = together
    up = network.up[0](torch.cat((images, images[:, :2]), dim=1))  # while the decoder's does
    assert (up[:1] - network.up[0](torch.cat((images, images[:, :2]), dim=1)[:1])).abs().max() > 1e-3


def parameters_by_hand(
    *, widths: tuple[int, ...], bidirectional: bool, heads: int, in_channels: int = 3, classes: int = 1, **_: Any
) -> int:
    """Counted from section 2.1 in its order; all convolutions are 3×3 with a bias but those of a state."""

    def two_convolutions(before: int, after: int) -> int:
        return 9 * before * after + after + 9 * after * after + after

    total = sum(two_convolutions(a, b) for a, b in pairwise((in_channels, *widths)))
    for c, below in pairwise(widths):
        hidden, ways = c // 2, 1 + bidirectional
        lstm = 4 * (9 * c * hidden + hidden + 9 * hidden * hidden)  # four gates
        total += (4 * below * c + c) + 2 * c + ways * lstm + two_convolutions(ways * hidden, c)
    return total + heads * (widths[0] * classes + classes)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_number_of_parameters_is_that_of_the_papers_layers(variant: str) -> None:
    published = (64, 128, 256, 512)  # the family's, BCDU-Net
    assert list(NETWORKS["convlstm_unet"].variants) == list(VARIANTS)
    with torch.device("meta"):
        default, other = (build("convlstm_unet", variant=variant, classes=classes) for classes in (1, 3))
        narrow = build("convlstm_unet", variant=variant, widths=(4, 6, 10), in_channels=1)
    assert count(default) == parameters_by_hand(widths=published, **VARIANTS[variant])
    assert count(other) == parameters_by_hand(widths=published, classes=3, **VARIANTS[variant])
    assert count(narrow) == parameters_by_hand(widths=(4, 6, 10), in_channels=1, **VARIANTS[variant])
