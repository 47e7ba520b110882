"""Whether a loss diverges though it still is a number: whether it has risen far above what it was, and stays there.

Shipped recipes on DRIVE and LGG, with crops of 64 pixels and so with more noise, stayed below 1.05 times the lowest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

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
