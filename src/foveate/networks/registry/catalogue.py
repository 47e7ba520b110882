"""What every network costs and consists of, counted beforehand, so that it is known where torch isn't installed.

The numbers are in `catalogue.json`: `counting` counts them, `scripts/write_catalogue.py` writes them, and a test counts
them again and compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any, cast

from foveate.networks.registry.options import Option

HEIGHT, WIDTH = 512, 512
"""Pixels of the one image, float32, that every network was counted at."""

IMAGE = -1
"""What a block's `inputs` call the image itself."""


@dataclass(frozen=True, slots=True)
class NetworkCounts:
    """What one forward pass costs: one image of 512×512, evaluation mode, no gradients, float32."""

    parameters: int
    macs: int
    """Multiply-accumulates of convolutions and matrix products."""
    peak_activation_bytes: int
    """The most that is held at one time of image, maps and logits; not weights, nor what a kernel borrows."""

    @property
    def gmacs(self) -> float:
        """Billions of multiply-accumulates."""
        return self.macs / 1e9


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a network, as often as it is called."""

    name: str
    """Where it is in the network: `encoder.0`, `gate.level2`."""
    kind: str
    """Its class, or what it is a sequence of: `Convolutions`, `AdditiveGate`, `residual stage`."""
    channels: int
    height: int
    width: int
    """Of its output."""
    inputs: tuple[int, ...]
    """Which blocks' output flows into it, straight or by way of pooling, resizing, concatenation and sums: their places
    in the network's `blocks`, `IMAGE` for the image itself."""


@dataclass(frozen=True, slots=True)
class NetworkDescription:
    """One network of the registry."""

    options: tuple[Option, ...]
    counts: Mapping[str, NetworkCounts]
    """By the variant's name; "" is the network with its default options."""
    blocks: tuple[Block, ...]
    """Of the network with its default options, in order of execution."""


def catalogue() -> dict[str, NetworkDescription]:
    """All networks by name, in the registry's order, from the checked-in table."""
    return from_json(files("foveate.networks.registry").joinpath("catalogue.json").read_text(encoding="utf-8"))


def level_sizes(blocks: Sequence[Block]) -> list[tuple[int, int]]:
    """H and W where each block stands in a drawing: its map's, or, with one weight a channel, of what it weighs."""
    sizes: list[tuple[int, int]] = []
    for block in blocks:
        latest = max(block.inputs)
        weighs = (block.height, block.width) == (1, 1) and latest != IMAGE
        sizes.append(sizes[latest] if weighs else (block.height, block.width))
    return sizes


def in_channels_of(options: Iterable[Option]) -> int:
    """Channels of the image that a network is counted with: its default."""
    return next(cast("int", option.default) for option in options if option.name == "in_channels")


def from_json(text: str) -> dict[str, NetworkDescription]:
    """Read what `to_json` wrote."""
    networks: dict[str, Any] = json.loads(text)["networks"]
    return {name: _facts(network) for name, network in networks.items()}


def to_json(networks: Mapping[str, NetworkDescription]) -> str:
    """The same facts, the same text; one line for each option, variant and block."""
    entries = ",\n".join(f"  {json.dumps(name)}: {{\n{_text_of(facts)}\n  }}" for name, facts in networks.items())
    return f'{{\n "height": {HEIGHT},\n "width": {WIDTH},\n "networks": {{\n{entries}\n }}\n}}\n'


def _facts(network: dict[str, Any]) -> NetworkDescription:
    options = [{key: _frozen(value) for key, value in option.items()} for option in network["options"]]
    blocks = [{key: _frozen(value) for key, value in block.items()} for block in network["blocks"]]
    return NetworkDescription(
        tuple(Option(**option) for option in options),
        {variant: NetworkCounts(**counts) for variant, counts in network["counts"].items()},
        tuple(Block(**block) for block in blocks),
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _text_of(facts: NetworkDescription) -> str:
    options = ",\n".join(f"    {json.dumps(asdict(option))}" for option in facts.options)
    counts = ",\n".join(
        f"    {json.dumps(name)}: {json.dumps(asdict(counts))}" for name, counts in facts.counts.items()
    )
    blocks = ",\n".join(f"    {json.dumps(asdict(block))}" for block in facts.blocks)
    return f'   "options": [\n{options}\n   ],\n   "counts": {{\n{counts}\n   }},\n   "blocks": [\n{blocks}\n   ]'
