"""Begin or go on with a run: what it learns from into memory, its facts onto disk, then the loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from foveate.datasets import DataSet
from foveate.errors import OutputError, TrainingError, UsageError
from foveate.imaging import write_text
from foveate.recipes.read import check, to_toml
from foveate.recipes.schema import Recipe
from foveate.training import provenance
from foveate.training.first_weights import first_weights
from foveate.training.lock import locked
from foveate.training.loop import OnStep, train
from foveate.training.material import Material, gather, place
from foveate.training.parts import build_parts
from foveate.training.plan import CHANGEABLE, check_free
from foveate.training.progress import EpochRow
from foveate.training.run_folder import RECIPE, STATE, add_to_log, load_facts, save_facts
from foveate.training.samples import channel_statistics
from foveate.training.setting import Setting
from foveate.training.state_file import load_state


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears how it goes."""

    say: Callable[[str], None]
    on_step: OnStep
    on_epoch: Callable[[EpochRow], None]


def start(
    recipe: Recipe,
    data: Sequence[DataSet],
    *,
    folder: Path,
    resume: bool,
    device: str,
    command: str,
    listener: Listener,
    initial: Path | None = None,
) -> str:
    """Train by `recipe` on the training parts of `data` into `folder`; returns why it ended.

    With `resume` the folder's run goes on; `initial` has no part in that. Raises UsageError where the folder already
    holds a run and `resume` is off, TrainingError where a run can't go on or another process has the folder.
    """
    fabric = _fabric(device, recipe.training.precision)
    if resume:
        return _go_on(recipe, data, folder, fabric, command, listener)
    return _begin(recipe, data, folder, fabric, command, listener, initial)


def _begin(
    recipe: Recipe,
    data: Sequence[DataSet],
    folder: Path,
    fabric: Fabric,
    command: str,
    listener: Listener,
    initial: Path | None,
) -> str:
    check_free(folder)
    weights, origin = first_weights(recipe, initial)
    material = gather(recipe, data, device=fabric.device, say=listener.say)
    facts = {
        "command": command,
        "recipe": recipe.name,
        "seed": recipe.training.seed,
        "device": str(fabric.device),
        "threads": torch.get_num_threads(),
        "hardware": provenance.hardware(fabric.device),
        "versions": provenance.versions(),
        "source_commit": provenance.source_commit(),
        "places": [place(dataset) for dataset in data],
        "data": material.record,
        **origin,
    }
    with locked(folder):
        check_free(folder)
        return _train(recipe, material, folder, fabric, facts, listener, weights=weights, state=None)


def _go_on(
    recipe: Recipe, data: Sequence[DataSet], folder: Path, fabric: Fabric, command: str, listener: Listener
) -> str:
    if not (folder / STATE).is_file():
        raise TrainingError(f"{folder}: holds no run to go on with. Begin one without --resume.")
    with locked(folder):
        for left in folder.glob(".*.part"):
            left.unlink()
        state, facts = load_state(folder), load_facts(folder)
        material = gather(recipe, data, device=fabric.device, say=listener.say)
        _check_same(folder, recipe, material, state, facts)
        note = {
            "command": command,
            "source_commit": provenance.source_commit(),
            "versions": provenance.versions(),
            "device": str(fabric.device),
            "hardware": provenance.hardware(fabric.device),
            "after_epoch": len(state["progress"]["rows"]),
            "epochs": recipe.training.epochs,
        }
        facts |= {"places": [place(dataset) for dataset in data], "resumed": [*facts.get("resumed", []), note]}
        return _train(recipe, material, folder, fabric, facts, listener, weights=None, state=state)


def _train(
    recipe: Recipe,
    material: Material,
    folder: Path,
    fabric: Fabric,
    facts: dict[str, Any],
    listener: Listener,
    *,
    weights: dict[str, Tensor] | None,
    state: dict[str, Any] | None,
) -> str:
    """The loop, with everything that is said in the log, too."""

    def say(text: str) -> None:
        add_to_log(folder, text)
        listener.say(text)

    def on_start() -> None:
        for text in (_beginning(facts), *material.notes):
            add_to_log(folder, text)

    def on_epoch(row: EpochRow) -> None:
        add_to_log(folder, row.sentence(recipe.training.epochs))
        listener.on_epoch(row)

    mean, deviation = channel_statistics(material.training)
    setting = Setting(recipe, material.training, material.validation, fabric, folder, facts, mean, deviation)
    try:
        write_text(to_toml(recipe), folder / RECIPE)
        save_facts(folder, facts)
        ending = train(
            setting,
            build_parts(recipe, weights),
            state,
            on_start=on_start,
            on_step=listener.on_step,
            on_epoch=on_epoch,
            on_event=say,
        )
        add_to_log(folder, ending)
        return ending
    except OutputError as error:
        if not (folder / STATE).is_file():
            raise
        raise TrainingError(
            f"{error}. The last whole epoch is kept: then `foveate train --resume {folder}`."
        ) from error
    except (TrainingError, KeyboardInterrupt) as error:
        with suppress(OutputError):
            add_to_log(folder, str(error) or "stopped")
        raise


def _beginning(facts: Mapping[str, Any]) -> str:
    if "resumed" in facts:
        note = facts["resumed"][-1]
        return f"goes on after epoch {note['after_epoch']} on {note['device']}: {note['command']}"
    return f"begins on {facts['device']}: {facts['command']}"


def _check_same(folder: Path, recipe: Recipe, material: Material, state: dict[str, Any], facts: dict[str, Any]) -> None:
    """TrainingError where going on would make another run; it may only become longer or shorter on the way."""
    first, now = (_keys(each) for each in (check(state["recipe"], str(folder / STATE)), recipe))
    changed = {key for key in first.keys() | now.keys() if first.get(key) != now.get(key)} - {CHANGEABLE}
    if changed:
        raise TrainingError(
            f"{folder}: its recipe has changed since the run began ({', '.join(sorted(changed))})."
            f" Put {RECIPE} back as it was, or begin another run."
        )
    if facts["data"] != material.record:
        raise TrainingError(
            f"{folder}: the data sets don't have the cases that the run began with."
            " Put them back as they were, or begin another run."
        )


def _keys(recipe: Recipe) -> dict[str, Any]:
    """Every key of a recipe by its full name."""
    sections = {name: value if isinstance(value, dict) else {"": value} for name, value in recipe.model_dump().items()}
    return {f"{name}.{key}".rstrip("."): value for name, keys in sections.items() for key, value in keys.items()}


def _fabric(device: str, precision: Any) -> Fabric:
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: PyTorch finds no CUDA device here. Use --device cpu or auto.")
    accelerator = {"auto": "cuda" if torch.cuda.is_available() else "cpu"}.get(device, device)
    return Fabric(accelerator=accelerator, devices=1, precision=precision)
