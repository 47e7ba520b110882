"""The memory that networks may hold at once, so that one that asks for too much ends in a message."""

from __future__ import annotations

import os
from functools import cache

SHARE = 0.75
"""Of the machine's memory."""

UNKNOWN = 8 * 2**30
"""Bytes for the networks of a machine that doesn't say how much it has."""

FIRST = 512 * 2**20
"""Bytes of addresses that are taken at once and kept: pages become memory when they are first written to, and are there
for the next image, whatever its size. The shipped networks find room in it at any working size; one piece leaves no
gaps, so that 200 odd sizes in a row take what the largest takes."""

PIECE = 48 * 2**20
"""Bytes that are asked of the system at least beyond `FIRST`: so much the C library hands back at once after the run,
less it would keep."""

UNUSED = 2**20
"""Bytes that a buffer may be larger than what it is needed for; beyond that, others get the rest, which would otherwise
take pages of their own: an eighth more memory for the same image."""


def limit() -> int:
    """Bytes that the networks of a process may hold at once, beside their weights."""
    try:
        return int(SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return UNKNOWN


@cache
def limit_memory() -> None:
    """Give ONNX Runtime the one allocator of this process that keeps to the limit; it can be given only once."""
    import onnxruntime

    place = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    first = min(FIRST, limit() // 2)
    wanted = {
        "max_mem": limit(),
        "initial_chunk_size_bytes": first,
        "initial_growth_chunk_size_bytes": PIECE,
        "max_dead_bytes_per_chunk": UNUSED,
    }
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(wanted))
