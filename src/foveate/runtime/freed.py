"""What becomes of memory that is freed, where the GNU C library is the process's: elsewhere nothing is changed."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LARGE_PIECE = 2**20
"""Bytes of a piece of memory from which on a service hands it back to the system when it is freed."""

KEPT = 2**31 - 1
"""Bytes up to which a training keeps a piece for the next tensor, and of such pieces together: the most that the
library takes."""

GROWTH = 2**26
"""Bytes that a training asks of the system at least."""

USUAL = {"piece": 2**25, "together": 2**26, "growth": 2**17}
"""The library's own bounds in a process that has had large pieces before."""

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -2, -3, -8
"""The library's numbers for these settings, of its malloc.h."""


def hand_back_freed_memory() -> None:
    """Keep no freed image for later.

    By itself the library keeps pieces of up to 32 MB once it has seen one, and has a heap for every thread: then a
    service stays as large as all that its threads ever held.
    """
    if set_to := _setting():
        set_to(_MMAP_THRESHOLD, LARGE_PIECE)
        set_to(_ARENA_MAX, 1)


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Within, keep what tensors free for the next ones, which take as much; afterwards hand it back.

    By itself the library gives pieces of more than 32 MB back at once, and for each new one the system has to clear
    its pages: a third of the processor time of training `region_guided` in float32.
    """
    set_to = _setting()
    if set_to is None:
        yield
        return
    _bound(set_to, piece=KEPT, together=KEPT, growth=GROWTH)
    try:
        yield
    finally:
        _bound(set_to, **USUAL)
        ctypes.CDLL(None).malloc_trim(0)


def _bound(set_to: Callable[[int, int], int], *, piece: int, together: int, growth: int) -> None:
    set_to(_MMAP_THRESHOLD, piece)
    set_to(_TRIM_THRESHOLD, together)
    set_to(_TOP_PAD, growth)


def _setting() -> Callable[[int, int], int] | None:
    return getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
