"""What a run learns from and is checked on, in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from foveate.arrays.prepare import WorkingSize
from foveate.datasets import DataSet
from foveate.datasets.splits import hold_out
from foveate.recipes.schema import Recipe
from foveate.training.samples import TrainingSet, load_training_set
from foveate.training.validation import ValidationSet


@dataclass(frozen=True, slots=True)
class Material:
    """The sets of a run, and which of their cases went where."""

    training: tuple[TrainingSet, ...]
    validation: tuple[ValidationSet, ...]
    record: dict[str, dict[str, Any]]
    """Set to its title, terms, citation and the ids of its cases in both parts, for the run's facts."""
    notes: tuple[str, ...]
    """What was said about them."""


def gather(recipe: Recipe, data: Sequence[DataSet], *, device: torch.device, say: Callable[[str], None]) -> Material:
    """Hold out validation cases of every set's training part and read all of them. Raises DataError."""
    names = ", ".join(dataset.name for dataset in data)
    notes = [
        f"data.weights names '{name}', which is not among this run's sets: {names}"
        for name in sorted(recipe.data.weights.keys() - {dataset.name for dataset in data})
    ]
    for note in notes:
        say(note)
    working_size = WorkingSize(recipe.data.working_minimum, recipe.data.working_maximum)
    training, validation, record = [], [], {}
    for dataset in data:
        learn, check = hold_out(dataset.split("train"), recipe.data.validation_share, seed=recipe.training.seed)
        notes.append(f"{dataset.name}: {len(learn)} training images, {len(check)} for validation")
        say(notes[-1])
        weight = recipe.data.weights.get(dataset.name, 1.0)
        training.append(
            load_training_set(
                dataset, learn, rule=recipe.data.fov, working_size=working_size, weight=weight, device=device
            )
        )
        validation.append(ValidationSet.of(dataset.name, [entry.load() for entry in check], recipe.data.fov))
        record[dataset.name] = {
            "title": dataset.title,
            "terms": dataset.terms,
            "citation": dataset.citation,
            "training": [entry.id for entry in learn],
            "validation": [entry.id for entry in check],
        }
    return Material(tuple(training), tuple(validation), record, tuple(notes))


def place(dataset: DataSet) -> str:
    """NAME:FOLDER that finds the set again from any working folder."""
    root = Path(dataset.root)
    return f"{dataset.name}:{root.resolve() if dataset.root and root.exists() else dataset.root}"
