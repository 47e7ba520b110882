"""Count a network without computing it: parameters, multiply-accumulates, peak of activation memory, data flow.

It runs on fake tensors, which have a shape and a storage but no values: the largest network costs neither memory nor
time, and yet calls the kernels that a CPU would run, so that fused attention stays fused.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.weak import WeakIdKeyDictionary

from foveate.networks.blocks.nested_decoder import NestedDecoder
from foveate.networks.blocks.residual import BasicBlock, Bottleneck
from foveate.networks.blocks.resnet import ResNet
from foveate.networks.dual_attention_unet import PlainEncoder
from foveate.networks.registry import NETWORKS, build, constructor_of, entry_of
from foveate.networks.registry.catalogue import (
    HEIGHT,
    IMAGE,
    WIDTH,
    Block,
    NetworkCounts,
    NetworkDescription,
    in_channels_of,
)
from foveate.networks.registry.options import options_of
from foveate.networks.wnet import BridgedUNet

LOOKED_INTO = (nn.ModuleList, nn.ModuleDict, NestedDecoder, ResNet, PlainEncoder, BridgedUNet)
"""No blocks but made of blocks, as the whole network is; every other module that is called is a block."""

PART_OF_THE_BLOCK_BEFORE = (nn.BatchNorm2d, nn.ReLU)
"""Unless it is within a block anyway."""

FUSED_ON_CPU = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
"""The one fused attention that PyTorch's counter has no formula for."""


def measure_all() -> dict[str, NetworkDescription]:
    """The facts of every network of the registry, in its order."""
    return {name: measure_network(name) for name in NETWORKS}


def measure_network(name: str) -> NetworkDescription:
    """A network of the registry and its variants, at 512×512. Raises UsageError for an unknown name."""
    options = options_of(constructor_of(name))
    counted = partial(measure, in_channels=in_channels_of(options), height=HEIGHT, width=WIDTH)
    counts, blocks = counted(partial(build, name))
    variants = {variant: counted(partial(build, name, variant=variant))[0] for variant in entry_of(name).variants}
    return NetworkDescription(options, {"": counts} | variants, blocks)


def measure(
    construct: Callable[[], nn.Module], *, in_channels: int, height: int, width: int
) -> tuple[NetworkCounts, tuple[Block, ...]]:
    """One forward pass of what `construct` makes, over an image (1, in_channels, height, width) of float32.

    `construct` is called here because its weights must be fake too. Evaluation mode, no gradients. What a block puts
    out must be, or begin with, a map (1, channels, its height, its width).
    """
    with FakeTensorMode(), torch.no_grad():
        network = construct().eval()
        image = torch.empty(1, in_channels, height, width)
        with FlopCounterMode(display=False, custom_mapping={FUSED_ON_CPU: _attention_operations}) as counter:
            network(image)
        memory = ActivationMemory(image, weights=[*network.parameters(), *network.buffers()])
        flow = DataFlow(image)
        for name, block in _blocks(network):
            flow.watch(name, block)
        with memory, flow:
            network(image)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    return NetworkCounts(parameters, counter.get_total_flops() // 2, memory.peak), tuple(flow.blocks)


def _attention_operations(
    query: Sequence[int], key: Sequence[int], value: Sequence[int], *_: object, **__: object
) -> int:
    """Of fused attention, by the shapes (…, N, E), (…, M, E), (…, M, V); a multiply-accumulate is two."""
    return 2 * prod(query[:-1]) * key[-2] * (query[-1] + value[-1])


class ActivationMemory(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Follows every storage that an operation makes until nobody holds it; views share the storage of their base."""

    def __init__(self, image: Tensor, *, weights: Iterable[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.live = self.peak = 0
        """Bytes."""
        self._known = WeakIdKeyDictionary({weight.untyped_storage(): True for weight in weights})
        self._hold(image)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and hold what it makes."""
        output = func(*args, **(kwargs or {}))
        for tensor in _tensors(output):
            self._hold(tensor)
        return output

    def _hold(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        if storage in self._known:
            return
        self._known[storage] = True
        weakref.finalize(storage, self._release, storage.nbytes())
        self.live += storage.nbytes()
        self.peak = max(self.peak, self.live)

    def _release(self, size: int) -> None:
        self.live -= size


class DataFlow(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's own
    """Notes of every tensor which blocks it comes from, or that it comes from the image: its sources.

    What is made within a block comes from that block; what is made between blocks comes from where its inputs come
    from. Weights come from nowhere.
    """

    def __init__(self, image: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's own
        self.blocks: list[Block] = []
        self._within = False
        self._sources = WeakIdKeyDictionary({image: frozenset({IMAGE})})

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run the operation and note where its outputs come from."""
        output = func(*args, **(kwargs or {}))
        sources = frozenset({len(self.blocks)}) if self._within else self._sources_of((args, kwargs))
        for tensor in _tensors(output):
            self._sources[tensor] = sources
        return output

    def watch(self, name: str, module: nn.Module) -> None:
        """From now on every call of the module is a block of that name."""

        def enter(module: nn.Module, inputs: Any) -> None:
            self._within = True

        def leave(module: nn.Module, inputs: Any, output: Any) -> None:
            _, channels, height, width = _tensors(output)[0].shape
            sources = tuple(sorted(self._sources_of(inputs)))
            self.blocks.append(Block(name, _kind(module), channels, height, width, sources))
            self._within = False

        module.register_forward_pre_hook(enter)
        module.register_forward_hook(leave)

    def _sources_of(self, inputs: Any) -> frozenset[int]:
        known = [self._sources[tensor] for tensor in _tensors(inputs) if tensor in self._sources]
        return frozenset[int]().union(*known)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]


def _blocks(module: nn.Module, path: str = "") -> Iterator[tuple[str, nn.Module]]:
    """Every block below the module, with its path."""
    for name, child in module.named_children():
        if isinstance(child, LOOKED_INTO):
            yield from _blocks(child, f"{path}{name}.")
        elif not isinstance(child, PART_OF_THE_BLOCK_BEFORE):
            yield f"{path}{name}", child


def _kind(module: nn.Module) -> str:
    """The class; of a plain sequence that of its beginning."""
    if type(module) is not nn.Sequential:
        return type(module).__name__
    return "residual stage" if isinstance(module[0], BasicBlock | Bottleneck) else _kind(module[0])
