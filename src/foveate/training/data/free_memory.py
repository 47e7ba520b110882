"""How much memory this process may still take."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
V2 = ("memory.max", "memory.current", "inactive_file")
"""A control group's limit, what it uses, and how much of that are pages of files that can be given up."""

UNKNOWN = 4 * 2**30
"""Bytes that a machine has free which doesn't say."""


def free_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes: what the system could give without swapping, or what a container's limit leaves if that is less.

    Linux says so; of another system half of all memory is taken for free.
    """
    return min([_of_system(proc), *_left_in_groups(proc, groups)])


def _of_system(proc: Path) -> int:
    try:
        table = proc / "meminfo"
        lines = table.read_text(encoding="utf-8").splitlines() if table.is_file() else []
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    except (AttributeError, OSError, ValueError, LookupError):
        return UNKNOWN


def _left_in_groups(proc: Path, groups: Path) -> Iterator[int]:
    """What the limits of this process's control group and of those above it leave."""
    try:
        lines = (proc / "self" / "cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, kinds, own = line.split(":", 2)
        if number == "0" or "memory" in kinds.split(","):
            root, names = (groups, V2) if number == "0" else (groups / "memory", V1)
            inner = root / own.strip("/")
            for group in (inner, *inner.parents):
                if group.is_relative_to(root):
                    yield from _left(group, *names)


def _left(group: Path, limit: str, used: str, idle: str) -> Iterator[int]:
    """Nothing for a group without a limit."""
    try:
        most, taken = (int((group / name).read_text(encoding="utf-8")) for name in (limit, used))
        numbers = dict(line.split() for line in (group / "memory.stat").read_text(encoding="utf-8").splitlines())
        yield max(0, most - taken + int(numbers[idle]))
    except (OSError, ValueError, LookupError):
        return
