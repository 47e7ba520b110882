"""The memory that networks may hold at once, so that one that asks for too much ends in a message."""

from __future__ import annotations

import os
from functools import cache

SHARE = 0.75
"""Of the machine's memory."""

UNKNOWN = 8 * 2**30
"""Bytes for the networks of a machine that doesn't say how much it has."""

PIECE = 48 * 2**20
"""Bytes that are asked of the system at least: so much the C library hands back at once, less it would keep."""


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
    wanted = {"max_mem": limit(), "initial_chunk_size_bytes": PIECE, "initial_growth_chunk_size_bytes": PIECE}
    onnxruntime.create_and_register_allocator(place, onnxruntime.OrtArenaCfg(wanted))
