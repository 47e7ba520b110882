"""What a run left when it was stopped, and what must still hold for it to go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foveate.errors import TrainingError
from foveate.imaging.write import UNFINISHED
from foveate.recipes.read import as_it_was, checked_recipe
from foveate.recipes.schema import Recipe
from foveate.records import Classes
from foveate.training.data.gather import PARTS, alike
from foveate.training.run.existing import CHANGEABLE
from foveate.training.run.facts import FACTS, load_facts
from foveate.training.run.folder import RECIPE, STATE
from foveate.training.run.tensors import load_state


def precision_of(folder: Path) -> str | None:
    """What a run has begun with; None where that isn't recorded: then its recipe says it."""
    precision: str | None = load_facts(folder).get("precision") if (folder / FACTS).is_file() else None
    return precision


def check_begun(folder: Path) -> None:
    """TrainingError where there is no state to go on from."""
    if not (folder / STATE).is_file():
        raise TrainingError(f"{folder}: holds no run to go on with. Begin one without --resume.")


def state_and_facts(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """State and facts of a run that was stopped."""
    for path in folder.iterdir():
        if UNFINISHED.fullmatch(path.name):
            path.unlink()
    return load_state(folder), load_facts(folder)


def check_classes(folder: Path, classes: Classes, facts: Mapping[str, Any]) -> None:
    """TrainingError where the masks tell apart something else now; runs from before this was noted are not asked."""
    if "classes" in facts and not alike(Classes(tuple(facts["classes"]), exclusive=facts["exclusive"]), classes):
        raise TrainingError(
            f"{folder}: began with the classes {', '.join(facts['classes'])}, and its data don't have these now."
            " Put them back as they were, or begin another run."
        )


def check_epochs(folder: Path, recipe: Recipe, state: Mapping[str, Any]) -> None:
    """TrainingError where more epochs are done than the run is to have."""
    if (done := len(state["progress"]["rows"])) > recipe.training.epochs:
        raise TrainingError(
            f"{folder}: {done} epochs are done, more than training.epochs={recipe.training.epochs}."
            f" Give {done} or more."
        )


def check_same(
    folder: Path, recipe: Recipe, record: Mapping[str, Any], state: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    """TrainingError where going on would make another run; it may only become longer or shorter on the way."""
    first, now = (_keys(either) for either in (checked_recipe(as_it_was(state["recipe"]), str(folder / STATE)), recipe))
    changed = {key for key in first.keys() | now.keys() if first.get(key) != now.get(key)} - set(CHANGEABLE)
    if changed:
        raise TrainingError(
            f"{folder}: its recipe has changed since the run began ({', '.join(sorted(changed))})."
            f" Put {RECIPE} back as it was, or begin another run."
        )
    if _listed(facts["data"]) != _listed(record):
        raise TrainingError(
            f"{folder}: the data sets don't have the cases that the run began with."
            " Put them back as they were, or begin another run."
        )


def _listed(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Without the contents, which an earlier foveate didn't note."""
    noted = {f"{part}_contents" for part in PARTS}
    return {name: {key: of_set[key] for key in of_set.keys() - noted} for name, of_set in record.items()}


def _keys(recipe: Recipe) -> dict[str, Any]:
    """Every key of a recipe by its full name."""
    sections = {name: value if isinstance(value, dict) else {"": value} for name, value in recipe.model_dump().items()}
    return {f"{name}.{key}".rstrip("."): value for name, keys in sections.items() for key, value in keys.items()}
