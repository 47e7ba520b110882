"""A folder for the Hugging Face hub: a model with all that it needs, as files that go up together. Nothing is uploaded.

README.md           what the hub shows: `hub_page`
LICENSE.md          under which terms, of the weights and of the images behind them
card.json           the card
config.json         network, options and normalisation, as the header of the weights has them
model.onnx          the network as `foveate segment --model` runs it
model.safetensors   the weights before the export, which `foveate train --from` learns on with
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from foveate.errors import UsageError
from foveate.imaging import whole_folder, write_bytes, write_text
from foveate.models.card import CARD, HUB_FILE, HUB_WEIGHTS
from foveate.models.exported import ExportedFile, called
from foveate.models.store import Model
from foveate.training.after.export import compared
from foveate.training.after.hub_page import licence_page, readme
from foveate.training.after.validation import Exportable
from foveate.training.run.tensors import load_weights


def write_hub_folder(model: Model, weights: Path, folder: Path, *, name: str | None = None) -> ExportedFile:
    """Write `folder`, complete or not at all, of a model and the weights that it was exported from.

    Raises UsageError where there are no such weights, ModelError where the two aren't of one network or differ by more
    than float32 has to, OutputError where the folder is there and not empty.
    """
    if not weights.is_file():
        raise UsageError(f"{model.source}: comes without its weights. Give a run's folder or a shipped model's name.")
    network, header = load_weights(weights)
    network = Exportable(network, header.mean, header.deviation, header.told_apart).eval()
    differences = compared(model.content, network, f"{model.source}: export it again, as its file and {weights}")
    card = called(model, HUB_FILE, name).card
    content = weights.read_bytes()
    config = {"library_name": "foveate", "sha256": hashlib.sha256(content).hexdigest(), **asdict(header)}
    with whole_folder(folder) as part:
        write_text(readme(card), part / "README.md")
        write_text(licence_page(card), part / "LICENSE.md")
        write_text(card.to_json(), part / CARD)
        write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", part / "config.json")
        write_bytes(model.content, part / HUB_FILE)
        write_bytes(content, part / HUB_WEIGHTS)
    return ExportedFile(folder / HUB_FILE, card, differences)
