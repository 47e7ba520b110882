"""The model whose answer is known, with a card that says which images it has seen."""

import json
from pathlib import Path

from foveate.models.card import CARD
from green_model import write_green_model


def known_model(
    folder: Path,
    *,
    name: str = "known",
    on: str = "synthetic",
    training: tuple[str, ...] = (),
    validation: tuple[str, ...] = (),
    threshold: float | None = None,
    classes: tuple[str, ...] = ("vessel",),
    exclusive: bool = True,
    min_size: int = 0,
) -> Path:
    """The model's file, in a folder that is made; its card names these images of the data set `on`, and classes."""
    folder.mkdir(parents=True)
    file = write_green_model(folder, len(classes))
    card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    seen = card["training_data"][0] | {"set": on, "training": training, "validation": validation}
    seen |= {"training_contents": [""] * len(training), "validation_contents": [""] * len(validation)}
    card |= {"name": name, "training_data": [seen], "classes": classes, "exclusive": exclusive, "min_size": min_size}
    if threshold is not None:
        card["thresholds"] = [threshold]
    if not exclusive:
        card["thresholds"] *= len(classes)
    (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
    return file
