"""One process at a time in a run's folder: the operating system's own lock, which ends with the process."""

from __future__ import annotations

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from foveate.errors import TrainingError
from foveate.training.run_folder import LOCK

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is missing; TrainingError where another process holds it."""
    with _opened(folder) as file:
        # `is_locked` in another process holds it for a moment, too.
        if not _acquire_patiently(file):
            raise TrainingError(
                f"{folder}: another process trains into it. Wait until it ends, or choose another --out."
            )
        yield


def _acquire_patiently(file: BinaryIO) -> bool:
    for _ in range(3):
        if _acquire(file):
            return True
        time.sleep(0.1)
    return False


def _opened(folder: Path) -> BinaryIO:
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return path.open("ab")
    except OSError as error:
        raise TrainingError(f"{path}: can't be written ({error}). Choose a folder where you may write.") from error


def is_locked(folder: Path) -> bool:
    """Whether a process works in the folder at this moment."""
    try:
        with (folder / LOCK).open("r+b") as file:
            return not _acquire(file)
    except OSError:
        return False


def _acquire(file: BinaryIO) -> bool:
    """Lock an open file until it is closed; False where another process has it."""
    try:
        if sys.platform == "win32":
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in TAKEN:
            return False
        raise
    return True
