"""Files of random weights, in the form of the common ImageNet checkpoints, and fixtures that remove them again."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
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


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """Of a ResNet-18."""
    return random_weights(18, seed=1)


@pytest.fixture(scope="module")
def file(weights: dict[str, Tensor], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same weights in a file, until the module's tests are done."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.safetensors"
    save_file(weights, path)
    yield path
    path.unlink()


@pytest.fixture(autouse=True)
def tidy(tmp_path: Path) -> Iterator[None]:
    """Files of this size are not kept for a later look."""
    yield
    shutil.rmtree(tmp_path)
