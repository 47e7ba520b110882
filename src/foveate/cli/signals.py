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
def stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM raise KeyboardInterrupt and `Terminated` inside of this, and nothing else leave it then.

    What they interrupt may make another error of them: an import may end with RuntimeError (of `__set_name__`) then.
    """
    asked: list[KeyboardInterrupt] = []

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        asked.append(Terminated() if number == signal.SIGTERM else KeyboardInterrupt())
        raise asked[-1]

    heard = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    except Exception as error:
        if asked:
            raise asked[-1] from error
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def status_of(stop: KeyboardInterrupt) -> int:
    """The exit status of a command that was stopped so."""
    return TERMINATED if isinstance(stop, Terminated) else INTERRUPTED
