"""From which case each crop is taken: pass after pass through every set, each case once before any twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from foveate.training.data.sampling import TrainingSet


@dataclass(frozen=True, slots=True)
class Passes:
    """How far a run has gone through its sets; the order of each pass follows from the seed, the set and its number."""

    seed: int
    given: dict[str, int] = field(default_factory=dict)
    """How many crops each set has given so far, by its name; part of a run's state."""

    def draw(self, sets: Sequence[TrainingSet], size: int, generator: torch.Generator) -> Iterator[Tensor]:
        """The cases (C + K + 1)×H×W of `size` crops, in an order by chance, which parts a step's crops into batches.

        The sets take turns: next comes the one that lacks most of what it should have given, by its weight.
        """
        chosen = [self._next(sets) for _ in range(size)]
        for place in torch.randperm(size, generator=generator).tolist():
            yield chosen[place]

    def _next(self, sets: Sequence[TrainingSet]) -> Tensor:
        total, count = sum(data.weight for data in sets), sum(self.given.values()) + 1
        data = max(sets, key=lambda each: count * each.weight / total - self.given.get(each.name, 0))
        number, place = divmod(self.given.get(data.name, 0), len(data.cases))
        self.given[data.name] = self.given.get(data.name, 0) + 1
        return data.cases[self._order(data, number)[place]]

    def _order(self, data: TrainingSet, number: int) -> list[int]:
        """Of a set's cases, in one pass through them."""
        chance = np.random.default_rng([self.seed, number, *data.name.encode()])
        order: list[int] = chance.permutation(len(data.cases)).tolist()
        return order
