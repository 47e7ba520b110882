"""What `foveate segment` shows while it works: a line per image, decisions once, and the time that is left."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from foveate.cli.console import say, say_error

if TYPE_CHECKING:
    from pathlib import Path

    from foveate.inference.sink import Outcome

FIRST_ESTIMATE = 20
"""Images after which the time that is left is told; then at every tenth of all."""


class Display:
    """Tells outcomes as they come, and counts them."""

    def __init__(self, total: int) -> None:
        self.failed = 0
        self._total = total
        self._number = self._kept = 0
        self._notes: Counter[str] = Counter()
        self._began: tuple[float, int] | None = None
        self._waits = False

    def tell(self, outcome: Outcome) -> None:
        """A line on one image; a decision that was told before is counted only."""
        self._number += 1
        counter = f"[{self._number}/{self._total}] "
        stored = [f"DICOM SEG stored on {outcome.stored}"] if outcome.stored else []
        if outcome.error:
            self.failed += 1
            say_error(counter + outcome.error)
        elif outcome.kept:
            self._kept += 1
            there = next(iter(_places(outcome)))
            facts = "; ".join(["(--overwrite replaces it)", *stored])
            say(f"{counter}{outcome.key}: kept, as {there} is there {facts}")
        else:
            expected = [f"expected F1 of {name} {value}" for name, value in outcome.expected_f1.items()]
            fresh = [note for note in outcome.notes if note not in self._notes]
            self._notes.update(outcome.notes)
            facts = "; ".join([f"{outcome.seconds:.2f} s", *expected, *stored, *fresh])
            say(f"{counter}{outcome.key} → {', '.join(_places(outcome))} ({facts})")
            self._began = self._began or (time.monotonic(), self._number)
        self._estimate()

    def wait(self, count: int) -> None:
        """Say once that images are left to other calls."""
        if not self._waits:
            say(f"waiting for {count} images that other calls are making")
        self._waits = True

    def close(self, out: Path | str) -> None:
        """How often each decision was taken, and what became of all."""
        for note, count in self._notes.items():
            if count > 1:
                say(f"{count} images: {note}")
        done = self._total - self.failed - self._kept
        say(
            f"{done} done, {self._kept} kept, {self.failed} failed; results in {out}."
            " For research, not a medical device."
        )

    def _estimate(self) -> None:
        """By the time since the first image that was made here; what others make meanwhile counts, too."""
        if self._began is None or self._number == self._total:
            return
        since, first = self._began
        counted = self._number - first
        if counted == FIRST_ESTIMATE or (counted > FIRST_ESTIMATE and self._number % max(1, self._total // 10) == 0):
            rate = counted / max(time.monotonic() - since, 1e-3)
            left = (self._total - self._number) / rate
            say(f"{rate:.3g} images/s, {self.failed} failed, about {_duration(left)} left")


def _places(outcome: Outcome) -> list[str]:
    return list(map(str, (outcome.outputs or outcome.addresses).values()))


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes > 1 else f"{round(seconds)} s"
