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
from foveate.training.run.facts import save_facts
from foveate.training.run.folder import BEST, CURVES, LAST, save_table
from foveate.training.run.progress import Progress
from foveate.training.run.tensors import WeightsHeader, flatten, save_state, save_weights, unflatten
from foveate.training.step.learner import Learner, RunSetup, restore_learner, state_of

DRAWN_EVERY = 10.0
"""Seconds between two pictures of the curves; the run's end always draws one."""


def commit(setup: RunSetup, learner: Learner) -> None:
    """Make the run go on from here, whatever happens. Raises OutputError; then it goes on from where it did before."""
    save_state(setup.folder, _state_now(setup, learner) | {"recipe": setup.recipe.model_dump(mode="json")})


def _state_now(setup: RunSetup, learner: Learner) -> dict[str, Any]:
    chance = {"cpu": torch.get_rng_state()}
    if setup.fabric.device.type == "cuda":
        chance["cuda"] = torch.cuda.get_rng_state(setup.fabric.device)
    # Dropout takes its chance from PyTorch's own generators, not from the run's.
    # The loss is scaled in 16-mixed by what all gradients so far have shown.
    return state_of(learner) | {"chance": chance, "precision": setup.fabric.strategy.precision.state_dict()}


def same_everywhere(setup: RunSetup, learner: Learner) -> None:
    """Bring the learner of every process to the state of the first one."""
    processes = setup.processes
    if processes.count > 1:
        state = processes.from_first(flatten(_state_now(setup, learner)) if processes.first else None)
        if state is not None and not processes.first:
            restore(setup, learner, unflatten(*state))


def restore(setup: RunSetup, learner: Learner, state: dict[str, Any]) -> None:
    """Bring the learner, on its device, and all chance to a saved state."""
    restore_learner(learner, state)
    if scaler := state.get("precision"):  # not of a run from before it was kept
        setup.fabric.strategy.precision.load_state_dict(scaler)
    torch.set_rng_state(state["chance"]["cpu"])
    if "cuda" in state["chance"] and setup.fabric.device.type == "cuda":
        torch.cuda.set_rng_state(state["chance"]["cuda"], setup.fabric.device)


def kept_network(learner: Learner) -> nn.Module:
    """The one that is validated and kept: the average where the recipe asks for one."""
    return learner.average.module if learner.average is not None else learner.network


def publish(setup: RunSetup, learner: Learner, *, ending: str = "") -> None:
    """Write weights, table, curves and run.json as they follow from the state. Raises OutputError."""
    progress, folder = learner.progress, setup.folder
    if progress.rows:
        row = progress.rows[-1]
        network = setup.recipe.network
        facts = WeightsHeader(
            network=network.name,
            options=network.options,
            mean=setup.mean,
            deviation=setup.deviation,
            classes=setup.classes.names,
            exclusive=setup.classes.exclusive,
            thresholds=row.thresholds,
            validation_f1=row.f1,
            epoch=row.epoch,
        )
        weights = kept_network(learner).state_dict()
        save_weights(folder / LAST, weights, facts)
        if row.best:
            save_weights(folder / BEST, weights, facts)
        save_table(folder, progress.rows)
        if ending or not _is_fresh(folder / CURVES):
            draw_curves(progress.rows, folder)
    _save_facts(setup, progress, ending)


def _is_fresh(picture: Path) -> bool:
    """Whether it was drawn a moment ago: drawing takes as long as some epochs."""
    try:
        return 0 <= time.time() - picture.stat().st_mtime < DRAWN_EVERY
    except FileNotFoundError:
        return False


def _save_facts(setup: RunSetup, progress: Progress, ending: str) -> None:
    best = progress.best
    save_facts(
        setup.folder,
        {
            **setup.facts,
            "progress": {
                "epochs": progress.epoch,
                "planned": setup.recipe.training.epochs,
                "best": best and {"epoch": best.epoch, "f1": best.mean_f1, "thresholds": best.thresholds},
                "events": progress.events,
                "ending": ending,
            },
        },
    )
