"""How many epochs a run gets, and how far its schedule is, where its hours are limited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

RECENT = 3
"""Epochs by the slowest of which the next ones are judged: a machine may have become slower, or free again."""

SHORTEST = 1e-3
"""Seconds that an epoch is taken to last at least: a clock may show none."""


@dataclass(slots=True)
class Pace:
    """A number of epochs that may change on the way, and a schedule that bends with it; part of a run's state."""

    asked: int
    """Epochs by the recipe: never more."""
    epochs: int
    """Epochs as things stand."""
    since: int = 0
    """Epochs that were done when this number last changed."""
    passed: float = 0.0
    """Share of the schedule that was over by then, from 0 to 1."""

    def share(self, epochs: float) -> float:
        """The share of the schedule, 0 to 1, that is over after so many epochs, parts of one included."""
        if epochs >= self.epochs:
            return 1.0
        return self.passed + (1 - self.passed) * (epochs - self.since) / (self.epochs - self.since)

    def fit(self, seconds: Sequence[float], limit: float) -> None:
        """Take as many epochs as `limit` seconds hold, by what each took so far.

        What is over of the schedule stays over, and the rest of it is spread over the epochs that are left.
        """
        done = len(seconds)
        if not done:
            return
        each, left = max(*seconds[-RECENT:], SHORTEST), max(limit - sum(seconds), 0.0)
        epochs = min(self.asked, done + int(left / each))
        if epochs != self.epochs:
            # A run that was over goes on where it would stand, had it been this long from the start.
            self.passed = self.share(done) if done < self.epochs else done / epochs
            self.since, self.epochs = done, epochs

    def to_values(self) -> dict[str, Any]:
        """Plain values for `restore`."""
        return asdict(self)

    def restore(self, values: Mapping[str, Any]) -> None:
        """Take over saved values, in place, unless the recipe asks for another number of epochs now."""
        if values["asked"] == self.asked:
            for name, value in values.items():
                setattr(self, name, value)
