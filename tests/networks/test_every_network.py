"""What every network of the table keeps, whatever its paper, at every value of every option."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from every_network import EVERY, Case, outputs
from foveate.networks import NETWORKS, build

FROZEN = [case for case in EVERY if "freeze" in case.options]
NOT_FROZEN = [case for case in EVERY if case not in FROZEN]


# Module scope, so that pytest runs all tests of a case in a row, and each case is built once.
@pytest.fixture(scope="module", params=NOT_FROZEN, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    found: Case = request.param
    return Case(found.name, found.options)


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (33, 47), (16, 65)])
def test_logits_have_the_images_height_and_width_and_one_channel_per_class(case: Case, size: tuple[int, int]) -> None:
    with torch.inference_mode():
        logits = case.experienced()(case.images(*size, count=2))
    assert logits.shape == (2, case.classes, *size)
    assert logits.isfinite().all()
    assert logits.std() > 0


def test_outputs_are_logits_not_probabilities(case: Case) -> None:
    network, batch = case.experienced(), case.images(32, 32)
    with torch.inference_mode():
        before = network(batch)
        for name, parameter in network.named_parameters():
            if name.split(".")[-3 if "heads" in name else -2] in ("head", "heads"):
                parameter.mul_(-1000)
        after = network(batch)
    # A sigmoid or softmax at the end would keep both within 0 and 1.
    assert not torch.equal(after, before)
    assert after.min() < -1 or after.max() > 2


def test_bfloat16_autocast_is_close_to_float32(case: Case) -> None:
    network, batch = case.experienced(), case.images(48, 40)
    with torch.inference_mode():
        exact = network(batch)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rounded = network(batch).float()
    assert not torch.equal(rounded, exact)
    # bfloat16 has 8 bits: weights, input and output of each layer are off by up to 2⁻⁸, which adds up like noise.
    layers = sum(isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d) for module in network.modules())
    assert (rounded - exact).abs().mean() < (3 * layers) ** 0.5 * 2**-8 * exact.abs().mean()


def test_channels_last_changes_nothing(case: Case) -> None:
    network, batch = case.experienced(), case.images(33, 40, count=2)
    with torch.inference_mode():
        contiguous = network(batch)
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        other = network(batch.contiguous(memory_format=torch.channels_last))
    # Sums in another order, in float32.
    torch.testing.assert_close(other, contiguous, rtol=0, atol=1e-4)


def test_images_of_a_batch_do_not_see_each_other_in_evaluation(case: Case) -> None:
    network, batch = case.experienced(), case.images(24, 40, count=3)
    with torch.inference_mode():
        together = network(batch)
        alone = torch.cat([network(image[None]) for image in batch])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-4)


def test_every_parameter_gets_a_gradient(case: Case) -> None:
    check_gradients(case)


@pytest.mark.parametrize("frozen", FROZEN, ids=str)
def test_every_parameter_that_is_not_frozen_gets_a_gradient(frozen: Case) -> None:
    check_gradients(frozen)


def check_gradients(case: Case) -> None:
    network = case.fresh().train()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for key, parameter in network.named_parameters():
            if key.endswith("squeeze.weight"):
                parameter.abs_()  # of features that are ≥ 0: a narrow gate's one hidden unit is alive then
            if not parameter.any():
                parameter.fill_(0.1)  # a factor that begins as 0 would hide all that it multiplies
    with torch.random.fork_rng():
        torch.manual_seed(4)
        found = outputs(network, case.images(64, 96, count=2))
    loss = sum((logits * torch.randn(logits.shape, generator=generator)).sum() for logits in found)
    assert isinstance(loss, torch.Tensor)
    loss.backward()  # type: ignore[no-untyped-call]
    frozen = case.options.get("freeze", "none") != "none"
    assert all(value.requires_grad for value in network.parameters()) != frozen
    learning = {key: value.grad for key, value in network.named_parameters() if value.requires_grad}
    assert [key for key, gradient in learning.items() if gradient is None or not gradient.any()] == []
    assert all(gradient is not None and gradient.isfinite().all() for gradient in learning.values())


def test_saved_and_loaded_weights_give_exactly_the_same_output(case: Case, tmp_path: Path) -> None:
    network, batch = case.experienced(), case.images(24, 24)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    loaded = case.fresh(seed=99).eval()
    with torch.inference_mode():
        assert not torch.equal(loaded(batch), network(batch))
        loaded.load_state_dict(load_file(tmp_path / "weights.safetensors"))
        assert torch.equal(loaded(batch), network(batch))


def test_the_same_seed_gives_the_same_weights_and_output(case: Case) -> None:
    first, second, other = (case.fresh(seed=seed).eval() for seed in (5, 5, 6))
    weights = first.state_dict()
    assert all(torch.equal(value, weights[key]) for key, value in second.state_dict().items())
    batch = case.images(24, 24)
    with torch.inference_mode():
        assert torch.equal(first(batch), second(batch))
        assert not torch.equal(first(batch), other(batch))


# On the device that has shapes alone: what is computed is looked at above, at the same operations' smaller sizes.
@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("size", [(584, 565), (605, 700)])
def test_a_whole_photograph_goes_through_as_the_network_was_published(name: str, size: tuple[int, int]) -> None:
    with torch.inference_mode(), torch.device("meta"):
        logits = build(name).eval()(torch.zeros(1, 3, *size))
    assert logits.shape == (1, 1, *size)


@pytest.mark.parametrize("name", NETWORKS)
def test_forward_returns_the_first_of_forward_all(name: str) -> None:
    network = build(name).eval()
    image = torch.randn(1, 3, 32, 48, generator=torch.Generator().manual_seed(0))
    if not hasattr(network, "forward_all"):
        assert "forward_all" not in inspect.getsource(type(network))
        return
    with torch.inference_mode():
        assert torch.equal(network(image), outputs(network, image)[0])
