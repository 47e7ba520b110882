"""Stages: every tensor of every network is in one, encoders come before the decoder, and what is frozen rests."""

from __future__ import annotations

import copy
import re
from pathlib import Path

import pytest
import torch
from torch import nn

from every_network import EVERY, Case
from foveate.errors import UsageError
from foveate.networks import NETWORKS, build
from foveate.networks.built.stages import DECODER, check_stages, freeze, is_decoder, stages, train

PAGE = Path(__file__).parents[3] / "docs" / "fine-tuning.md"

VARIANTS = [Case(name, dict(options)) for name, entry in NETWORKS.items() for options in entry.variants.values()]

SMALL = [
    Case("unet", {"widths": (4, 6, 8)}),
    Case("wnet"),
    Case("fr_unet", {"widths": (4, 6)}),
    Case("region_guided"),
    Case("dual_attention_unet", {"encoder": "plain", "widths": (4, 6)}),
    Case("atten_res_unet", {"depth": 18, "encoder_attention": "none"}),
]
"""One of each kind of encoder."""


def on_meta(case: Case) -> nn.Module:
    with torch.device("meta"):
        return build(case.name, **case.options)


@pytest.mark.parametrize("case", [*EVERY, *VARIANTS], ids=str)
def test_every_tensor_of_every_network_is_in_exactly_one_stage(case: Case) -> None:
    network = on_meta(case)
    found = stages(network)
    assert sorted(name for names in found.values() for name in names) == sorted(network.state_dict())
    assert all(found.values())
    assert len({is_decoder(stage) for stage in found}) == 2


def documented() -> dict[str, set[str]]:
    """The page's table: network to the names of its stages, 'level0 … level2' written out."""
    table: dict[str, set[str]] = {}
    for names, cell in re.findall(r"^\| (`\w+`[^|]*) \| ([^|]*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        text = re.sub(r"`(\w+?)(\d+)` … `\1(\d+)`", lambda found: _written_out(*found.groups()), cell)
        for name in re.findall(r"`(\w+)`", names):
            table[name] = set(re.findall(r"`(\w+)`", text))
    return table


def _written_out(stem: str, first: str, last: str) -> str:
    return " ".join(f"`{stem}{number}`" for number in range(int(first), int(last) + 1))


@pytest.mark.parametrize("name", NETWORKS)
def test_the_page_names_the_stages_of_every_network(name: str) -> None:
    assert documented()[name] == set(stages(on_meta(Case(name))))


def test_the_stages_of_a_resnet_encoder_are_the_parts_that_its_own_option_freezes() -> None:
    for last in ("stem", "layer1", "layer2", "layer3", "layer4"):
        by_option = on_meta(Case("dual_attention_unet", {"freeze": last}))
        by_stage = on_meta(Case("dual_attention_unet"))
        names = list(stages(by_stage))
        freeze(by_stage, names[: names.index(last) + 1])
        resting = [
            {n for n, each in network.named_parameters() if not each.requires_grad} for network in (by_option, by_stage)
        ]
        assert resting[0] == resting[1] != set()
        for network in (by_option, by_stage):
            train(network)
        still = [{n for n, each in network.named_modules() if not each.training} for network in (by_option, by_stage)]
        assert still[0] == still[1]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_map_of_the_encoder_depends_on_no_stage_that_comes_later(case: Case) -> None:
    """The first stages make the first maps: with all later tensors broken, what reaches them is the same."""
    network = case.fresh().eval()
    order = list(stages(network))
    image = case.images(32, 32)
    for number, stage in enumerate(order):
        if is_decoder(stage):
            continue
        before = _outputs_of(network, stage, image)
        broken = copy.deepcopy(network)
        later = {name for each, names in stages(network).items() if each not in order[: number + 1] for name in names}
        for name, tensor in broken.state_dict().items():
            if name in later and tensor.is_floating_point():
                tensor.fill_(torch.nan)
        after = _outputs_of(broken, stage, image)
        assert before
        assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
        assert all(one.isfinite().all() for one in after)


def _outputs_of(network: nn.Module, stage: str, image: torch.Tensor) -> list[torch.Tensor]:
    """What the convolutions of a stage give; not the up-sampling of a column, which is for a later one."""
    found: list[torch.Tensor] = []
    tensors = {name.rpartition(".")[0] for name in stages(network)[stage]}
    handles = [
        module.register_forward_hook(lambda _, __, output: found.append(output))
        for name, module in network.named_modules()
        if name in tensors and isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        network(image)
    for handle in handles:
        handle.remove()
    return found


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_a_training_step_changes_no_tensor_of_a_frozen_stage_and_all_others(case: Case) -> None:
    network = case.fresh()
    frozen, *rest = stages(network)
    freeze(network, [frozen])
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for _ in range(2):  # the second epoch begins as the first one did
        network.eval()
        train(network)
        optimiser = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], lr=0.1)
        logits = network(case.images(32, 32, count=2))
        (logits * torch.randn(logits.shape, generator=torch.Generator().manual_seed(1))).sum().backward()
        optimiser.step()
    changed = {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}
    resting = set(stages(network)[frozen])
    assert not changed & resting
    # What multiplies a map that is zero throughout learns nothing in two steps.
    assert len(changed) > 0.9 * len(before.keys() - resting)
    assert {stage for stage, names in stages(network).items() if set(names) & changed} == set(rest)


def test_copies_of_a_network_with_frozen_stages_rest_as_well() -> None:
    network = build("unet", widths=(4, 6, 8))
    freeze(network, ["level0", DECODER])
    again = copy.deepcopy(network)
    train(again)
    found = {name for name, module in again.named_modules() if isinstance(module, nn.BatchNorm2d) and module.training}
    assert found == {name for name, module in network.named_modules() if isinstance(module, nn.BatchNorm2d)} - {
        name.rpartition(".")[0] for stage in ("level0", DECODER) for name in stages(network)[stage]
    }


def test_dropout_inside_a_frozen_stage_drops_nothing() -> None:
    network = build("fr_unet", widths=(4, 6))
    freeze(network, ["column0"])
    train(network)
    dropping = {name for name, each in network.named_modules() if isinstance(each, nn.Dropout2d) and each.training}
    assert dropping
    assert not {name for name in dropping if name.startswith("block.row0_0.")}


def test_an_unknown_stage_is_refused_with_the_key_and_the_nearest_one() -> None:
    with pytest.raises(
        UsageError, match=r"^training\.freeze: unknown stage 'layr1'\. Did you mean 'layer1'\? Valid: .*stem"
    ):
        check_stages(on_meta(Case("atten_res_unet")), ["layer2", "layr1"], key="training.freeze")
