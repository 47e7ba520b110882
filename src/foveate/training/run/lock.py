"""One process at a time in a run's folder: the operating system's own lock, which ends with the process."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from foveate.errors import TrainingError
from foveate.imaging.lock import acquire, is_at
from foveate.training.run.folder import LOCK


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is missing; TrainingError where another process holds it.

    A folder that was made here is removed again if what is done in it fails before anything lies there.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    with _opened(folder) as file:
        # `is_locked` in another process holds it for a moment, too.
        if not _acquire_patiently(file, folder / LOCK):
            raise TrainingError(
                f"{folder}: another process trains into it. Wait until it ends, or choose another --out."
            )
        try:
            yield
        except BaseException:  # whatever it is, it is raised on
            _remove_unused(made)
            raise


def _remove_unused(made: Sequence[Path]) -> None:
    """Remove folders, the innermost first, of which that one may hold its lock and none anything else."""
    with suppress(OSError):
        if made and [path.name for path in made[0].iterdir()] == [LOCK]:
            (made[0] / LOCK).unlink()
            for folder in made:
                folder.rmdir()


def _acquire_patiently(file: BinaryIO, path: Path) -> bool:
    for _ in range(3):
        if acquire(file):
            return is_at(path, file)
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
            return not acquire(file)
    except OSError:
        return False
