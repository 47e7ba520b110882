"""How far a run is: one row per epoch and what was decided on the way, all of it plain values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

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
    f1: dict[str, float]
    """Of the validation images, by set, at the threshold."""
    threshold: float
    learning_rate: float
    """After the epoch's last step, before its validation."""
    best: bool
    """Better than every epoch before."""
    images_per_second: float
    """Of training; the validation is not counted."""
    seconds: float

    @property
    def mean_f1(self) -> float:
        """Every set counts the same."""
        return sum(self.f1.values()) / len(self.f1)

    def sentence(self, epochs: int) -> str:
        """The epoch in one line."""
        scores = ", ".join(f"{name} {f1:.4f}" for name, f1 in self.f1.items())
        return (
            f"epoch {self.epoch}/{epochs}: loss {self.loss:.4f}, validation loss {self.validation_loss:.4f},"
            f" F1 {scores} at {self.threshold:.3f}, {self.images_per_second:.1f} images/s, {self.seconds:.0f} s"
            f"{' (best)' if self.best else ''}"
        )


@dataclass(frozen=True, slots=True)
class Progress:
    """The rows and events of a run, in order; they grow while it runs."""

    rows: list[EpochRow] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    """One sentence for each time the learning rate was lowered for a reason, and for early stopping."""

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
        return {"rows": [asdict(row) for row in self.rows], "events": list(self.events)}

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over saved values, in place."""
        self.rows[:] = [EpochRow(**row) for row in values["rows"]]
        self.events[:] = values["events"]
