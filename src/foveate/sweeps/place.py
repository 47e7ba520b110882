"""A sweep's folder: what is swept there, on which data, and one process at a time where that matters.

sweep.json    the sweep, its study's name in the storage, its data, and what its runs begin with
recipe.toml   the recipe as it was when the sweep began: trials go by this one
sweep.db      the trials, where no other storage is asked for
trial-0003/   the runs of one trial, seed-0-fold-1 and so on; its `lock` is held by whoever works on it
sweep.csv     the ranking, one row per trial
sweep.png     the scores along each axis
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from foveate.datasets import DataSet
from foveate.errors import TrainingError, UsageError
from foveate.imaging import write_text
from foveate.imaging.write import UNFINISHED
from foveate.sweeps.read import checked_sweep, recipe_text
from foveate.sweeps.schema import Sweep
from foveate.training.run.folder import LOCK, locked

RECORD, RECIPE, DATABASE, TABLE, PICTURE = "sweep.json", "recipe.toml", "sweep.db", "sweep.csv", "sweep.png"
CHANGEABLE = "trials"
"""The one key of a sweep that may differ when it goes on."""


def trial_folder(folder: Path, number: int) -> Path:
    """Where a trial's runs lie."""
    return folder / f"trial-{number:04}"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until no other process decides anything in a sweep's folder, and keep them waiting meanwhile.

    Raises TrainingError where the folder can't be written.
    """
    with ExitStack() as stack:
        while not _entered(stack, folder):
            time.sleep(0.05)
        yield


def _entered(stack: ExitStack, folder: Path) -> bool:
    try:
        stack.enter_context(locked(folder))
    except TrainingError as error:
        if error.__cause__ is not None:  # the lock's file can't be made
            raise
        return False
    return True


def begin_or_join(
    folder: Path, sweep: Sweep, data: Sequence[DataSet], *, storage: str | None, initial: str | None
) -> dict[str, Any]:
    """The record of the sweep in a folder, which is made where there is none; for use inside of `alone`.

    `storage` is an address without its password, `initial` the SHA-256 of the weights to begin with. Raises UsageError
    where the folder holds another sweep, or something else.
    """
    cases = {data_set.name: [entry.id for entry in data_set.split("train")] for data_set in data}
    asked = {
        "sweep": sweep.model_dump(mode="json"),
        "storage": storage,
        "cases": cases,
        "initial": initial,
    }
    text = recipe_text(sweep)
    if (folder / RECORD).is_file():
        record = load_record(folder)
        _check_same(folder, record, asked, text)
        record["sweep"][CHANGEABLE] = sweep.trials
    else:
        _check_free(folder)
        record = {"study": f"{sweep.name}-{uuid.uuid4().hex[:8]}", **asked}
        write_text(text, folder / RECIPE)
    write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", folder / RECORD)
    return record


def load_record(folder: Path) -> dict[str, Any]:
    """The record of the sweep in a folder. Raises UsageError where there is none."""
    try:
        record: dict[str, Any] = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder}: holds no sweep ({error}). Begin one with SWEEP, --data and --out.") from error
    return record


def sweep_in(folder: Path) -> Sweep:
    """The sweep that a folder holds. Raises UsageError where there is none."""
    return checked_sweep(load_record(folder)["sweep"], str(folder / RECORD))


def _check_same(folder: Path, record: Mapping[str, Any], asked: Mapping[str, Any], text: str) -> None:
    """The recipe counts by its text, not by where it lies."""
    free = {CHANGEABLE, "recipe"}
    first, now = (
        {key: value for key, value in content["sweep"].items() if key not in free} for content in (record, asked)
    )
    other = [key for key in now if now[key] != first.get(key)]
    other += [] if text == (folder / RECIPE).read_text(encoding="utf-8") else ["recipe"]
    if other:
        raise UsageError(
            f"{folder}: holds a sweep that differs in {', '.join(other)}; only {CHANGEABLE} may change."
            " Choose another --out."
        )
    for key, option in (("cases", "--data"), ("initial", "--from"), ("storage", "--storage")):
        if record[key] != asked[key]:
            raise UsageError(f"{folder}: its sweep began with another {option}. Give that, or choose another --out.")


def _check_free(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()} - {LOCK, RECIPE}
    if any(not UNFINISHED.fullmatch(name) for name in names):
        raise UsageError(f"{folder}: is not empty, and holds no sweep. Choose another --out.")
