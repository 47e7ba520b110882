"""What a run learns from and is checked on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from torch import Tensor

from foveate.datasets import DataSet
from foveate.datasets.splits import folds, hold_out
from foveate.errors import DataError, UsageError
from foveate.recipes.schema import Recipe
from foveate.records import CaseEntry, Classes
from foveate.training.data.cache import Cache
from foveate.training.data.reading import Reader, ValidationSet
from foveate.training.data.sampling import TrainingSet
from foveate.training.processes.consensus import Processes
from foveate.training.run.progress import OnRead

FOLD_SEED = 0
"""Shuffles groups before they are dealt to folds: not the run's own seed, so that a fold is the same for every seed."""


PARTS = ("training", "validation")


@dataclass(frozen=True, slots=True)
class Material:
    """The sets of a run, and which of their cases went where."""

    training: tuple[TrainingSet, ...]
    validation: tuple[ValidationSet, ...]
    record: dict[str, dict[str, Any]]
    """Set to its title, terms, citation and the ids of its cases in both `PARTS`, for the run's facts."""
    contents: dict[str, dict[str, str]]
    """Set to `Case.content` by the ids of the cases that this process has."""
    notes: tuple[str, ...]
    """What was said about them."""


def gather(
    recipe: Recipe,
    data: Sequence[DataSet],
    *,
    cache: Cache,
    processes: Processes,
    say: Callable[[str], None],
    on_read: OnRead,
) -> Material:
    """Take every set's validation cases, or hold them out of its training part; read all but other processes'.

    Raises DataError, and OutputError where the cache has no space on disk.
    """
    names = ", ".join(dataset.name for dataset in data)
    notes = [f"{dataset.name}: {note}" for dataset in data for note in dataset.notes]
    notes += [
        f"data.weights names '{name}', which is not among this run's sets: {names}"
        for name in sorted(recipe.data.weights.keys() - {dataset.name for dataset in data})
    ]
    for note in notes:
        say(note)
    record, parts = {}, [parts_of(dataset, recipe) for dataset in data]
    for dataset, (learn, check) in zip(data, parts, strict=True):
        notes.append(f"{dataset.name}: {len(learn)} training images, {len(check)} for validation")
        if has_own_validation(dataset, recipe):
            unread = "data.folds" if recipe.data.folds else "data.validation_share"
            notes[-1] += f", which are the set's own validation part: {unread} is left unread"
        say(notes[-1])
        record[dataset.name] = {
            "title": dataset.title,
            "terms": dataset.terms,
            "citation": dataset.citation,
            "training": [entry.id for entry in learn],
            "validation": [entry.id for entry in check],
        }
    learnt, own = [learn for learn, _ in parts], _shares([check for _, check in parts], processes)
    reader = Reader(recipe.preparation, cache, sum(map(len, (*learnt, *own))), on_read, [{} for _ in data])
    training, where_training = reader.training(learnt)
    for dataset, cases in zip(data, training, strict=True):
        _check_foreground(dataset, cases, reader.preparation.channel_count)
    validation, where_validation = reader.validation(own)
    for note in (where_training, where_validation):
        notes.append(note)
        say(note)
    weights, channels = recipe.data.weights, reader.preparation.channel_count
    return Material(
        tuple(
            TrainingSet(dataset.name, weights.get(dataset.name, 1.0), cases, channels)
            for dataset, cases in zip(data, training, strict=True)
        ),
        tuple(ValidationSet(dataset.name, cases) for dataset, cases in zip(data, validation, strict=True)),
        record,
        dict(zip(record, reader.contents, strict=True)),
        tuple(notes),
    )


def training_part(dataset: DataSet) -> tuple[CaseEntry, ...]:
    """Raises DataError for a set that has none, or one that isn't whole."""
    if not any(entry.split == "train" for entry in dataset.entries):
        raise DataError(f"{dataset.name}: has no part 'train': it can be evaluated on, not learnt from.")
    return dataset.split("train")


def has_own_validation(dataset: DataSet, recipe: Recipe) -> bool:
    """Whether a set is validated on a part of its own, so that nothing of its training part is held out."""
    return recipe.data.own_validation and dataset.has_truth("validation")


def parts_of(dataset: DataSet, recipe: Recipe) -> tuple[tuple[CaseEntry, ...], tuple[CaseEntry, ...]]:
    """(training, validation): the set's own, else one fold where the recipe has folds, else a share of the groups.

    Raises DataError for a set without a training part, or with too few groups.
    """
    entries = training_part(dataset)
    if has_own_validation(dataset, recipe):
        return entries, dataset.split("validation")
    if not recipe.data.folds:
        return hold_out(entries, recipe.data.validation_share, seed=recipe.training.seed)
    check = folds(entries, recipe.data.folds, FOLD_SEED)[recipe.data.fold]
    held = {entry.id for entry in check}
    return tuple(entry for entry in entries if entry.id not in held), check


def _check_foreground(dataset: DataSet, cases: Sequence[Tensor], channels: int) -> None:
    """Raise DataError where there is nothing to learn; a set's first images mostly tell."""
    if not any(bool(case[channels:-1].any()) for case in cases):
        raise DataError(
            f"{dataset.name}: all {len(cases)} training masks are empty: there is nothing to learn."
            f" See `foveate data check {dataset.name}:{dataset.root}`."
        )


def _shares(sets: Sequence[Sequence[CaseEntry]], processes: Processes) -> list[Sequence[CaseEntry]]:
    """Of all cases, counted through the sets, every one whose turn it is to be this process's."""
    before = [0, *accumulate(map(len, sets))]
    return [
        of_set[(processes.rank - start) % processes.count :: processes.count]
        for of_set, start in zip(sets, before, strict=False)
    ]


def common_classes(data: Sequence[DataSet]) -> Classes:
    """What the masks of all sets tell apart; of single classes the first set's name. Raises UsageError."""
    first = data[0]
    for other in data[1:]:
        if not alike(other.classes, first.classes):
            of_first, of_other = (", ".join(dataset.classes.names) for dataset in (first, other))
            raise UsageError(
                f"{first.name} has the classes {of_first}, {other.name} has {of_other}."
                " Train on sets with the same classes."
            )
    return first.classes


def alike(one: Classes, other: Classes) -> bool:
    """Whether masks tell the same apart: a single class may have any name."""
    return one == other or len(one.names) == len(other.names) == 1


def place(dataset: DataSet) -> str:
    """NAME:FOLDER that finds the set again from any working folder."""
    root = Path(dataset.root)
    return f"{dataset.name}:{root.resolve() if dataset.root and root.exists() else dataset.root}"
