"""Exports that the processes of one run of the tests share: by far the dearest that tests ask for again and again."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from foveate.training.after.export import to_onnx
from foveate.training.after.validation import Exportable


def graph_of(folder: Path, model: Exportable) -> bytes:
    """What `to_onnx` makes of a model, from a file in `folder` where it has been made of the same one before."""
    file = folder / f"{fingerprint(model)}.onnx"
    if not file.is_file():
        folder.mkdir(exist_ok=True)
        made = file.with_suffix(f".{os.getpid()}")
        made.write_bytes(to_onnx(model))
        made.replace(file)  # another process sees the whole file or none
    return file.read_bytes()


def fingerprint(model: Exportable) -> str:
    """Of all that an export depends on: modules with their options, order of classes, weights and normalisation."""
    seen = hashlib.sha256(f"{model} {model.classes}".encode())
    for module in model.modules():
        plain = {key: value for key, value in vars(module).items() if isinstance(value, bool | int | float | str)}
        seen.update(f"{type(module)} {plain}".encode())
    for name, value in model.state_dict().items():
        seen.update(name.encode() + value.numpy().tobytes())
    return seen.hexdigest()
