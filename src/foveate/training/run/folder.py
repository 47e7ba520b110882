"""What a run's folder says in plain text, for people and for whatever has no torch.

recipe.toml         the whole recipe, defaults and overrides included
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
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from foveate.errors import ModelError, OutputError
from foveate.imaging import write_text
from foveate.training.run.progress import EpochRow
from foveate.training.run.redact import redacted, without_secrets

RECIPE, FACTS, TABLE, LOG, CURVES = "recipe.toml", "run.json", "log.csv", "log.txt", "curves.png"
BEST, LAST, STATE, LOCK = "best.safetensors", "last.safetensors", "state.safetensors", "lock"
CACHE = "cache.bin"

Storage = Literal["auto", "memory", "disk"]
"""Where a process keeps its prepared images; auto: in memory, if they take up to half of what is free there."""


def save_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write run.json, without secrets in its commands. Raises OutputError."""
    write_text(json.dumps(without_secrets(facts), indent=2, ensure_ascii=False) + "\n", folder / FACTS)


def load_facts(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises ModelError where the folder is not a run."""
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: not the folder of a run ({error}).") from error
    return facts


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
