"""A model as a file of one's own: the `.onnx` file and its card beside it, of a run or of a shipped model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from msgspec import structs

from foveate.errors import OutputError
from foveate.imaging import write_bytes, write_text
from foveate.models.card import CARD, ModelCard, plain
from foveate.models.store import Model


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """What was written."""

    file: Path
    """The .onnx file; card.json lies beside it."""
    card: ModelCard
    differences: Mapping[tuple[int, int], float] = field(default_factory=dict)
    """Of a network that was exported, height and width to the largest difference of a probability between ONNX Runtime
    and PyTorch."""


def check_free(target: Path, *, overwrite: bool) -> None:
    """Raise OutputError where `target`, or a card beside it, is there already and `overwrite` is off."""
    for path in (target, target.parent / CARD):
        if path.exists() and not overwrite:
            raise OutputError(f"{path}: is there already. Choose another folder, or --overwrite.")


def write_model(model: Model, target: Path) -> None:
    """Write a model's file, whose name its card has, and the card beside it."""
    write_bytes(model.content, target)
    write_text(model.card.to_json(), target.parent / CARD)


def copy_model(model: Model, target: Path, *, name: str | None = None, overwrite: bool = False) -> ExportedFile:
    """Write a model that there is as `target`, under its own name unless another is given.

    Raises OutputError as `check_free` does.
    """
    check_free(target, overwrite=overwrite)
    copied = called(model, target.name, name)
    write_model(copied, target)
    return ExportedFile(target, copied.card)


def called(model: Model, file: str, name: str | None) -> Model:
    """The model with a card for a file of that name, and for the model's own name where one is given."""
    changes = {"file": file, "name": plain(name or model.card.name)}
    return replace(model, card=ModelCard.of(model.source, **(structs.asdict(model.card) | changes)))
