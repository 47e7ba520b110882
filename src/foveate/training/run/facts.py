"""run.json, and what it must say where it is read again: it may be a stranger's, or another tool's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from foveate.errors import ModelError
from foveate.imaging import write_text
from foveate.training.run.provenance import without_secrets

FACTS = "run.json"


class _Set(msgspec.Struct):
    training: list[str] | None = None
    validation: list[str] | None = None
    training_contents: list[str] | None = None
    validation_contents: list[str] | None = None


class _Call(msgspec.Struct):
    command: str


class _Initial(msgspec.Struct):
    """The weights that a run began with, and the run that made them, where that is known."""

    file: str
    command: str = ""
    data: dict[str, _Set] = {}
    resumed: list[_Call] = []
    initial: _Initial | None = None
    differing: str = ""
    drawn_anew: list[str] = []
    left_out: list[str] = []


class _Best(msgspec.Struct):
    epoch: int
    f1: float
    thresholds: list[float] = []


class _Progress(msgspec.Struct):
    epochs: int
    planned: int
    best: _Best | None
    ending: str | None


class _Facts(msgspec.Struct):
    command: str
    source_commit: str
    data: dict[str, _Set]
    device: str
    classes: list[str] = []
    exclusive: bool = True
    places: list[str] = []
    cache: Literal["auto", "memory", "disk"] = "auto"
    precision: str = ""
    initial: _Initial | None = None
    resumed: list[_Call] = []
    track: dict[str, Any] = {}
    progress: _Progress | None = None


def load_facts(folder: Path) -> dict[str, Any]:
    """Read run.json. Raises ModelError where there is none, and where it isn't that of a run."""
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        msgspec.convert(facts, _Facts)
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{folder}: not the folder of a run ({FACTS}: {error}).") from error
    return facts


def save_facts(folder: Path, facts: Mapping[str, Any]) -> None:
    """Write run.json, without secrets in its commands. Raises OutputError."""
    write_text(json.dumps(without_secrets(facts), indent=2, ensure_ascii=False) + "\n", folder / FACTS)
