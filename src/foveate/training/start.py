"""Start or resume a run: data into memory, the folder's facts onto disk, then the loop."""

from __future__ import annotations

import csv
import hashlib
import importlib.metadata
import io
import platform
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor

from foveate.arrays.prepare import WorkingSize
from foveate.datasets import DataSet
from foveate.datasets.splits import hold_out
from foveate.errors import ModelError, TrainingError, UsageError
from foveate.imaging import write_text
from foveate.networks import encoder_of, load_encoder_weights
from foveate.recipes.read import read_recipe, to_toml
from foveate.recipes.schema import Recipe
from foveate.training.loop import EpochReport, OnStep, train
from foveate.training.parts import fresh_network
from foveate.training.run_folder import FACTS, LOG, RECIPE, STATE, load_facts, load_state, load_weights, save_facts
from foveate.training.samples import TrainingSet, load_training_set
from foveate.training.validation import ValidationSet

RECORDED = ("foveate", "kornia", "lightning-fabric", "monai", "numpy", "pillow", "torch")


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears how it goes."""

    say: Callable[[str], None]
    on_step: OnStep
    on_epoch: Callable[[EpochReport], None]


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

    Raises UsageError where the folder already holds a run and `resume` is off, TrainingError where a run can't go on.
    """
    _check_folder(folder, resume=resume)
    if not resume:
        _check_beginning(recipe, initial)
    weights = None if initial is None else _initial_weights(initial, recipe)
    fabric = _fabric(device, recipe.training.precision)
    working_size = WorkingSize(recipe.data.working_minimum, recipe.data.working_maximum)
    names = [dataset.name for dataset in data]
    for name in recipe.data.weights.keys() - set(names):
        listener.say(f"data.weights names '{name}', which is not among this run's sets: {', '.join(names)}")
    training: list[TrainingSet] = []
    validation: list[ValidationSet] = []
    parts: dict[str, dict[str, Any]] = {}
    for dataset in data:
        learn, check = hold_out(dataset.split("train"), recipe.data.validation_share, seed=recipe.training.seed)
        listener.say(f"{dataset.name}: {len(learn)} training images, {len(check)} for validation")
        weight = recipe.data.weights.get(dataset.name, 1.0)
        training.append(
            load_training_set(dataset, learn, working_size=working_size, weight=weight, device=fabric.device)
        )
        validation.append(ValidationSet.of(dataset.name, [entry.load() for entry in check]))
        parts[dataset.name] = {
            "title": dataset.title,
            "terms": dataset.terms,
            "citation": dataset.citation,
            "training": [entry.id for entry in learn],
            "validation": [entry.id for entry in check],
        }
    facts = {
        "command": command,
        "recipe": recipe.name,
        "seed": recipe.training.seed,
        "device": str(fabric.device),
        "threads": torch.get_num_threads(),
        "versions": {"python": platform.python_version()} | {n: importlib.metadata.version(n) for n in RECORDED},
        "source_commit": source_commit(),
        "data": parts,
    }
    if initial is not None:
        facts["initial"] = _origin(initial)
    if recipe.training.encoder_weights and not resume:
        weights, sha256 = _with_encoder_weights(recipe)
        facts["encoder_weights"] = {"source": recipe.training.encoder_weights, "sha256": sha256}
    if resume:
        facts = _resumed(folder, facts, recipe)
    write_text(to_toml(recipe), folder / RECIPE)
    save_facts(folder, facts)

    def on_epoch(report: EpochReport) -> None:
        _append(folder / LOG, report)
        listener.on_epoch(report)

    return train(
        recipe,
        training,
        validation,
        fabric=fabric,
        folder=folder,
        initial=weights,
        resume=resume,
        on_step=listener.on_step,
        on_epoch=on_epoch,
    )


def _initial_weights(path: Path, recipe: Recipe) -> dict[str, Tensor]:
    """The weights of another run, for the recipe's own network; ModelError where it is another one."""
    network, facts = load_weights(path)
    if (facts.network, facts.options) != (recipe.network.name, recipe.network.options):
        raise ModelError(
            f"{path}: holds {facts.network} with {facts.options}, not the recipe's network. Set network.* to the same."
        )
    return network.state_dict()


def _with_encoder_weights(recipe: Recipe) -> tuple[dict[str, Tensor], str]:
    """The weights that the recipe's seed draws, but for the encoder's, and the SHA-256 of the file of those."""
    network = fresh_network(recipe)
    sha256 = load_encoder_weights(encoder_of(network), recipe.training.encoder_weights)
    return network.state_dict(), sha256


def _check_beginning(recipe: Recipe, initial: Path | None) -> None:
    """UsageError where the encoder would begin with two sets of weights, or stay as random as it is drawn."""
    freeze, source = recipe.network.options.get("freeze", "none"), recipe.training.encoder_weights
    if source and initial is not None:
        raise UsageError("--from and training.encoder_weights both say how to begin. Leave one of the two out.")
    if freeze != "none" and not source and initial is None:
        raise UsageError(
            f"network.freeze = '{freeze}' would freeze random weights."
            " Set training.encoder_weights, e.g. to resnet50, or begin with --from."
        )


def _origin(path: Path) -> dict[str, Any]:
    """Where initial weights come from: the file, and the run that made it if its facts lie beside it."""
    origin: dict[str, Any] = {"file": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    if (path.parent / FACTS).is_file():
        facts = load_facts(path.parent)
        origin |= {
            key: facts[key] for key in ("command", "source_commit", "data", "resumed", "initial") if key in facts
        }
    return origin


def source_commit() -> str:
    """The commit of the checkout that runs, '+' when it has changes; 'release' for an installed package."""
    here = Path(__file__).resolve().parents[1]
    if not (here.parents[1] / ".git").exists():
        return "release"
    git = ["git", "-C", str(here)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
        changed = subprocess.run([*git, "status", "--porcelain", "."], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "release"
    return commit.strip() + ("+" if changed.stdout.strip() else "")


def _check_folder(folder: Path, *, resume: bool) -> None:
    if resume and not (folder / STATE).is_file():
        raise TrainingError(f"{folder}: holds no run to resume. Start it without --resume.")
    if not resume and folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder}: is not empty. Go on with --resume, or choose another --out.")


def _resumed(folder: Path, facts: dict[str, Any], recipe: Recipe) -> dict[str, Any]:
    """The run's own facts with a note that it was resumed; TrainingError where this call would change the run."""
    before = load_facts(folder)
    first = read_recipe(str(folder / RECIPE)).model_dump()
    now = recipe.model_dump()
    # A run may be made longer or shorter on the way; the note says so. Anything else would be another run.
    first["training"]["epochs"] = now["training"]["epochs"]
    if before["data"] != facts["data"] or first != now:
        changed = "data" if before["data"] != facts["data"] else "recipe"
        raise TrainingError(
            f"{folder}: this call's {changed} is not the run's. Repeat the run's own call with --resume."
        )
    note = {key: facts[key] for key in ("command", "source_commit", "versions")}
    note |= {"after_epoch": load_state(folder)["epoch"], "epochs": recipe.training.epochs}
    return before | {"resumed": [*before.get("resumed", []), note]}


def _fabric(device: str, precision: Any) -> Fabric:
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: PyTorch finds no CUDA device here. Use --device cpu or auto.")
    accelerator = {"auto": "cuda" if torch.cuda.is_available() else "cpu"}.get(device, device)
    return Fabric(accelerator=accelerator, devices=1, precision=precision)


def _append(path: Path, report: EpochReport) -> None:
    """Add a row to the log; the whole file is rewritten, so that it is never cut off."""
    row = {
        "epoch": report.epoch,
        "loss": f"{report.loss:.5f}",
        "learning_rate": f"{report.learning_rate:.3e}",
        "mean_f1": f"{report.validation.mean_f1:.5f}",
        **{f"f1_{name}": f"{f1:.5f}" for name, f1 in report.validation.f1.items()},
        "threshold": f"{report.validation.threshold:.5f}",
        "seconds": f"{report.seconds:.1f}",
    }
    rows = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [old for old in csv.DictReader(file) if int(old["epoch"]) < report.epoch]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerows([*rows, row])
    write_text(text.getvalue(), path)
