"""What an epoch leaves on disk, in an order that may break off anywhere.

The state comes first, and is whole or the one before. All else follows from it: when a run goes on, `publish` writes
again whatever the break may have left behind by an epoch.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from foveate.training.run.curves import draw_curves
from foveate.training.run.folder import BEST, CURVES, LAST, save_facts, save_table
from foveate.training.run.progress import Progress
from foveate.training.run.tensors import flatten, save_state, unflatten
from foveate.training.run.weights import NetworkFacts, save_weights
from foveate.training.step.learner import Parts, restore_parts, state_of
from foveate.training.step.setting import Setting

DRAWN_EVERY = 10.0
"""Seconds between two pictures of the curves; the run's end always draws one."""


def commit(setting: Setting, parts: Parts) -> None:
    """Make the run go on from here, whatever happens. Raises OutputError; then it goes on from where it did before."""
    save_state(setting.folder, _state_now(setting, parts) | {"recipe": setting.recipe.model_dump(mode="json")})


def _state_now(setting: Setting, parts: Parts) -> dict[str, Any]:
    chance = {"cpu": torch.get_rng_state()}
    if setting.fabric.device.type == "cuda":
        chance["cuda"] = torch.cuda.get_rng_state(setting.fabric.device)
    # Dropout takes its chance from PyTorch's own generators, not from the run's.
    # The loss is scaled in 16-mixed by what all gradients so far have shown.
    return state_of(parts) | {"chance": chance, "precision": setting.fabric.strategy.precision.state_dict()}


def same_everywhere(setting: Setting, parts: Parts) -> None:
    """Bring the parts of every process to those of the first one."""
    processes = setting.processes
    if processes.count > 1:
        state = processes.from_first(flatten(_state_now(setting, parts)) if processes.first else None)
        if state is not None and not processes.first:
            restore(setting, parts, unflatten(*state))


def restore(setting: Setting, parts: Parts, state: dict[str, Any]) -> None:
    """Bring the parts, on their device, and all chance to a saved state."""
    restore_parts(parts, state)
    if scaler := state.get("precision"):  # not of a run from before it was kept
        setting.fabric.strategy.precision.load_state_dict(scaler)
    torch.set_rng_state(state["chance"]["cpu"])
    if "cuda" in state["chance"] and setting.fabric.device.type == "cuda":
        torch.cuda.set_rng_state(state["chance"]["cuda"], setting.fabric.device)


def kept_network(parts: Parts) -> nn.Module:
    """The one that is validated and kept: the average where the recipe asks for one."""
    return parts.average.module if parts.average is not None else parts.network


def publish(setting: Setting, parts: Parts, *, ending: str = "") -> None:
    """Write weights, table, curves and run.json as they follow from the parts. Raises OutputError."""
    progress, folder = parts.progress, setting.folder
    if progress.rows:
        row = progress.rows[-1]
        network = setting.recipe.network
        facts = NetworkFacts(
            network=network.name,
            options=network.options,
            mean=setting.mean,
            deviation=setting.deviation,
            classes=setting.classes.names,
            exclusive=setting.classes.exclusive,
            thresholds=row.thresholds,
            validation_f1=row.f1,
            epoch=row.epoch,
        )
        weights = kept_network(parts).state_dict()
        save_weights(folder / LAST, weights, facts)
        if row.best:
            save_weights(folder / BEST, weights, facts)
        save_table(folder, progress.rows)
        if ending or not _is_fresh(folder / CURVES):
            draw_curves(progress.rows, folder)
    _save_facts(setting, progress, ending)


def _is_fresh(picture: Path) -> bool:
    """Whether it was drawn a moment ago: drawing takes as long as some epochs."""
    try:
        return 0 <= time.time() - picture.stat().st_mtime < DRAWN_EVERY
    except FileNotFoundError:
        return False


def _save_facts(setting: Setting, progress: Progress, ending: str) -> None:
    best = progress.best
    save_facts(
        setting.folder,
        {
            **setting.facts,
            "progress": {
                "epochs": progress.epoch,
                "planned": setting.recipe.training.epochs,
                "best": best and {"epoch": best.epoch, "f1": best.mean_f1, "thresholds": best.thresholds},
                "events": progress.events,
                "ending": ending,
            },
        },
    )
