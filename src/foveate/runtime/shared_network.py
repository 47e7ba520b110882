"""One network that several threads call: a lonely call has all cores, and each that has company a share of them."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING, Any

from foveate.runtime.session import cores

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Call = Callable[["NDArray[np.float32]"], Any]

MOST_AT_A_TIME = 4
"""Images that are segmented at the same time where there are cores for more: each needs memory of its own."""


def at_a_time(threads: int) -> int:
    """How many images at a time, and how many calls of a network, `threads` are shared by (0: one for each core)."""
    return min(MOST_AT_A_TIME, threads or cores())


class SharedNetwork:
    """Calls that come one after the other go to `alone`, which has all threads, and those that come together to what
    `beside` opens, in which each has a share of them of its own.

    In ONNX Runtime calls that share threads wait for each other at every operation: two images took half as much
    processor time again.
    """

    def __init__(self, alone: Call, beside: Callable[[], Call]) -> None:
        self._alone, self._open = alone, beside
        self._beside: Call | None = None
        self._running, self._lock = 0, Lock()
        self._in_company = False
        """Whether the last call came while another ran: then the next will probably be joined by one, too."""

    def __call__(self, batch: NDArray[np.float32]) -> Any:
        """The network's output."""
        with self._lock:
            joins = self._running > 0
            if joins and self._beside is None:
                self._beside = self._open()
            call = self._beside if self._beside is not None and (joins or self._in_company) else self._alone
            self._in_company = joins
            self._running += 1
        try:
            return call(batch)
        finally:
            with self._lock:
                self._running -= 1
