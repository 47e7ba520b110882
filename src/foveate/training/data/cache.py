"""Where a run's prepared cases are kept: in memory as far as that has room, or in one memory-mapped file.

The file is all pixels one after another, then what they are as JSON, then the length of that in eight bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from math import prod
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from torch import Tensor

from foveate.arrays.prepare import Preparation
from foveate.datasets.files import files_of
from foveate.errors import OutputError
from foveate.imaging.write import unfinished_name
from foveate.records import CaseEntry
from foveate.training.run.folder import Storage

UNBOUNDED = 2**62

LENGTH = 8
"""Bytes."""

Prepared = tuple[str, Tensor]
"""`Case.content` of an image, and what crops are drawn from, uint8."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Where to keep cases."""

    file: Path
    storage: Storage

    def room(self) -> int:
        """How many bytes more may be kept in memory now."""
        return free_memory() // 2 if self.storage == "auto" else {"memory": UNBOUNDED, "disk": 0}[self.storage]

    def find(self, key: str) -> tuple[Prepared, ...] | None:
        """The cases that an earlier process kept in the file; None where it isn't theirs, not whole, or not wanted."""
        return None if self.storage == "memory" else _mapped(self.file, key)

    def keep(self, cases: Iterable[Prepared], key: str) -> tuple[Prepared, ...]:
        """All cases, in memory or mapped from the file. Raises OutputError; then the file is as it was."""
        coming, room, held = iter(cases), self.room(), list[Prepared]()
        for case in coming:
            held.append(case)
            room -= case[1].nbytes
            if room < 0:
                _write(chain(held, coming), self.file, key)
                return _mapped(self.file, key) or ()
        return tuple(held)

    def clear(self) -> None:
        """Remove the file. It stays where a system, as Windows, keeps what is mapped."""
        with suppress(OSError):
            self.file.unlink(missing_ok=True)


def key_of(entries: Sequence[CaseEntry], preparation: Preparation, versions: dict[str, str]) -> str:
    """SHA-256 of all that prepared cases depend on: ids, classes, sizes and times of files, preparation, versions."""
    listed = [[entry.id, _stamps(entry)] for entry in entries]
    return hashlib.sha256(json.dumps([listed, repr(preparation), versions]).encode()).hexdigest()


def _stamps(entry: CaseEntry) -> list[str]:
    files = files_of(entry)
    if files is None:
        return []
    stamps = [repr(files.labels)]
    for part, path in files.parts.items():
        with suppress(OSError):  # whoever reads it will say so
            status = path.stat()
            stamps.append(f"{part} {status.st_size} {status.st_mtime_ns}")
    return stamps


def _write(cases: Iterable[Prepared], path: Path, key: str) -> None:
    temporary = path.with_name(unfinished_name())
    try:
        with temporary.open("xb") as file:
            listed = [(content, _append(case, file)) for content, case in cases]
            said = json.dumps({"key": key, "cases": listed}).encode()
            file.write(said + len(said).to_bytes(LENGTH, "little"))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path}: can't be written ({error.strerror or error}); free some space, or train with --cache memory"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _append(case: Tensor, file: BinaryIO) -> list[int]:
    file.write(case.contiguous().numpy().data)
    return list(case.shape)


def _mapped(path: Path, key: str) -> tuple[Prepared, ...] | None:
    """The cases in a whole file of this key, read from it when they are needed."""
    try:
        # Pages are copied when they are written to, which nobody does: PyTorch has no tensors that can't be.
        mapped = np.memmap(path, np.uint8, "c")
        length = int.from_bytes(mapped[-LENGTH:].tobytes(), "little")
        said = json.loads(mapped[-LENGTH - length : -LENGTH].tobytes())
        listed = said["cases"] if said["key"] == key else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
    if listed is None or sum(prod(shape) for _, shape in listed) + length + LENGTH != len(mapped):
        return None
    ends = np.cumsum([prod(shape) for _, shape in listed])
    pieces = zip(np.split(mapped, ends)[:-1], listed, strict=True)
    return tuple((content, torch.from_numpy(pixels.reshape(shape))) for pixels, (content, shape) in pieces)


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
