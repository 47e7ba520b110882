"""The named stages of a network, for fine-tuning: which of its tensors may rest, or learn at a rate of their own.

A stage of the encoder is what makes one of its maps; the decoder is all else, gates and heads among it.

    ResNet encoders     stem, layer1 … layer4, decoder
    other encoders      level0 (finest), level1, …, decoder
    `fr_unet`           column0, column1, … up to the first that reaches the deepest row, decoder
    `wnet`              the levels and the decoder of each of its U-Nets: first_level0, …, second_decoder
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from torch import nn

from foveate.errors import UsageError, unknown
from foveate.networks.blocks.resnet import ResNet
from foveate.networks.dual_attention_unet import PlainEncoder
from foveate.networks.fr_unet import FRUNet
from foveate.networks.wnet import WNet

DECODER = "decoder"


def stages(network: nn.Module) -> dict[str, list[str]]:
    """Stage to the names of its tensors, those of batch norm included, from the image on: each in exactly one."""
    if isinstance(network, WNet):
        return {
            f"{half}_{stage}": [f"{half}.{name}" for name in names]
            for half in ("first", "second")
            for stage, names in stages(network.get_submodule(half)).items()
        }
    places = _encoder_of(network)
    by_stage: dict[str, list[str]] = {stage: [] for stage in (*places, DECODER)}
    for name in network.state_dict():
        within = (
            stage for stage, modules in places.items() if name.startswith(tuple(f"{module}." for module in modules))
        )
        by_stage[next(within, DECODER)].append(name)
    return by_stage


def is_decoder(stage: str) -> bool:
    """Whether a stage is none of an encoder."""
    return stage == DECODER or stage.endswith(f"_{DECODER}")


def check_stages(network: nn.Module, names: Iterable[str], *, key: str) -> None:
    """Raise UsageError, which begins with the recipe's `key`, for a name that is no stage's."""
    known = stages(network)
    for name in names:
        if name not in known:
            raise UsageError(f"{key}: {unknown('stage', name, known)}")


def freeze(network: nn.Module, names: Collection[str]) -> None:
    """Let these stages learn no more, in place. What is frozen already stays so."""
    by_stage = stages(network) if names else {}
    resting = {tensor for name in names for tensor in by_stage[name]}
    for name, parameter in network.named_parameters():
        if name in resting:
            parameter.requires_grad_(False)


def train(network: nn.Module) -> None:
    """Training mode, but for every module none of whose parameters learns.

    So the statistics of a frozen batch norm are frozen too, and nothing drops out of what is frozen.
    """
    network.train()
    for module in network.modules():
        learning = [parameter.requires_grad for parameter in module.parameters()]
        if learning and not any(learning):
            module.eval()


def _encoder_of(network: nn.Module) -> dict[str, list[str]]:
    """The stages of the encoder, each with the names of its modules."""
    if isinstance(network, FRUNet):
        return _columns(network)
    encoder = getattr(network, "encoder", None)
    if isinstance(encoder, ResNet):
        return {"stem": ["encoder.conv1", "encoder.bn1"]} | {f"layer{i}": [f"encoder.layer{i}"] for i in range(1, 5)}
    if isinstance(encoder, PlainEncoder):
        return {f"level{level}": [f"encoder.levels.{level}"] for level in range(len(encoder.levels))}
    if isinstance(encoder, nn.ModuleList):
        return {f"level{level}": [f"encoder.{level}"] for level in range(len(encoder))}
    raise TypeError(f"{type(network).__name__} has no encoder whose stages have a name")


def _columns(network: FRUNet) -> dict[str, list[str]]:
    """Each column up to the deepest row's, with what takes its maps to the next one."""
    deepest = max(row for row, _ in network.nodes)
    kinds = ("aggregation", "block", "up", "down")
    return {
        f"column{column}": [f"{kind}.row{r}_{c}" for kind in kinds for r, c in network.nodes if c == column]
        for column in range(deepest + 1)
    }
