"""What every network of the table keeps, whatever its paper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from foveate.networks import NETWORKS, build

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor, nn

Options = dict[str, Any]

OPTIONS: dict[str, list[Options]] = {
    "region_guided": [
        {},
        {"in_channels": 1, "depth": 1},
        {"classes": 3, "widths": (4, 6, 10, 14)},
        {"in_channels": 4, "classes": 2, "widths": (16, 24, 40, 56), "depth": 3},
    ],
}
"""Name to options worth a test of their own."""

EVERY = [pytest.param(name, options, id=f"{name}-{options}") for name in NETWORKS for options in OPTIONS[name]]

every_network = pytest.mark.parametrize(("name", "options"), EVERY)


def seeded(name: str, options: Options, *, seed: int = 0) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return build(name, **options)


def images(options: Options, *size: int, count: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(count, options.get("in_channels", 3), *size, generator=generator)


def experienced(name: str, options: Options) -> nn.Module:
    """In evaluation mode, with normalisation statistics of its own rather than the first zeros and ones."""
    network = seeded(name, options).train()
    with torch.no_grad():
        for _ in range(20):
            network(images(options, 48, 48, count=2))
    return network.eval()


@every_network
@pytest.mark.parametrize("size", [(16, 16), (17, 23), (33, 47), (16, 65)])
def test_logits_have_the_images_height_and_width_and_one_channel_per_class(
    name: str, options: Options, size: tuple[int, int]
) -> None:
    with torch.inference_mode():
        logits = seeded(name, options).eval()(images(options, *size, count=2))
    assert logits.shape == (2, options.get("classes", 1), *size)
    assert logits.isfinite().all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_whole_photograph_of_drive_goes_through(name: str) -> None:
    with torch.inference_mode():
        assert seeded(name, {}).eval()(images({}, 584, 565)).shape == (1, 1, 584, 565)


@every_network
def test_outputs_are_logits_not_probabilities(name: str, options: Options) -> None:
    with torch.inference_mode():
        logits = experienced(name, options)(20 * images(options, 32, 32))
    assert logits.min() < 0 or logits.max() > 1


@every_network
def test_bfloat16_autocast_is_close_to_float32(name: str, options: Options) -> None:
    network, batch = experienced(name, options), images(options, 48, 40)
    with torch.inference_mode():
        exact = network(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = network(batch).float()
    assert not torch.equal(rounded, exact)
    # bfloat16 has 8 bits: 2⁻⁸ a layer, over some twenty layers that add up like noise.
    assert (rounded - exact).abs().mean() < 20**0.5 * 2**-8 * exact.abs().mean()


@every_network
def test_channels_last_changes_nothing(name: str, options: Options) -> None:
    network, batch = experienced(name, options), images(options, 33, 40, count=2)
    with torch.inference_mode():
        contiguous = network(batch)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        other = network(batch.contiguous(memory_format=torch.channels_last))
    # Sums in another order, in float32.
    torch.testing.assert_close(other, contiguous, rtol=0, atol=1e-4)


@every_network
def test_images_of_a_batch_do_not_see_each_other_in_evaluation(name: str, options: Options) -> None:
    network, batch = experienced(name, options), images(options, 24, 40, count=3)
    with torch.inference_mode():
        together = network(batch)
        alone = torch.cat([network(image[None]) for image in batch])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


@every_network
def test_every_parameter_gets_a_gradient(name: str, options: Options) -> None:
    network = seeded(name, options).train()
    logits = network(images(options, 32, 48, count=2))
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2))
    (logits * weights).sum().backward()
    without = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert without == []
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())


@every_network
def test_saved_and_loaded_weights_give_exactly_the_same_output(name: str, options: Options, tmp_path: Path) -> None:
    network, batch = experienced(name, options), images(options, 24, 24)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    loaded = seeded(name, options, seed=99).eval()
    with torch.inference_mode():
        assert not torch.equal(loaded(batch), network(batch))
        loaded.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert torch.equal(loaded(batch), network(batch))


@every_network
def test_the_same_seed_gives_the_same_weights_and_output(name: str, options: Options) -> None:
    first, second, other = (seeded(name, options, seed=seed) for seed in (5, 5, 6))
    weights = first.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in second.state_dict().items())
    batch = images(options, 24, 24)
    with torch.inference_mode():
        assert torch.equal(first(batch), second(batch))
        assert not torch.equal(first(batch), other(batch))
