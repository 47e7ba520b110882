"""How many epochs of how many crops fit into the hours."""

from __future__ import annotations

import math
from dataclasses import dataclass

from foveate.errors import UsageError
from foveate.planning.fingerprint import Fingerprint
from foveate.training.machine import Machine
from foveate.training.rehearsal import Speed

RESERVE = 0.1
"""Of the time for epochs that stays free, as a machine may have something else to do, too."""

EPOCHS = 20
"""At least so many, where the time allows: fewer leave the best one to chance."""

LONGEST_EPOCH = 600.0
"""Seconds: a power cut loses no more."""

VALIDATING = 0.2
"""Of the time for epochs that validation may take."""

LEAST_STEPS = 10
"""Of the optimiser in an epoch: with fewer there is nothing to validate."""

EXPORT = 30.0
"""Seconds to export the model and to start writing the report."""

REPORT = 3.0
"""How many times as long as a validation the report's evaluation of the same images takes."""


@dataclass(frozen=True, slots=True)
class Fit:
    """What fits into the hours."""

    epochs: int
    crops: int
    """In each of them."""
    hours: float
    """For the epochs: what planning, reading and the report leave."""
    beside: float
    """Seconds for what is no epoch: planning, reading, export and report."""
    validating: float
    """Seconds of an epoch for its validation."""
    words: str
    """How the time is spent."""


def fit(
    hours: float, spent: float, fingerprint: Fingerprint, machine: Machine, speed: Speed, crops_per_step: int
) -> Fit:
    """Epochs and crops for the hours, of which `spent` seconds are gone.

    Raises UsageError where not even one short epoch fits, with hours that would do.
    """
    reading = fingerprint.seconds * (fingerprint.images + fingerprint.validation) / machine.cores
    validating = speed.validation * fingerprint.validation
    beside = spent + reading + EXPORT + REPORT * validating
    left = hours * 3600 - beside
    step, usable = crops_per_step / speed.crops, (1 - RESERVE) * left
    shortest = validating + LEAST_STEPS * step
    if usable < shortest:
        enough = math.ceil((beside + shortest / (1 - RESERVE)) / 36) / 100
        raise UsageError(
            f"--hours {hours:g} is too short here: reading, a single epoch of {LEAST_STEPS} steps with its validation,"
            f" and the report take {enough:g} hours. Give more."
        )
    epochs = max(EPOCHS, math.ceil(usable / LONGEST_EPOCH))
    if validating:
        epochs = min(epochs, int(VALIDATING * usable / validating))
    epochs = max(1, min(epochs, int(usable / shortest)))
    crops = int((usable / epochs - validating) / step) * crops_per_step
    words = (
        f"about {_minutes(epochs * crops / speed.crops)} of training and {_minutes(epochs * validating)} of validation,"
        f" {RESERVE:.0%} of the time being left free"
    )
    return Fit(epochs, crops, math.floor(left / 3600 * 1e4) / 1e4, beside, validating, words)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
