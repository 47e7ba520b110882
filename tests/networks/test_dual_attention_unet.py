"""Paper 001: its attention and its plain network against NumPy in float64; what goes where on a ResNet-50."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage  # type: ignore[import-untyped]
from torch import Tensor, nn

from foveate.errors import UsageError
from foveate.networks import NETWORKS, build
from foveate.networks.blocks.dual_attention import ChannelAttention, SpatialAttention, fuse
from foveate.networks.dual_attention_unet import DualAttentionUNet
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
    halve_by_hand,
    normal,
    numbers,
    resize_by_hand,
    resnet_count,
    seeded,
    sigmoid,
)

Options = dict[str, Any]

VARIANTS = NETWORKS["dual_attention_unet"].variants
SMALL: Options = {"in_channels": 2, "classes": 3, "encoder": "plain", "widths": (5, 18, 34, 7)}
"""With widths that give the channel attention 1, 1 and 2 hidden channels."""


def attention_count(channels: int) -> int:
    """The 7×7 convolution of one map to one, then W0 (2C to C/16) and W1 (C/16 to C) without bias."""
    hidden = max(1, channels // 16)
    return (7 * 7 + 1) + 2 * channels * hidden + hidden * channels


def parameters_by_hand(
    *,
    in_channels: int = 3,
    classes: int = 1,
    encoder: str = "resnet50",
    attention: bool = True,
    widths: tuple[int, ...] = (),
    **_without_weights: object,
) -> int:
    if encoder == "plain":
        *skips, bottom = widths or ((64, 128, 256) if attention else (64, 128))
        total = encoder_count(in_channels, tuple(skips))
        maps, filters = [*skips, skips[-1]], skips[::-1]
    else:
        total, maps, skips = resnet_count(50, in_channels=in_channels), [64, 256, 512, 1024, 2048], [64, 256, 512, 1024]
        filters, bottom = [512, 256, 128, 64], 512
        total += double_count(64, 64)  # the last step, to full size
    total += convolutions_count(maps[-1], bottom)
    for (below, here), skip in zip(pairwise((bottom, *filters)), reversed(skips), strict=True):
        total += double_count(below, here) + convolutions_count(skip + here, here)
    total += sum(attention_count(channels) for channels in maps) if attention else 0
    return total + filters[-1] * classes + classes


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_number_of_parameters_is_that_of_the_papers_layers(variant: str) -> None:
    for more in ({}, {"in_channels": 1, "classes": 4}):
        options: Options = {**VARIANTS[variant], **more}
        assert count(build("dual_attention_unet", variant=variant, **more)) == parameters_by_hand(**options)


def test_the_number_of_parameters_follows_the_plain_encoders_widths() -> None:
    assert count(DualAttentionUNet(**SMALL)) == parameters_by_hand(**SMALL)
    assert count(DualAttentionUNet(**SMALL, attention=False)) == parameters_by_hand(**SMALL, attention=False)


def spatial_by_hand(attention: Any, features: Array) -> Array:
    """S = σ(Conv7×7(MaxPool_c(F) + AvgPool_c(F))), H×W."""
    pooled = features.max(axis=0) + features.mean(axis=0)
    kernel = numbers(attention.score.weight)
    assert kernel.shape == (1, 1, 7, 7)
    return sigmoid(ndimage.correlate(pooled, kernel[0, 0], mode="constant") + numbers(attention.score.bias))


def channel_by_hand(attention: Any, features: Array, *, gate: str) -> Array:
    """C = gate(W1 ReLU(W0 [MaxPool(F) ‖ AvgPool(F)])), one number per channel."""
    pooled = np.concatenate((features.max(axis=(1, 2)), features.mean(axis=(1, 2))))
    w0, w1 = (numbers(layer.weight)[:, :, 0, 0] for layer in (attention.squeeze, attention.expand))
    scores = w1 @ np.maximum(w0 @ pooled, 0)
    return np.asarray(np.exp(scores) / np.exp(scores).sum() if gate == "softmax" else sigmoid(scores))


def attended_by_hand(
    spatial: Any, channel: Any, features: Array, *, fusion: str = "sum", gate: str = "sigmoid"
) -> Array:
    s = spatial_by_hand(spatial, features)[None]
    c = channel_by_hand(channel, features, gate=gate)[:, None, None]
    return features * s * c if fusion == "product" else features * s + features * c


FUSIONS = [("sum", "sigmoid"), ("sum", "softmax"), ("product", "sigmoid"), ("product", "softmax")]


@pytest.mark.parametrize(("fusion", "gate"), FUSIONS)
def test_dual_attention_is_f_s_plus_f_c_of_section_3_2_or_s_c_f_of_algorithm_1(fusion: Any, gate: Any) -> None:
    features = normal(32, 9, 13)
    spatial, channel = drawn(SpatialAttention()), drawn(ChannelAttention(32, gate=gate))
    found = fuse(batch(features), spatial(batch(features)), channel(batch(features)), fusion=fusion)
    assert_close(found, attended_by_hand(spatial, channel, features, fusion=fusion, gate=gate))
    weights = channel(batch(features))[:, :, 0, 0].detach()
    assert_close(weights, channel_by_hand(channel, features, gate=gate))
    assert (abs(float(weights.sum()) - 1) < 1e-12) == (gate == "softmax")  # float64


def network_by_hand(network: Any, x: Array, *, attention: bool, fusion: str, gate: str) -> Array:
    """The plain network: attention on each skip and on what enters the bottleneck, then back to full size."""
    maps = encoded_by_hand(network.encoder.levels, x)
    maps.append(halve_by_hand(maps[-1]))
    if attention:
        gates = zip(network.spatial.values(), network.channel.values(), maps, strict=True)
        maps = [attended_by_hand(s, c, features, fusion=fusion, gate=gate) for s, c, features in gates]
    *skips, deepest = maps
    x = convolutions_by_hand(network.bottleneck, deepest)
    for up, block, skip in zip(network.up, network.decoder, reversed(skips), strict=True):
        x = convolutions_by_hand(block, np.concatenate((skip, resize_by_hand(double_by_hand(up, x), like=skip))))
    return convolution_by_hand(network.head, x)


@pytest.mark.parametrize("size", [(16, 24), (19, 22)])
@pytest.mark.parametrize(("attention", "fusion", "gate"), [(False, "sum", "sigmoid"), *((True, *f) for f in FUSIONS)])
def test_the_plain_network_is_the_papers_layers_written_out(
    attention: bool, fusion: str, gate: str, size: tuple[int, int]
) -> None:
    options: Options = {"attention": attention, "fusion": fusion, "channel_gate": gate}
    network, image = drawn(DualAttentionUNet(**SMALL, **options)), normal(2, *size)
    expected = network_by_hand(network, image, attention=attention, fusion=fusion, gate=gate)
    assert_close(network(batch(image)), expected)


@pytest.mark.parametrize("options", [SMALL, {}], ids=["plain", "resnet50"])
def test_with_both_gates_one_half_it_is_the_network_without_attention(options: Options) -> None:
    attentive = seeded(lambda: DualAttentionUNet(**options)).eval()
    plain = seeded(lambda: DualAttentionUNet(**options, attention=False)).eval()
    weights = attentive.state_dict()
    plain.load_state_dict({key: x for key, x in weights.items() if not key.startswith(("spatial.", "channel."))})
    image = torch.randn(1, options.get("in_channels", 3), 37, 50, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert not torch.equal(attentive(image), plain(image))
        force_weights(attentive, 0.5)
        assert torch.equal(attentive(image), plain(image))  # F·½ + F·½ is F, exactly


def watched(network: DualAttentionUNet, image: Tensor) -> dict[str, Any]:
    """What the encoder gives, and what bottleneck, decoder blocks, last step and head are given."""
    seen: dict[str, Any] = {}
    network.encoder.register_forward_hook(lambda _, __, maps: seen.update(maps=maps))
    for name, part in network.named_modules():
        if name in ("bottleneck", "last_up", "head") or (name.startswith("decoder.") and name.count(".") == 1):
            part.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0]}))
    with torch.inference_mode():
        seen["logits"] = network(image)
    return seen


@pytest.mark.parametrize("size", [(64, 96), (70, 45)])
def test_on_resnet_50_stem_and_three_layers_are_skips_and_layer4_the_bottlenecks_each_with_attention(
    size: tuple[int, int],
) -> None:
    network = seeded(lambda: DualAttentionUNet(classes=2)).double().eval()
    image = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    seen = watched(network, image)
    sizes = [tuple(-(-length // 2**level) for length in size) for level in range(6)]
    channels = (64, 256, 512, 1024, 2048)
    assert [x.shape[1:] for x in seen["maps"]] == [(c, *s) for c, s in zip(channels, sizes[1:], strict=True)]
    assert seen["logits"].shape == (1, 2, *size)
    assert seen["last_up"].shape == (1, 64, *sizes[1])
    assert seen["head"].shape == (1, 64, *size)
    entered = [(f"decoder.{3 - level}", filters) for level, filters in enumerate((64, 128, 256, 512))]
    for place, x, (name, filters) in zip(network.spatial, seen["maps"], [*entered, ("bottleneck", 0)], strict=True):
        assert seen[name].shape == (1, x.shape[1] + filters, *x.shape[2:])
        expected = attended_by_hand(network.spatial[place], network.channel[place], numbers(x)[0])
        assert not np.allclose(expected, numbers(x)[0], rtol=0.01)
        assert_close(seen[name][:, : x.shape[1]], expected)
    assert list(network.spatial) == list(network.channel) == ["stem", "layer1", "layer2", "layer3", "layer4"]


@pytest.mark.parametrize(("variant", "poolings", "filters"), [("unet", 1, [64, 128]), ("attention", 2, [64, 128, 256])])
def test_the_plain_variants_have_the_papers_filters_and_poolings(
    variant: str, poolings: int, filters: list[int]
) -> None:
    network = build("dual_attention_unet", variant=variant).eval()
    assert isinstance(network, DualAttentionUNet)
    seen = watched(network, torch.zeros(1, 3, 32, 48))
    assert seen["bottleneck"].shape[2:] == (32 // 2**poolings, 48 // 2**poolings)
    assert [x.shape[1] for x in seen["maps"][:-1]] == filters[:-1]
    assert {layer.out_channels for layer in network.bottleneck if isinstance(layer, nn.Conv2d)} == {filters[-1]}


PARTS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")


@pytest.mark.parametrize(("variant", "frozen"), [("resnet_attention", 5), ("algorithm1", 5), ("resnet", 6)])
def test_a_step_of_training_leaves_frozen_layers_and_their_statistics_alone(variant: str, frozen: int) -> None:
    network = seeded(lambda: build("dual_attention_unet", variant=variant)).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    image = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    network(image).square().mean().backward()
    torch.optim.SGD(network.parameters(), lr=0.1).step()
    changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
    for part in PARTS[:frozen]:
        assert not any(key.startswith(f"encoder.{part}.") for key in changed)
    for part in (*(f"encoder.{name}" for name in PARTS[frozen:]), "bottleneck", *(f"decoder.{i}" for i in range(4))):
        kinds = {key.rsplit(".", 1)[1] for key in changed if key.startswith(f"{part}.")}
        assert {"weight", "running_mean", "running_var"} <= kinds


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"encoder": "plain", "freeze": "layer3"}, "freeze = 'layer3'"),
        ({"widths": (8, 16)}, r"widths = \[8, 16\]"),
        ({"attention": False, "fusion": "product"}, "fusion = 'product'"),
        ({"attention": False, "channel_gate": "softmax"}, "channel_gate = 'softmax'"),
        ({"encoder": "plain", "widths": (8,)}, r"widths = [\[(]8,?[\])]"),
    ],
    ids=str,
)
def test_an_option_of_a_part_that_is_not_there_is_an_error_in_one_line(options: Options, named: str) -> None:
    for make in (DualAttentionUNet, lambda **given: build("dual_attention_unet", **given)):
        with pytest.raises(UsageError, match=named) as caught:
            make(**options)
        assert "\n" not in str(caught.value)
