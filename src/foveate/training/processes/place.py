"""Which of a run's processes this one is, as `torchrun` says; known without PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LAUNCHED = "TORCHELASTIC_RUN_ID"
"""Only `torchrun` sets it; the other names may be a batch system's, around a process that is the only one."""


@dataclass(frozen=True, slots=True)
class Rank:
    """One process among those of a run."""

    number: int
    """From 0; that one writes the run's folder and speaks."""
    count: int
    on_machine: int
    """Number among the processes of its machine, and of its GPU."""
    per_machine: int

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Rank:
        """Of a process that `torchrun` has started, else the only one."""
        if LAUNCHED not in environment:
            return ALONE
        return cls(*(int(environment[key]) for key in ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")))


ALONE = Rank(0, 1, 0, 1)
"""The only process of a run."""
