"""What a command that works for long does when it is asked to end."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

INTERRUPTED, TERMINATED = 128 + 2, 128 + 15
"""Exit statuses, as shells have them: of Ctrl-C, and of a process that was asked to end."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by the system or by `kill`."""


@contextmanager
def sigterm_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM raise `Terminated` inside of this."""

    def stop(signal_number: int, frame: FrameType | None) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def status_of(stop: KeyboardInterrupt) -> int:
    """The exit status of a command that was stopped so."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
