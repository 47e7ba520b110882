"""Paper 003: sizes by arithmetic, the whole network against NumPy in float64, and what makes it that paper's."""

from __future__ import annotations

from typing import Any, Literal, cast

import numpy as np
import pytest
import torch
from scipy import ndimage  # type: ignore[import-untyped]

from foveate.errors import UsageError
from foveate.networks import NETWORKS, build, region_guided
from foveate.networks.blocks.inverse_addition import InverseAdditionAttention
from foveate.networks.blocks.separable import SeparableBlock
from foveate.networks.region_guided import RegionGuided
from foveate.recipes.read import read_recipe, shipped
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
    resize_by_hand,
    seeded,
    sigmoid,
)

Widths = tuple[int, int, int, int]


def parameters_by_hand(
    *,
    in_channels: int = 3,
    classes: int = 1,
    widths: Widths = (8, 16, 24, 32),
    depth: int = 2,
    attention: bool = True,
    partial_decoder: bool = True,
    dual_attention: str = "none",
    kernel: int = 2,
) -> int:
    """Counted from the paper's layers, in the order of section III."""

    def block(channels: int, filters: int) -> int:
        total = 0
        for _ in range(depth):
            total += 3 * 3 * channels + channels * filters + 2 * filters  # depthwise, pointwise, batch norm
            channels = filters
        return total

    def deconvolution(channels: int, filters: int) -> int:
        return kernel * kernel * channels * filters + filters

    first, second, third, bottom = widths
    encoder = block(in_channels, first) + block(first, second) + block(second, third) + block(third, bottom)
    decoder = 0
    for below, filters in ((bottom, third), (third, second), (second, first)):
        decoder += deconvolution(below, filters) + block(2 * filters, filters)
    head = first * classes + classes
    # 7×7 and its bias, then [MaxPool ‖ AvgPool] to a sixteenth and back (paper 001, section 3.2).
    weighed = {"none": (), "skips": (first, second, third), "all": widths}[dual_attention]
    head += sum(7 * 7 + 1 + 3 * channels * max(1, channels // 16) for channels in weighed)
    if not attention:
        return encoder + decoder + head
    maps = (second + 1) + (third + 1) + (second + 1)
    return encoder + decoder + (block(second, second) if partial_decoder else 0) + maps + head


@pytest.mark.parametrize(
    "options",
    [
        {"in_channels": 3, "classes": 1, "widths": (8, 16, 24, 32)},
        {"in_channels": 3, "classes": 1, "widths": (16, 24, 40, 56)},
        {"in_channels": 1, "classes": 4, "widths": (5, 7, 11, 13), "depth": 3},
        {"in_channels": 2, "classes": 2, "widths": (8, 16, 24, 32), "depth": 1},
        {"in_channels": 2, "classes": 2, "widths": (4, 5, 6, 7), "attention": False},
        {"in_channels": 2, "classes": 2, "widths": (4, 5, 6, 7), "partial_decoder": False},
        {"widths": (16, 24, 40, 56), "dual_attention": "skips"},
        {"widths": (16, 24, 40, 56), "dual_attention": "all"},
    ],
)
def test_the_number_of_parameters_is_that_of_the_papers_layers(options: dict[str, Any]) -> None:
    assert count(RegionGuided(**options)) == parameters_by_hand(**options)


@pytest.mark.parametrize(
    ("variant", "row"),
    [
        ("unet", {"widths": (32, 64, 128, 256), "attention": False}),  # table II without "*": our reading of the widths
        ("iaa", {"widths": (32, 64, 128, 256), "partial_decoder": False}),
        ("iaa_pd", {"widths": (32, 64, 128, 256)}),
        ("iaa_pd_narrow", {"widths": (8, 16, 24, 32)}),
    ],
)
def test_the_named_variants_have_the_parameters_of_the_rows_of_table_ii(variant: str, row: dict[str, Any]) -> None:
    assert count(build("region_guided", variant=variant)) == parameters_by_hand(**row)
    assert list(NETWORKS["region_guided"].variants) == ["unet", "iaa", "iaa_pd", "iaa_pd_narrow"]


def test_the_defaults_are_the_papers_filters_and_the_documented_numbers_are_right() -> None:
    printed, with_3x3 = parameters_by_hand(), parameters_by_hand(kernel=3)
    assert count(RegionGuided()) == printed
    for number in (printed, with_3x3):
        assert f"{number:,}".replace(",", " ") in (region_guided.__doc__ or "")


@pytest.mark.parametrize("name", shipped())
def test_no_shipped_recipe_has_more_than_the_papers_40_000_parameters(name: str) -> None:
    network = read_recipe(name).network
    if network.name != "region_guided" or network.variant in ("unet", "iaa", "iaa_pd"):
        return  # the paper counts 40 000 for the narrow filters alone
    options = network.options
    assert count(RegionGuided(**options)) <= 40_000


def test_attention_to_a_map_that_says_no_returns_the_features_plus_the_map() -> None:
    features = torch.randn(2, 5, 8, 9, generator=torch.Generator().manual_seed(0))
    found = InverseAdditionAttention()(features, torch.full((2, 1, 8, 9), -20.0))
    torch.testing.assert_close(found, features - 20, rtol=0, atol=1e-5)  # float32 at 20: 2e-6


def test_attention_to_a_map_that_says_vessel_returns_the_map() -> None:
    features = torch.randn(2, 5, 8, 9, generator=torch.Generator().manual_seed(0))
    found = InverseAdditionAttention()(features, torch.full((2, 1, 8, 9), 20.0))
    torch.testing.assert_close(found, torch.full_like(features, 20.0), rtol=0, atol=1e-5)


def attention_by_hand(features: Array, region_map: Array) -> Array:
    """Eqs. 6 and 7, with the map broadcast over the features' channels."""
    wide = resize_by_hand(region_map, like=features)
    return features * (1 - sigmoid(wide)) + wide


@pytest.mark.parametrize("map_size", [(8, 10), (4, 5), (16, 20), (3, 7)])
def test_attention_is_equations_6_and_7(map_size: tuple[int, int]) -> None:
    generator = np.random.default_rng(0)
    features, region_map = generator.normal(size=(6, 8, 10)), 3 * generator.normal(size=(1, *map_size))
    found = InverseAdditionAttention()(batch(features), batch(region_map))
    expected = attention_by_hand(features, region_map)
    np.testing.assert_allclose(found[0].numpy(), expected, rtol=0, atol=1e-12)  # float64


def block_by_hand(block: Any, x: Array) -> Array:
    """Eq. 1, ReLU[BN(C(ReLU[BN(C(x))]))], with C depthwise 3×3 and then 1×1, in evaluation mode."""
    for depthwise, pointwise, norm, _relu in block:
        kernels = numbers(depthwise.weight)[:, 0]
        x = np.stack([ndimage.correlate(a, k, mode="constant") for a, k in zip(x, kernels, strict=True)])
        x = np.maximum(norm_by_hand(norm, convolution_by_hand(pointwise, x)), 0)
    return x


def network_by_hand(
    network: Any, x: Array, *, attention: bool = True, partial_decoder: bool = True, passes: int = 1
) -> tuple[Array, ...]:
    """Equations 1 to 8, line by line, for sizes that are multiples of 8: logits, then the maps, finest first.

    From the second of the `passes` on, equations 6 and 7 begin with the last of their own maps.
    """
    s1 = block_by_hand(network.encoder[0], x)
    s2 = block_by_hand(network.encoder[1], halve_by_hand(s1))
    s3 = block_by_hand(network.encoder[2], halve_by_hand(s2))
    below = block_by_hand(network.bottleneck, halve_by_hand(s3))
    decoded = []
    for index, skip in enumerate((s3, s2, s1)):
        upsampled = double_by_hand(network.upsample[index], below)
        below = block_by_hand(network.decoder[index], np.concatenate((skip, upsampled)))
        decoded.append(below)
    dec1, dec2, dec3 = decoded
    if not attention:
        return (convolution_by_hand(network.head, dec3),)
    coarse = block_by_hand(network.partial_decoder, dec2) if partial_decoder else dec2
    map0 = convolution_by_hand(network.maps[0], coarse)
    region_map = map0
    for _ in range(passes):
        map1 = convolution_by_hand(network.maps[1], attention_by_hand(dec1, region_map))
        region_map = map2 = convolution_by_hand(network.maps[2], attention_by_hand(dec2, map1))
    return convolution_by_hand(network.head, attention_by_hand(dec3, map2)), map2, map1, map0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"in_channels": 1, "classes": 3, "widths": (3, 5, 4, 6), "depth": 3},
        {"attention": False},  # "UNet" of table II: dec3 goes to the head as it is
        {"partial_decoder": False},  # "IAA + UNET": dec2 itself draws map0, in place of eq. 5
        {"passes": 3},
    ],
    ids=str,
)
def test_logits_and_maps_are_those_of_the_papers_equations(options: dict[str, Any]) -> None:
    network = drawn(RegionGuided(**options))
    image = normal(options.get("in_channels", 3), 24, 40)
    with torch.inference_mode():
        found = network.forward_all(batch(image))
        logits = network(batch(image))
    parts = {name: options[name] for name in ("attention", "partial_decoder", "passes") if name in options}
    for one, by_hand in zip(found, network_by_hand(network, image, **parts), strict=True):
        assert_close(one, by_hand)
    assert torch.equal(logits, found[0])


@pytest.mark.parametrize("dual_attention", ["skips", "all"])
def test_dual_attention_begins_as_the_identity_and_learns(dual_attention: Any) -> None:
    plain, weighed = drawn(RegionGuided()), RegionGuided(dual_attention=dual_attention).double().eval()
    own = weighed.load_state_dict(plain.state_dict(), strict=False)
    assert {name.split(".")[0] for name in own.missing_keys} == {"dual_attention"}
    image = batch(normal(3, 24, 40))
    with torch.inference_mode():
        for one, other in zip(weighed.forward_all(image), plain.forward_all(image), strict=True):
            torch.testing.assert_close(one, other, rtol=0, atol=1e-12)
    weighed.train()(image).square().sum().backward()
    scores = [dict(gate.named_parameters())["spatial.score.weight"].grad for gate in weighed.dual_attention]
    assert all(score is not None and score.abs().max() > 0 for score in scores)


def test_dual_attention_weighs_what_the_decoder_reads_and_not_what_the_encoder_does() -> None:
    network = drawn(RegionGuided(dual_attention="all"))
    image = normal(3, 24, 40)
    s1 = block_by_hand(network.encoder[0], image)
    s2 = block_by_hand(network.encoder[1], halve_by_hand(s1))
    seen: dict[int, Any] = {}
    for level, gate in enumerate(network.dual_attention):
        gate.register_forward_hook(lambda _module, given, found, level=level: seen.update({level: (given[0], found)}))
    read: list[Any] = []
    network.decoder[1].register_forward_hook(lambda _module, given, _found: read.append(given[0]))
    with torch.inference_mode():
        network(batch(image))
    assert_close(seen[1][0], s2)
    torch.testing.assert_close(read[0][:, : s2.shape[0]], seen[1][1], rtol=0, atol=0)


def test_a_second_pass_changes_the_logits_and_adds_no_parameter() -> None:
    once, twice = drawn(RegionGuided()), RegionGuided(passes=2).double().eval()
    twice.load_state_dict(once.state_dict())
    image = batch(normal(3, 24, 40))
    with torch.inference_mode():
        assert (once(image) - twice(image)).abs().max() > 1e-3


@pytest.mark.parametrize("seed", range(5))
def test_maps_that_begin_as_the_ones_before_them_follow_these_and_those_that_are_drawn_do_not(seed: int) -> None:
    image = batch(normal(3, 64, 64, seed=seed))
    kinds: tuple[Literal["random", "previous"], ...] = ("random", "previous")
    agreement = {}
    for kind in kinds:
        torch.manual_seed(seed)
        network = RegionGuided(classes=2, initial_maps=kind).double().eval()
        with torch.inference_mode():
            before = network.forward_all(image)
            # The first map says more of a vessel everywhere, by one.
            cast("torch.Tensor", network.maps[0].bias).add_(1)
            after = network.forward_all(image)
        agreement[kind] = [float((new - old).mean()) for new, old in zip(after, before, strict=True)]
    *later, first = agreement["previous"]
    assert first == pytest.approx(1)
    assert later == pytest.approx([1, 1, 1], abs=0.25)  # where a map says vessel, features make way for it
    assert agreement["random"][:3] != pytest.approx([1, 1, 1], abs=0.25)


def test_several_passes_without_attention_are_refused() -> None:
    with pytest.raises(UsageError, match="passes = 2 needs attention = true"):
        RegionGuided(passes=2, attention=False)


def test_a_network_without_maps_begins_the_same_whatever_they_would_begin_as() -> None:
    states = []
    for kind in ("random", "previous"):
        torch.manual_seed(4)
        states.append(RegionGuided(initial_maps=kind, attention=False).state_dict())
    assert all(torch.equal(tensor, states[1][name]) for name, tensor in states[0].items())


def changed_outputs(part: str) -> list[bool]:
    """Which of logits, map2, map1, map0 change with the biases and weights of one part."""
    network = drawn(RegionGuided())
    image = torch.randn(1, 3, 24, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = network.forward_all(image)
        for value in network.get_submodule(part).parameters():
            value.add_(0.5)
        after = network.forward_all(image)
    return [not torch.equal(one, other) for one, other in zip(before, after, strict=True)]


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("decoder.2", [True, False, False, False]),  # dec3 is read only at the end
        ("head", [True, False, False, False]),
        ("maps.2", [True, True, False, False]),
        ("maps.1", [True, True, True, False]),
        ("maps.0", [True, True, True, True]),
        ("partial_decoder", [True, True, True, True]),
        ("decoder.1", [True, True, True, True]),  # eq. 5: dec2 draws the first map
    ],
)
def test_the_maps_form_a_chain_from_the_partial_decoder_to_the_logits(part: str, changed: list[bool]) -> None:
    assert changed_outputs(part) == changed


@pytest.mark.parametrize("size", [(32, 48), (33, 47)])
def test_the_maps_have_half_a_quarter_and_half_the_images_size_and_one_channel(size: tuple[int, int]) -> None:
    with torch.inference_mode():
        maps = RegionGuided(classes=3).eval().forward_all(torch.zeros(2, 3, *size))[1:]
    half, quarter = (tuple(-(-length // by) for length in size) for by in (2, 4))
    assert [tuple(one.shape) for one in maps] == [(2, 1, *half), (2, 1, *quarter), (2, 1, *half)]


def test_a_block_in_training_does_not_notice_how_strong_its_input_is() -> None:
    block = seeded(lambda: SeparableBlock(3, 7)).double().train()
    x = 10 + 10 * torch.randn(4, 3, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weak, strong = block(x), block(100 * x)
    assert weak.min() == 0 < weak.max()
    # Batch norm divides the strength out, but for its 1e-5 beside a variance of about ten.
    torch.testing.assert_close(weak, strong, rtol=1e-4, atol=1e-4)
