"""A fingerprint, a machine and a speed, from which tests change what they look at."""

from __future__ import annotations

from foveate.planning.fingerprint import Fingerprint
from foveate.planning.plan import Measures, TrainingPlan, draft, plan
from foveate.training.machine import Machine
from foveate.training.rehearsal import Speed

LESIONS = Fingerprint(
    images=450,
    validation=50,
    groups=500,
    looked_at=64,
    height=384,
    width=384,
    smallest=384,
    diameter=384,
    largest=384,
    discs=0.1,
    grey=False,
    colours=True,
    classes=("lesion",),
    shares=(0.2,),
    present=(1.0,),
    thickness=(0.2,),
    seconds=0.01,
)

MACHINE = Machine("cpu", "a processor", cores=2, memory=16 * 10**9)

SPEED = Speed(crops=10.0, validation=0.1)

WEIGHT = 10**8
"""Bytes of a crop of 64 pixels' side."""


def planned(
    *overrides: str,
    seen: Fingerprint = LESIONS,
    machine: Machine = MACHINE,
    hours: float = 1.0,
    speed: Speed = SPEED,
    weight: int = WEIGHT // 100,
    spent: float = 60.0,
) -> TrainingPlan:
    """A plan by numbers alone: nothing is measured."""
    measures = Measures(lambda _: weight, lambda _: speed, lambda: spent)
    data = draft(["folder"], seen.groups, overrides)
    return plan(seen, machine, hours, measures, data=data, sets=["folder"], overrides=overrides)
