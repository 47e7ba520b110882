"""Paper 002: self-attention and gates against NumPy in float64, where they stand, what they hold, their parameters."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from foveate.errors import UsageError
from foveate.networks import NETWORKS, build, resnet
from foveate.networks.blocks.self_attention import SelfAttention
from layers_by_hand import (
    Array,
    assert_close,
    batch,
    convolutions_count,
    count,
    double_count,
    drawn,
    gate_by_hand,
    gate_count,
    normal,
    normed_count,
    numbers,
    resnet_count,
    seeded,
)

STAGES = ("layer1", "layer2", "layer3", "layer4")

VARIANTS = {
    "gated": ((), True),
    "encoder_gated": (STAGES, True),
    "encoder": (STAGES, False),
    "limit": (STAGES[:3], True),
    "limit_ungated": (STAGES[:3], False),
}
"""Section 9.5: the stages with encoder attention, and whether the decoder has gates."""

every_variant = pytest.mark.parametrize(("variant", "attended", "gated"), [(k, *v) for k, v in VARIANTS.items()])


def network_of(**options: Any) -> Any:
    """In float64, for training: batch norm keeps every signal near one, so that no softmax is one-hot."""
    return seeded(lambda: build("atten_res_unet", **options)).double().train()


def image(height: int = 64, width: int = 96) -> Tensor:
    return torch.randn(1, 3, height, width, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def self_attention_by_hand(layer: Any, x: Array) -> Array:
    """Section 7.1: softmax(x_q x_kᵀ) x_v over all positions, unscaled."""

    def projected(linear: Any) -> Array:
        weights: Array = numbers(linear.weight)[:, :, 0, 0] @ x.reshape(len(x), -1)
        return weights.T if linear.bias is None else weights.T + numbers(linear.bias)

    scores = projected(layer.query) @ projected(layer.key).T
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    assert 1.2 / len(scores) < weights.max(axis=1).mean() < 0.999  # neither all positions alike nor one alone
    attended: Array = (weights @ projected(layer.value)).T.reshape(x.shape)
    return attended


@pytest.mark.parametrize(("channels", "size"), [(3, (5, 7)), (8, (6, 6)), (20, (9, 4)), (64, (12, 16))])
def test_self_attention_is_softmax_of_q_k_transposed_times_v_unscaled(channels: int, size: tuple[int, int]) -> None:
    layer = drawn(SelfAttention(channels), spread=0.3)
    assert layer.query.out_channels == layer.key.out_channels == max(1, channels // 8)
    x = normal(channels, *size)
    assert_close(layer(batch(x)), self_attention_by_hand(layer, x))


def test_queries_and_keys_filled_up_with_zeros_give_what_they_give_alone() -> None:
    layer = drawn(SelfAttention(24), spread=0.3)
    x = torch.randn(2, 24, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    query, key, value = (part(x).flatten(2).transpose(1, 2) for part in (layer.query, layer.key, layer.value))
    assert query.shape[-1] == key.shape[-1] == 3
    alone = F.scaled_dot_product_attention(query, key, value, scale=1.0).transpose(1, 2).reshape(x.shape)
    torch.testing.assert_close(layer(x), alone, rtol=0, atol=1e-12)  # float64


def flow(network: Any, x: Tensor) -> dict[str, Tensor]:
    """What leaves each stage of the encoder ("out"), and enters what comes after ("next") and its skip ("skip")."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _, given, out=None: seen.update({name: given[0] if out is None else out})

    watched = {stage: getattr(network.encoder, stage) for stage in STAGES}
    hooks = [module.register_forward_hook(keep(f"{stage} out")) for stage, module in watched.items()]
    after = [watched["layer2"], watched["layer3"], watched["layer4"], network.bridge]
    hooks += [m.register_forward_pre_hook(keep(f"{s} next")) for s, m in zip(STAGES, after, strict=True)]
    for stage, block in zip(reversed(STAGES[:3]), network.decoder, strict=False):
        skip = network.gate[stage] if network.gate else block
        hooks.append(skip.register_forward_pre_hook(keep(f"{stage} skip")))
    with torch.no_grad():
        network(x)
    for hook in hooks:
        hook.remove()
    return seen


@every_variant
@pytest.mark.parametrize("residual", [False, True])
def test_attended_stages_hand_gated_x_att_to_the_next_stage_and_to_the_skip(
    variant: str, attended: tuple[str, ...], gated: bool, residual: bool
) -> None:
    residual = residual and attended != ()  # refused where no stage has attention
    network = network_of(variant=variant, depth=18, attention_residual=residual)
    for stage, gamma in network.gamma.items():
        gamma.data.fill_(0.5 + int(stage[-1]))
    seen = flow(network, image())
    assert list(network.gate) == (["layer3", "layer2", "layer1", "stem"] if gated else [])
    assert list(network.gamma) == (list(attended) if residual else [])
    for stage in STAGES:
        x = seen[f"{stage} out"][0].numpy()
        expected = x
        if stage in attended:
            x_att = self_attention_by_hand(network.self_attention[stage], x)
            expected = gate_by_hand(network.encoder_attention[stage], x_att, signal=x)[1]
            expected = x + (0.5 + int(stage[-1])) * expected if residual else expected
        assert_close(seen[f"{stage} next"], expected)
        if stage != "layer4":
            assert_close(seen[f"{stage} skip"][:, : len(x)], expected)


def test_the_decoders_gates_weigh_the_skip_by_the_up_sampled_features() -> None:
    network = network_of(variant="gated", depth=18)
    ups = list(network.up)
    found: dict[str, Tensor] = {}
    for (place, gate), up, block in zip(network.gate.items(), ups, network.decoder, strict=False):
        gate.register_forward_pre_hook(lambda _, given, p=place: found.update({f"{p} skip": given[0]}))
        up.register_forward_hook(lambda _, __, out, p=place: found.update({f"{p} up": out}))
        block.register_forward_pre_hook(lambda _, given, p=place: found.update({f"{p} both": given[0]}))
    with torch.no_grad():
        network(image())
    for place, gate in network.gate.items():
        skip, up = (found[f"{place} {what}"][0].numpy() for what in ("skip", "up"))
        assert_close(found[f"{place} both"], np.concatenate((gate_by_hand(gate, skip, up)[1], up)))


@pytest.mark.parametrize(
    ("variant", "plain"),
    [
        ("limit", {"variant": "limit_ungated"}),
        ("encoder_gated", {"variant": "encoder"}),
        ("gated", {"encoder_attention": "none", "decoder_gates": False}),
    ],
)
def test_with_alpha_1_everywhere_the_skips_are_plain(variant: str, plain: dict[str, Any]) -> None:
    network, other = network_of(variant=variant, depth=18), network_of(**plain, depth=18)
    found = other.load_state_dict(network.state_dict(), strict=False)
    assert found.missing_keys == []
    assert {key.split(".")[0] for key in found.unexpected_keys} == {"gate"}
    with torch.no_grad():
        before = network(image())
        for gate in network.gate.values():
            gate.score.weight.zero_()
            gate.score.bias.fill_(40.0)  # σ(40) = 1 in float64
        after, expected = network(image()), other(image())
    assert torch.equal(after, expected)
    assert not torch.equal(before, expected)


def test_attention_residual_starts_as_the_network_without_attention_and_gamma_learns() -> None:
    network = network_of(depth=18, attention_residual=True)
    other = network_of(depth=18, encoder_attention="none")
    assert other.load_state_dict(network.state_dict(), strict=False).missing_keys == []
    logits = network(image())
    assert torch.equal(logits, other(image()))
    logits.square().mean().backward()
    assert {stage: bool(gamma.grad) for stage, gamma in network.gamma.items()} == dict.fromkeys(STAGES[:3], True)


def parameters_by_hand(
    *, depth: int = 34, attended: int = 3, gated: bool = True, residual: bool = False, classes: int = 1
) -> int:
    """Counted from the paper's layers, in the order of section 8; W_q has a bias, W_k none, as documented."""

    total = resnet_count(depth)
    channels = [64, *(width if depth < 50 else 4 * width for width in (64, 128, 256, 512))]
    for c in channels[1 : 1 + attended]:
        query, key, value = c * (c // 8) + c // 8, c * (c // 8), c * c + c
        total += query + key + value + gate_count(c, c, c // 2) + residual
    total += convolutions_count(channels[4], 512)
    decoder = ((512, 256), (256, 128), (128, 64), (64, 64))
    for (below, c), skip in zip(decoder, reversed(channels[:4]), strict=True):
        total += double_count(below, c) + convolutions_count(skip + c, c)
        total += gate_count(skip, c, skip // 2) if gated else 0
    return total + double_count(64, 32) + normed_count(32, 32) + 32 * classes + classes


@every_variant
def test_the_number_of_parameters_is_that_of_the_papers_layers(
    variant: str, attended: tuple[str, ...], gated: bool
) -> None:
    assert list(NETWORKS["atten_res_unet"].variants) == list(VARIANTS)
    with torch.device("meta"):
        network = build("atten_res_unet", variant=variant)
        other = build("atten_res_unet", variant=variant, attention_residual=attended != (), classes=2)
    assert count(network) == parameters_by_hand(attended=len(attended), gated=gated)
    assert count(other) == parameters_by_hand(attended=len(attended), gated=gated, residual=True, classes=2)


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
def test_every_depth_of_the_encoder_has_the_parameters_of_its_layers_and_runs(depth: Any) -> None:
    network = build("atten_res_unet", depth=depth).eval()
    assert count(network) == parameters_by_hand(depth=depth)
    assert count(network.get_submodule("encoder")) == count(resnet(depth))
    with torch.inference_mode():
        assert network(image(32, 48).float()).shape == (1, 1, 32, 48)


PEAK = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]], check=True)
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(peak if sys.platform == "darwin" else 1024 * peak)
"""
"""In a process between, for a process begins with the peak of the one that starts it, and this one may be large."""


def test_self_attention_is_as_exact_where_the_layers_around_it_are_in_half_precision() -> None:
    layer, x = drawn(SelfAttention(64), spread=0.3).float(), batch(normal(64, 12, 12)).bfloat16()
    exact = torch.from_numpy(self_attention_by_hand(layer, x[0].double().numpy()))
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(x)[0].detach().double()
    assert float((found - exact).abs().max() / exact.abs().max()) < 1e-5  # what float32 rounds


ONE_THREAD = "import torch; torch.set_num_threads(1); from foveate.networks import build; "


BLOCK = ONE_THREAD + "from foveate.networks.blocks.self_attention import SelfAttention; block = SelfAttention(64); "


def peak_bytes(code: str) -> int:
    """Resident memory of a fresh process, Python and torch included."""
    finished = subprocess.run([sys.executable, "-c", PEAK, code], capture_output=True, text=True, check=True)
    return int(finished.stdout)


def test_a_512x512_image_takes_less_than_2_gb() -> None:
    work = "network = build('atten_res_unet', variant='encoder_gated').eval(); "  # the one with the most attention
    work += "torch.inference_mode().__enter__(); network(torch.zeros(1, 3, 512, 512))"
    assert peak_bytes(ONE_THREAD + work) < 2e9


@pytest.mark.parametrize(
    "work",
    [
        "torch.inference_mode().__enter__(); block(torch.zeros(1, 64, 128, 128))",
        "block(torch.zeros(1, 64, 128, 128)).square().sum().backward()",
    ],
    ids=["forward", "training step"],
)
def test_self_attention_on_layer1_of_a_512x512_image_holds_no_n_by_n_matrix(work: str) -> None:
    positions = (512 // 4) ** 2
    assert peak_bytes(BLOCK + work) < 4 * positions**2  # one such matrix in float32, and torch beside it


def test_a_residual_of_an_encoder_attention_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match=r"attention_residual = true needs encoder_attention") as caught:
        build("atten_res_unet", encoder_attention="none", attention_residual=True)
    assert "\n" not in str(caught.value)
