"""What a run's folder says about how to go on with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foveate.errors import TrainingError, UsageError
from foveate.recipes.read import read_recipe_of_run
from foveate.recipes.schema import Recipe
from foveate.training.run.folder import CACHE, FACTS, LOCK, RECIPE, STATE, Storage, load_facts

CHANGEABLE = "training.epochs"
"""The one key of a recipe that may differ when a run goes on."""


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
        if override.partition("=")[0].strip() != CHANGEABLE:
            raise UsageError(f"'{override}': a run goes on by its own recipe, of which only {CHANGEABLE} may change.")
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
    found = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if any(name not in (LOCK, RECIPE, FACTS, CACHE) and not name.endswith(".part") for name in found):
        raise UsageError(
            f"{folder}: is not empty. Go on with `foveate train --resume {folder}`, or choose another --out."
        )
