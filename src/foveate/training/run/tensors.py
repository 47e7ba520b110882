"""The state of a run as one safetensors file: tensors as they are, all else as JSON in its header, nothing pickled.

`flatten` takes nested dicts, lists and tuples of tensors, numbers, strings, booleans and None apart, and `unflatten`
puts the same together again: types, dtypes, order in memory and every bit. A mapping of any kind becomes a dict.
In the JSON a dict always is one of ours: {"dict": [[key, value] …]}, {"tuple": […]}, {"float": "inf"}, or
{"tensor": name, "stride": […]}. A checksum over both parts tells a damaged file.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from foveate.errors import TrainingError
from foveate.imaging import write_bytes
from foveate.training.run.folder import LAST, STATE

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


def _damaged(path: Path, found: str) -> TrainingError:
    return TrainingError(
        f"{path}: is damaged ({found}), so this run can't go on. Begin another with --from {path.parent / LAST}."
    )


def _checksum(text: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
