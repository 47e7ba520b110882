"""Find a model by name or path and verify it: nothing runs whose SHA-256 is not the card's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from os import SEEK_END
from pathlib import Path

from foveate.errors import ModelError, UsageError, unknown
from foveate.models.card import CARD, ModelCard

SHIPPED = Path(__file__).parent
"""Each folder in it with a card is a model of that name."""

LARGEST_CARD = 4 * 2**20
"""Bytes; the ids of a hundred thousand images fit in."""

LARGEST_MODEL = 512 * 2**20
"""Bytes; the largest network here has 150 MiB."""


@dataclass(frozen=True, slots=True)
class Model:
    """A verified model file in memory, with its card."""

    card: ModelCard
    content: bytes
    source: str
    """Where it was found, for messages."""
    shipped: bool = False
    """Whether it is a part of the package, and so as trustworthy as its code."""


def shipped() -> dict[str, Path]:
    """Name to folder of every model in the package."""
    return {card.parent.name: card.parent for card in SHIPPED.glob(f"*/{CARD}")}


def open_model(name_or_path: str | Path) -> Model:
    """The shipped model of that name, or the `.onnx` file at that path with `card.json` beside it.

    Raises UsageError for an unknown name or a missing file, ModelError for a card or a file that can't be trusted.
    """
    models = shipped()
    if str(name_or_path) in models:
        folder = models[str(name_or_path)]
        return _verified(folder, None, f"shipped model '{name_or_path}'", shipped=True)
    path = Path(name_or_path)
    if path.suffix != ".onnx":
        raise UsageError(unknown("model", str(name_or_path), models) + " A file of your own ends in .onnx.")
    if not path.is_file():
        raise UsageError(f"{path}: no such file.")
    if not (path.parent / CARD).is_file():
        raise ModelError(f"{path}: has no {CARD} beside it, so size and threshold are unknown. Use `foveate export`.")
    return _verified(path.parent, path.name, str(path))


def read_card(file: Path) -> ModelCard:
    """The card in a file. Raises ModelError where it can't be read, or is none."""
    try:
        return ModelCard.parse(_content(file, LARGEST_CARD, str(file)), str(file))
    except OSError as error:
        raise ModelError(f"{file}: can't be read ({error.strerror or error}).") from error


def _verified(folder: Path, file: str | None, source: str, *, shipped: bool = False) -> Model:
    try:
        card = ModelCard.parse(_content(folder / CARD, LARGEST_CARD, source), source)
        if file is not None and card.file != file:
            raise ModelError(
                f"{source}: the {CARD} beside it is that of '{card.file}'. Keep each model in its own folder."
            )
        content = _content(folder / card.file, LARGEST_MODEL, source)
    except OSError as error:
        raise ModelError(f"{source}: can't be read ({error.strerror or error}).") from error
    actual = hashlib.sha256(content).hexdigest()
    if actual != card.sha256:
        raise ModelError(
            f"{source}: the file's SHA-256 is {actual[:12]}…, its card says {card.sha256[:12]}…."
            " The file was changed or damaged: install or export it again."
        )
    return Model(card, content, source, shipped)


def _content(file: Path, most: int, source: str) -> bytes:
    """The bytes of a file. Raises OSError, and ModelError for more than `most` before they are read."""
    with file.open("rb") as opened:
        if opened.seek(0, SEEK_END) > most:
            raise ModelError(f"{source}: {file.name} has more than {most // 2**20} MiB, more than one is read of.")
        opened.seek(0)
        return opened.read(most)
