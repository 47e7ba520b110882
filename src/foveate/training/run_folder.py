"""What a run leaves on disk, each file written beside and then renamed.

recipe.toml         the whole recipe, defaults and overrides included
run.json            command, versions, seed, source commit, data, normalisation: what the numbers depend on
log.csv             one row per epoch
best.safetensors    weights of the best validation, with the network's name and options in the header
last.safetensors    weights of the last epoch
state.pt            everything else that the next epoch needs; a run is resumed from it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from foveate.errors import ModelError, TrainingError
from foveate.imaging import write_text
from foveate.networks import build

RECIPE, FACTS, LOG = "recipe.toml", "run.json", "log.csv"
BEST, LAST, STATE = "best.safetensors", "last.safetensors", "state.pt"


@dataclass(frozen=True, slots=True)
class NetworkFacts:
    """What a weights file says about itself."""

    network: str
    options: dict[str, Any]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    threshold: float
    validation_f1: dict[str, float]
    epoch: int


def save_weights(path: Path, weights: Mapping[str, Tensor], facts: NetworkFacts) -> None:
    """Write weights with their facts in the header."""
    beside = path.with_suffix(".part")
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    _write(path, beside, lambda: save_file(tensors, beside, metadata={"foveate": json.dumps(asdict(facts))}))


def load_weights(path: Path) -> tuple[nn.Module, NetworkFacts]:
    """The network that a weights file describes, in eval mode on the CPU. Raises ModelError."""
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get("foveate")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path}: can't be read as weights ({error}).") from error
    if header is None:
        raise ModelError(f"{path}: these weights were not written by foveate: the header says no network.")
    content = json.loads(header)
    content["options"] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content["options"].items()
    }
    facts = NetworkFacts(**content)
    network = build(facts.network, **facts.options)
    network.load_state_dict(tensors)
    return network.eval(), facts


def save_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Replace the resumable state."""
    path = folder / STATE
    beside = path.with_suffix(".part")
    _write(path, beside, lambda: torch.save(dict(state), beside))


def load_state(folder: Path) -> dict[str, Any]:
    """The resumable state. Raises TrainingError where there is none."""
    path = folder / STATE
    if not path.is_file():
        raise TrainingError(f"{folder}: holds no {STATE}, so there is nothing to resume. Train without --resume.")
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def save_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write run.json."""
    write_text(json.dumps(facts, indent=2, ensure_ascii=False) + "\n", folder / FACTS)


def load_facts(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises ModelError where the folder is not a run."""
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: not the folder of a run ({error}).") from error
    return facts


def _write(path: Path, beside: Path, write: Callable[[], object]) -> None:
    try:
        write()
        beside.replace(path)
    except (OSError, RuntimeError, SafetensorError) as error:
        beside.unlink(missing_ok=True)
        raise TrainingError(f"{path}: can't be written ({error}). Free space; the last state is intact.") from error
