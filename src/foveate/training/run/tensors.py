"""The two kinds of safetensors files that a run keeps: weights for use, and the state from which it goes on.

A weights file says in its header which network it is of and how that was validated.

The state is tensors as they are, and all else as JSON in the header. `flatten` takes nested dicts, lists and tuples of
tensors, numbers, strings, booleans and None apart, and `unflatten` puts the same together again: types, dtypes, order
in memory and every bit. A mapping of any kind becomes a dict. In the JSON a dict always is one of ours:
{"dict": [[key, value] …]}, {"tuple": […]}, {"float": "inf"}, or {"tensor": name, "stride": […]}. A checksum over both
parts tells a damaged file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from foveate.errors import ModelError, TrainingError
from foveate.imaging import write_bytes
from foveate.networks import build
from foveate.networks.registry import constructor_of
from foveate.networks.registry.options import DATA_OPTIONS, check_options, options_of
from foveate.records import Classes
from foveate.training.run.folder import LAST, STATE

WEIGHTS = "weights.safetensors"
"""Beside a shipped model's file: what it was exported from, with the batch norms that the export folds away."""


@dataclass(frozen=True, slots=True)
class WeightsHeader:
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


def save_weights(path: Path, weights: Mapping[str, Tensor], facts: WeightsHeader) -> None:
    """Write weights with their facts in the header. Raises OutputError."""
    tensors = {
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format) for name, tensor in weights.items()
    }
    write_bytes(save(tensors, metadata={"foveate": json.dumps(asdict(facts))}), path)


def load_weights(path: Path) -> tuple[nn.Module, WeightsHeader]:
    """The network that a weights file describes, in eval mode on the CPU. Raises ModelError."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get("foveate")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: can't be read as weights ({error}).") from error
    if header is None:
        raise ModelError(f"{path}: these weights were not written by foveate: the header says no network.")
    try:
        content = _as_now(json.loads(header))
        content["options"] = _resolved(content["network"], content["options"])
        facts = WeightsHeader(**content)
        network = facts.build()
        network.load_state_dict(tensors)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, RuntimeError, TypeError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise ModelError(f"{path}: its header doesn't fit its weights ({type(error).__name__}: {first}).") from error
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


TREE, CHECKSUM = "foveate_state", "sha256"


def flatten(state: object) -> tuple[object, dict[str, Tensor]]:
    """A tree that JSON can hold, and the tensors that it names, on the CPU. Raises TypeError for any other type."""
    tensors: dict[str, Tensor] = {}
    return _flattened(state, tensors), tensors


def _flattened(value: object, tensors: dict[str, Tensor]) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"float": str(value)}
    if isinstance(value, Tensor):
        name = str(len(tensors))
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name, "stride": torch.empty_like(value, device="meta").stride()}
    if isinstance(value, list):
        return [_flattened(item, tensors) for item in value]
    if isinstance(value, tuple):
        return {"tuple": [_flattened(item, tensors) for item in value]}
    if isinstance(value, Mapping):
        # As pairs: an optimiser's keys are whole numbers, which JSON's are not.
        return {"dict": [[_flattened(key, tensors), _flattened(item, tensors)] for key, item in value.items()]}
    raise TypeError(f"{type(value).__name__} can't be part of a run's state")


def unflatten(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """What was flattened."""
    if isinstance(tree, list):
        return [unflatten(item, tensors) for item in tree]
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        stored = tensors[tree["tensor"]]
        # Sums over another order in memory may round otherwise, so that a resumed run would not be the same.
        return torch.empty_strided(stored.shape, tree["stride"], dtype=stored.dtype).copy_(stored)
    if "float" in tree:
        return float(tree["float"])
    if "tuple" in tree:
        return tuple(unflatten(item, tensors) for item in tree["tuple"])
    return {unflatten(key, tensors): unflatten(item, tensors) for key, item in tree["dict"]}


def save_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the resumable state. Raises OutputError; the one before is whole then."""
    tree, tensors = flatten(state)
    text = json.dumps(tree, allow_nan=False)
    write_bytes(save(tensors, {TREE: text, CHECKSUM: _checksum(text, tensors)}), folder / STATE)


def load_state(folder: Path) -> dict[str, Any]:
    """The resumable state. Raises TrainingError where there is none or it is not whole."""
    path = folder / STATE
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except FileNotFoundError as error:
        raise TrainingError(f"{folder}: holds no {STATE}, so there is nothing to go on with.") from error
    except (OSError, SafetensorError) as error:
        raise _damaged(path, str(error)) from error
    text = header.get(TREE, "")
    if not text or header.get(CHECKSUM) != _checksum(text, tensors):
        raise _damaged(path, "its checksum differs" if text else "it was not written by foveate")
    state: dict[str, Any] = unflatten(json.loads(text), tensors)
    return state


def _damaged(path: Path, fault: str) -> TrainingError:
    return TrainingError(
        f"{path}: is damaged ({fault}), so this run can't go on. Begin another with --from {path.parent / LAST}."
    )


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
