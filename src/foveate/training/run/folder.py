"""A run's folder: the names of its files, what it says in plain text, and the lock that one process at a time holds.

recipe.toml         the whole recipe, defaults and overrides included
plan.toml           of `auto`: the recipe as it was planned, with a reason for each choice
run.json            command, versions, hardware, seed, source commit, data, and how far the run is
log.csv             one row per epoch
log.txt             everything that was said, with the time of day
curves.png          losses, validation F1 and learning rate over the epochs
best.safetensors    weights of the best validation, with the network's name and options in the header
last.safetensors    weights of the last epoch
state.safetensors   what the next epoch needs; written before all else, which follows from it
cache.bin           prepared images that memory is too small for; gone when the run is over
lock                held while a process works here
"""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Literal

from foveate.errors import OutputError, TrainingError
from foveate.imaging import write_text
from foveate.imaging.lock import acquire, is_at
from foveate.training.run.progress import EpochRow
from foveate.training.run.provenance import redacted

RECIPE, TABLE, LOG, CURVES = "recipe.toml", "log.csv", "log.txt", "curves.png"
BEST, LAST, STATE, LOCK = "best.safetensors", "last.safetensors", "state.safetensors", "lock"
CACHE, PLAN = "cache.bin", "plan.toml"

Storage = Literal["auto", "memory", "disk"]
"""Where a process keeps its prepared images; auto: in memory, if they take up to half of what is free there."""


def save_table(folder: Path, rows: Sequence[EpochRow]) -> None:
    """Write log.csv, all of it. Raises OutputError."""
    text = io.StringIO()
    cells = [_cells(row) for row in rows]
    writer = csv.DictWriter(text, fieldnames=list(cells[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(cells)
    write_text(text.getvalue(), folder / TABLE)


def _cells(row: EpochRow) -> dict[str, str]:
    return {
        "epoch": str(row.epoch),
        "loss": f"{row.loss:.5f}",
        "validation_loss": f"{row.validation_loss:.5f}",
        "mean_f1": f"{row.mean_f1:.5f}",
        **{f"f1_{name}": f"{f1:.5f}" for name, f1 in row.f1.items()},
        **_class_cells(row),
        **_threshold_cells(row),
        "learning_rate": f"{row.learning_rate:.3e}",
        "best": str(int(row.best)),
        "images_per_second": f"{row.images_per_second:.2f}",
        "seconds": f"{row.seconds:.1f}",
    }


def _class_cells(row: EpochRow) -> dict[str, str]:
    """F1 of each class, where there are several; empty where no mask has it."""
    return {
        f"f1_{name}_{class_name}": "" if f1 is None else f"{f1:.5f}"
        for name, scores in row.class_f1.items()
        for class_name, f1 in scores.items()
        if len(scores) > 1
    }


def _threshold_cells(row: EpochRow) -> dict[str, str]:
    if len(row.thresholds) == 1:
        return {"threshold": f"{row.thresholds[0]:.5f}"}
    names = next(iter(row.class_f1.values()))
    return {f"threshold_{name}": f"{value:.5f}" for name, value in zip(names, row.thresholds, strict=True)}


def add_to_log(folder: Path, text: str) -> None:
    """Add a line to log.txt, with the time and without secrets. Raises OutputError."""
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    try:
        with (folder / LOG).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{now} {redacted(text)}\n")
    except OSError as error:
        raise OutputError(f"{folder / LOG}: can't be written ({error.strerror or error}); free some space") from error


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which is made if it is missing; TrainingError where another process holds it.

    A folder that was made here is removed again if what is done in it fails before anything lies there.
    """
    made = [directory for directory in (folder, *folder.parents) if not directory.exists()]
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
