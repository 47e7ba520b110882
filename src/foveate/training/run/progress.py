"""How far a run is: one row per epoch, how the loss descends, what was decided on the way; all of it plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any, Literal

from foveate.errors import TrainingError

OnStep = Callable[[int, int, float], None]
"""Epoch and step in the epoch, both from 0, and the step's loss."""


OnRead = Callable[[int, int], None]
"""How many images have been read, of how many."""


MEMORY = 100
"""Steps over which the average forgets: single batches, and a rise that passes, hardly count."""

FIRST_JUDGED = 20
"""Step; earlier ones may rise and fall again."""

KNOWS_NOTHING = 1.0
"""About the loss of a network that has learnt nothing: one of the first steps may have an easy batch."""

SMALLEST = 0.1
"""What a lower average counts as: far below, one hard batch is many times the rest."""


@dataclass(slots=True)
class Descent:
    """A loss on its way down; part of a run's state."""

    steps: int = 0
    decayed: float = 0.0
    """Sum of the losses, each weighted by how long ago it was."""
    lowest: float = math.inf
    """Average, so far."""

    def add(self, loss: float) -> None:
        """Take in the next step's."""
        self.steps += 1
        self.decayed = self.decayed * (1 - 1 / MEMORY) + loss / MEMORY
        if self.steps == 1:
            self.lowest = max(loss, KNOWS_NOTHING)
        elif self.steps >= MEMORY:
            self.lowest = max(min(self.lowest, self.average), SMALLEST)

    @property
    def average(self) -> float:
        """Exponential, over about the last hundred steps or all that there are."""
        return self.decayed / (1 - (1 - 1 / MEMORY) ** self.steps)

    def diverges(self, factor: float) -> bool:
        """Whether the average is more than that many times the lowest one; 0: never."""
        return 0 < factor * self.lowest < self.average and self.steps >= FIRST_JUDGED


Watch = Literal["f1", "loss"]
"""What the best epoch, the plateau and early stopping go by: the validation images' mean F1 or their loss."""

WATCHED: dict[Watch, str] = {"f1": "validation F1", "loss": "validation loss"}


@dataclass(frozen=True, slots=True)
class EpochRow:
    """One epoch, for the log and for people."""

    epoch: int
    """From 1."""
    loss: float
    """Mean over the steps."""
    validation_loss: float
    """The same loss on the whole validation images at working size, inside the FOV; every set counts the same."""
    class_f1: dict[str, dict[str, float | None]]
    """Of the validation images, by set and class, at the thresholds; None where no mask has the class."""
    thresholds: tuple[float, ...]
    """One for each class that may overlap others, else one."""
    learning_rate: float
    """After the epoch's last step, before its validation."""
    best: bool
    """Better than every epoch before."""
    images_per_second: float
    """Of training; the validation is not counted."""
    seconds: float

    @property
    def f1(self) -> dict[str, float]:
        """By set."""
        return f1_by_set(self.class_f1)

    @property
    def mean_f1(self) -> float:
        """Every set counts the same."""
        return fmean(self.f1.values())

    def sentence(self, epochs: int) -> str:
        """The epoch in one line."""
        scores = ", ".join(f"{name} {f1:.4f}{_by_class(self.class_f1[name])}" for name, f1 in self.f1.items())
        thresholds = ", ".join(f"{threshold:.3f}" for threshold in self.thresholds)
        return (
            f"epoch {self.epoch}/{epochs}: loss {self.loss:.4f}, validation loss {self.validation_loss:.4f},"
            f" F1 {scores} at {thresholds}, {self.images_per_second:.1f} images/s, {self.seconds:.0f} s"
            f"{' (best)' if self.best else ''}"
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """The rows and events of a run, in order; they grow while it runs."""

    rows: list[EpochRow] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    """One sentence for each time the learning rate was lowered for a reason, and for early stopping."""
    descent: Descent = field(default_factory=Descent)
    """Of the training loss, step by step."""

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return len(self.rows)

    @property
    def best(self) -> EpochRow | None:
        """The best epoch so far."""
        return next((row for row in reversed(self.rows) if row.best), None)

    @property
    def stale(self) -> int:
        """Epochs since the best one."""
        return self.epoch - (self.best.epoch if self.best else 0)

    def is_better(self, watch: Watch, *, mean_f1: float, loss: float) -> bool:
        """Whether an epoch with this validation would be the best so far."""
        if (best := self.best) is None:
            return True
        if watch == "f1":
            return mean_f1 > best.mean_f1
        return loss < best.validation_loss or math.isnan(best.validation_loss)

    def to_values(self) -> dict[str, Any]:
        """Plain values for `restore`."""
        rows = [asdict(row) for row in self.rows]
        return {"rows": rows, "events": list(self.events), "descent": asdict(self.descent)}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over saved values, in place. Raises TrainingError for those of an older foveate."""
        if any("class_f1" not in row for row in values["rows"]):
            raise TrainingError("the run is of an older foveate. Begin another one with --from its best weights.")
        self.rows[:] = [EpochRow(**row | {"thresholds": tuple(row["thresholds"])}) for row in values["rows"]]
        self.events[:] = values["events"]
        for name, value in values["descent"].items():
            setattr(self.descent, name, value)


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears how a run goes."""

    say: Callable[[str], None] = lambda _: None
    """A sentence, for people."""
    on_step: OnStep = lambda *_: None
    on_epoch: Callable[[EpochRow], None] = lambda _: None
    on_read: OnRead = lambda *_: None


def f1_by_set(class_f1: Mapping[str, Mapping[str, float | None]]) -> dict[str, float]:
    """The mean of each set's classes, every one counting the same; a class that no mask of the set has is left out."""
    return {name: fmean(f1 for f1 in row.values() if f1 is not None) for name, row in class_f1.items()}


def _by_class(scores: Mapping[str, float | None]) -> str:
    """What the classes have, where there are several."""
    shown = (f"{name} –" if f1 is None else f"{name} {f1:.4f}" for name, f1 in scores.items())
    return f" ({', '.join(shown)})" if len(scores) > 1 else ""
