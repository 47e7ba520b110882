"""What the trials of a sweep may differ in: its axes, their combinations, and the recipe of each."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from foveate.errors import RecipeError, UsageError
from foveate.recipes.read import read_recipe
from foveate.recipes.schema import Recipe
from foveate.sweeps.schema import Range, Sweep, label

AxisValue = str | int | float
"""A choice by its label, or a number from a range."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One thing that is searched."""

    name: str
    """A key of the recipe, or a bundle's name."""
    choices: Mapping[str, Mapping[str, Any]]
    """Label to the keys of the recipe that it sets; empty for a range."""
    numbers: Range | None = None

    def exact(self, drawn: AxisValue) -> AxisValue:
        """The value of a range in steps that a number was meant to be: drawing adds floating-point dust."""
        if self.numbers is None or not self.numbers.values:
            return drawn
        return min(self.numbers.values, key=lambda value: abs(value - float(drawn)))

    def sets(self, setting: AxisValue) -> Mapping[str, Any]:
        """The keys of the recipe that the setting sets."""
        return {self.name: setting} if self.numbers else self.choices[str(setting)]


def axes(sweep: Sweep) -> tuple[Axis, ...]:
    """In the file's order, bundles last. In a grid, a range with a step is the list of its values."""
    single = []
    for key, values in sweep.search.items():
        if isinstance(values, Range) and sweep.method != "grid":
            single.append(Axis(key, {}, values))
        else:
            listed = values.values if isinstance(values, Range) else values
            single.append(Axis(key, {label(value): {key: value} for value in listed}))
    return (*single, *(Axis(name, choices) for name, choices in sweep.bundles.items()))


def grid(sweep: Sweep) -> list[dict[str, AxisValue]]:
    """Every combination of the axes' choices, the last axis fastest."""
    names = [axis.name for axis in axes(sweep)]
    return [dict(zip(names, choice, strict=True)) for choice in itertools.product(*(a.choices for a in axes(sweep)))]


def trials_of(sweep: Sweep) -> int:
    """How many trials the sweep has."""
    return len(grid(sweep)) if sweep.method == "grid" else sweep.trials


def runs_of(sweep: Sweep) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Of one trial: each run's folder and its overrides."""
    for seed in sweep.seeds:
        for fold in range(max(1, sweep.folds)):
            name = f"seed-{seed}-fold-{fold}" if sweep.folds else f"seed-{seed}"
            yield name, (f"training.seed={seed}", f"data.folds={sweep.folds}", f"data.fold={fold}")


def recipe_of(sweep: Sweep, settings: Mapping[str, AxisValue], recipe: str, *extra: str) -> Recipe:
    """The recipe of a trial: the name or file `recipe` with what the sweep fixes, the settings, and more overrides.

    Raises RecipeError for an unknown key or a value that the recipe's schema refuses.
    """
    keys = dict(sweep.fixed)
    for axis in axes(sweep):
        if axis.name in settings:
            keys |= axis.sets(settings[axis.name])
    overrides = [f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()]
    return read_recipe(recipe, [*overrides, *extra])


def check_recipes(sweep: Sweep, source: str) -> None:
    """Raise UsageError unless every combination of a grid, or else every single value, gives a valid recipe."""
    try:
        watch = recipe_of(sweep, {}, sweep.recipe).training.watch
        for settings in to_check(sweep):
            recipe_of(sweep, settings, sweep.recipe)
    except RecipeError as error:
        raise UsageError(f"{source}: {error}") from error
    if watch == "loss" and any("training.loss" in key for axis in axes(sweep) for key in _keys(axis)):
        raise UsageError(
            f"{source}: training.loss: trials with different losses can't be compared by it."
            " Set training.watch = 'f1' in [fixed]."
        )


def to_check(sweep: Sweep) -> Iterator[dict[str, AxisValue]]:
    """Settings that a sweep is checked with before it begins: a grid's all, else every choice and both ends once."""
    if sweep.method == "grid":
        yield from grid(sweep)
        return
    ends: dict[str, list[AxisValue]] = {
        axis.name: [axis.numbers.low, axis.numbers.high] if axis.numbers else [*axis.choices] for axis in axes(sweep)
    }
    first = {name: values[0] for name, values in ends.items()}
    yield from (first | {name: value} for name, values in ends.items() for value in values)


def _keys(axis: Axis) -> Iterator[str]:
    yield axis.name
    yield from (key for choice in axis.choices.values() for key in choice)
