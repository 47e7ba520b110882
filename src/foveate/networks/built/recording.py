"""Look at a network's attention while it works."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from torch import Tensor, nn

from foveate.networks.blocks.attention_map import AttentionMap


@contextmanager
def record_attention(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Within the `with`, every forward pass leaves its attention maps in the dictionary, the latest pass's alone.

    Keys say where: `gate.level2`, `encoder_attention.layer3`, `iaa.2`, `spatial.layer1`, `channel.stem`. Values are
    detached, B×1×h×w for weights of positions, B×C×1×1 for weights of channels, 0 to 1. A network without attention
    leaves it empty. Outside of the `with` nothing is watched, and nothing is paid.
    """
    maps: dict[str, Tensor] = {}
    watched = [(path, module) for path, module in network.named_modules() if isinstance(module, AttentionMap)]
    hooks = [module.register_forward_hook(partial(_keep, maps, path.removesuffix(".map"))) for path, module in watched]
    try:
        yield maps
    finally:
        for hook in hooks:
            hook.remove()


def _keep(maps: dict[str, Tensor], name: str, _: nn.Module, __: tuple[Tensor], weights: Tensor) -> None:
    maps[name] = weights.detach()
