"""The runs below a folder, as their own files tell; read without torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from foveate.errors import ModelError, UsageError
from foveate.recipes.read import read_recipe_of_run
from foveate.training.run.folder import FACTS, RECIPE, load_facts
from foveate.training.run.lock import is_locked


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
