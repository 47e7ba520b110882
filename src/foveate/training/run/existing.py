"""Runs that are there, as their own files tell: how to go on with one, and a list of all; read without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from foveate.errors import ModelError, TrainingError, UsageError
from foveate.imaging.write import UNFINISHED
from foveate.recipes.read import keys_of, read_recipe_of_run
from foveate.recipes.schema import Recipe
from foveate.training.run.facts import FACTS, load_facts
from foveate.training.run.folder import BEST, CACHE, LOCK, PLAN, RECIPE, STATE, Storage, is_locked

CHANGEABLE = ("training.epochs", "training.hours")
"""The keys of a recipe that may differ when a run goes on."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The run's own call."""

    recipe: Recipe
    places: tuple[str, ...]
    """NAME:FOLDER of each data set."""
    initial: Path | None
    """The weights that it began with."""
    device: str
    """As `--device` has it."""
    cache: Storage
    begun: bool
    """False where the run was stopped before its first state was on disk, so that it has to begin once more."""


def plan_of(folder: Path, overrides: Sequence[str]) -> Plan:
    """Read recipe, data and options of a run; raises TrainingError where there is none, UsageError for an override."""
    if not (folder / FACTS).is_file():
        raise TrainingError(f"{folder}: holds no run to go on with. Begin one with RECIPE, --data and --out {folder}.")
    for override in overrides:
        if "=" not in override or not set(keys_of(override)) <= set(CHANGEABLE):
            raise UsageError(
                f"'{override}': a run goes on by its own recipe, of which only {' and '.join(CHANGEABLE)} may change."
            )
    facts = load_facts(folder)
    if "places" not in facts:
        raise TrainingError(f"{folder}: was trained by an older foveate. Begin another run with --from its weights.")
    initial = facts.get("initial")
    return Plan(
        recipe=read_recipe_of_run(str(folder / RECIPE), overrides),
        places=tuple(facts["places"]),
        initial=Path(initial["file"]) if initial else None,
        device=facts["device"].removesuffix(":0"),  # the first GPU, or each process's own
        cache=facts.get("cache", "auto"),
        begun=(folder / STATE).is_file(),
    )


def check_free(folder: Path) -> None:
    """Raise UsageError where a folder holds anything but what a run leaves that was stopped before its first state."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if any(name not in (LOCK, RECIPE, PLAN, FACTS, CACHE) and not UNFINISHED.fullmatch(name) for name in names):
        raise UsageError(
            f"{folder}: is not empty. Go on with `foveate train --resume {folder}`, or choose another --out."
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One run."""

    folder: Path
    recipe: str
    network: str
    data: tuple[str, ...]
    epochs: int
    """Done."""
    planned: int
    best_epoch: int | None
    """By what the recipe watches; None before the first epoch is done. So are the next two, of that epoch."""
    f1: float | None
    """Mean of the sets' validation F1."""
    thresholds: tuple[float, ...] | None
    state: Literal["running", "stopped", "finished"]
    ending: str
    """Why it ended, where it is finished."""

    @property
    def best(self) -> Path:
        """The file of the best epoch's weights."""
        return self.folder / BEST


def run_in(folder: Path) -> Run:
    """The run in a folder. Raises ModelError where it holds none, or one of an older foveate."""
    for run in _runs([folder]):
        return run
    raise ModelError(f"{folder}: not the folder of a run.")


def runs_below(folder: Path) -> list[Run]:
    """All runs in a folder and the folders in it, by name; what is no run, or one of an older foveate, is left out."""
    return list(_runs(sorted(path.parent for path in folder.rglob(FACTS))))


def _runs(folders: list[Path]) -> Iterator[Run]:
    for folder in folders:
        try:
            facts, recipe = load_facts(folder), read_recipe_of_run(str(folder / RECIPE))
        except (ModelError, UsageError):
            continue
        # MLflow keeps a copy of a run's files in a folder that is named by its own number of the run.
        if "progress" in facts and facts.get("track", {}).get("run") not in folder.parts:
            progress, best = facts["progress"], facts["progress"]["best"] or {}
            state: Literal["running", "stopped", "finished"] = "finished" if progress["ending"] else "stopped"
            yield Run(
                folder=folder,
                recipe=recipe.name,
                network=recipe.network.name,
                data=tuple(facts["data"]),
                epochs=progress["epochs"],
                planned=progress["planned"],
                best_epoch=best.get("epoch"),
                f1=best.get("f1"),
                thresholds=tuple(best["thresholds"]) if "thresholds" in best else None,
                state="running" if is_locked(folder) else state,
                ending=progress["ending"],
            )
