"""What `foveate export` does, from Python."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from foveate.errors import UsageError, needs

if TYPE_CHECKING:
    from foveate.training.after.export import ExportedFile


def export(run: str | Path, out: str | Path, *, name: str | None = None, overwrite: bool = False) -> ExportedFile:
    """Write the best weights in a run's folder as one ONNX file, with `card.json` beside it; needs the extra `train`.

    `name` is the model's in the card, by itself that of the run's folder. The result has the `file`, its `card`, and
    the `differences`: size to the largest difference of a probability between ONNX Runtime and PyTorch.

    Raises UsageError where `out` doesn't end in .onnx or the extra is missing, ModelError where `run` is no run or the
    two differ too much, OutputError where a file is there and `overwrite` is off. Nothing is written then.
    """
    if Path(out).suffix != ".onnx":
        raise UsageError(f"--out {out}: name a file that ends in .onnx.")
    with needs("train"):
        from foveate.training.after.export import export as export_run
    return export_run(Path(run), Path(out), name=name, overwrite=overwrite)
