"""Begin or go on with a run: what it learns from into memory, its facts onto disk, then the loop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from foveate.datasets import DataSet
from foveate.errors import OutputError, TrainingError
from foveate.imaging import write_text
from foveate.recipes.read import to_toml
from foveate.recipes.schema import Recipe
from foveate.records import Classes
from foveate.runtime.freed import freed_memory_kept
from foveate.training.after.validation import check_validation
from foveate.training.data.cache import Cache
from foveate.training.data.gather import PARTS, Material, common_classes, gather, place
from foveate.training.data.normalisation import Normalisation
from foveate.training.loop import train
from foveate.training.processes.consensus import Processes, launched
from foveate.training.processes.place import ALONE, Precision, Rank, chosen_device, chosen_precision
from foveate.training.resume import check_begun, check_classes, check_epochs, check_same, precision_of, state_and_facts
from foveate.training.run import provenance
from foveate.training.run.existing import check_free
from foveate.training.run.facts import save_facts
from foveate.training.run.folder import CACHE, PLAN, RECIPE, STATE, Storage, add_to_log, locked
from foveate.training.run.progress import EpochRow, Listener
from foveate.training.run.tracking import Store, connect, reporting
from foveate.training.step.first_weights import first_weights, sentences
from foveate.training.step.learner import RunSetup, build_learner


def start(
    recipe: Recipe,
    data: Sequence[DataSet],
    *,
    folder: Path,
    resume: bool,
    device: str,
    command: str,
    listener: Listener,
    initial: str | Path | None = None,
    storage: Storage = "auto",
    track: str | None = None,
    rank: Rank = ALONE,
    plan: str = "",
) -> str:
    """Train by `recipe` on the training parts of `data` into `folder`; returns why it ended.

    With `resume` the folder's run goes on; `initial` has no part in that. Raises UsageError where the folder already
    holds a run and `resume` is off, TrainingError where a run can't go on or another process has the folder.
    `track` is the address of an MLflow store that is to hear of it. Each process of a run calls this with its own
    `rank`; the first one alone writes. `plan` is the text of the recipe's file where `auto` made one.
    """
    where = chosen_device(device)
    precision = chosen_precision(recipe.training.precision, where, precision_of(folder) if resume else None, rank=rank)
    if precision.note:
        listener.say(precision.note)
    with freed_memory_kept(), launched(where, precision.name, recipe.training, rank) as processes:
        store = None
        if track is not None:
            if not resume:
                processes.by_first(lambda: check_free(folder))
            connected = partial(connect, track, experiment=recipe.name, folder=folder)
            store = processes.together(lambda: connected() if processes.first else None)
        call = _Call(
            recipe, data, folder, Cache(folder / CACHE, storage), processes, precision, command, listener, store, plan
        )
        ending = _go_on(call) if resume else _begin(call, initial)
        processes.by_first(call.cache.clear)
    return ending


@dataclass(frozen=True, slots=True)
class _Call:
    """What was asked for, and by which processes it is done."""

    recipe: Recipe
    data: Sequence[DataSet]
    folder: Path
    cache: Cache
    processes: Processes
    precision: Precision
    command: str
    listener: Listener
    store: Store | None
    """Of MLflow, where that hears of it, too."""
    plan: str
    """To be kept beside the recipe; '' for none."""

    def material(self) -> Material:
        """Read in turns, so that one process of a machine fills the cache for all. Raises DataError."""
        listener = self.listener
        material = self.processes.in_turns(
            lambda: gather(
                self.recipe,
                self.data,
                cache=self.cache,
                processes=self.processes,
                say=listener.say,
                on_read=listener.on_read,
            )
        )
        check_validation(material.validation, self.classes, self.processes)
        for name, record in material.record.items():
            everywhere = self.processes.of_each(material.contents[name])
            contents = {each: content for of_one in everywhere for each, content in of_one.items()}
            record |= {f"{part}_contents": [contents[each] for each in record[part]] for part in PARTS}
        return material

    def facts(self) -> dict[str, Any]:
        """What run.json says of every call that has a part in a run."""
        device = self.processes.fabric.device
        return {
            "command": self.command,
            "source_commit": provenance.source_commit(),
            "versions": provenance.versions(),
            "device": str(device),
            "precision": self.precision.name,
            "processes": self.processes.count,
            "hardware": provenance.hardware(device),
        }

    @property
    def classes(self) -> Classes:
        """What the masks of all sets tell apart."""
        return common_classes(self.data)

    def places(self) -> dict[str, Any]:
        """Where the images lie, and where the prepared ones are kept."""
        return {"places": [place(dataset) for dataset in self.data], "cache": self.cache.storage}


def _begin(call: _Call, initial: str | Path | None) -> str:
    recipe, folder, processes = call.recipe, call.folder, call.processes
    processes.by_first(lambda: check_free(folder))
    weights, origin = processes.together(lambda: first_weights(recipe, call.classes, initial, processes.count))
    for sentence in sentences(origin):
        call.listener.say(sentence)
    with _locked_by_first(folder, processes):
        processes.by_first(lambda: check_free(folder))
        material = call.material()
        own = {"recipe": recipe.name, "seed": recipe.training.seed, "threads": torch.get_num_threads()}
        own |= {"classes": list(call.classes.names), "exclusive": call.classes.exclusive}
        facts = {**call.facts(), **own, **call.places(), "data": material.record, **origin}
        call.listener.say(_normalisation(facts, material).sentence)
        processes.by_first(lambda: _keep_plan(call.plan, folder))
        return _train(call, material, facts, weights=weights, state=None)


def _go_on(call: _Call) -> str:
    recipe, folder, processes = call.recipe, call.folder, call.processes
    processes.by_first(lambda: check_begun(folder))
    with _locked_by_first(folder, processes):
        # The other processes get the state from the first one, when the loop begins.
        state, facts = processes.together(lambda: state_and_facts(folder) if processes.first else ({}, {}))
        processes.by_first(lambda: check_epochs(folder, recipe, state))
        processes.by_first(lambda: check_classes(folder, call.classes, facts))
        material = call.material()
        processes.by_first(lambda: check_same(folder, recipe, material.record, state, facts))
        epochs = {
            "after_epoch": len(state["progress"]["rows"]) if state else 0,
            "epochs": recipe.training.epochs,
        }
        facts |= call.places() | {"resumed": [*facts.get("resumed", []), call.facts() | epochs]}
        return _train(call, material, facts, weights=None, state=state or None)


def _train(
    call: _Call,
    material: Material,
    facts: dict[str, Any],
    *,
    weights: dict[str, Tensor] | None,
    state: dict[str, Any] | None,
) -> str:
    """The loop, with everything that is said in the log, too."""
    recipe, folder, processes, listener = call.recipe, call.folder, call.processes, call.listener

    def say(text: str) -> None:
        add_to_log(folder, text)
        listener.say(text)

    def on_start() -> None:
        said = () if "resumed" in facts else (normalisation.sentence,)
        for text in (*_beginning(facts), call.precision.note, *material.notes, *said):
            if text:
                add_to_log(folder, text)
        report(learner.progress.rows)

    def on_epoch(row: EpochRow) -> None:
        add_to_log(folder, row.sentence(recipe.training.epochs))
        listener.on_epoch(row)
        report(learner.progress.rows)

    # Of a run that goes on, the first process alone knows its facts.
    normalisation = processes.from_first(_normalisation(facts, material))
    facts["normalisation"] = normalisation.to_values()
    classes = call.classes
    setup = RunSetup(
        recipe,
        material.training,
        material.validation,
        processes.fabric,
        folder,
        facts,
        normalisation.mean,
        normalisation.deviation,
        classes,
        processes.signals,
    )
    try:
        processes.by_first(lambda: write_text(to_toml(recipe), folder / RECIPE))
        processes.by_first(lambda: save_facts(folder, facts))
        learner = build_learner(recipe, classes, weights)
        with reporting(call.store, recipe, facts, folder, listener.say) as report:
            ending = train(
                setup,
                learner,
                state,
                on_start=on_start,
                on_step=listener.on_step,
                on_epoch=on_epoch,
                on_event=say,
            )
        processes.by_first(lambda: add_to_log(folder, ending))
        return ending
    except OutputError as error:
        if not (folder / STATE).is_file():
            raise
        raise TrainingError(
            f"{error}. The last whole epoch is kept: then `foveate train --resume {folder}`."
        ) from error
    except (TrainingError, KeyboardInterrupt) as error:
        if processes.first:
            with suppress(OutputError):
                add_to_log(folder, str(error) or "stopped")
        raise


@contextmanager
def _locked_by_first(folder: Path, processes: Processes) -> Iterator[None]:
    with ExitStack() as lock:
        processes.by_first(lambda: lock.enter_context(locked(folder)))
        yield


def _normalisation(facts: Mapping[str, Any], material: Material) -> Normalisation:
    """Of the weights that the run begins with, where they have one; else, and in runs from before, of the images."""
    if "normalisation" in facts:
        return Normalisation.recorded(facts["normalisation"])
    return Normalisation.of_images(material.training)


def _beginning(facts: Mapping[str, Any]) -> list[str]:
    now = facts["resumed"][-1] if "resumed" in facts else facts
    where = f"on {now['device']}" + (f" in {now['processes']} processes" if now["processes"] > 1 else "")
    if "resumed" in facts:
        return [f"goes on after epoch {now['after_epoch']} {where}: {now['command']}"]
    return [f"begins {where}: {facts['command']}", *sentences(facts)]


def _keep_plan(plan: str, folder: Path) -> None:
    """Write it; where there is none, nor be there one of a run that didn't begin."""
    if plan:
        write_text(plan, folder / PLAN)
    else:
        (folder / PLAN).unlink(missing_ok=True)
