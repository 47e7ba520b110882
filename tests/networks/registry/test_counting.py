"""What `measure` counts, against counts by hand and against networks that really run."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._pytree import tree_leaves

from foveate.models import open_model
from foveate.networks import NETWORKS, build
from foveate.networks.registry.catalogue import IMAGE, Block
from foveate.networks.registry.counting import measure

SIZE = 32
"""Height and width of the image, in pixels."""

SMALL: dict[str, dict[str, Any]] = {
    "unet": {"widths": (4, 8, 12)},
    "segnet": {"widths": (4, 8, 12)},
    "attention_unet": {"widths": (4, 8, 12)},
    "unetpp": {"widths": (4, 8, 12, 16)},
    "dual_attention_unet": {"encoder": "plain", "widths": (4, 8, 12)},
    "atten_res_unet": {"depth": 18},
    "convlstm_unet": {"widths": (4, 8, 12), "bidirectional": True},
    "fr_unet": {"widths": (4, 8, 12)},
}
"""Options by which a network is quickly made; the others are small as they are."""


def measured(construct: Any, *, in_channels: int = 3, height: int = SIZE, width: int = SIZE) -> Any:
    return measure(construct, in_channels=in_channels, height=height, width=width)


def test_a_small_unet_costs_what_it_does_by_hand() -> None:
    counts, _ = measured(partial(build, "unet", widths=(4, 8)))
    pixels = SIZE * SIZE
    encoder = pixels * 9 * (3 * 4 + 4 * 4) + pixels // 4 * 9 * (4 * 8 + 8 * 8)
    up = pixels // 4 * 8 * 4 * 4  # every pixel of the coarse level writes 2×2
    decoder = pixels * 9 * (8 * 4 + 4 * 4) + pixels * 4
    assert counts.macs == encoder + up + decoder
    assert counts.gmacs == counts.macs / 1e9
    norms = 2 * (4 + 4 + 8 + 8 + 4 + 4)
    assert counts.parameters == 9 * (3 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 8 * 4 + 4 * 4) + norms + (8 * 4 * 4 + 4) + (4 + 1)
    # In the decoder's block: image, skip, coarse map (8 at a quarter), concatenation, convolution, batch norm.
    assert counts.peak_activation_bytes == pixels * 4 * (3 + 4 + 8 // 4 + 8 + 4 + 4)


def test_the_blocks_of_a_small_unet_are_those_of_its_drawing() -> None:
    _, blocks = measured(partial(build, "unet", widths=(4, 8)), height=20, width=28)
    assert blocks == (
        Block("encoder.0", "Convolutions", 4, 20, 28, (IMAGE,)),
        Block("encoder.1", "Convolutions", 8, 10, 14, (0,)),
        Block("up.0", "ConvTranspose2d", 4, 20, 28, (1,)),
        Block("decoder.0", "Convolutions", 4, 20, 28, (0, 2)),
        Block("head", "Conv2d", 1, 20, 28, (3,)),
    )


def test_strides_groups_and_transposed_convolutions_are_counted_as_by_hand() -> None:
    def construct() -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1, stride=2, groups=4, bias=False),
            nn.ConvTranspose2d(4, 6, 2, stride=2, bias=False),
            nn.Conv2d(6, 2, 1, bias=False),
        )

    counts, _ = measured(construct, in_channels=4)
    pixels = SIZE * SIZE
    assert counts.parameters == 4 * 9 + 4 * 6 * 4 + 6 * 2
    assert counts.macs == pixels // 4 * 4 * 9 + pixels // 4 * 4 * 6 * 4 + pixels * 6 * 2


class Views(nn.Module):
    """Views of an activation, views of a weight, and a step in place: none of them takes memory."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(6))

    def forward(self, image: Tensor) -> Tensor:
        """(1, 2, H, W) to the same; two channels are made and dropped, then four, two and two are held."""
        both = torch.cat((image, image * 2), dim=1)
        both.relu_().flatten(2).transpose(1, 2)
        return both.view(1, 2, 2, *image.shape[2:]).sum(dim=1) * self.scale[:2].view(1, 2, 1, 1)


def test_views_share_memory_and_what_nobody_holds_is_free() -> None:
    counts, _ = measured(Views, in_channels=2)
    assert counts.peak_activation_bytes == SIZE * SIZE * 4 * (2 + 4 + 2 + 2)
    assert counts.macs == 0
    assert counts.parameters == 6


class Fused(nn.Module):
    """Attention of every position to all."""

    def forward(self, image: Tensor) -> Tensor:
        """(1, 5, H, W) to the same."""
        positions = image.flatten(2).transpose(1, 2).unsqueeze(1).contiguous()
        attended = F.scaled_dot_product_attention(positions, positions, positions)
        return attended.transpose(2, 3).reshape(image.shape)


def test_fused_attention_is_counted_but_holds_no_scores() -> None:
    positions = SIZE * SIZE
    counts, _ = measured(Fused, in_channels=5)
    assert counts.macs == positions * positions * (5 + 5)
    assert counts.peak_activation_bytes < positions * positions * 4


class TwoWays(nn.Module):
    """A block's input is looked at in another shape within the block, and used again behind it."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.flat, self.last = nn.Conv2d(3, 4, 1), Flat(), nn.Conv2d(4, 1, 1)

    def forward(self, image: Tensor) -> Tensor:
        """(1, 3, H, W) to (1, 1, H, W)."""
        x = self.first(image)
        y: Tensor = self.last(x) + self.flat(x)[:, :1]
        return y


class Flat(nn.Module):
    """One number for each channel."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C, 1, 1)."""
        return x.flatten(2).mean(dim=2)[..., None, None]


def test_a_map_that_a_block_looks_at_still_comes_from_the_block_that_made_it() -> None:
    _, blocks = measured(TwoWays)
    assert [(block.name, block.inputs) for block in blocks] == [("first", (IMAGE,)), ("last", (0,)), ("flat", (0,))]


def run_with_every_block_cut_off(network: nn.Module, blocks: tuple[Block, ...]) -> dict[str, Any]:
    """Really run it: by name of block its output's shape, and the blocks to which gradients of its input lead."""
    image = torch.rand(1, 3, SIZE, SIZE, generator=torch.Generator().manual_seed(0)).requires_grad_()
    made: list[Tensor] = [image]
    seen: dict[str, Any] = {}

    def before(name: str, module: nn.Module, inputs: Any) -> None:
        entering = [leaf for leaf in tree_leaves(inputs) if isinstance(leaf, Tensor)]
        total = torch.stack([tensor.sum() for tensor in entering]).sum()
        gradients = torch.autograd.grad(total, made, allow_unused=True, retain_graph=True)
        seen[name] = tuple(place - 1 for place, gradient in enumerate(gradients) if gradient is not None)

    def after(name: str, module: nn.Module, inputs: Any, output: Tensor) -> Tensor:
        made.append(output.detach().requires_grad_())
        seen[name] = (*output.shape[1:], seen[name])
        return made[-1]

    for block in blocks:
        network.get_submodule(block.name).register_forward_pre_hook(partial(before, block.name))
        network.get_submodule(block.name).register_forward_hook(partial(after, block.name))
    network.eval()(image)
    return seen


@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "segnet"])
def test_sizes_and_flow_of_blocks_are_those_of_a_network_that_really_runs(name: str) -> None:
    construct = partial(build, name, **SMALL.get(name, {}))
    _, blocks = measured(construct)
    expected = run_with_every_block_cut_off(construct(), blocks)
    assert {block.name: (block.channels, block.height, block.width, block.inputs) for block in blocks} == expected
    assert [block.name for block in blocks] == list(expected)


def test_what_segnet_remembers_of_its_pooling_flows_across() -> None:
    construct = partial(build, "segnet", **SMALL["segnet"])
    _, blocks = measured(construct)
    seen = run_with_every_block_cut_off(construct(), blocks)
    assert {block.name: (block.channels, block.height, block.width) for block in blocks} == {
        name: tuple(shape) for name, (*shape, _) in seen.items()
    }
    # The places have no gradient, so the flow is by hand; the deepest decoder unpools what the deepest encoder pooled.
    assert [block.inputs for block in blocks] == [(IMAGE,), (0,), (1,), (2,), (1, 3), (0, 4), (5,)]


@pytest.mark.parametrize("name", NETWORKS)
def test_the_last_block_puts_out_logits_of_the_image_size(name: str) -> None:
    _, blocks = measured(partial(build, name, classes=2, **SMALL.get(name, {})))
    assert (blocks[-1].channels, blocks[-1].height, blocks[-1].width) == (2, SIZE, SIZE)


def test_the_same_network_is_counted_the_same_twice() -> None:
    construct = partial(build, "attention_unetpp", deep_supervision=True)
    assert measured(construct) == measured(construct)


def test_the_shipped_models_card_has_what_is_counted_of_its_network() -> None:
    card = open_model("vessels").card
    construct = partial(build, card.network, **card.options, in_channels=3, classes=1)
    counts, _ = measure(construct, in_channels=3, height=512, width=512)
    assert (card.parameters, card.gmacs) == (counts.parameters, counts.gmacs)
