"""A plan: the recipe that data, machine and hours lead to, with a reason for each of its choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from foveate.errors import UsageError
from foveate.planning.fingerprint import Fingerprint
from foveate.planning.fit import Fit, fit
from foveate.planning.rules import ALWAYS, GROUPS, RULES, STEPS, row_of
from foveate.planning.written import as_toml
from foveate.recipes.read import checked_recipe, overridden
from foveate.recipes.schema import Recipe
from foveate.training.machine import Machine
from foveate.training.rehearsal import Speed

SIZES = ((256, 8, 1), (256, 4, 2), (192, 4, 2), (128, 4, 2), (64, 4, 2))
"""Crop, batch and batches per step, the first that fits into memory: the first as in the recipes that were trained.
With fewer crops in a batch, batch norm would know too little of what it norms by."""

BACKWARD = 2.0
"""A step takes so many times the memory of what the forward pass keeps for the backward one: for that pass's own maps,
and what its kernels borrow."""

SHARE = 0.5
"""Of the free memory that a step may take; as much is left for prepared images and for everything else."""

ASKED = "as it was asked for"


@dataclass(frozen=True, slots=True)
class Measures:
    """How a recipe is tried out on the machine."""

    weigh: Callable[[Recipe], int]
    """Bytes that the forward pass of one crop keeps."""
    time: Callable[[Recipe], Speed]
    """How fast its steps and validations are."""
    spent: Callable[[], float]
    """Seconds since the hours have begun."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What will be trained, and why."""

    recipe: Recipe
    content: Mapping[str, Mapping[str, Any]]
    """What of it is written down, by section and key; the rest are defaults."""
    reasons: Mapping[str, str]
    """The full name of each key that is written down to why it has its value."""
    fingerprint: Fingerprint
    machine: Machine
    speed: Speed
    fit: Fit
    hours: float
    """As they were given."""
    sets: tuple[str, ...]

    @property
    def seconds(self) -> float:
        """That all of it is expected to take, planning and report included."""
        training = self.recipe.training
        crops = training.steps_per_epoch * training.crops_per_step
        return self.fit.beside + training.epochs * (self.fit.validating + crops / self.speed.crops)

    @property
    def text(self) -> str:
        """TOML that `foveate train` takes as it is, and that reads back to the recipe, with the reasons as comments."""
        return as_toml(self)


def draft(sets: Sequence[str], groups: int, overrides: Sequence[str] = ()) -> Recipe:
    """What decides on which images are learnt from, before any of them is read: a recipe whose `[data]` counts.

    `groups` are those to learn from. Raises UsageError for an override that is none.
    """
    row = row_of(GROUPS, groups)
    own = [each for each in overrides if each.startswith(("data.", "training.seed="))]
    content = overridden(_nested(row.keys) | _head(sets) | {"network": {"name": "region_guided"}}, own)
    return checked_recipe(content, "auto")


def plan(
    fingerprint: Fingerprint,
    machine: Machine,
    hours: float,
    measures: Measures,
    *,
    data: Recipe,
    sets: Sequence[str],
    overrides: Sequence[str] = (),
) -> TrainingPlan:
    """The recipe for these images on this machine within so many hours, whatever else is overridden.

    The same numbers give the same plan. `data` is the draft that the fingerprint was taken by.

    Raises UsageError where the hours are too few for one epoch, or no crop fits into memory; RecipeError for an
    override that the schema refuses.
    """
    chosen, reasons = _chosen(fingerprint, data)
    # Whatever is asked for is tried out, too: its own batch, network or size.
    tried = _recipe(chosen | _sized(SIZES[-1]), sets, overrides)[0]
    size, reason = _fitting(measures.weigh(tried), tried.training.crop, machine)
    chosen |= _sized(size)
    reasons |= dict.fromkeys(_sized(size), reason)
    tried = _recipe(chosen, sets, overrides)[0]
    speed = measures.time(tried)
    fitted = fit(hours, measures.spent(), fingerprint, machine, speed, tried.training.crops_per_step)
    for keys, why in _timed(fitted, speed, tried.training.crops_per_step):
        chosen |= keys
        reasons |= dict.fromkeys(keys, why)
    recipe, content = _recipe(chosen, sets, overrides)
    written = {f"{section}.{key}": value for section, keys in content.items() for key, value in keys.items()}
    told = {key: reasons[key] if chosen.get(key) == value else ASKED for key, value in written.items()}
    return TrainingPlan(recipe, content, told, fingerprint, machine, speed, fitted, hours, tuple(sets))


def _chosen(fingerprint: Fingerprint, data: Recipe) -> tuple[dict[str, object], dict[str, str]]:
    """Keys and reasons by the tables, and what the draft has."""
    share = {"data.validation_share": data.data.validation_share}
    decided = [(row.keys, row.reason) for row in GROUPS if row.keys == share]
    decided += [(rule.row(fingerprint).keys, rule.words(fingerprint)) for rule in RULES]
    decided += [(row.keys, row.reason) for row in ALWAYS]
    chosen, reasons = dict[str, object](), dict[str, str]()
    for keys, why in decided:
        if "network.name" in keys:  # the options so far are another network's
            chosen = {key: value for key, value in chosen.items() if not key.startswith("network.")}
        chosen |= keys
        reasons |= dict.fromkeys(keys, why)
    return chosen, reasons


def _fitting(weight: int, crop: int, machine: Machine) -> tuple[tuple[int, int, int], str]:
    """The first of `SIZES` that fits into memory, by what one crop of that side takes. Raises UsageError."""
    room = SHARE * machine.memory
    for size in SIZES:
        side, batch, _ = size
        needed = BACKWARD * weight * batch * (side / crop) ** 2
        if needed <= room:
            why = "as in the recipes that were trained so far" if size == SIZES[0] else "the largest that fits"
            return size, f"{why}: a batch takes about {needed / 1e9:.2g} of {machine.memory / 1e9:.2g} GB that are free"
    raise UsageError(
        f"{machine.memory / 1e9:.2g} GB of free memory are too little for four crops of {SIZES[-1][0]}×{SIZES[-1][0]}"
        " pixels. Free some, or choose a smaller network with network.widths=."
    )


def _sized(size: tuple[int, int, int]) -> dict[str, object]:
    return dict(zip(("training.crop", "training.batch", "training.accumulate"), size, strict=True))


def _timed(fitted: Fit, speed: Speed, crops_per_step: int) -> list[tuple[dict[str, object], str]]:
    """What follows from the time, each with its reason."""
    steps = fitted.epochs * math.ceil(fitted.crops / crops_per_step)
    row = row_of(STEPS, steps)
    measured = f"{speed.crops:.3g} crops a second were measured"
    return [
        ({"training.epochs": fitted.epochs, "training.samples_per_epoch": fitted.crops}, f"{measured}; {fitted.words}"),
        ({"training.hours": fitted.hours}, "where the machine becomes slower, the run still ends in time"),
        (dict(row.keys), f"{steps} steps: {row.reason}"),
    ]


def _recipe(
    chosen: Mapping[str, object], sets: Sequence[str], overrides: Sequence[str]
) -> tuple[Recipe, dict[str, dict[str, Any]]]:
    """The recipe of chosen keys and overrides, and its content by section."""
    content = overridden(_nested(chosen), overrides)
    order = {section: content[section] for section in Recipe.model_fields if section in content}
    return checked_recipe(_head(sets) | content, "auto"), order


def _head(sets: Sequence[str]) -> dict[str, Any]:
    return {"name": f"auto-{'-'.join(sets)}", "description": f"Planned by `foveate train auto` for {', '.join(sets)}."}


def _nested(keys: Mapping[str, object]) -> dict[str, dict[str, object]]:
    """By section, from full names."""
    sections: dict[str, dict[str, object]] = {}
    for name, value in keys.items():
        section, _, key = name.partition(".")
        sections.setdefault(section, {})[key] = value
    return sections
