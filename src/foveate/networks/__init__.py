"""The networks, in torch: one file per paper's system, shared blocks in `blocks/`, one table of names."""

from foveate.networks.registry import NETWORKS, build

__all__ = ["NETWORKS", "build"]
