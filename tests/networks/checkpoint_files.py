"""Files of random weights, in the form of the common ImageNet checkpoints."""

from __future__ import annotations

import hashlib
from pathlib import Path

import torch
from torch import Tensor

from foveate.networks.blocks.resnet import Depth, ResNet


def random_weights(depth: Depth, *, in_channels: int = 3, seed: int) -> dict[str, Tensor]:
    """As a common file has them, with its classifier."""
    generator = torch.Generator().manual_seed(seed)
    with torch.device("meta"):
        body = ResNet(depth, in_channels=in_channels)
    shapes = {name: each.shape for name, each in body.state_dict().items() if each.is_floating_point()}
    shapes |= {"fc.weight": torch.Size((1000, body.channels[-1])), "fc.bias": torch.Size((1000,))}
    weights = {name: 0.1 + torch.rand(shape, generator=generator) for name, shape in shapes.items()}
    counts = {name: torch.tensor(5) for name in body.state_dict() if name.endswith("num_batches_tracked")}
    return weights | counts


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
