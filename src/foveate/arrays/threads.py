"""Work on one image that falls into parts, done at the same time: Pillow and NumPy let other threads run meanwhile."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeVar

Part = TypeVar("Part")


def for_each(parts: Iterable[Part], work: Callable[[Part], None], threads: int = 1) -> None:
    """The work on each part, in so many threads; raises what it raises."""
    if threads <= 1:
        for part in parts:
            work(part)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        deque(pool.map(work, parts), maxlen=0)
