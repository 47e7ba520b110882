"""The networks, in torch: one file per paper's system, shared blocks in `blocks/`, one table of names."""

from typing import TYPE_CHECKING, Any

from foveate.networks.registry import NETWORKS, build, resnet

if TYPE_CHECKING:
    from foveate.networks.recording import record_attention

__all__ = ["NETWORKS", "build", "record_attention", "resnet"]


def __getattr__(name: str) -> Any:
    if name == "record_attention":
        from foveate.networks.recording import record_attention

        return record_attention
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
