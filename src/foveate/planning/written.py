"""A plan as a recipe's file, which says beside each key why it has its value."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from foveate.recipes.read import literal

if TYPE_CHECKING:
    from foveate.planning.plan import TrainingPlan

LINE = 100


def as_toml(plan: TrainingPlan) -> str:
    """TOML that `foveate train` takes as it is, and that reads back to the plan's recipe."""
    recipe = plan.recipe
    words = [word for name in plan.sets for word in ("--data", f"{name}:FOLDER")]
    lines = [f"# foveate train plan.toml {shlex.join(words)} --out RUN"]
    lines += [line for sentence in _about(plan) for line in _comment(sentence)]
    lines += [f"name = {literal(recipe.name)}", f"description = {literal(recipe.description)}"]
    for section, keys in plan.content.items():
        lines += ["", f"[{section}]"]
        told = ""
        for key, value in keys.items():
            if (reason := plan.reasons[f"{section}.{key}"]) != told:
                lines += _comment(reason)
            told = reason
            lines.append(f"{key} = {literal(value)}")
    return "\n".join(lines) + "\n"


def _about(plan: TrainingPlan) -> Iterator[str]:
    """What the plan was made from."""
    seen, machine, speed = plan.fingerprint, plan.machine, plan.speed
    yield (
        f"Made by `foveate train auto` for {plan.hours:g} hours. {seen.images} images to learn from,"
        f" {seen.validation} to validate on, of {seen.groups} groups; {seen.looked_at} of the first were looked at:"
        f" {seen.height:g}×{seen.width:g} pixels, diameters of {seen.smallest:.0f} to {seen.largest:.0f}."
    )
    for name, share, present, thick in zip(seen.classes, seen.shares, seen.present, seen.thickness, strict=True):
        yield (
            f"Class {name}: in {present:.0%} of the images, {share:.2%} of the field of view,"
            f" {thick * seen.diameter:.1f} pixels thick."
        )
    yield (
        f"On {machine.device}, {machine.name}, {machine.cores} threads: {speed.crops:.3g} crops a second, and"
        f" {speed.validation:.2g} s for a validation image. Expected to take {plan.seconds / 3600:.2f} hours."
    )


def _comment(sentence: str) -> list[str]:
    """Wrapped, each line a comment of TOML's, which has no control characters."""
    visible = "".join(character if character.isprintable() else " " for character in sentence)
    return [f"# {line}" for line in textwrap.wrap(visible, LINE)]
