"""Attention looked at while a network works: which maps, of what size, the right values, and no trace afterwards."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest
import torch
from torch import Tensor

from foveate.networks import NETWORKS, build, record_attention
from layers_by_hand import assert_close, convolution_by_hand, gate_by_hand, numbers, resize_by_hand, seeded, sigmoid

Options = dict[str, Any]
Shapes = dict[str, tuple[int, int]]

HEIGHT, WIDTH = 70, 50


def at(*levels: int, channels: int = 1) -> list[tuple[int, int]]:
    """Channels and the power of two by which the image is smaller."""
    return [(channels, level) for level in levels]


def named(place: str, names: tuple[str, ...], shapes: list[tuple[int, int]]) -> Shapes:
    return {f"{place}.{one}": shape for one, shape in zip(names, shapes, strict=True)}


LAYERS = ("stem", "layer1", "layer2", "layer3", "layer4")
RESNET50_CHANNELS = (64, 256, 512, 1024, 2048)
NESTED = [f"x{i}{j}_x{i}{k}" for i in range(5) for j in range(1, 5 - i) for k in range(j)]
"""X[i,j] of paper 000 gates every X[i,k] before it."""

EXPECTED: list[tuple[str, Options, Shapes]] = [
    ("unet", {"widths": (4, 6, 8)}, {}),
    ("segnet", {"widths": (4, 6, 8)}, {}),
    ("unetpp", {"widths": (4, 6, 8)}, {}),
    ("convlstm_unet", {"widths": (4, 6, 8)}, {}),
    ("wnet", {}, {}),
    ("fr_unet", {"widths": (4, 6, 8)}, {}),
    ("region_guided", {"attention": False}, {}),
    ("dual_attention_unet", {"encoder": "plain", "attention": False}, {}),
    ("atten_res_unet", {"depth": 18, "encoder_attention": "none", "decoder_gates": False}, {}),
    ("attention_unet", {"widths": (4, 6, 8, 9)}, named("gate", ("level0", "level1", "level2"), at(0, 1, 2))),
    ("attention_unetpp", {}, {f"decoder.gate.{name}": (1, int(name[1])) for name in NESTED}),
    ("region_guided", {}, named("iaa", ("0", "1", "2"), at(2, 1, 0))),
    (
        "atten_res_unet",
        {},
        named("encoder_attention", LAYERS[1:4], at(2, 3, 4)) | named("gate", LAYERS[:4], at(1, 2, 3, 4)),
    ),
    (
        "atten_res_unet",
        {"variant": "encoder", "depth": 18},
        named("encoder_attention", LAYERS[1:], at(2, 3, 4, 5)),
    ),
    (
        "dual_attention_unet",
        {},
        named("spatial", LAYERS, at(1, 2, 3, 4, 5))
        | {f"channel.{layer}": (c, -1) for layer, c in zip(LAYERS, RESNET50_CHANNELS, strict=True)},
    ),
    (
        "dual_attention_unet",
        {"encoder": "plain", "widths": (32, 64, 8), "channel_gate": "softmax"},
        named("spatial", ("level0", "level1", "level2"), at(0, 1, 2))
        | {"channel.level0": (32, -1), "channel.level1": (64, -1), "channel.level2": (64, -1)},
    ),
]


def network_of(name: str, options: Options) -> Any:
    return seeded(lambda: build(name, **options)).eval()


def image(seed: int = 1, *, height: int = HEIGHT, width: int = WIDTH) -> Tensor:
    return torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(seed))


def test_every_network_is_listed_here() -> None:
    assert {name for name, _, _ in EXPECTED} == set(NETWORKS)


@pytest.mark.parametrize(("name", "options", "expected"), EXPECTED, ids=lambda value: str(value)[:40])
def test_there_is_one_map_per_attention_by_name_and_size_and_the_output_stays(
    name: str, options: Options, expected: Shapes
) -> None:
    network = network_of(name, options)
    before = network(image())
    with record_attention(network) as maps:
        during = network(image())
    assert during.requires_grad
    assert torch.equal(before, during)
    assert maps.keys() == expected.keys()
    for key, (channels, level) in expected.items():
        size = (1, 1) if level < 0 else tuple(-(-length // 2**level) for length in (HEIGHT, WIDTH))
        assert maps[key].shape == (2, channels, *size), key
        assert not maps[key].requires_grad
        assert maps[key].min() >= 0
        assert maps[key].max() <= 1
        assert maps[key].std() > 0
        if options.get("channel_gate") == "softmax" and level < 0:
            torch.testing.assert_close(maps[key].sum(dim=1), torch.ones(2, 1, 1), rtol=0, atol=1e-6)  # float32


def seen(network: Any, part: str) -> tuple[tuple[Any, ...], Tensor]:
    """What enters a part of the network, of the batch's first image, and the map that is recorded there."""
    kept: list[Any] = []
    hook = network.double().get_submodule(part).register_forward_pre_hook(lambda _, given: kept.append(given))
    with record_attention(network) as maps, torch.inference_mode():
        network(image().double())
    hook.remove()
    return tuple(one[0].numpy() for one in kept[0]), maps[part]


@pytest.mark.parametrize(
    ("name", "options", "part"),
    [
        ("attention_unet", {"widths": (4, 6, 8, 9)}, "gate.level1"),
        ("attention_unetpp", {}, "decoder.gate.x03_x01"),
        ("atten_res_unet", {"depth": 18}, "encoder_attention.layer3"),
        ("atten_res_unet", {"depth": 18}, "gate.stem"),
    ],
)
def test_the_map_of_a_gate_is_alpha_of_its_equations(name: str, options: Options, part: str) -> None:
    network = network_of(name, options)
    (features, signal), alpha = seen(network, part)
    assert_close(alpha, gate_by_hand(network.get_submodule(part), features, signal)[0])


@pytest.mark.parametrize("part", ["iaa.0", "iaa.2"])
def test_the_map_of_inverse_addition_is_1_minus_sigma_of_the_region_map(part: str) -> None:
    (features, region_map), found = seen(network_of("region_guided", {}), part)
    assert_close(found, 1 - sigmoid(resize_by_hand(region_map, like=features)))


def test_the_maps_of_dual_attention_are_s_and_c_of_their_equations() -> None:
    network = network_of("dual_attention_unet", {"encoder": "plain", "widths": (16, 32, 8)})
    (features,), found = seen(network, "spatial.level1")
    pooled = features.max(axis=0, keepdims=True) + features.mean(axis=0, keepdims=True)
    assert_close(found, sigmoid(convolution_by_hand(network.spatial["level1"].score, pooled)))
    (features,), found = seen(network, "channel.level1")
    gate, both = network.channel["level1"], (features.max(axis=(1, 2)), features.mean(axis=(1, 2)))
    hidden = (numbers(gate.squeeze.weight)[:, :, 0, 0] @ [*both[0], *both[1]]).clip(min=0)
    assert hidden.any()
    assert_close(found, sigmoid(numbers(gate.expand.weight)[:, :, 0, 0] @ hidden)[:, None, None])


@pytest.mark.parametrize("stumble", [False, True])
def test_nothing_is_watched_any_more_afterwards_even_after_an_exception(stumble: bool) -> None:
    network = network_of("region_guided", {})
    expected = pytest.raises(KeyError) if stumble else nullcontext()
    with expected, record_attention(network) as maps:
        network(image())
        if stumble:
            raise KeyError("in the middle")
    assert len(maps) == 3
    maps.clear()
    network(image())
    assert maps == {}
    assert not any(module._forward_hooks for module in network.modules())


def test_the_latest_pass_alone_is_kept_and_what_was_recorded_before_stays_as_it_was() -> None:
    network = network_of("region_guided", {})
    with record_attention(network) as first:
        network(image(1))
    with record_attention(network) as second:
        network(image(2, height=33))
        assert second["iaa.2"].shape[2] == 33
        network(image(1))
        kept = dict(second)
        network(image(2))
    assert all(torch.equal(first[key], kept[key]) for key in first)
    assert not any(torch.equal(first[key], second[key]) for key in first)


def test_recordings_within_each_other_keep_apart() -> None:
    network, other = network_of("region_guided", {}), network_of("attention_unet", {"widths": (4, 6, 8)})
    with record_attention(network) as outer:
        with record_attention(network) as inner, record_attention(other) as elsewhere:
            network(image(1))
            assert elsewhere == {}
            assert all(torch.equal(outer[key], inner[key]) for key in outer)
        network(image(2))
    assert outer.keys() == inner.keys() == {"iaa.0", "iaa.1", "iaa.2"}
    assert not any(torch.equal(outer[key], inner[key]) for key in outer)


def test_a_pass_that_fails_leaves_no_hook_behind() -> None:
    network = network_of("attention_unet", {"widths": (4, 6, 8)})
    with pytest.raises(RuntimeError, match="channels"), record_attention(network):
        network(torch.zeros(1, 5, 16, 16))
    assert not any(module._forward_hooks for module in network.modules())
