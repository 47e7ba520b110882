"""The networks, in torch: one file per paper's system, shared blocks in `blocks/`, one table of names."""

import importlib
from typing import TYPE_CHECKING, Any

from foveate.networks.registry import NETWORKS, build, resnet

if TYPE_CHECKING:
    from foveate.networks.built.pretrained import encoder_of, load_encoder_weights
    from foveate.networks.built.recording import record_attention

__all__ = ["NETWORKS", "build", "encoder_of", "load_encoder_weights", "record_attention", "resnet"]

IN_TORCH = {
    "encoder_of": "foveate.networks.built.pretrained",
    "load_encoder_weights": "foveate.networks.built.pretrained",
    "record_attention": "foveate.networks.built.recording",
}
"""Public names whose modules import torch, and so are imported when they are asked for."""


def __getattr__(name: str) -> Any:
    if name in IN_TORCH:
        return getattr(importlib.import_module(IN_TORCH[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
