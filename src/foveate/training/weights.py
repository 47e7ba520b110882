"""Weights files: safetensors, with the network's name, its options and how it was validated in the header."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from foveate.errors import ModelError
from foveate.imaging import write_bytes
from foveate.networks import build
from foveate.networks.registry import constructor_of
from foveate.networks.registry.options import DATA_OPTIONS, check_options, options_of
from foveate.records import Classes


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What a weights file says about itself."""

    network: str
    options: dict[str, Any]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    classes: tuple[str, ...]
    exclusive: bool
    thresholds: tuple[float, ...]
    validation_f1: dict[str, float]
    epoch: int

    @property
    def told_apart(self) -> Classes:
        """The classes as a record."""
        return Classes(self.classes, exclusive=self.exclusive)

    def build(self) -> nn.Module:
        """The network that the weights are of, with weights drawn at random."""
        return build(self.network, **self.options, in_channels=len(self.mean), classes=self.told_apart.channels)


def save_weights(path: Path, weights: Mapping[str, Tensor], facts: NetworkFacts) -> None:
    """Write weights with their facts in the header. Raises OutputError."""
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in weights.items()
    }
    write_bytes(save(tensors, metadata={"foveate": json.dumps(asdict(facts))}), path)


def load_weights(path: Path) -> tuple[nn.Module, NetworkFacts]:
    """The network that a weights file describes, in eval mode on the CPU. Raises ModelError."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get("foveate")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: can't be read as weights ({error}).") from error
    if header is None:
        raise ModelError(f"{path}: these weights were not written by foveate: the header says no network.")
    content = _as_now(json.loads(header))
    content["options"] = _resolved(content["network"], content["options"])
    facts = NetworkFacts(**content)
    network = facts.build()
    network.load_state_dict(tensors)
    return network.eval(), facts


def _as_now(content: dict[str, Any]) -> dict[str, Any]:
    """A header from before there were several classes said one threshold, and not of what."""
    if "threshold" in content:
        content |= {"classes": ["foreground"], "exclusive": True, "thresholds": [content.pop("threshold")]}
    return content | {key: tuple(content[key]) for key in ("mean", "deviation", "classes", "thresholds")}


def _resolved(network: str, given: dict[str, Any]) -> dict[str, Any]:
    """Every option as a recipe resolves it: files from before an option was there have its default."""
    options = [option for option in options_of(constructor_of(network)) if option.name not in DATA_OPTIONS]
    return {option.name: option.default for option in options} | check_options(network, options, given)
